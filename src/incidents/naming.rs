//! What an event is about, and what it says of other devices: names, and how their bearers belong together.

use crate::correlate::relations::{self, Name};
use crate::event::{EventDraft, Identity};
use crate::rules::conditions::Layer;

/// How one device depends on another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// It is the same device.
    Same,
    /// It is a part of it: a partition of a disk.
    Part,
    /// It is a map, and the other one a path of it.
    Path,
    /// It is an array or a pool, and the other one a member.
    Member,
    /// It is built on it.
    On,
    /// It lies behind it: a port, adapter, session, controller or target.
    Behind,
    /// It is the content of it: a file system, swap.
    Content,
}

impl Relation {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Relation::Same => "the same device",
            Relation::Part => "a part of it",
            Relation::Path => "a path",
            Relation::Member => "a member",
            Relation::On => "built on it",
            Relation::Behind => "behind it",
            Relation::Content => "what is on it",
        }
    }

    /// What depends on several such devices may bear the loss of one.
    pub fn is_redundant(self) -> bool {
        matches!(self, Relation::Path | Relation::Member)
    }
}

/// What is reported apart although it has the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Hardware and block devices.
    Device,
    /// What lies on a block device: a file system, swap.
    Content,
}

/// A device with the names by which an event knows it, the best one first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Named {
    /// Without directories.
    pub names: Vec<String>,
    /// What tells it from others of these names.
    pub identity: Identity,
}

/// What an event says of devices.
#[derive(Clone, Debug, Default)]
pub struct Sight {
    /// The very device; without names when the line tells none.
    pub subject: Named,
    /// What lies on the device, when the event is about that: other names of it.
    pub content: Vec<String>,
    /// What the device depends on, the nearest first.
    pub below: Vec<(Relation, Named)>,
    /// What depends on the device.
    pub above: Vec<(Relation, Named)>,
    /// Mount points that it names.
    pub mounts: Vec<String>,
}

/// Details that name hardware in front of the device, the nearest first.
const IN_FRONT: [&str; 9] =
    ["connection", "session", "rport", "ata_port", "host", "controller", "pci", "pci_address", "server"];
/// Owners that are looked at.
const MAX_OWNERS: usize = 32;

impl Sight {
    /// Of an event; its problem, if it is one, is of this layer.
    pub fn of(event: &EventDraft, layer: Layer) -> Self {
        let subject = relations::subject(event);
        let above = relations::above(event, &subject);
        let mut sight = Sight { mounts: mounts(event), ..Sight::default() };
        let member = layer == Layer::Path;
        sight.subject = named(subject.clone());
        add_own_numbers(event, &mut sight.subject);
        add_above(&mut sight, above, member);
        add_owners(event, &mut sight);
        add_hardware(event, &mut sight);
        if let Some(member) = event.extension.get("member") {
            let names = with_other_names(relations::plain(member));
            if names.iter().all(|name| !sight.subject.names.contains(name)) {
                sight.below.push((Relation::Member, Named { names, ..Named::default() }));
            }
        }
        if let Some(pool) = event.extension.get("pool").filter(|_| layer == Layer::Array) {
            sight.raise(pool);
        }
        if layer == Layer::Content {
            sight.content = contents(event, &sight);
        }
        sight
    }

    /// The event is about the pool that it names, and its device is a member.
    fn raise(&mut self, pool: &str) {
        let name = relations::plain(pool).to_owned();
        if self.subject.names.contains(&name) || name.is_empty() {
            return;
        }
        let pool = Named { names: vec![name], ..Named::default() };
        let member = std::mem::replace(&mut self.subject, pool);
        self.above.clear();
        let below = std::mem::take(&mut self.below);
        if !member.names.is_empty() {
            self.below.push((Relation::Member, member));
        }
        self.below.extend(below.into_iter().filter(|(relation, _)| *relation == Relation::Member));
    }
}

