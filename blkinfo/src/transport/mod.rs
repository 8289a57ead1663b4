//! How a disk is attached: one file a transport, each attribute with its source in the kernel.

mod ata;
mod fc;
mod iscsi;
mod nvme;
mod sas;
mod usb;
mod virtio;

use std::path::{Path, PathBuf};

use crate::device::Device;
use crate::extension::Extension;
use crate::identity::scsi_address;
use crate::info::BlkType;
use crate::name::{numbered, ScsiAddress};
use crate::tree::Tree;
use crate::udev::LISTED_TRANSPORT;

/// Facts about a path by name; `transport` is one of them.
pub(crate) type Detail = Extension;

/// A path to a SCSI disk.
struct ScsiPath<'a> {
    tree: &'a Tree,
    device: &'a Device,
    address: ScsiAddress,
    /// The driver of the SCSI host.
    driver: Option<String>,
}

/// The first one that knows the path describes it.
const SCSI_TRANSPORTS: [fn(&ScsiPath<'_>) -> Option<Detail>; 6] =
    [fc::detail, iscsi::detail, sas::detail, usb::detail, ata::detail, virtio::scsi];

impl Tree {
    /// Facts about how the device, or the disk of a partition, is attached.
    pub(crate) fn path_detail(&self, device: &Device) -> Detail {
        let disk = device.disk(self);
        let device = disk.as_ref().unwrap_or(device);
        let detail = || {
            let mut detail = self.disk_detail(device);
            if detail.get("transport").is_none() {
                detail.add("transport", self.udev(device).get(LISTED_TRANSPORT).map(str::to_owned));
            }
            detail
        };
        device.detail.get_or_init(detail).clone()
    }

    fn disk_detail(&self, device: &Device) -> Detail {
        match self.blk_type(device) {
            BlkType::Scsi => scsi(self, device),
            BlkType::Nvme => nvme::detail(self, device),
            BlkType::Virtio => virtio::block(self, device),
            BlkType::Mmc => facts([
                ("transport", Some("MMC".to_owned())),
                (
                    "driver_name",
                    device.dir.ancestors().nth(2).and_then(|card| bound_driver(self, card.parent()?)),
                ),
                ("pci_address", pci_address(&device.dir)),
            ]),
            BlkType::Loop => facts([("backing_file", device.attr(self, "loop/backing_file"))]),
            _ => Detail::default(),
        }
    }
}

fn scsi(tree: &Tree, device: &Device) -> Detail {
    let Some(address) = scsi_address(device) else {
        return Detail::default();
    };
    let driver = host_driver(tree, device, address);
    let path = ScsiPath { tree, device, address, driver };
    let mut detail =
        SCSI_TRANSPORTS.iter().find_map(|transport| transport(&path)).unwrap_or_else(|| other(&path));
    detail.add("driver_name", path.driver.map(capped));
    detail
}

/// Parallel SCSI by its transport class (drivers/scsi/scsi_transport_spi.c), UFS by its driver
/// (drivers/ufs/host/ufshcd-pci.c); a RAID controller tells nothing of the disks behind it.
fn other(path: &ScsiPath<'_>) -> Detail {
    let spi = !path.tree.names(&host_class("spi_host", path.address)).is_empty();
    let ufs = path.driver.as_deref().is_some_and(|driver| driver.starts_with("ufshcd"));
    let transport =
        [(spi, "SPI"), (ufs, "UFS")].into_iter().find_map(|(is, name)| is.then(|| name.to_owned()));
    facts([("transport", transport), ("pci_address", pci_address(&path.device.dir))])
}

/// `proc_name` of the SCSI host (drivers/scsi/scsi_sysfs.c). A driver that gives no such name, like uas, has `(null)`
/// there; then it is the one that is bound above the host.
fn host_driver(tree: &Tree, device: &Device, address: ScsiAddress) -> Option<String> {
    let named = tree.attr(&host_class("scsi_host", address).join("proc_name"));
    named.filter(|name| name != "(null)").or_else(|| {
        let host = directory(&device.dir, &format!("host{}", address.host))?;
        bound_driver(tree, host.parent()?)
    })
}

/// The driver bound to this device or to the nearest one above it: the name of its directory below /sys/bus, to which the
/// link `driver` leads (drivers/base/dd.c).
fn bound_driver(tree: &Tree, dir: &Path) -> Option<String> {
    let above = dir.ancestors().take_while(|dir| dir.starts_with("/sys/devices"));
    let driver = above.filter_map(|dir| tree.follow(&dir.join("driver"))).next()?;
    driver.file_name()?.to_str().map(str::to_owned)
}

/// The innermost PCI function on the way to a device.
fn pci_address(dir: &Path) -> Option<String> {
    let mut names = dir.iter().rev().filter_map(|name| name.to_str());
    names.find(|name| is_pci_function(name)).map(str::to_owned)
}

/// Is it `domain:bus:slot.function`, as `0000:00:0a.0` (drivers/pci/probe.c, pci_setup_device)? The domain has four
/// digits, or more behind Intel's VMD (drivers/pci/controller/vmd.c).
pub(crate) fn is_pci_function(name: &str) -> bool {
    let Some((place, function)) = name.rsplit_once('.') else {
        return false;
    };
    let parts: Vec<&str> = place.split(':').chain([function]).collect();
    let hexadecimal = parts.iter().all(|part| part.bytes().all(|b| b.is_ascii_hexdigit()));
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    hexadecimal && matches!(lengths.as_slice(), [domain, 2, 2, 1] if *domain >= 4)
}

/// The innermost directory of that name on the way to `dir`.
fn directory<'a>(dir: &'a Path, name: &str) -> Option<&'a Path> {
    dir.ancestors().find(|dir| dir.file_name().is_some_and(|found| found == name))
}

