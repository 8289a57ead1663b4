//! The disk itself: serial number, model, what its medium is like; and the link to it that stays.

use std::path::Path;

use crate::device::Device;
use crate::escape::visible;
use crate::info::{BlkType, BlockInfo};
use crate::name::number;
use crate::tree::Tree;
use crate::udev::Record;

/// udev's properties of a serial number (60-persistent-storage.rules, 55-scsi-sg3_id.rules): what was asked of the disk
/// itself comes first.
const SERIAL: [&str; 3] = ["ID_SCSI_SERIAL", "SCSI_IDENT_SERIAL", "ID_SERIAL_SHORT"];
/// Of a virtio disk it has the bare number (60-persistent-storage.rules), of others one with vendor and model before it.
const VIRTIO_SERIAL: &str = "ID_SERIAL";
/// In sysfs, of what stands behind the device (NVMe controllers, MMC cards). `serial` of the device itself is not read: of
/// virtio-blk that asks the disk.
const SERIAL_ATTR: &str = "device/serial";

/// What is known of the disk itself; all other fields are empty. A partition has the facts of its medium alone; other devices on
/// disks have none.
pub(crate) fn read(tree: &Tree, device: &Device, record: &Record) -> BlockInfo {
    let disk = device.disk(tree);
    let medium = disk.as_ref().unwrap_or(device);
    let of_medium = BlockInfo {
        removable: flag(tree, medium, "removable"),
        rotational: flag(tree, medium, "queue/rotational"),
        ..BlockInfo::default()
    };
    if disk.is_some() || device.dm_uuid(tree).is_some() {
        return of_medium;
    }
    // A card has the name of the product; an image of Ceph has its own there.
    let model = if tree.blk_type(device) == BlkType::Mmc { "device/name" } else { "device/model" };
    BlockInfo {
        serial: serial(tree, device, record),
        model: record
            .encoded("ID_MODEL")
            .or_else(|| device.attr(tree, model))
            .map(|model| model.trim().to_owned()),
        vendor: record
            .encoded("ID_VENDOR")
            // Of virtio it is the number of the PCI vendor.
            .or_else(|| device.attr(tree, "device/vendor").filter(|vendor| !vendor.starts_with("0x")))
            .map(|vendor| vendor.trim().to_owned()),
        queue_depth: queue_depth(tree, device),
        numa_node: numa_node(tree, device),
        ..of_medium
    }
}

/// The kernel formats a member of its own structure (drivers/scsi/scsi_sysfs.c, sdev_show_queue_depth): the disk is not asked.
fn queue_depth(tree: &Tree, device: &Device) -> Option<u64> {
    let is_scsi = tree.blk_type(device) == BlkType::Scsi;
    is_scsi.then(|| device.attr(tree, "device/queue_depth")).flatten().as_deref().and_then(number)
}

pub(crate) fn serial(tree: &Tree, device: &Device, record: &Record) -> Option<String> {
    let virtio = (tree.blk_type(device) == BlkType::Virtio).then_some(VIRTIO_SERIAL);
    let of_udev = SERIAL.into_iter().chain(virtio).find_map(|key| record.get(key).map(str::to_owned));
    let of_sysfs = || device.attr(tree, SERIAL_ATTR);
    of_udev.or_else(|| vpd_serial(tree, device)).or_else(of_sysfs)
}

/// The unit serial number page (SPC, VPD page 0x80): four bytes of head, then the number, padded with blanks.
fn vpd_serial(tree: &Tree, device: &Device) -> Option<String> {
    let page = device.content(tree, "device/vpd_pg80")?;
    let text = visible(page.get(4..)?);
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The kernel formats a member of its own structure, -1 without a node (drivers/nvme/host/sysfs.c, numa_node_show): the controller is
/// not asked.
fn numa_node(tree: &Tree, device: &Device) -> Option<u64> {
    let hardware = tree.hardware(device).filter(|_| tree.blk_type(device) == BlkType::Nvme)?;
    let controllers = tree.nvme_controllers(&hardware);
    let mut nodes = controllers.iter().map(|controller| number(&tree.attr(&controller.join("numa_node"))?));
    let first: u64 = nodes.next()??;
    nodes.all(|node| node == Some(first)).then_some(first)
}

/// An attribute that is `0` or `1`.
pub(crate) fn flag(tree: &Tree, device: &Device, name: &str) -> Option<bool> {
    match device.attr(tree, name)?.as_str() {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

/// Links that last, the best kind first: names that the disk brings along, names of the format, then any other name, then
/// the place where it is plugged in.
const LASTING: [&str; 9] = [
    "disk/by-id/wwn-",
    "disk/by-id/nvme-eui.",
    "disk/by-id/nvme-uuid.",
    "disk/by-id/md-uuid-",
    "disk/by-id/scsi-",
    "disk/by-id/ata-",
    "disk/by-id/nvme-",
    "disk/by-id/",
    "disk/by-path/",
];

/// See [`crate::BlockInfo::stable_path`]. A link that several devices claim counts for the one it leads to.
pub(crate) fn stable_path(tree: &Tree, device: &Device, record: &Record) -> Option<String> {
    let node = crate::describe::dev_path(tree, device);
    if device.dm_name(tree).is_some() {
        return Some(node);
    }
    let mine = Path::new("/dev").join(crate::describe::kernel_name(device));
    let leads_here = |link: &&String| tree.follow_node(&Path::new("/dev").join(link)).as_ref() == Some(&mine);
    let mut links: Vec<&String> = record.links.iter().collect();
    links.sort();
    let of_kind = |kind: &str| {
        let mut links = links.iter().filter(|link| link.starts_with(kind));
        links.find(|link| leads_here(link))
    };
    let best = LASTING.into_iter().find_map(of_kind)?;
    Some(format!("/dev/{best}"))
}
