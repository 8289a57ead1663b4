//! Everything that no other family takes: the device that the line names, and its stack.

use super::build;
use crate::bus::RawEvent;
use crate::devices::Devices;
use crate::event::EventDraft;
use crate::rules::DeviceWay;

/// Any sub-system.
pub fn takes(_: &str) -> bool {
    true
}

/// Names the device, what it is built from, how it is attached and where it is mounted; of a line about a server, where that is
/// mounted.
pub fn parse(devices: &Devices, raw: &RawEvent) -> EventDraft {
    let mut event = build::event(raw);
    if let Some(server) = raw.captures.get("server") {
        build::set_mount_points(&mut event, devices.mounts_from(&raw.entry, server));
    }
    if raw.rule.device == DeviceWay::None {
        return event;
    }
    if let Some(block) = build::device(devices, raw) {
        build::set_device(&mut event, &block);
        build::add_controller_detail(&mut event, raw, &block);
        build::add_path_detail(&mut event, &block);
        build::add_mount_points(&mut event, devices, raw, &block);
    }
    event
}
