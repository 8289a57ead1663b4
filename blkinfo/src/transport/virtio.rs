//! virtio-blk and virtio-scsi.

use std::path::Path;

use super::{bound_driver, facts, pci_address, Detail, ScsiPath};
use crate::device::Device;
use crate::tree::Tree;

/// By the directory name of the virtio bus, `…/virtio4/host0/…` (drivers/virtio/virtio.c), below that of the PCI function
/// when there is one (virtio-mmio and s390 have none).
pub(super) fn scsi(path: &ScsiPath<'_>) -> Option<Detail> {
    path.ancestor("virtio")?;
    Some(facts([("transport", Some("virtio".to_owned())), ("pci_address", pci_address(&path.device.dir))]))
}

/// A disk of virtio-blk: `…/virtio1/block/vda`. The bus device is bound to the driver (drivers/base/dd.c).
pub(super) fn block(tree: &Tree, device: &Device) -> Detail {
    let above = device.dir.parent().and_then(Path::parent);
    facts([
        ("transport", Some("virtio".to_owned())),
        ("pci_address", pci_address(&device.dir)),
        ("driver_name", above.and_then(|bus_device| bound_driver(tree, bus_device))),
    ])
}