fn named(names: Vec<Name>) -> Named {
    let identity = names.iter().map(|name| &name.identity).find(|identity| **identity != Identity::default());
    let identity = identity.cloned().unwrap_or_default();
    let mut texts: Vec<String> = Vec::new();
    relations::add_new(&mut texts, names.iter().flat_map(|name| with_other_names(&name.text)));
    Named { names: texts, identity }
}

/// Numbers that stand in a driver's or device-mapper's own lines: the host of an adapter (`[0000:81:00.0]-500b:6:`), and the
/// device of a map (drivers/md/dm.c, dm_device_name), which is the second of its device number.
fn add_own_numbers(event: &EventDraft, subject: &mut Named) {
    let is_adapter = subject.names.iter().any(|name| event.extension.get("pci") == Some(name));
    let host = event.extension.get("host_number").filter(|_| is_adapter);
    subject.names.extend(host.map(|number| format!("host{number}")));
    let own = event.event_type.starts_with("DM_") && !event.event_type.starts_with("DM_MPATH_");
    let map = event.kdev.as_deref().filter(|_| own && event.source.identifier == "kernel").and_then(map_of);
    subject.names.extend(map.filter(|map| !subject.names.contains(map)).into_iter().collect::<Vec<_>>());
}

/// The kernel's name of the map with this device number.
fn map_of(number: &str) -> Option<String> {
    let (_, minor) = number.split_once(':')?;
    minor.parse::<u32>().ok().map(|minor| format!("dm-{minor}"))
}

/// What is built on the subject: maps when the event is about a path.
fn add_above(sight: &mut Sight, above: Vec<Name>, is_path: bool) {
    let relation = if is_path { Relation::Path } else { Relation::Member };
    let mut above = named(above);
    if is_path {
        // device-mapper names its own map.
        let maps: Vec<String> = above.names.iter().filter_map(|name| map_of(name)).collect();
        relations::add_new(&mut above.names, maps);
    }
    let names: Vec<String> =
        above.names.into_iter().filter(|name| !sight.subject.names.contains(name)).collect();
    if !names.is_empty() {
        sight.above.push((relation, Named { names, identity: above.identity }));
    }
}

/// The devices that the event's device is built from.
fn add_owners(event: &EventDraft, sight: &mut Sight) {
    for path in event.owners_paths.iter().take(MAX_OWNERS) {
        let name = relations::plain(path);
        let names = match event.holders.iter().find(|holder| holder.names.iter().any(|held| held == name)) {
            Some(holder) => Named { names: holder.names.clone(), identity: holder.identity.clone() },
            None => Named { names: with_other_names(name), ..Named::default() },
        };
        let is_subject = names.names.iter().any(|name| sight.subject.names.contains(name));
        let is_above =
            sight.above.iter().any(|(_, above)| names.names.iter().any(|name| above.names.contains(name)));
        if !is_subject && !is_above {
            sight.below.push((Relation::On, names));
        }
    }
}

/// The disk of a partition, the port, session, adapter in front of it.
fn add_hardware(event: &EventDraft, sight: &mut Sight) {
    let mut found = wholes(&sight.subject.names);
    for (key, name) in IN_FRONT.iter().filter_map(|key| Some((*key, event.extension.get(*key)?))) {
        let name = relations::with_kind(key, relations::plain(name));
        found.extend(relations::whole_of(&name).map(|whole| (Relation::Behind, whole)));
        found.push((Relation::Behind, name));
    }
    let portals = relations::portals(event).into_iter().map(|portal| (Relation::Behind, portal));
    for (relation, name) in found.into_iter().chain(portals) {
        let known = sight.below.iter().any(|(_, below)| below.names.contains(&name));
        if !name.is_empty() && !known && !sight.subject.names.contains(&name) {
            sight.below.push((relation, Named { names: vec![name], ..Named::default() }));
        }
    }
}

