//! Identities that a disk brings along.

use crate::device::Device;
use crate::name::nvme_head;
use crate::tree::Tree;

/// sysfs' `device/wwid`, which the kernel takes from VPD page 0x83 (drivers/scsi/scsi_lib.c, scsi_vpd_lun_id), else
/// udev's serial number. `ID_SERIAL` alone may be vendor and model; with a real number in it there is a short form.
pub(super) fn scsi(tree: &Tree, device: &Device) -> Option<String> {
    let wwid = device.attr(tree, "device/wwid").map(|wwid| joined(&wwid));
    wwid.or_else(|| {
        let record = tree.udev(device);
        record.get("ID_SERIAL_SHORT")?;
        record.get("ID_SERIAL").map(joined)
    })
}

/// The namespace's `wwid` (drivers/nvme/host/sysfs.c); a path node has the same, or asks the namespace.
pub(super) fn nvme(tree: &Tree, device: &Device) -> Option<String> {
    let own = device.attr(tree, "wwid");
    let head = || tree.device(&nvme_head(&device.name)?)?.attr(tree, "wwid");
    own.or_else(head).map(|wwid| joined(&wwid))
}

/// The array's uuid: sysfs has it since kernel 6.11 or so, udev (from mdadm) writes the same digits with colons.
pub(super) fn md(tree: &Tree, device: &Device) -> Option<String> {
    let uuid =
        device.attr(tree, "md/uuid").or_else(|| tree.udev(device).get("MD_UUID").map(str::to_owned))?;
    array_uuid(&uuid)
}

/// The UUID of an array, with hyphens or colons, or without either: 8-4-4-4-12 digits. An array without one has zeros.
pub(crate) fn array_uuid(uuid: &str) -> Option<String> {
    let digits: String =
        uuid.chars().filter(|c| !matches!(c, '-' | ':')).collect::<String>().to_ascii_lowercase();
    let group = |from: usize, to: usize| digits.get(from..to);
    let valid = digits.len() == 32
        && digits.bytes().all(|b| b.is_ascii_hexdigit())
        && digits.bytes().any(|b| b != b'0');
    let groups = [group(0, 8)?, group(8, 12)?, group(12, 16)?, group(16, 20)?, group(20, 32)?];
    valid.then(|| groups.join("-"))
}

/// The serial number assigned by the host, from udev. sysfs has it too, but sends a request to the disk each time it is read
/// (drivers/block/virtio_blk.c, serial_show): that is I/O, and hangs on a dead disk.
pub(super) fn virtio(tree: &Tree, device: &Device) -> Option<String> {
    tree.udev(device).get("ID_SERIAL").map(joined)
}

/// The card's identification register. A card's boot areas are disks of their own (`mmcblk0boot1`).
pub(super) fn mmc(tree: &Tree, device: &Device) -> Option<String> {
    let area = device.name.strip_prefix("mmcblk")?.trim_start_matches(|c: char| c.is_ascii_digit());
    let cid = device.attr(tree, "device/cid").or_else(|| {
        // A boot area's `device` is the card's disk on older kernels.
        tree.attr(&tree.hardware(device)?.join("device/cid"))
    })?;
    Some(if area.is_empty() { cid } else { format!("{cid}-{area}") })
}

/// Drivers that have their own kind of identity in sysfs: name of the device, prefix, attributes.
const OTHER: [(&str, &str, &[&str]); 4] = [
    // Documentation/ABI/testing/sysfs-bus-rbd
    ("rbd", "rbd-", &["device/cluster_fsid", "device/pool_id", "device/image_id", "device/current_snap"]),
    // drivers/block/nbd.c, backend_show: the identifier that the client connected with
    ("nbd", "nbd-", &["backend"]),
    // drivers/nvdimm/namespace_devs.c
    ("pmem", "", &["device/uuid"]),
    // drivers/s390/block/dasd_devmap.c
    ("dasd", "", &["device/uid"]),
];

/// The driver's own kind of identity, else what any driver may offer.
pub(super) fn other(tree: &Tree, device: &Device) -> Option<String> {
    let known = OTHER.iter().find(|(name, ..)| device.name.starts_with(name));
    let own = known.and_then(|(_, prefix, attrs)| {
        let mut values = attrs.iter().map(|attr| device.attr(tree, attr)).collect::<Option<Vec<String>>>()?;
        // An image without a mapped snapshot.
        values.retain(|value| value != "-");
        Some(format!("{prefix}{}", values.join("-")))
    });
    let common = || ["wwid", "device/wwid", "serial"].iter().find_map(|attr| device.attr(tree, attr));
    own.or_else(common).map(|wwid| joined(&wwid))
}

/// Runs of white space become one `-`: the fields of a T10 identifier are padded with blanks.
pub(crate) fn joined(wwid: &str) -> String {
    wwid.split_whitespace().collect::<Vec<_>>().join("-")
}
