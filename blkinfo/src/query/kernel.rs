//! Device strings as the kernel writes them.

use std::path::Path;

use super::only;
use crate::device::Device;
use crate::error::Error;
use crate::name::{number as digits, numbered, nvme_head, DevNumber, ScsiAddress};
use crate::tree::Tree;

const SCSI_DEVICES: &str = "/sys/bus/scsi/devices";

/// `sdb`, `dm-3`, `nvme0c0n1`, `cciss/c0d0`.
pub(super) fn name(tree: &Tree, name: &str) -> Result<Option<Device>, Error> {
    Ok(tree.device(name))
}

/// `8:16`, `b8:16`.
pub(super) fn number(tree: &Tree, number: &str) -> Result<Option<Device>, Error> {
    let number = DevNumber::parse(number.strip_prefix('b').unwrap_or(number));
    Ok(number.and_then(|number| tree.device_by_number(number)))
}

/// `c244:0`: a character device, and the only ones with block devices behind them are NVMe controllers.
pub(super) fn char_number(tree: &Tree, number: &str) -> Result<Option<Device>, Error> {
    let number = number.strip_prefix('c').and_then(DevNumber::parse);
    let dir = number.and_then(|number| tree.follow(Path::new(&format!("/sys/dev/char/{number}"))));
    match dir.as_ref().and_then(|dir| dir.file_name()?.to_str()) {
        Some(name) => nvme_controller(tree, name),
        None => Ok(None),
    }
}

/// `2:0:0:1`.
pub(super) fn scsi(tree: &Tree, address: &str) -> Result<Option<Device>, Error> {
    // Printed again, so that what goes into the path is what was parsed.
    Ok(ScsiAddress::parse(address).and_then(|address| scsi_disk(tree, &address.to_string())))
}

/// The disk of a SCSI device. One without (an enclosure, a disk that is being removed) has no folder `block`.
fn scsi_disk(tree: &Tree, address: &str) -> Option<Device> {
    let dir = tree.follow(&Path::new(SCSI_DEVICES).join(address))?;
    let names = tree.names(&dir.join("block"));
    names.iter().find_map(|name| tree.device(name))
}

/// `nvme0`: its namespace, when it has one. The folder of a controller holds the namespaces themselves, or with
/// multipathing the path nodes that lead to them.
pub(super) fn nvme_controller(tree: &Tree, controller: &str) -> Result<Option<Device>, Error> {
    if numbered(controller, "nvme").is_none() {
        return Ok(None);
    }
    let names = tree.names(&Path::new("/sys/class/nvme").join(controller));
    let mut namespaces: Vec<Device> = Vec::new();
    for name in names.iter().filter(|name| name.starts_with("nvme")) {
        let namespace = tree.device(nvme_head(name).as_deref().unwrap_or(name));
        namespaces.extend(namespace.filter(|namespace| !namespaces.contains(namespace)));
    }
    only(tree, controller, namespaces)
}

/// `ata3.00`, `ata3`: libata prints port, and the number of the device on the port's link or of the port multiplier's
/// link (drivers/ata/libata-core.c, ata_dev_printk), which are target and channel of the SCSI address.
pub(super) fn ata(tree: &Tree, name: &str) -> Result<Option<Device>, Error> {
    let (port, device) = name.split_once('.').map_or((name, None), |(port, device)| (port, Some(device)));
    let wanted: Option<u32> = device.and_then(digits);
    if numbered(port, "ata").is_none() || wanted.is_some() != device.is_some() {
        return Ok(None);
    }
    let on_port = |address: &String| {
        let dir = tree.follow(&Path::new(SCSI_DEVICES).join(address));
        dir.is_some_and(|dir| dir.iter().any(|component| component == port))
    };
    let fits = |address: &String| {
        let address = ScsiAddress::parse(address);
        address.is_some_and(|address| wanted.is_none_or(|wanted| address.channel + address.target == wanted))
    };
    let addresses = tree.names(Path::new(SCSI_DEVICES)).into_iter().filter(fits).filter(on_port);
    let disks = addresses.filter_map(|address| scsi_disk(tree, &address)).collect();
    only(tree, name, disks)
}

/// `dm-0-8`, `sda1-8`: jbd2 names the journal of a file system after its device and the journal's inode
/// (fs/jbd2/journal.c, jbd2_journal_init_inode).
pub(super) fn journal(tree: &Tree, name: &str) -> Result<Option<Device>, Error> {
    let device = name.rsplit_once('-').filter(|(_, inode)| digits::<u64>(inode).is_some());
    Ok(device.and_then(|(device, _)| tree.device(device)))
}
