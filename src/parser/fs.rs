//! File systems: the event is about the file system, the device it lies on is its first owner.

use std::collections::HashMap;
use std::time::Duration;

use peripety_blkinfo::{BlockInfo, DevNumber};

use super::build;
use crate::bus::RawEvent;
use crate::devices::Devices;
use crate::event::EventDraft;
use crate::rules::DeviceWay;

/// The kernel says "mounted" before the mount is in the mount table: how long it is waited for.
pub const MOUNT_WAIT: Duration = Duration::from_secs(2);
/// How long a mount that is gone is remembered, µs: its device number may soon mean another device.
const REMEMBER: u64 = 12_000_000;
/// How often the mount table is noted, for the lines about what was unmounted, µs.
const NOTE_EVERY: u64 = 5_000_000;

/// Sub-systems whose lines are about a file system on a block device.
const FILE_SYSTEMS: [&str; 22] = [
    "ext2", "ext3", "ext4", "jbd2", "xfs", "btrfs", "f2fs", "vfat", "exfat", "ntfs3", "ntfs", "hfsplus",
    "udf", "isofs", "squashfs", "erofs", "reiserfs", "jfs", "nilfs2", "ocfs2", "bcachefs", "gfs2",
];
/// Event types about a device that was not mounted: where it was mounted before does not matter.
const NEVER_MOUNTED: [&str; 2] = ["FS_NOT_FOUND", "FS_MOUNT_FAILED"];

/// The file systems.
pub fn takes(sub_system: &str) -> bool {
    FILE_SYSTEMS.contains(&sub_system)
}

/// The file system, where it is mounted now, and what it lies on.
pub fn parse(devices: &Devices, raw: &RawEvent) -> EventDraft {
    let mut event = build::event(raw);
    event.dev_wwid = raw.captures.get("fs_uuid").filter(|uuid| is_real(uuid)).cloned();
    if raw.rule.device == DeviceWay::None {
        return event;
    }
    if let Some(block) = build::device(devices, raw) {
        if let Some(uuid) = &event.dev_wwid {
            devices.note_file_system(&block, uuid);
        }
        set_file_system(&mut event, devices, &block);
        build::set_mount_points(&mut event, mounted(&block));
    }
    event
}

/// An all-zero UUID is none: the kernel prints it for a file system made without one.
fn is_real(uuid: &str) -> bool {
    uuid.bytes().any(|byte| byte.is_ascii_hexdigit() && byte != b'0')
}

fn mounted(block: &BlockInfo) -> Vec<String> {
    block.mount_points.iter().filter(|point| point.starts_with('/')).cloned().collect()
}

/// The UUID that the line gives holds even when udev has not seen the file system yet, and that of the mount when udev cannot
/// read it any more.
fn set_file_system(event: &mut EventDraft, devices: &Devices, block: &BlockInfo) {
    let uuid = event.dev_wwid.take().or_else(|| devices.file_system(block));
    build::set_device(event, block);
    let device = block.dev_wwid.iter().filter(|wwid| !event.owners_wwids.contains(wwid)).cloned();
    event.owners_wwids = device.chain(event.owners_wwids.iter().cloned()).collect();
    event.owners_paths.insert(0, block.dev_path.clone());
    event.dev_wwid = uuid;
}

/// The line begins a mount.
pub fn begins_mount(raw: &RawEvent) -> bool {
    raw.rule.event_type == "FS_MOUNTED"
}

/// The mount that the line begins is not in the mount table yet, and may still appear.
pub fn awaits_mount(devices: &Devices, raw: &RawEvent, event: &EventDraft) -> bool {
    begins_mount(raw)
        && !event.extension.contains_key("mount_point")
        && devices.is_new(&raw.entry, MOUNT_WAIT)
}

/// The mount table as it was a moment ago. Times are µs of the devices' clock.
#[derive(Debug, Default)]
pub struct Notes {
    mounts: HashMap<DevNumber, Note>,
    updated: u64,
}

#[derive(Debug)]
struct Note {
    mount_points: Vec<String>,
    seen: u64,
}

impl Notes {
    /// An event of a file system is complete: one that ends a mount is given the mount point noted before.
    pub fn complete(&mut self, devices: &Devices, raw: &RawEvent, event: &mut EventDraft) {
        let unmounted = NEVER_MOUNTED.contains(&&*raw.rule.event_type);
        match event.extension.contains_key("mount_point") {
            true if begins_mount(raw) => self.update(devices),
            true => {}
            false if unmounted => self.update(devices),
            false => self.add_mount_point(event, devices, raw),
        }
    }

    /// When the mount table is to be noted again.
    pub fn due(&self) -> u64 {
        self.updated.saturating_add(NOTE_EVERY)
    }

    /// Notes the present mounts; those that are gone stay known for a while.
    pub fn update(&mut self, devices: &Devices) {
        let seen = devices.time();
        self.updated = seen;
        if !devices.moves() {
            return;
        }
        let mut present: HashMap<DevNumber, Note> = HashMap::new();
        for mount in devices.tree().mounts().unwrap_or_default() {
            let note = present.entry(mount.major_minor).or_insert(Note { mount_points: Vec::new(), seen });
            note.mount_points.push(mount.mount_point);
        }
        self.mounts.retain(|_, note| seen.saturating_sub(note.seen) < REMEMBER);
        self.mounts.extend(present);
    }

    /// Where the device of a new line was mounted until a moment ago.
    fn add_mount_point(&mut self, event: &mut EventDraft, devices: &Devices, raw: &RawEvent) {
        if devices.is_new(&raw.entry, MOUNT_WAIT) {
            let number = build::device(devices, raw).and_then(|block| block.major_minor);
            let known = number.and_then(|number| Some(self.mounts.get(&number)?.mount_points.clone()));
            build::set_mount_points(event, known.unwrap_or_default());
        }
        self.update(devices);
    }
}
