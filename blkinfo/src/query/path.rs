//! Paths: nodes and links in /dev, directories in sysfs, mount points.

use std::path::{Component, Path, PathBuf};

use super::choice::only;
use super::lookup::Lookup;
use super::{dm, driver, kernel};
use crate::device::Device;
use crate::error::Error;
use crate::mounts::Mount;
use crate::tree::Tree;

/// `/dev/sdb`, `/dev/disk/by-uuid/…`, `/dev/mapper/x`, `/dev/vg/lv`. A link that is not there (yet) may still stand in
/// udev's database, and without udev the nodes in /dev/mapper and /dev/VG have the names of the maps.
pub(super) fn node(tree: &Lookup<'_>, path: &str) -> Result<Option<Device>, Error> {
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
    if let Some(name) = name.strip_prefix("mapper/") {
        return Ok(tree.device_by_dm_name(name));
    }
    if let Some(name) = name.strip_prefix("md/") {
        return driver::array(tree, name);
    }
    match dm::logical_volume(tree, name) {
        None => character(tree, path),
        found => Ok(found),
    }
}

/// The disk behind a character node, or behind a link to one (`/dev/char/21:3`).
fn character(tree: &Tree, path: &str) -> Result<Option<Device>, Error> {
    let node = tree.follow_node(Path::new(path));
    let name = node.as_ref().and_then(|node| node.strip_prefix("/dev").ok()?.to_str());
    name.map_or(Ok(None), |name| kernel::char_node(tree, name))
}

/// `vg/lv`, `disk/by-id/…`: the same without `/dev/`.
pub(super) fn below_dev(tree: &Lookup<'_>, name: &str) -> Result<Option<Device>, Error> {
    match name.contains('/') {
        true => node(tree, &format!("/dev/{name}")),
        false => Ok(None),
    }
}

/// The device that has this link in udev's database.
fn linked(tree: &Lookup<'_>, link: &str) -> Result<Option<Device>, Error> {
    let found = tree.recorded(|record| record.links.iter().any(|known| known == link))?;
    only(tree, link, found)
}

/// `/sys/block/sdb` and other ways to a block device's directory.
pub(super) fn sysfs(tree: &Tree, path: &str) -> Result<Option<Device>, Error> {
    if !is_plain(path) {
        return Ok(None);
    }
    let dir = tree.follow(Path::new(path)).unwrap_or_else(|| path.into());
    let device = dir.file_name().and_then(|name| tree.device(name.to_str()?));
    Ok(device.filter(|device| device.dir == dir))
}

/// What is mounted exactly there.
pub(super) fn mount_point(tree: &Tree, path: &str) -> Result<Option<Device>, Error> {
    let exact = |mount: &Mount| Path::new(&mount.mount_point) == Path::new(path);
    at(tree, path, exact)
}

/// The loop device over a file.
pub(super) fn backing_file(tree: &Lookup<'_>, path: &str) -> Result<Option<Device>, Error> {
    match is_plain(path) {
        // Without doubled slashes and single dots, as the kernel writes it.
        true => {
            driver::backing_file(tree, &Path::new(path).components().collect::<PathBuf>().to_string_lossy())
        }
        false => Ok(None),
    }
}

/// A path below a mount point, as text: the path itself is never accessed.
pub(super) fn mounted(tree: &Tree, path: &str) -> Result<Option<Device>, Error> {
    at(tree, path, |_| true)
}

fn at(tree: &Tree, path: &str, fits: impl Fn(&Mount) -> bool) -> Result<Option<Device>, Error> {
    if !is_plain(path) {
        return Ok(None);
    }
    let mount = tree.mount_at(path)?.filter(fits);
    Ok(mount.and_then(|mount| tree.device_of_mount(&mount)))
}

/// Without `..`: what that means depends on links.
fn is_plain(path: &str) -> bool {
    !Path::new(path).components().any(|component| component == Component::ParentDir)
}
