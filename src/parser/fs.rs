//! File systems: the event is about the file system, the device it lies on is its first owner.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use peripety_blkinfo::{BlockInfo, DevNumber};
use tokio::task::JoinSet;

use super::{build, Context, Family};
use crate::bus::raw::RawReceiver;
use crate::bus::{RawEvent, RawItem};
use crate::devices::Devices;
use crate::event::StorageEvent;
use crate::rules::DeviceWay;

/// The kernel says "mounted" before the mount is in the mount table: how long it is waited for.
const MOUNT_WAIT: Duration = Duration::from_secs(2);
/// First pause while waiting; each one is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
/// Most file systems waited for at a time.
const MOST_WAITING: usize = 64;
/// How long a mount that is gone is remembered: its device number may soon mean another device.
const REMEMBER: Duration = Duration::from_secs(12);
/// How often the mount table is noted, for the lines about what was unmounted.
const NOTE_EVERY: Duration = Duration::from_secs(5);

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
pub fn parse(devices: &Devices, raw: &RawEvent) -> StorageEvent {
    let mut event = build::event(raw);
    event.dev_wwid = raw.captures.get("fs_uuid").filter(|uuid| is_real(uuid)).cloned();
    if raw.rule.device == DeviceWay::None {
        return event;
    }
    if let Some(block) = build::device(devices, raw) {
        set_file_system(&mut event, &block);
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

/// The UUID that the line gives holds even when udev has not seen the file system yet.
fn set_file_system(event: &mut StorageEvent, block: &BlockInfo) {
    let uuid = event.dev_wwid.take().or_else(|| block.fs_uuid.clone());
    build::set_device(event, block);
    let device = block.dev_wwid.iter().filter(|wwid| !event.owners_wwids.contains(wwid)).cloned();
    event.owners_wwids = device.chain(event.owners_wwids.iter().cloned()).collect();
    event.owners_paths.insert(0, block.dev_path.clone());
    event.dev_wwid = uuid;
}

/// Works on the file systems' events. Those that end a mount are given the mount point noted
/// before; those that begin one wait for it, without holding up the others.
pub async fn run(family: &'static Family, mut receiver: RawReceiver, context: Context) {
    let mut notes = Notes::default();
    let mut waiting: JoinSet<(StorageEvent, Arc<RawEvent>)> = JoinSet::new();
    let mut tick = tokio::time::interval(NOTE_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let raw = tokio::select! {
            raw = receiver.recv() => raw,
            _ = tick.tick() => { tokio::task::block_in_place(|| notes.update(&context.devices)); continue }
            Some(Ok((event, raw))) = waiting.join_next() => {
                tokio::task::block_in_place(|| notes.update(&context.devices));
                context.faults.push(event, &raw).await;
                continue;
            }
        };
        let raw = match raw {
            Some(RawItem::Event(raw)) => raw,
            Some(RawItem::Beat(beat)) => {
                context.faults.beat(beat).await;
                continue;
            }
            None => break,
        };
        if super::family_of(&raw.sub_system).name != family.name {
            continue;
        }
        let mut event = tokio::task::block_in_place(|| parse(&context.devices, &raw));
        let unmounted = NEVER_MOUNTED.contains(&raw.rule.event_type.as_str());
        let (begins, known) = (begins_mount(&raw), event.extension.contains_key("mount_point"));
        if begins && !known && waiting.len() < MOST_WAITING && is_new(&context.devices, &raw) {
            context.faults.put_off(&raw).await;
            waiting.spawn(wait_for_mount(context.clone(), raw));
            continue;
        }
        tokio::task::block_in_place(|| match known {
            true if begins => notes.update(&context.devices),
            true => {}
            false if unmounted => notes.update(&context.devices),
            false => notes.add_mount_point(&mut event, &context.devices, &raw),
        });
        context.faults.push(event, &raw).await;
    }
    while let Some(waited) = waiting.join_next().await {
        if let Ok((event, raw)) = waited {
            context.faults.push(event, &raw).await;
        }
    }
}

fn begins_mount(raw: &RawEvent) -> bool {
    raw.rule.event_type == "FS_MOUNTED"
}

/// The line is of the running machine and so new that its mount may still appear.
fn is_new(devices: &Devices, raw: &RawEvent) -> bool {
    let age = crate::journal::now().saturating_sub(raw.entry.timestamp);
    devices.tree().is_live() && devices.knows(&raw.entry) && Duration::from_micros(age) < MOUNT_WAIT
}

/// The event of a line that begins a mount, once the mount is there.
async fn wait_for_mount(context: Context, raw: Arc<RawEvent>) -> (StorageEvent, Arc<RawEvent>) {
    let mut pause = FIRST_PAUSE;
    let mut waited = Duration::ZERO;
    loop {
        context.devices.forget();
        let event = tokio::task::block_in_place(|| parse(&context.devices, &raw));
        if event.extension.contains_key("mount_point") || waited >= MOUNT_WAIT {
            return (event, raw);
        }
        tokio::time::sleep(pause).await;
        waited += pause;
        pause *= 2;
    }
}

/// The mount table as it was a moment ago.
#[derive(Debug, Default)]
struct Notes(HashMap<DevNumber, Note>);

#[derive(Debug)]
struct Note {
    mount_points: Vec<String>,
    seen: Instant,
}

impl Notes {
    /// Notes the present mounts; those that are gone stay known for a while.
    fn update(&mut self, devices: &Devices) {
        if !devices.tree().is_live() {
            return;
        }
        let seen = Instant::now();
        let mut present: HashMap<DevNumber, Note> = HashMap::new();
        for mount in devices.tree().mounts().unwrap_or_default() {
            let note = present.entry(mount.major_minor).or_insert(Note { mount_points: Vec::new(), seen });
            note.mount_points.push(mount.mount_point);
        }
        self.0.retain(|_, note| seen.duration_since(note.seen) < REMEMBER);
        self.0.extend(present);
    }

    /// Where the device of a new line was mounted until a moment ago.
    fn add_mount_point(&mut self, event: &mut StorageEvent, devices: &Devices, raw: &RawEvent) {
        if is_new(devices, raw) {
            let number = build::device(devices, raw).and_then(|block| block.major_minor);
            let known = number.and_then(|number| Some(self.0.get(&number)?.mount_points.clone()));
            build::set_mount_points(event, known.unwrap_or_default());
        }
        self.update(devices);
    }
}
