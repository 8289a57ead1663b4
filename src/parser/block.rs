//! The block layer: `I/O error, dev dm-0, sector …`.

use super::generic;
use crate::bus::RawEvent;
use crate::devices::Devices;
use crate::event::EventDraft;

/// The block layer itself.
pub fn takes(sub_system: &str) -> bool {
    sub_system == "block"
}

/// The block device that the line names, whatever it is.
pub fn parse(devices: &Devices, raw: &RawEvent) -> EventDraft {
    generic::parse(devices, raw)
}
