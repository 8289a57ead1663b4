//! Device strings as the kernel writes them.

use std::path::Path;

use super::choice::one_disk;
use super::nvme;
use crate::device::Device;
use crate::error::Error;
use crate::name::{number as digits, numbered, DevNumber, ScsiAddress};
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

/// `c244:0`: a character device. Those with block devices behind them are NVMe controllers, generic NVMe and SCSI nodes,
/// and USB devices (`c189:4`).
pub(super) fn char_number(tree: &Tree, number: &str) -> Result<Option<Device>, Error> {
    let numbers = number.strip_prefix('c').and_then(DevNumber::parse);
    let dir = numbers.and_then(|number| tree.follow(Path::new(&format!("/sys/dev/char/{number}"))));
    let Some(name) = dir.as_ref().and_then(|dir| dir.file_name()?.to_str()) else {
        return Ok(None);
    };
    match char_node(tree, name) {
        Ok(None) => super::hardware::on_the_way(tree, name),
        answer => answer,
    }
}

/// A character node: `nvme0`, `ng0n1`, `sg3`, `bsg/2:0:0:1`.
pub(super) fn char_node(tree: &Tree, name: &str) -> Result<Option<Device>, Error> {
    let forms = [nvme::controller, nvme::generic, scsi_generic];
    for form in forms {
        if let Some(found) = form(tree, name)? {
            return Ok(Some(found));
        }
    }
    name.strip_prefix("bsg/").map_or(Ok(None), |address| scsi(tree, address))
}

/// `2:0:0:1`.
pub(super) fn scsi(tree: &Tree, address: &str) -> Result<Option<Device>, Error> {
    // Printed again, so that what goes into the path is what was parsed.
    Ok(ScsiAddress::parse(address).and_then(|address| scsi_disk(tree, &address.to_string())))
}

/// `sg3`: its directory is `…/2:0:0:1/scsi_generic/sg3` (drivers/scsi/sg.c).
pub(super) fn scsi_generic(tree: &Tree, name: &str) -> Result<Option<Device>, Error> {
    if numbered(name, "sg").is_none() {
        return Ok(None);
    }
    let dir = tree.follow(&Path::new("/sys/class/scsi_generic").join(name));
    let address = dir.as_ref().and_then(|dir| dir.ancestors().nth(2)?.file_name()?.to_str());
    address.map_or(Ok(None), |address| scsi(tree, address))
}

/// The disk of a SCSI device. One without (an enclosure, a disk that is being removed) has no directory `block`.
fn scsi_disk(tree: &Tree, address: &str) -> Option<Device> {
    let dir = tree.follow(&Path::new(SCSI_DEVICES).join(address))?;
    let names = tree.names(&dir.join("block"));
    names.iter().find_map(|name| tree.device(name))
}

/// `ata3.00`, `ata3`: libata prints port, and the number of the device on the port's link (`ata3.01` is the slave of
/// parallel ATA) or of the port multiplier's link (drivers/ata/libata-core.c, ata_dev_printk), which are target and
/// channel of the SCSI address, one of them 0 (drivers/ata/libata-scsi.c, ata_scsi_scan_host). `ata3.15` is the port
/// multiplier itself and no disk.
pub(super) fn ata(tree: &Tree, name: &str) -> Result<Option<Device>, Error> {
    let (port, device) = name.split_once('.').map_or((name, None), |(port, device)| (port, Some(device)));
    let wanted: Option<u32> = device.and_then(digits);
    if numbered(port, "ata").is_none() || wanted.is_some() != device.is_some() || wanted == Some(MULTIPLIER) {
        return Ok(None);
    }
    let on_port = |address: &String| {
        let dir = tree.follow(&Path::new(SCSI_DEVICES).join(address));
        dir.is_some_and(|dir| dir.iter().any(|component| component == port))
    };
    let fits = |address: &String| {
        let address = ScsiAddress::parse(address);
        let device = address.and_then(|address| address.channel.checked_add(address.target));
        device.is_some_and(|device| wanted.is_none_or(|wanted| device == wanted))
    };
    let addresses = tree.names(Path::new(SCSI_DEVICES)).into_iter().filter(fits).filter(on_port);
    let disks = addresses.filter_map(|address| scsi_disk(tree, &address)).collect();
    one_disk(tree, name, disks)
}

/// SATA_PMP_CTRL_PORT (include/linux/ata.h).
const MULTIPLIER: u32 = 15;

/// `dm-0-8`, `sda1-8`: jbd2 names the journal of a file system after its device and the journal's inode
/// (fs/jbd2/journal.c, jbd2_journal_init_inode).
pub(super) fn journal(tree: &Tree, name: &str) -> Result<Option<Device>, Error> {
    let device = name.rsplit_once('-').filter(|_| is_journal(name));
    Ok(device.and_then(|(device, _)| tree.device(device)))
}

/// Does the name end with a hyphen and the number of an inode?
pub(super) fn is_journal(name: &str) -> bool {
    name.rsplit_once('-').is_some_and(|(_, inode)| digits::<u64>(inode).is_some())
}
