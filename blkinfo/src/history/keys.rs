//! The names under which a history finds a device: its kernel name, its number, its SCSI address, its device-mapper name.

use crate::info::{BlkType, BlockInfo};
use crate::name::{self, DevNumber, ScsiAddress};

const NAME: &str = "name ";
const NUMBER: &str = "number ";
const ADDRESS: &str = "address ";
const MAPPER: &str = "mapper ";
const CONTROLLER: &str = "controller ";

/// The key of a kernel name.
pub(super) fn name(kdev: &str) -> String {
    format!("{NAME}{kdev}")
}

/// The key of a device number.
pub(super) fn number(number: DevNumber) -> String {
    format!("{NUMBER}{number}")
}

/// The key of a SCSI address.
pub(super) fn address(address: &str) -> String {
    format!("{ADDRESS}{address}")
}

/// The key of a device as that behind an NVMe controller, a remote port of a Fibre Channel network, an iSCSI session or an ATA port: several
/// may be.
pub(super) fn controller(controller: &str, kdev: &str) -> String {
    format!("{CONTROLLER}{controller} {kdev}")
}

/// Is it the key of a SCSI address?
pub(super) fn is_address(key: &str) -> bool {
    key.starts_with(ADDRESS)
}

/// Does a disk keep it until it goes?
pub(super) fn is_fixed(key: &str) -> bool {
    key.starts_with(NAME) || key.starts_with(NUMBER)
}

/// All keys of a device.
pub(super) fn of(block: &BlockInfo) -> Vec<String> {
    let mut keys = vec![name(&block.kdev)];
    keys.extend(block.major_minor.map(number));
    if block.blk_type == BlkType::Scsi {
        keys.extend(block.address.as_deref().map(address));
    }
    if block.blk_type == BlkType::Nvme {
        let controllers = block.extension.get("controllers").into_iter().flat_map(|names| names.split(' '));
        keys.extend(controllers.map(|name| controller(name, &block.kdev)));
    }
    if block.blk_type == BlkType::Scsi {
        let ports = ["rport", "session", "ata_port"].iter().filter_map(|key| block.extension.get(key));
        keys.extend(ports.map(|name| controller(name, &block.kdev)));
        let on_port = block.extension.get("ata_device").map(|device| format!("ata{device}"));
        keys.extend(on_port.map(|name| controller(&name, &block.kdev)));
    }
    keys.extend(block.dev_path.strip_prefix("/dev/mapper/").map(|name| format!("{MAPPER}{name}")));
    keys
}

/// The keys that a string may mean, the likeliest first.
pub(super) fn asked(text: &str) -> impl Iterator<Item = String> {
    let text = text.trim();
    let text = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let bare =
        ["+scsi:", "+block:", "/dev/"].iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text);
    let plain = bare.strip_prefix('b').unwrap_or(bare);
    let first = if let Some(found) = DevNumber::parse(plain) {
        number(found)
    } else if let Some(found) = ScsiAddress::parse(bare) {
        address(&found.to_string())
    } else if let Some(map) = bare.strip_prefix("mapper/") {
        format!("{MAPPER}{map}")
    } else {
        name(bare)
    };
    // jbd2 names the journal of a file system after its device and an inode: sda1-8.
    let journal = bare.rsplit_once('-').filter(|(_, inode)| name::number::<u64>(inode).is_some());
    let device = journal.map(|(device, _)| name(device));
    std::iter::once(first).chain(device)
}
