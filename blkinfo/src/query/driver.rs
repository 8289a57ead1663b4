//! Names that belong to one kind of device: arrays, Ceph images, DRBD resources, files behind loop devices.

use super::choice::{one_disk, only};
use super::lookup::Lookup;
use crate::device::Device;
use crate::error::Error;
use crate::info::BlkType;
use crate::tree::Tree;
use crate::udev::Record;

/// Properties of udev with an array's name (mdadm --detail --export in 63-md-raid-arrays.rules; udisks2 has its own).
const MD_NAMES: [&str; 4] = ["MD_NAME", "MD_DEVNAME", "UDISKS_MD_NAME", "UDISKS_MD_DEVNAME"];
/// Links of udev that end with it.
const MD_LINKS: [&str; 2] = ["md/", "disk/by-id/md-name-"];

/// An array by its name, as it is written in its superblock `host:name` or without the host (mdadm(8), --name).
pub(super) fn array(tree: &Lookup<'_>, name: &str) -> Result<Option<Device>, Error> {
    let fits = |known: &str| known == name || known.split_once(':').is_some_and(|(_, short)| short == name);
    let is = |record: &Record| {
        let mut names = MD_NAMES.iter().filter_map(|property| record.get(property));
        let linked = |link: &String| MD_LINKS.iter().filter_map(|start| link.strip_prefix(start)).any(fits);
        names.any(fits) || record.links.iter().any(linked)
    };
    let mut found = tree.recorded(is)?;
    found.retain(|device| tree.blk_type(device) == BlkType::Md);
    one_disk(tree, name, found)
}

/// A mapped image of Ceph, `pool/image`, `pool/image@snapshot` or with a namespace `pool/namespace/image`
/// (Documentation/ABI/testing/sysfs-bus-rbd; a snapshot that is none is called `-`).
pub(super) fn ceph_image(tree: &Lookup<'_>, name: &str) -> Result<Option<Device>, Error> {
    if !name.contains('/') {
        return Ok(None);
    }
    let is = |device: &Device| {
        device.partition(tree).is_none() && image(tree, device).is_some_and(|image| image == name)
    };
    let mut found = tree.named("rbd")?;
    found.retain(is);
    one_disk(tree, name, found)
}

fn image(tree: &Tree, device: &Device) -> Option<String> {
    let attr = |name: &str| device.attr(tree, &format!("device/{name}"));
    let namespace = attr("pool_ns").map(|namespace| format!("/{namespace}")).unwrap_or_default();
    let snapshot = attr("current_snap").filter(|snapshot| snapshot != "-");
    let snapshot = snapshot.map(|snapshot| format!("@{snapshot}")).unwrap_or_default();
    Some(format!("{}{namespace}/{}{snapshot}", attr("pool")?, attr("name")?))
}

/// A resource of DRBD, `r0`, or its volume `r0/1` as the kernel writes it (drivers/block/drbd/drbd_int.h,
/// drbd_printk_with_wrong_object_type). Only udev knows the name: the link `drbd/by-res/r0/1`, with drbd-utils before
/// version 9 `drbd/by-res/r0`.
pub(super) fn drbd(tree: &Lookup<'_>, name: &str) -> Result<Option<Device>, Error> {
    let fits = |link: &String| {
        let resource = link.strip_prefix("drbd/by-res/");
        resource
            .is_some_and(|r| r == name || r.rsplit_once('/').is_some_and(|(resource, _)| resource == name))
    };
    let mut found = tree.recorded(|record| record.links.iter().any(fits))?;
    found.retain(|device| device.name.starts_with("drbd") && device.partition(tree).is_none());
    one_disk(tree, name, found)
}

/// The loop device over that file. A file that was deleted has no path (fs/d_path.c marks it).
pub(super) fn backing_file(tree: &Lookup<'_>, path: &str) -> Result<Option<Device>, Error> {
    if path.ends_with(" (deleted)") {
        return Ok(None);
    }
    let mut found = tree.named("loop")?;
    found.retain(|device| device.attr(tree, "loop/backing_file").as_deref() == Some(path));
    only(tree, path, found)
}
