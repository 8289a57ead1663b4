//! What all families share: the parts of a storage event.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use peripety_blkinfo::BlockInfo;

use super::unit::{self, UnitSubject};
use crate::bus::RawEvent;
use crate::correlate::{with_kind, ARRAY_OF_DM};
use crate::devices::{is_deleted, is_last_word, Devices, Name, PROBING};
use crate::event::{EventDraft, Holder, Identity, Source, StorageEvent};
use crate::journal::EntryKey;
use crate::rules::DeviceWay;

/// Longest walk up to find what a device carries.
const MOST_HOLDERS: usize = 256;

/// Captures of a rule that are fields of the event, not of its extension.
const OWN_FIELDS: [&str; 2] = ["kdev", "sub_system"];

/// The event without a device.
pub fn event(raw: &RawEvent) -> EventDraft {
    let entry = &raw.entry;
    let cursor = Some(entry.cursor.clone()).filter(|cursor| !cursor.is_empty());
    let mut extension = raw.captures.clone();
    OWN_FIELDS.iter().for_each(|field| drop(extension.remove(*field)));
    crate::decode::scsi::explain(&mut extension);
    crate::decode::ata::explain(&mut extension);
    if raw.rule.catch_all {
        extension.insert("catch_all".into(), "true".into());
    }
    let covered = cursor.as_deref().and_then(EntryKey::parse).map(|key| key.mark()).into_iter().collect();
    let event = StorageEvent {
        hostname: entry.hostname.clone(),
        severity: raw.severity,
        sub_system: raw.sub_system.clone(),
        timestamp: entry.timestamp,
        event_id: raw.event_id.clone(),
        event_type: raw.rule.event_type.to_string(),
        kdev: raw.captures.get("kdev").or(entry.kernel_device.as_ref()).cloned(),
        msg: one_line(&entry.message),
        raw_msg: entry.message.clone(),
        extension,
        repeat_count: 1,
        boot_id: entry.boot_id.clone(),
        source: Source {
            identifier: entry.identifier.clone(),
            entries: u64::from(cursor.is_some()),
            first: cursor.clone(),
            last: cursor,
            ..Source::default()
        },
        ..StorageEvent::default()
    };
    EventDraft { covered, ..event.into() }
}

/// White space, line breaks too, as single blanks; none at the ends.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Other captures than `kdev` that name a device, the surest first.
const OTHER_NAMES: [&str; 3] = ["dm_name", "fs_uuid", "mount_point"];

/// The volume that is built on the member of an array that device-mapper made.
fn volume_of_member(devices: &Devices, raw: &RawEvent) -> Option<Arc<BlockInfo>> {
    raw.captures.get("kdev").filter(|kdev| *kdev == ARRAY_OF_DM)?;
    let member = devices.at(&raw.entry, Name::Kernel(raw.captures.get("member")?))?;
    let volume = member.holders.iter().find_map(|name| devices.at(&raw.entry, Name::Kernel(name)));
    Some(volume.unwrap_or(member))
}

/// The device that the entry is about, at that time. What names it is tried in this order: `kdev`, other names, hardware on
/// the way (when only one disk lies behind it), a unit of systemd, journald's own fields.
pub fn device(devices: &Devices, raw: &RawEvent) -> Option<Arc<BlockInfo>> {
    let capture = |name: &str| raw.captures.get(name).map(String::as_str);
    let others = OTHER_NAMES.iter().filter_map(|name| capture(name)).map(Name::Any);
    let named = || devices.first_at(&raw.entry, kdev(raw).into_iter().chain(others));
    let hardware = || {
        let numbered = |kind: &str| capture(kind).map(|name| with_kind(kind, name));
        let names = [
            numbered("connection"),
            numbered("session"),
            capture("pci").map(str::to_owned),
            numbered("host"),
        ];
        names.into_iter().flatten().find_map(|name| devices.at(&raw.entry, Name::Kernel(&name)))
    };
    let of_unit = || match unit::about(capture("unit")?)? {
        UnitSubject::Mount(path) | UnitSubject::Node(path) => devices.at(&raw.entry, Name::Any(&path)),
    };
    let journald = || {
        let node = raw.entry.udev_devnode.as_deref().and_then(|node| node.strip_prefix("/dev/"));
        let names = [node, raw.entry.kernel_device.as_deref()].into_iter().flatten();
        devices.first_at(&raw.entry, names.map(Name::Kernel))
    };
    let of_member = || volume_of_member(devices, raw);
    let gone = || gone(devices, raw);
    named().or_else(of_member).or_else(hardware).or_else(of_unit).or_else(journald).or_else(gone)
}

