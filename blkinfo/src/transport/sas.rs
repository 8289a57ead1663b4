//! Serial attached SCSI.

use std::path::Path;

use super::{facts, host_class, Detail, ScsiPath};

/// From drivers/scsi/scsi_transport_sas.c: the classes sas_device (`sas_address, phy_identifier,
/// enclosure_identifier, bay_identifier`; a driver that does not know the last two refuses to read them) and sas_phy
/// (`negotiated_linkrate`). `host_sas_address` is an attribute of the SCSI host, made by drivers that have one address
/// for all ports: drivers/scsi/mpt3sas/mpt3sas_ctl.c, drivers/scsi/pm8001/pm8001_ctl.c. A SATA disk behind a SAS
/// controller is reached over SAS too.
pub(super) fn detail(path: &ScsiPath<'_>) -> Option<Detail> {
    let end_device = path.ancestor_like("end_device-")?;
    let class = Path::new("/sys/class/sas_device").join(end_device);
    let of_device = |attr: &str| path.tree.attr(&class.join(attr));
    let (enclosure, slot) = enclosure(path).unzip();
    Some(facts([
        ("transport", Some("SAS".to_owned())),
        ("sas_address", of_device("sas_address")),
        ("host_sas_address", path.tree.attr(&host_class("scsi_host", path.address).join("host_sas_address"))),
        ("phy_identifier", of_device("phy_identifier")),
        ("negotiated_linkrate", linkrate(path)),
        ("enclosure_identifier", of_device("enclosure_identifier")),
        ("bay_identifier", of_device("bay_identifier")),
        ("enclosure", enclosure),
        ("slot", slot),
    ]))
}

/// The rate of the first phy of the port to which the disk is connected. A port's directory has a link to each of its
/// phys (sas_port_add_phy).
fn linkrate(path: &ScsiPath<'_>) -> Option<String> {
    let port = path.directory(path.ancestor_like("port-")?)?;
    let phy = path.tree.names(port).into_iter().find(|name| name.starts_with("phy-"))?;
    path.tree.attr(&Path::new("/sys/class/sas_phy").join(phy).join("negotiated_linkrate"))
}

/// The enclosure's SCSI address and the slot's name in it, from the link `enclosure_device:SLOT` in the disk's directory
/// to `…/enclosure/ADDRESS/SLOT` (drivers/misc/enclosure.c, enclosure_add_links; the driver ses makes them).
fn enclosure(path: &ScsiPath<'_>) -> Option<(String, String)> {
    let directory = path.directory(&path.address.to_string())?;
    let names = path.tree.names(directory);
    let link = names.iter().find(|name| name.starts_with("enclosure_device:"))?;
    let slot = path.tree.follow(&directory.join(link))?;
    let name = slot.file_name()?.to_str()?;
    let enclosure = slot.parent()?.file_name()?.to_str()?;
    Some((enclosure.to_owned(), name.to_owned()))
}
