//! SATA, and parallel ATA.

use super::{facts, Detail, ScsiPath};

/// By the folder name `ata3` (drivers/ata/libata-transport.c), which is the port that kernel messages name. libata's
/// drivers for parallel ATA are called `pata_…`; `ata_piix` drives both, and udev's ata_id asked the disk.
pub(super) fn detail(path: &ScsiPath<'_>) -> Option<Detail> {
    let port = path.ancestor("ata")?;
    let serial = || path.tree.udev(path.device).get("ID_ATA_SATA").is_some();
    let parallel = match path.driver.as_deref() {
        Some("ata_piix") => !serial(),
        Some(driver) => driver.starts_with("pata_"),
        None => false,
    };
    Some(facts([
        ("transport", Some(if parallel { "ATA" } else { "SATA" }.to_owned())),
        ("ata_port", Some(port.to_owned())),
    ]))
}
