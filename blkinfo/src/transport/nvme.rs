//! NVMe over PCIe and over fabrics.

use std::path::{Path, PathBuf};

use super::{bound_driver, facts, Detail};
use crate::device::Device;
use crate::name::numbered;
use crate::tree::Tree;

/// From drivers/nvme/host/sysfs.c: a controller's `transport, address, state, subsysnqn` (older kernels: core.c); from
/// drivers/nvme/host/multipath.c: a path node's `ana_state`, which is there when the controller reports such states.
/// The hardware of a path node, and of a namespace without multipathing, is the controller; that of a multipathed
/// namespace is the subsystem, whose directory has a link to each controller. Properties of a controller are given if
/// there is only one. A controller on PCIe lies below the PCI function that the driver is bound to; one of a fabric is
/// a virtual device without a driver.
pub(super) fn detail(tree: &Tree, device: &Device) -> Detail {
    let Some(hardware) = tree.hardware(device) else {
        return Detail::default();
    };
    let controllers = tree.nvme_controllers(&hardware);
    let first = controllers.first().cloned().unwrap_or_else(|| hardware.clone());
    let only = |attr: &str| tree.attr(&first.join(attr)).filter(|_| controllers.len() == 1);
    let names: Vec<&str> = controllers.iter().filter_map(|path| path.file_name()?.to_str()).collect();
    let kernel_transport = tree.attr(&first.join("transport"));
    let on_pci = kernel_transport.as_deref() == Some("pcie");
    let address = only("address");
    let pci_address = address.clone().filter(|_| on_pci);
    let of_fabric = |key| part(address.as_deref().filter(|_| !on_pci)?, key);
    facts([
        ("transport", Some(transport(kernel_transport.as_deref()))),
        ("driver_name", bound_driver(tree, &first)),
        ("controllers", (!names.is_empty()).then(|| names.join(" "))),
        ("controller_state", only("state")),
        ("pci_address", pci_address),
        ("traddr", of_fabric("traddr")),
        ("trsvcid", of_fabric("trsvcid")),
        ("host_traddr", of_fabric("host_traddr")),
        ("subsystem_nqn", tree.attr(&hardware.join("subsysnqn"))),
        ("ana_state", device.attr(tree, "ana_state")),
    ])
}

impl Tree {
    /// The directories of the controllers through which a namespace is reached, from the directory of its hardware: that of the
    /// subsystem, or of the only controller.
    pub(crate) fn nvme_controllers(&self, hardware: &Path) -> Vec<PathBuf> {
        let is_controller = |name: &str| numbered(name, "nvme").is_some();
        if hardware.file_name().and_then(|name| name.to_str()).is_some_and(is_controller) {
            return vec![hardware.to_path_buf()];
        }
        let names = self.names(hardware).into_iter().filter(|name| is_controller(name));
        names.filter_map(|name| self.follow(&hardware.join(name))).collect()
    }
}

/// The kernel's name of the transport behind `NVMe-`. Kernels before 4.20 name none: then it is PCIe.
fn transport(kernel: Option<&str>) -> String {
    match kernel {
        None | Some("pcie" | "apple-nvme") => "NVMe-PCIe".to_owned(),
        Some("loop") => "NVMe-loop".to_owned(),
        Some(fabric) => format!("NVMe-{}", fabric.to_ascii_uppercase()),
    }
}

/// One part of a fabric's address, `traddr=192.0.2.1,trsvcid=4420,host_traddr=…` (drivers/nvme/host/fabrics.c,
/// nvmf_get_address).
fn part(address: &str, key: &str) -> Option<String> {
    let mut parts = address.split(',').filter_map(|part| part.split_once('='));
    let (_, value) = parts.find(|(name, _)| *name == key)?;
    (!value.is_empty()).then(|| value.to_owned())
}
