//! Device-mapper targets other than multipath: `device-mapper: thin: 253:4: …`.

use super::{build, generic};
use crate::bus::RawEvent;
use crate::devices::{Devices, Name};
use crate::event::EventDraft;

/// Device-mapper, its targets, and LVM, which is built from them.
pub fn takes(sub_system: &str) -> bool {
    sub_system == "dm" || sub_system == "lvm" || sub_system.starts_with("dm_")
}

/// The mapped device. dmeventd writes LVM's internal name of a thin pool (`vg-pool-tpool`);
/// a pool that is not mapped under it is mapped under the plain one.
pub fn parse(devices: &Devices, raw: &RawEvent) -> EventDraft {
    let event = generic::parse(devices, raw);
    if event.dev_path.is_some() {
        return event;
    }
    let inner = ["dm_name", "kdev"].iter().find_map(|c| raw.captures.get(*c)?.strip_suffix("-tpool"));
    match inner.and_then(|name| devices.at(&raw.entry, Name::Any(name))) {
        Some(block) => {
            let mut event = event;
            build::set_device(&mut event, &block);
            build::add_mount_points(&mut event, devices, raw, &block);
            event
        }
        None => event,
    }
}
