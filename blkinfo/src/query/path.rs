//! Paths: nodes and links in /dev, folders in sysfs, mount points.

use std::path::{Component, Path};

use super::{dm, only};
use crate::device::Device;
use crate::error::Error;
use crate::tree::Tree;

/// `/dev/sdb`, `/dev/disk/by-uuid/…`, `/dev/mapper/x`, `/dev/vg/lv`. A link that is not there (yet) may still stand in
/// udev's database, and without udev the nodes in /dev/mapper and /dev/VG have the names of the maps.
pub(super) fn node(tree: &Tree, path: &str) -> Result<Option<Device>, Error> {
    if !is_plain(path) {
        return Ok(None);
    }
    if let Some(device) = tree.device_of_node(path) {
        return Ok(Some(device));
    }
    let name = path.strip_prefix("/dev/").unwrap_or(path);
    if let Some(device) = linked(tree, name)? {
        return Ok(Some(device));
    }
    match name.strip_prefix("mapper/") {
        Some(name) => Ok(tree.device_by_dm_name(name)),
        None => Ok(dm::logical_volume(tree, name)),
    }
}

/// `vg/lv`, `disk/by-id/…`: the same without `/dev/`.
pub(super) fn below_dev(tree: &Tree, name: &str) -> Result<Option<Device>, Error> {
    match name.contains('/') {
        true => node(tree, &format!("/dev/{name}")),
        false => Ok(None),
    }
}

/// The device that has this link in udev's database.
fn linked(tree: &Tree, link: &str) -> Result<Option<Device>, Error> {
    let devices = tree.devices()?;
    let has_link = |device: &Device| tree.udev(device).links.iter().any(|known| known == link);
    only(tree, link, devices.into_iter().filter(has_link).collect())
}

/// `/sys/block/sdb` and other ways to a block device's folder.
pub(super) fn sysfs(tree: &Tree, path: &str) -> Result<Option<Device>, Error> {
    if !is_plain(path) {
        return Ok(None);
    }
    let dir = tree.follow(Path::new(path)).unwrap_or_else(|| path.into());
    let device = dir.file_name().and_then(|name| tree.device(name.to_str()?));
    Ok(device.filter(|device| device.dir == dir))
}

/// A mount point or a path below one, as text: what lies there is never touched.
pub(super) fn mounted(tree: &Tree, path: &str) -> Result<Option<Device>, Error> {
    if !is_plain(path) {
        return Ok(None);
    }
    let mount = tree.mount_at(path)?;
    Ok(mount.and_then(|mount| tree.device_by_number(mount.major_minor)))
}

/// Without `..`: what that means depends on links.
fn is_plain(path: &str) -> bool {
    !Path::new(path).components().any(|component| component == Component::ParentDir)
}