/// What a device of these names depends on, by the kernel's way of naming: the disk of a partition, its host or controller.
pub fn wholes(names: &[String]) -> Vec<(Relation, String)> {
    let of_name = |name: &String| {
        let whole = namespace_of(name).or_else(|| relations::whole_of(name))?;
        let is_part =
            !["host", "nvme", "session", "ata"].iter().any(|kind| relations::numbered(&whole, kind));
        Some((if is_part { Relation::Part } else { Relation::Behind }, whole))
    };
    names.iter().filter_map(of_name).filter(|(_, whole)| !names.contains(whole)).collect()
}

/// The NVMe namespace of a partition.
fn namespace_of(name: &str) -> Option<String> {
    let (namespace, part) = name.strip_prefix("nvme")?.rsplit_once('p')?;
    let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| format!("nvme{namespace}"))
}

/// Other names of the same content: mount points, the UUID of the file system.
fn contents(event: &EventDraft, sight: &Sight) -> Vec<String> {
    let mut names = sight.subject.names.clone();
    let more = event.extension.get("fs_uuid").into_iter().chain(event.dev_wwid.as_ref()).cloned();
    relations::add_new(&mut names, more.chain(sight.mounts.iter().cloned()));
    names
}

fn mounts(event: &EventDraft) -> Vec<String> {
    let points = event.extension.get("mount_point").into_iter().chain(event.extension.get("mount_points"));
    let mut all: Vec<String> = Vec::new();
    relations::add_new(&mut all, points.flat_map(|points| points.split('\n')).map(str::to_owned));
    all.retain(|point| point.starts_with('/'));
    all
}

/// A name, and the kernel's other name of the same device where one follows from the other: a SCSI disk's number is
/// fixed by its name (drivers/scsi/sd.c, `sd_major` and `sd_format_disk_name`).
fn with_other_names(name: &str) -> Vec<String> {
    let other =
        name.split_once(':').and_then(|(major, minor)| disk_of(major.parse().ok()?, minor.parse().ok()?));
    std::iter::once(name.to_owned()).chain(other).collect()
}

/// Majors of SCSI disks, 16 disks each (include/uapi/linux/major.h).
const SD_MAJORS: [u32; 16] = [8, 65, 66, 67, 68, 69, 70, 71, 128, 129, 130, 131, 132, 133, 134, 135];
/// Minors of a SCSI disk.
const SD_MINORS: u32 = 16;

fn disk_of(major: u32, minor: u32) -> Option<String> {
    let block = u32::try_from(SD_MAJORS.iter().position(|known| *known == major)?).ok()?;
    let index = block * 16 + (minor & 0xff) / SD_MINORS + (minor >> 8) * 256;
    let (mut letters, mut rest) = (String::new(), i64::from(index));
    while rest >= 0 {
        letters.insert(0, char::from(b'a' + u8::try_from(rest % 26).ok()?));
        rest = rest / 26 - 1;
    }
    let part = minor % SD_MINORS;
    Some(if part == 0 { format!("sd{letters}") } else { format!("sd{letters}{part}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_a_part_of_its_namespace() {
        let wholes = |name: &str| wholes(&[name.to_owned()]);
        assert_eq!(wholes("nvme0n1p2"), [(Relation::Part, "nvme0n1".to_owned())]);
        assert_eq!(wholes("nvme0n1"), [(Relation::Behind, "nvme0".to_owned())]);
        assert_eq!(wholes("sdb1"), [(Relation::Part, "sdb".to_owned())]);
        assert_eq!(wholes("2:0:0:1"), [(Relation::Behind, "host2".to_owned())]);
    }

    #[test]
    fn numbers_of_scsi_disks_are_names() {
        let cases = [
            ("8:0", "sda"),
            ("8:16", "sdb"),
            ("8:17", "sdb1"),
            ("8:240", "sdp"),
            ("65:0", "sdq"),
            ("65:160", "sdaa"),
            ("135:240", "sdiv"),
        ];
        for (number, name) in cases {
            assert_eq!(with_other_names(number), [number, name], "{number}");
        }
        for other in ["253:0", "2:0:0:1", "sda", "1:0"] {
            assert_eq!(with_other_names(other), [other]);
        }
    }
}
