//! USB.

use super::{facts, Detail, ScsiPath};

/// By the folder names of drivers/usb/core: `…/usb2/2-1/2-1:1.0/host9/…`, of which `2-1` is the port.
pub(super) fn detail(path: &ScsiPath<'_>) -> Option<Detail> {
    path.ancestor("usb")?;
    let interface =
        path.device.components().rev().find_map(|name| name.split_once(':').filter(|_| name.contains('-')));
    Some(facts([
        ("transport", Some("USB".to_owned())),
        ("usb_port", interface.map(|(port, _)| port.to_owned())),
    ]))
}
