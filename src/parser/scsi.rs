//! Disks of the SCSI layer: `sd 2:0:0:1: [sdb] …`.
//!
//! The line names the disk (`sdb`) or, when the disk is not up yet or gone already, the SCSI
//! address; journald's `_KERNEL_DEVICE` (`+scsi:2:0:0:1`) stands in when it names neither.

use super::generic;
use crate::bus::RawEvent;
use crate::devices::Devices;
use crate::event::EventDraft;

/// The SCSI layer and its disk driver.
pub fn takes(sub_system: &str) -> bool {
    matches!(sub_system, "scsi" | "sd")
}

/// The disk, its path detail, and where it is mounted.
pub fn parse(devices: &Devices, raw: &RawEvent) -> EventDraft {
    let mut event = generic::parse(devices, raw);
    if event.kdev.is_none() || event.kdev == raw.entry.kernel_device {
        let address = raw.entry.kernel_device.as_deref().and_then(|d| d.strip_prefix("+scsi:"));
        event.kdev = address.map(str::to_owned).or(event.kdev.take());
    }
    event
}
