//! SATA, and parallel ATA.

use std::path::{Path, PathBuf};

use super::{facts, Detail, ScsiPath};

/// By the directory name `ata3` (drivers/ata/libata-transport.c), which is the port that kernel messages name. libata's
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
        ("ata_device", device(path, port)),
        ("sata_spd", speed(path, port)),
    ]))
}

/// `3.00` as in kernel messages: port, and the number of the device on the port's link or of the port multiplier's link
/// (drivers/ata/libata-core.c, ata_dev_printk), which are target and channel of the SCSI address, one of them 0
/// (drivers/ata/libata-scsi.c, ata_scsi_scan_host).
fn device(path: &ScsiPath<'_>, port: &str) -> Option<String> {
    let device = path.address.channel.checked_add(path.address.target)?;
    Some(format!("{}.{device:02}", port.strip_prefix("ata")?))
}

/// The speed of the disk's link: class ata_link (`sata_spd`), where a port's own link is `link3`, and those behind a
/// port multiplier are `link3.0`, `link3.1` … (drivers/ata/libata-transport.c, ata_tlink_add). A link that is down, and
/// a parallel one, has `<unknown>`.
fn speed(path: &ScsiPath<'_>, port: &str) -> Option<String> {
    let own = format!("link{}", port.strip_prefix("ata")?);
    let link = |name: &str| -> PathBuf { Path::new("/sys/class/ata_link").join(name).join("sata_spd") };
    let multiplied = path.tree.attr(&link(&format!("{own}.{}", path.address.channel)));
    let speed = multiplied.or_else(|| path.tree.attr(&link(&own)))?;
    (speed != "<unknown>").then_some(speed)
}