/// The device that had the name last, when the line is one that is written only of a device that goes.
pub fn gone(devices: &Devices, raw: &RawEvent) -> Option<Arc<BlockInfo>> {
    let names = ["kdev", "hctl"].iter().filter_map(|name| raw.captures.get(*name));
    let mut names = names.filter(|_| is_last_word(raw));
    names.find_map(|name| devices.last_holder(&raw.entry, name))
}

/// The device that the line names may be one that is being probed: it, or its identity, will be known in a moment.
pub fn awaits_device(devices: &Devices, raw: &RawEvent, event: &EventDraft) -> bool {
    let named = match kdev(raw) {
        Some(Name::Kernel(name)) if event.dev_wwid.is_none() && raw.rule.device == DeviceWay::Capture => name,
        _ => return false,
    };
    if is_last_word(raw) || !devices.is_new(&raw.entry, Duration::from_micros(PROBING)) {
        return false;
    }
    match event.dev_path {
        None => devices.may_come(&raw.entry, named),
        Some(_) => device(devices, raw).is_some_and(|block| devices.is_unidentified(&raw.entry, &block)),
    }
}

/// The capture `kdev`. Tools write other names than the kernel's, too; of `/dev/sda [SAT]` (smartd) the first word counts. File
/// systems of the kernel name nodes and links: `/dev/sdb1` is a name that the kernel gave, `/dev/mapper/x` is not.
pub fn kdev(raw: &RawEvent) -> Option<Name<'_>> {
    let kdev = raw.captures.get("kdev")?;
    if raw.entry.identifier != "kernel" {
        let node = kdev.starts_with("/dev/").then(|| kdev.split(' ').next()).flatten();
        return Some(Name::Any(node.unwrap_or(kdev)));
    }
    let Some(node) = kdev.strip_prefix("/dev/") else { return Some(Name::Kernel(kdev)) };
    Some(if node.contains('/') { Name::Any(kdev) } else { Name::Kernel(node) })
}

/// Names a device as the one of the event, with what it is built from and what it carries.
pub fn set_device(event: &mut EventDraft, block: &BlockInfo) {
    event.dev_wwid = block.dev_wwid.clone();
    event.dev_path = Some(block.dev_path.clone());
    event.owners_wwids = block.owners_wwids().into_iter().map(str::to_owned).collect();
    event.owners_paths = block.owners_paths().into_iter().map(str::to_owned).collect();
    let owners = block.owners.iter().map(|owner| Holder {
        names: vec![owner.kdev.clone(), node_name(&owner.dev_path)],
        identity: Identity { wwid: owner.dev_wwid.clone(), diskseq: None },
        gone: false,
    });
    event.holders = std::iter::once(holder(block)).chain(owners).collect();
}

/// The device as the holder of its names.
pub fn holder(block: &BlockInfo) -> Holder {
    let number = block.major_minor.map(|number| number.to_string());
    let mut names = vec![block.kdev.clone(), node_name(&block.dev_path)];
    names.extend(number.into_iter().chain(block.address.clone()));
    names.dedup();
    Holder { names, identity: Identity { wwid: block.dev_wwid.clone(), diskseq: block.diskseq }, gone: false }
}

/// Owners whose disk sequence number is looked up.
const MOST_OWNERS: usize = 32;

