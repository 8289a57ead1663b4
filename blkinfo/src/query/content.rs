//! What lies on a device, and what it is: UUIDs, labels, WWIDs.

use super::only;
use crate::device::Device;
use crate::error::Error;
use crate::identity::{joined, Context};
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

pub(super) fn tagged(tree: &Tree, device: &str) -> Result<Option<Device>, Error> {
    match tag(device) {
        Some((property, value)) => with_property(tree, device, &[property], value),
        None => Ok(None),
    }
}

/// A UUID alone.
pub(super) fn uuid(tree: &Tree, uuid: &str) -> Result<Option<Device>, Error> {
    with_property(tree, uuid, &["ID_FS_UUID", "ID_PART_ENTRY_UUID", "MD_UUID"], uuid)
}

/// The device with that value in one of these properties: those that hold a file system before those that are part of
/// something. Of a file system of several devices, the one that was named when mounting.
fn with_property(
    tree: &Tree,
    device: &str,
    properties: &[&str],
    value: &str,
) -> Result<Option<Device>, Error> {
    let has = |record: &Record| {
        let found =
            properties.iter().filter_map(|property| record.encoded(property).map(|found| (property, found)));
        found.into_iter().any(|(property, found)| same(property, &found, value))
    };
    let devices = tree.devices()?.into_iter().map(|device| (tree.udev(&device), device));
    let found: Vec<(Record, Device)> = devices.filter(|(record, _)| has(record)).collect();
    let is_fs = |record: &Record| record.get("ID_FS_USAGE") == Some("filesystem");
    let any_fs = found.iter().any(|(record, _)| is_fs(record));
    let best = found.into_iter().filter(|(record, _)| !any_fs || is_fs(record));
    let found: Vec<Device> = best.map(|(_, device)| device).collect();
    match only(tree, device, found.clone()) {
        Err(Error::Ambiguous { device, candidates }) => {
            let mounted = only(tree, &device, mounted(tree, found))?;
            mounted.map(Some).ok_or(Error::Ambiguous { device, candidates })
        }
        answer => answer,
    }
}

/// Labels are compared to the letter, UUIDs without regard to case.
fn same(property: &str, found: &str, value: &str) -> bool {
    match property.ends_with("UUID") {
        true => found.eq_ignore_ascii_case(value),
        false => found == value,
    }
}

/// Those of the devices that are mounted.
fn mounted(tree: &Tree, devices: Vec<Device>) -> Vec<Device> {
    let mounts = tree.mounts().unwrap_or_default();
    let is_mounted = |device: &Device| {
        let number = device.number(tree);
        mounts.iter().any(|mount| Some(mount.major_minor) == number)
    };
    devices.into_iter().filter(is_mounted).collect()
}

/// An identity, as this crate, multipath(8) or udev writes it. Blanks may stand for its hyphens.
pub(super) fn wwid(tree: &Tree, wwid: &str) -> Result<Option<Device>, Error> {
    let context = Context::read(tree);
    let wanted = joined(wwid);
    let map = format!("mpath-{wanted}");
    let is = |device: &Device| {
        let own = context.wwid(tree, device);
        own.is_some_and(|own| own == wanted || own == map) || tree.udev(device).get("ID_SERIAL") == Some(wwid)
    };
    only(
        tree,
        wwid,
        tree.devices()?.into_iter().filter(is).filter(|device| !device.is_hidden(tree)).collect(),
    )
}
