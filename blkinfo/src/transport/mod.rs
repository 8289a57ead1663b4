//! How a disk is attached: one file a transport, each attribute with its source in the kernel.

mod ata;
mod fc;
mod iscsi;
mod nvme;
mod sas;
mod usb;
mod virtio;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::device::Device;
use crate::identity::scsi_address;
use crate::info::BlkType;
use crate::name::{numbered, ScsiAddress};
use crate::tree::Tree;

/// Facts about a path by name; `transport` is one of them.
pub(crate) type Detail = BTreeMap<String, String>;

/// A path to a SCSI disk.
struct ScsiPath<'a> {
    tree: &'a Tree,
    device: &'a Device,
    address: ScsiAddress,
    /// `proc_name` of the SCSI host: the driver.
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
        match self.blk_type(device) {
            BlkType::Scsi => scsi(self, device),
            BlkType::Nvme => nvme::detail(self, device),
            BlkType::Virtio => facts([("transport", Some("virtio".to_owned()))]),
            BlkType::Loop => facts([("backing_file", device.attr(self, "loop/backing_file"))]),
            _ => Detail::new(),
        }
    }
}

fn scsi(tree: &Tree, device: &Device) -> Detail {
    let Some(address) = scsi_address(device) else {
        return Detail::new();
    };
    let driver = tree.attr(&host_class("scsi_host", address).join("proc_name"));
    let path = ScsiPath { tree, device, address, driver };
    let mut detail = SCSI_TRANSPORTS.iter().find_map(|transport| transport(&path)).unwrap_or_default();
    detail.extend(facts([("driver_name", path.driver)]));
    detail
}

/// The facts that are known.
fn facts<const N: usize>(facts: [(&str, Option<String>); N]) -> Detail {
    let known = facts.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    known.collect()
}

/// The SCSI host's folder in a class.
fn host_class(class: &str, address: ScsiAddress) -> PathBuf {
    Path::new("/sys/class").join(class).join(format!("host{}", address.host))
}

impl ScsiPath<'_> {
    /// The innermost folder on the way to the disk that `prefix` and a number name.
    fn ancestor(&self, prefix: &str) -> Option<&str> {
        self.device.components().rev().find(|name| numbered(name, prefix).is_some())
    }

    /// The innermost folder on the way to the disk whose name begins so.
    fn ancestor_like(&self, prefix: &str) -> Option<&str> {
        self.device.components().rev().find(|name| name.starts_with(prefix))
    }
}