/// Notes which of the devices are gone by now, and what tells those that a device is built from from later ones of their names.
pub fn mark_gone(event: &mut EventDraft, devices: &Devices, raw: &RawEvent) {
    for (number, holder) in event.holders.iter_mut().enumerate() {
        let Some(kdev) = holder.names.first() else { continue };
        if holder.identity.diskseq.is_none() && number <= MOST_OWNERS {
            let block = devices.at(&raw.entry, Name::Kernel(kdev));
            let found = block.map(|block| Identity { wwid: block.dev_wwid.clone(), diskseq: block.diskseq });
            holder.identity.diskseq =
                found.filter(|found| !found.denies(&holder.identity)).and_then(|found| found.diskseq);
        }
        holder.gone = devices.is_gone(&raw.entry, kdev, &|block| {
            let now = Identity { wwid: block.dev_wwid.clone(), diskseq: block.diskseq };
            !now.denies(&holder.identity)
        });
    }
    if let Some(device) = event.holders.first_mut() {
        device.gone |= is_deleted(raw);
    }
}

/// The name of a node without its directory in /dev, which logs leave out: `mpatha`, `sdb`.
fn node_name(path: &str) -> String {
    let name = path.strip_prefix("/dev/mapper/").or_else(|| path.strip_prefix("/dev/"));
    name.unwrap_or(path).to_owned()
}

/// Makes a device the only owner.
pub fn set_owner(event: &mut EventDraft, block: &BlockInfo) {
    event.holders.truncate(1);
    event.holders.push(holder(block));
    event.owners_wwids = block.dev_wwid.iter().cloned().collect();
    event.owners_paths = vec![block.dev_path.clone()];
}

/// Adds how a device is attached; what the log line said stays.
pub fn add_path_detail(event: &mut EventDraft, block: &BlockInfo) {
    let transport = block.transport.iter().map(|t| ("transport", t.clone()));
    let detail = block.extension.iter().map(|(key, value)| (key, value.to_owned()));
    for (key, value) in transport.chain(detail) {
        event.extension.entry(key.to_owned()).or_insert(value);
    }
}

/// Adds the address of the NVMe controller that the line is about: of several paths to a namespace, the one that is meant.
pub fn add_controller_detail(event: &mut EventDraft, raw: &RawEvent, block: &BlockInfo) {
    let Some(Name::Kernel(controller)) = kdev(raw) else { return };
    let Some(path) = block.paths.iter().find(|path| path.address.as_deref() == Some(controller)) else {
        return;
    };
    for (key, value) in path.extension.iter().filter(|(key, _)| *key != "controllers") {
        event.extension.entry(key.to_owned()).or_insert(value.to_owned());
    }
}

/// Adds where the device hurts: the mount points of what is built on it, itself included.
pub fn add_mount_points(event: &mut EventDraft, devices: &Devices, raw: &RawEvent, block: &BlockInfo) {
    let mut seen = BTreeSet::new();
    let mut mount_points: Vec<String> = Vec::new();
    let mut todo = VecDeque::from([block.clone()]);
    while let Some(next) = todo.pop_front() {
        if seen.len() >= MOST_HOLDERS || !seen.insert(next.kdev.clone()) {
            continue;
        }
        let new = next.mount_points.iter().filter(|point| point.starts_with('/'));
        mount_points.extend(new.cloned());
        todo.extend(
            next.holders
                .iter()
                .filter_map(|name| devices.at(&raw.entry, Name::Kernel(name)))
                .map(|b| (*b).clone()),
        );
    }
    set_mount_points(event, mount_points);
}

/// `mount_point` is the first, `mount_points` all of several.
pub fn set_mount_points(event: &mut EventDraft, mount_points: Vec<String>) {
    if mount_points.len() > 1 {
        let all: Vec<String> = mount_points.iter().map(|point| escape(point)).collect();
        event.extension.entry("mount_points".into()).or_insert(all.join(" "));
    }
    if let Some(first) = mount_points.into_iter().next() {
        event.extension.entry("mount_point".into()).or_insert(first);
    }
}

/// White space and backslash in octal, as /proc/self/mountinfo writes them (proc(5)).
fn escape(path: &str) -> String {
    path.replace('\\', "\\134").replace(' ', "\\040").replace('\t', "\\011").replace('\n', "\\012")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_lines_become_one() {
        assert_eq!(
            one_line(" md/raid1:md0: Disk failure\nmd/raid1:md0:  on 1 devices. "),
            "md/raid1:md0: Disk failure md/raid1:md0: on 1 devices."
        );
    }

    #[test]
    fn paths_with_blanks_are_escaped() {
        assert_eq!(escape("/a b\\c"), "/a\\040b\\134c");
    }
}
