//! The content of a device: UUIDs and labels.

use super::choice::only;
use super::lookup::Lookup;
use crate::device::Device;
use crate::error::Error;
use crate::escape::decode_hex;
use crate::tree::Tree;
use crate::udev::Record;

/// The tags of fstab(5), and the property of udev that has the value.
const TAGS: [(&str, &str); 4] = [
    ("UUID", "ID_FS_UUID"),
    ("LABEL", "ID_FS_LABEL"),
    ("PARTUUID", "ID_PART_ENTRY_UUID"),
    ("PARTLABEL", "ID_PART_ENTRY_NAME"),
];

/// Splits `LABEL="my disk"` into the property and the value.
pub(super) fn tag(device: &str) -> Option<(&'static str, &str)> {
    let (name, value) = device.split_once('=')?;
    let (_, property) = TAGS.iter().find(|(tag, _)| *tag == name)?;
    let quoted = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    Some((property, quoted('"').or_else(|| quoted('\'')).unwrap_or(value)))
}

pub(super) fn tagged(tree: &Lookup<'_>, device: &str) -> Result<Option<Device>, Error> {
    match tag(device) {
        Some((property, value)) => with_property(tree, device, &[property], value),
        None => Ok(None),
    }
}

/// A UUID alone; that of one member of a file system of several devices (libblkid's UUID_SUB) comes last.
pub(super) fn uuid(tree: &Lookup<'_>, uuid: &str) -> Result<Option<Device>, Error> {
    match with_property(tree, uuid, &["ID_FS_UUID", "ID_PART_ENTRY_UUID", "MD_UUID"], uuid)? {
        None => with_property(tree, uuid, &["ID_FS_UUID_SUB"], uuid),
        found => Ok(found),
    }
}

/// A label alone: of file systems, then of partitions.
pub(super) fn label(tree: &Lookup<'_>, label: &str) -> Result<Option<Device>, Error> {
    match with_property(tree, label, &["ID_FS_LABEL"], label)? {
        None => with_property(tree, label, &["ID_PART_ENTRY_NAME"], label),
        found => Ok(found),
    }
}

/// The device with that value in one of these properties: those that hold a file system before those that are part of
/// something. Of a file system of several devices, the one that was named when mounting.
fn with_property(
    tree: &Lookup<'_>,
    device: &str,
    properties: &[&str],
    value: &str,
) -> Result<Option<Device>, Error> {
    let has = |record: &Record| {
        let found =
            properties.iter().filter_map(|property| record.encoded(property).map(|found| (property, found)));
        found.into_iter().any(|(property, found)| same(property, &found, value))
    };
    let is_fs = |device: &Device| tree.udev(device).get("ID_FS_USAGE") == Some("filesystem");
    let mut found = tree.recorded(has)?;
    if found.iter().any(is_fs) {
        found.retain(is_fs);
    }
    match only(tree, device, found.clone()) {
        Err(Error::Ambiguous { device, candidates }) => {
            let mounted = only(tree, &device, mounted(tree, found))?;
            mounted.map(Some).ok_or(Error::Ambiguous { device, candidates })
        }
        answer => answer,
    }
}

/// Labels are compared to the letter, UUIDs without regard to case. A partition's name stands encoded in udev's database
/// (systemd, src/udev/udev-builtin-blkid.c).
fn same(property: &str, found: &str, value: &str) -> bool {
    match property {
        "ID_PART_ENTRY_NAME" => found == value || decode_hex(found) == value,
        _ if property.contains("UUID") => found.eq_ignore_ascii_case(value),
        _ => found == value,
    }
}

/// Those of the devices that are mounted.
fn mounted(tree: &Tree, devices: Vec<Device>) -> Vec<Device> {
    let mounts = tree.mounts().unwrap_or_default();
    let mounted: Vec<Device> = mounts.iter().filter_map(|mount| tree.device_of_mount(mount)).collect();
    let is_mounted = |device: &Device| mounted.contains(device);
    devices.into_iter().filter(is_mounted).collect()
}
