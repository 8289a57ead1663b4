//! NVMe over PCIe and over fabrics.

use std::path::{Path, PathBuf};

use super::{facts, Detail};
use crate::device::Device;
use crate::name::numbered;
use crate::tree::Tree;

/// From drivers/nvme/host/sysfs.c: a controller's `transport, address, state, subsysnqn`. The hardware of a path node,
/// and of a namespace without multipathing, is the controller; that of a multipathed namespace is the subsystem, whose
/// folder has a link to each controller.
pub(super) fn detail(tree: &Tree, device: &Device) -> Detail {
    let Some(hardware) = tree.hardware(device) else {
        return Detail::new();
    };
    let controllers = controllers(tree, &hardware);
    let first = controllers.first().cloned().unwrap_or_else(|| hardware.clone());
    let only = |attr: &str| tree.attr(&first.join(attr)).filter(|_| controllers.len() == 1);
    let names: Vec<&str> = controllers.iter().filter_map(|path| path.file_name()?.to_str()).collect();
    facts([
        ("transport", Some(transport(tree.attr(&first.join("transport")).as_deref()))),
        ("controllers", (!names.is_empty()).then(|| names.join(" "))),
        ("address", only("address")),
        ("state", only("state")),
        ("subsysnqn", tree.attr(&hardware.join("subsysnqn"))),
    ])
}

/// The folders of the controllers through which the namespace is reached.
fn controllers(tree: &Tree, hardware: &Path) -> Vec<PathBuf> {
    let is_controller = |name: &str| numbered(name, "nvme").is_some();
    if hardware.file_name().and_then(|name| name.to_str()).is_some_and(is_controller) {
        return vec![hardware.to_path_buf()];
    }
    let names = tree.names(hardware).into_iter().filter(|name| is_controller(name));
    names.map(|name| Path::new("/sys/class/nvme").join(name)).collect()
}

/// `pcie` is plain NVMe; fabrics are named behind a slash, as the NVMe specifications do.
fn transport(kernel: Option<&str>) -> String {
    match kernel {
        None | Some("pcie" | "apple-nvme") => "NVMe".to_owned(),
        Some("loop") => "NVMe/loop".to_owned(),
        Some(fabric) => format!("NVMe/{}", fabric.to_ascii_uppercase()),
    }
}