/// A path of sysfs is at most a page long, as is an attribute.
const MAX_FACT_BYTES: usize = 4096;

/// The facts that are known, cut where no kernel would have written more.
fn facts<const N: usize>(facts: [(&'static str, Option<String>); N]) -> Detail {
    Extension::of(facts.map(|(key, value)| (key, value.map(capped))))
}

fn capped(mut value: String) -> String {
    if value.len() > MAX_FACT_BYTES {
        let end = (0..=MAX_FACT_BYTES).rev().find(|end| value.is_char_boundary(*end));
        value.truncate(end.unwrap_or(0));
    }
    value
}

/// The SCSI host's directory in a class.
fn host_class(class: &str, address: ScsiAddress) -> PathBuf {
    Path::new("/sys/class").join(class).join(format!("host{}", address.host))
}

impl ScsiPath<'_> {
    /// The innermost directory on the way to the disk that `prefix` and a number name.
    fn ancestor(&self, prefix: &str) -> Option<&str> {
        self.device.components().rev().find(|name| numbered(name, prefix).is_some())
    }

    /// The innermost directory on the way to the disk whose name begins so.
    fn ancestor_like(&self, prefix: &str) -> Option<&str> {
        self.device.components().rev().find(|name| name.starts_with(prefix))
    }

    /// The path of the innermost directory with that name.
    fn directory(&self, name: &str) -> Option<&Path> {
        directory(&self.device.dir, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pci_functions() {
        let found = |dir: &str| pci_address(Path::new(dir));
        let of = "/sys/devices/pci0000:00/0000:00:1c.4/0000:02:00.0/host0/target0:0:0/0:0:0:0/block/sda";
        assert_eq!(found(of).as_deref(), Some("0000:02:00.0"));
        let vmd = "/sys/devices/pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0/nvme/nvme0";
        assert_eq!(found(vmd).as_deref(), Some("10000:e1:00.0"));
        for none in
            ["/sys/devices/platform/a003e00.virtio_mmio/virtio0/block/vda", "/0:0:0:0/x", "/0000.00:1c:0"]
        {
            assert_eq!(found(none), None, "{none}");
        }
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        let long = format!("x{}", "é".repeat(MAX_FACT_BYTES));
        assert_eq!(capped(long).len(), MAX_FACT_BYTES - 1);
        assert_eq!(capped("short".to_owned()), "short");
    }
}
