//! Identities and serial numbers, as this crate, the kernel, multipath(8), udev or the vendor's label write them.

use std::path::Path;

use super::choice::{one_disk, only};
use super::lookup::Lookup;
use crate::device::Device;
use crate::error::Error;
use crate::identity::{joined, Context};
use crate::info::BlkType;
use crate::tree::Tree;
use crate::udev::Record;

/// A WWID in any notation, also with spaces instead of hyphens.
pub(super) fn wwid(tree: &Lookup<'_>, wwid: &str) -> Result<Option<Device>, Error> {
    let context = Context::read(tree);
    let wanted = joined(wwid);
    let map = format!("mpath-{wanted}");
    let digits = digits(&wanted);
    let is = |device: &Device, record: &Record| {
        let own = context.wwid(tree, device);
        let same =
            |own: &String| *own == wanted || *own == map || digits.is_some() && self::digits(own) == digits;
        let same = own.as_ref().is_some_and(same) || record.get("ID_SERIAL") == Some(wwid);
        same && !device.is_hidden(tree)
    };
    only(tree, wwid, tree.devices(is)?)
}

/// Links of udev that lead to a map, or to one of its paths, by the digits of their identity (13-dm-disk.rules of
/// multipath-tools, 60-persistent-storage.rules).
const MAP_LINKS: [&str; 4] = ["dm-uuid-mpath-3", "dm-uuid-mpath-2", "wwn-0x", "scsi-3"];

/// Can the string be an identity that a map has?
pub(super) fn is_wwid(wwid: &str) -> bool {
    digits(&joined(wwid)).is_some()
}

/// The map with an identity, by udev's links: thousands of paths need not be looked at. Whatever else has this identity is
/// a path of the map, or not (yet) in it, and means the map too: see [`only`].
pub(super) fn map(tree: &Tree, wwid: &str) -> Result<Option<Device>, Error> {
    let Some(wanted) = digits(&joined(wwid)) else { return Ok(None) };
    let is = |device: &Device| {
        let uuid = device.dm_uuid(tree).and_then(digits);
        tree.blk_type(device) == BlkType::DmMultipath && uuid.as_ref() == Some(&wanted)
    };
    let linked =
        MAP_LINKS.iter().filter_map(|link| tree.device_of_node(&format!("/dev/disk/by-id/{link}{wanted}")));
    Ok(linked.flat_map(|device| tree.holders(&device).into_iter().chain([device])).find(is))
}

/// What the spellings of an identity are called before its digits: links of udev (60-persistent-storage.rules,
/// 13-dm-disk.rules), sysfs, udev's ID_WWN. The order is that in which they stand before each other.
const MARKS: [&str; 10] =
    ["dm-uuid-", "dm-name-", "mpath-", "wwn-", "scsi-", "nvme-", "naa.", "eui.", "uuid.", "0x"];

/// The digits of an identity that has nothing else, and a partition's number. With multipath(8) and scsi_id the type
/// from VPD page 0x83 stands before them, 2 (EUI-64) or 3 (NAA).
fn digits(wwid: &str) -> Option<String> {
    let wwid = wwid.to_ascii_lowercase();
    let (base, part) =
        wwid.split_once("-part").map_or((wwid.as_str(), None), |(base, part)| (base, Some(part)));
    let bare = MARKS.iter().fold(base, |rest, mark| rest.strip_prefix(mark).unwrap_or(rest));
    let all = bare.replace([':', '-'], "");
    let digits = match all.len() {
        16 | 32 => all.as_str(),
        17 | 33 => all.strip_prefix(['2', '3'])?,
        _ => return None,
    };
    let part = part.map(|part| format!("-part{part}")).unwrap_or_default();
    digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| format!("{digits}{part}"))
}

/// Directories of udev's links whose names mean something without the directory.
const LINKS: [&str; 3] = ["disk/by-id/", "disk/by-path/", "disk/by-partuuid/"];

/// The name of a link: `wwn-0x5000…`, `scsi-3600…`, `nvme-eui.…`, `pci-0000:00:1f.2-ata-1`.
pub(super) fn link(tree: &Lookup<'_>, name: &str) -> Result<Option<Device>, Error> {
    if !crate::name::is_component(name) {
        return Ok(None);
    }
    let links = LINKS.map(|directory| format!("{directory}{name}"));
    let in_dev =
        links.iter().find_map(|link| tree.device_of_node(&Path::new("/dev").join(link).to_string_lossy()));
    if in_dev.is_some() {
        return Ok(in_dev);
    }
    let found = tree.recorded(|record| record.links.iter().any(|link| links.contains(link)))?;
    only(tree, name, found)
}

/// Properties of udev that hold a serial number (scsi_id, ata_id, 55-scsi-sg3_id.rules, 60-persistent-storage.rules).
const SERIALS: [&str; 4] = ["ID_SERIAL_SHORT", "ID_SCSI_SERIAL", "SCSI_IDENT_SERIAL", "ID_SERIAL"];

/// A disk's serial number. Different disks that a careless vendor gave the same one stay different.
pub(super) fn serial(tree: &Lookup<'_>, serial: &str) -> Result<Option<Device>, Error> {
    let is = |device: &Device, record: &Record| {
        (in_udev(record, serial) || in_sysfs(tree, device, record, serial)) && is_disk(tree, device)
    };
    one_disk(tree, serial, tree.devices(is)?)
}

fn in_udev(record: &Record, serial: &str) -> bool {
    SERIALS.iter().any(|property| record.get(property) == Some(serial))
}

fn in_sysfs(tree: &Tree, device: &Device, record: &Record, serial: &str) -> bool {
    let known = crate::hardware::serial(tree, device, record);
    known.as_deref() == Some(serial) || device.attr(tree, "device/serial").as_deref() == Some(serial)
}

fn is_disk(tree: &Tree, device: &Device) -> bool {
    use BlkType::{Dm, DmCrypt, DmLvm, DmMultipath, Md, Partition};
    let built = matches!(tree.blk_type(device), Dm | DmCrypt | DmLvm | DmMultipath | Md | Partition);
    !built && !device.is_hidden(tree)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_identity() {
        let known = Some("5000c50000000100".to_owned());
        for spelling in [
            "naa.5000c50000000100",
            "0x5000C50000000100",
            "wwn-0x5000c50000000100",
            "35000c50000000100",
            "scsi-35000c50000000100",
            "mpath-35000c50000000100",
            "dm-uuid-mpath-35000c50000000100",
            "50:00:c5:00:00:00:01:00",
        ] {
            assert_eq!(digits(spelling), known, "{spelling}");
        }
        assert_eq!(digits("wwn-0x5000c50000000100-part1").as_deref(), Some("5000c50000000100-part1"));
        assert_eq!(digits("nvme-eui.0025388b00c3f1a2"), digits("eui.0025388b00c3f1a2"));
        for other in [
            "",
            "0x",
            "sda",
            "t10.ATA",
            "loop-9234d564-9afd-4cb5-b1d8-316b1e68cd43-/x",
            "1234",
            "45000c50000000100",
        ] {
            assert_eq!(digits(other), None, "{other}");
        }
    }
}
