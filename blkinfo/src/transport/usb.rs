//! USB.

use super::{facts, Detail, ScsiPath};

/// By the directory names of drivers/usb/core (usb.c, message.c): `…/usb2/2-1/2-1:1.0/host9/…`, of which `2-1` is the
/// port and the device in it, with the attributes of drivers/usb/core/sysfs.c (`idVendor, idProduct, speed`). The
/// drivers are usb-storage, its relatives (`ums-…`) and uas.
pub(super) fn detail(path: &ScsiPath<'_>) -> Option<Detail> {
    path.ancestor("usb")?;
    let interface =
        path.device.components().rev().find_map(|name| name.split_once(':').filter(|_| name.contains('-')));
    let port = interface.map(|(port, _)| port);
    let of_device = |attr: &str| path.tree.attr(&path.directory(port?)?.join(attr));
    let id = of_device("idVendor").zip(of_device("idProduct"));
    Some(facts([
        ("transport", Some("USB".to_owned())),
        ("usb_port", port.map(str::to_owned)),
        ("usb_id", id.map(|(vendor, product)| format!("{vendor}:{product}"))),
        ("speed", of_device("speed").and_then(|speed| with_unit(&speed))),
    ]))
}

/// sysfs has the number of Mbit/s alone (`480`, `1.5`), or `unknown`.
fn with_unit(speed: &str) -> Option<String> {
    let number = speed.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    number.then(|| format!("{speed} Mbit"))
}
