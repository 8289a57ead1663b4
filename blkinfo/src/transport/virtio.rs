//! virtio-scsi. (Disks of virtio-blk are no SCSI disks.)

use super::{facts, Detail, ScsiPath};

/// By the folder name of the virtio bus, `…/virtio4/host0/…` (drivers/virtio/virtio.c).
pub(super) fn scsi(path: &ScsiPath<'_>) -> Option<Detail> {
    path.ancestor("virtio")?;
    Some(facts([("transport", Some("virtio".to_owned()))]))
}
