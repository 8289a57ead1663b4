//! Serial attached SCSI.

use std::path::Path;

use super::{facts, Detail, ScsiPath};

/// From drivers/scsi/scsi_transport_sas.c: class sas_device (`sas_address`). A SATA disk behind a SAS controller is
/// reached over SAS too.
pub(super) fn detail(path: &ScsiPath<'_>) -> Option<Detail> {
    let end_device = path.ancestor_like("end_device-")?;
    let class = Path::new("/sys/class/sas_device").join(end_device);
    Some(facts([
        ("transport", Some("SAS".to_owned())),
        ("sas_address", path.tree.attr(&class.join("sas_address"))),
    ]))
}
