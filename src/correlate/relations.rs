//! Whether two events are about the same device.
//!
//! One fault names its device in many ways: `sdb`, `2:0:0:1` and `/dev/sdb`; `ata3.00` and `ata3`; `nvme0n1` and its
//! controller `nvme0`. Names are compared as text, which works also where no device could be looked up.

use std::net::IpAddr;

use super::units;
use crate::event::{EventDraft, Holder, Identity};

/// Owners that are looked at; a file system over hundreds of disks has no fault of all of them.
const MOST_OWNERS: usize = 32;
/// Captures that name a part of the way to the device, or what is built on it.
const OTHER: [&str; 17] = [
    "server",
    "resource",
    "pool",
    "fs_name",
    "peer",
    "map",
    "dm_name",
    "member",
    "array",
    "path",
    "host",
    "hctl",
    "session",
    "connection",
    "rport",
    "controller",
    "pci",
];

/// What every array is called that device-mapper made: it has no block device of its own (drivers/md/md.h, mdname).
pub const ARRAY_OF_DM: &str = "mdX";

/// Where an event happens, by what its line names besides a device.
pub fn where_named(event: &EventDraft) -> impl Iterator<Item = &str> {
    OTHER.iter().chain(&PORTALS).filter_map(|key| event.extension.get(*key)).map(String::as_str)
}

/// The names of an event's device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The device itself.
    pub own: Vec<String>,
    /// What it is a part of: the disk of a partition, the port or controller of a disk.
    pub whole: Vec<String>,
}

impl Names {
    /// Of the device that the line names.
    pub fn of(event: &EventDraft) -> Self {
        let mut names = Names::default();
        if units::is_dependent(event) {
            return names;
        }
        let hctl = event.extension.get("hctl");
        for name in [&event.kdev, &event.dev_path].into_iter().flatten().chain(hctl) {
            let name = plain(name);
            add(&mut names.whole, whole_of(name));
            add(&mut names.own, Some(name.to_owned()));
        }
        for subject in units::subjects(event) {
            add(&mut names.own, Some(plain(&subject).to_owned()));
        }
        names
    }

    /// Both may be about one device, or one is about a part of the other's.
    pub fn fit(&self, other: &Names) -> bool {
        meet(&self.own, &other.own) || meet(&self.own, &other.whole) || meet(&self.whole, &other.own)
    }

    /// Takes the names of another event of the same fault.
    pub fn extend(&mut self, other: &Names) {
        other.own.iter().for_each(|name| add(&mut self.own, Some(name.clone())));
        other.whole.iter().for_each(|name| add(&mut self.whole, Some(name.clone())));
    }

    /// The line names no device.
    pub fn is_empty(&self) -> bool {
        self.own.is_empty()
    }

    /// All of them, and an empty one, under which everything is found.
    pub fn keys(&self) -> impl Iterator<Item = String> + '_ {
        self.all().cloned().chain([String::new()])
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &String> {
        self.own.iter().chain(&self.whole)
    }
}

/// A name, and what tells its holder from others, where that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub text: String,
    /// Who held it.
    pub identity: Identity,
}

impl Name {
    fn of(text: String, event: &EventDraft) -> Self {
        let identity = holder_of(&text, event).map(|holder| holder.identity.clone()).unwrap_or_default();
        Name { text, identity }
    }
}

/// Who held this name when the line of the event was logged.
pub fn holder_of<'e>(name: &str, event: &'e EventDraft) -> Option<&'e Holder> {
    event.holders.iter().find(|holder| holder.names.iter().any(|held| held == name))
}

/// The names of the very device that the event is about: of a path, not of its map; of a session, not of the disks behind it.
pub fn subject(event: &EventDraft) -> Vec<Name> {
    let mut texts: Vec<String> = Vec::new();
    let named = event.kdev.as_ref().filter(|kdev| *kdev != ARRAY_OF_DM);
    for name in named.into_iter().chain(event.extension.get("hctl")) {
        add(&mut texts, front_of(plain(name)));
        add(&mut texts, Some(plain(name).to_owned()));
    }
    units::subjects(event).iter().for_each(|name| add(&mut texts, Some(plain(name).to_owned())));
    for keys in NEAREST {
        if !texts.is_empty() {
            break;
        }
        for (key, name) in keys.iter().filter_map(|key| Some((*key, event.extension.get(*key)?))) {
            let name = with_kind(key, plain(name));
            add(&mut texts, front_of(&name));
            add(&mut texts, Some(name));
        }
    }
    if texts.is_empty() {
        portals(event).into_iter().for_each(|name| add(&mut texts, Some(name)));
    }
    if texts.is_empty() {
        add(&mut texts, event.dev_path.as_deref().map(|path| plain(path).to_owned()));
    }
    for holder in texts.clone().iter().filter_map(|name| holder_of(name, event)) {
        holder.names.iter().for_each(|name| add(&mut texts, Some(name.clone())));
    }
    texts.into_iter().map(|text| Name::of(text, event)).collect()
}

/// Captures that name what a line without `kdev` is about, the nearest to the device first.
const NEAREST: [&[&str]; 6] = [
    &["dm_name", "map", "pool", "fs_name", "array", "resource"],
    &["connection", "session"],
    &["rport", "controller"],
    &["server", "peer"],
    &["host"],
    &["pci"],
];

/// What a name stands for as a whole: the session of a connection, the port of an ATA device. A disk is not its host.
fn front_of(name: &str) -> Option<String> {
    whole_of(name).filter(|whole| numbered(whole, "session") || numbered(whole, "ata"))
}

/// Every name by which a later line may mean the same trouble: the device's, those of what it is built from, and those of
/// the hardware on the way.
pub fn related(event: &EventDraft) -> Vec<Name> {
    all_names(event).into_iter().map(|text| Name::of(text, event)).collect()
}

fn all_names(event: &EventDraft) -> Vec<String> {
    let names = Names::of(event);
    let mut all: Vec<String> = names.all().cloned().collect();
    portals(event).into_iter().for_each(|name| add(&mut all, Some(name)));
    let owners =
        event.owners_paths.iter().take(MOST_OWNERS).chain(event.owners_wwids.iter().take(MOST_OWNERS));
    owners.chain(&event.dev_wwid).for_each(|name| add(&mut all, Some(plain(name).to_owned())));
    for (key, name) in OTHER.iter().filter_map(|key| Some((*key, event.extension.get(*key)?))) {
        let name = with_kind(key, plain(name));
        add(&mut all, whole_of(&name));
        add(&mut all, Some(name));
    }
    all
}

/// Captures that name what is built on the device that a line is about.
const BUILT_ON: [&str; 4] = ["map", "dm_name", "array", "fs_name"];

/// The names by which a device is found that may be the cause of an event: of the device that the event is about, of what
/// that is built from, and of the hardware on the way to it. Not of what is built on it, nor its WWID: those it has in common
/// with the other paths of its map.
pub fn below(event: &EventDraft, subject: &[Name], above: &[Name], related: &[Name]) -> Vec<Name> {
    let wwids = || event.owners_wwids.iter().chain(&event.dev_wwid);
    let is_below = |name: &Name| {
        let is_wwid = wwids().any(|wwid| plain(wwid) == name.text);
        !above.contains(name) && (subject.contains(name) || !is_wwid)
    };
    let mut below: Vec<Name> = related.iter().filter(|name| is_below(name)).cloned().collect();
    let hardware = || {
        let held = event.holders.iter().flat_map(|holder| &holder.names);
        let whole = held.filter_map(|name| whole_of(name));
        whole.filter(|whole| numbered(whole, "host")).map(|text| Name::of(text, event))
    };
    let new: Vec<Name> = subject.iter().cloned().chain(hardware()).collect();
    add_new(&mut below, new);
    below
}

/// The names by which the cause of a later event is found: of the device that the event is about, of what it is the front of,
/// and of what is built on it, where the line says so; of a connection, its portal; of hardware, the one device behind it.
pub fn affected(event: &EventDraft, subject: &[Name], above: &[Name]) -> Vec<Name> {
    let mut names = subject.to_vec();
    let wholes = names.iter().filter_map(|name| whole_of(&name.text));
    let wholes: Vec<Name> =
        wholes.filter(|whole| !numbered(whole, "host")).map(|text| Name::of(text, event)).collect();
    // The device of a line about hardware lies behind it.
    let held = event.holders.iter().any(|holder| names.iter().any(|name| holder.names.contains(&name.text)));
    let behind = event.holders.first().filter(|_| !held).into_iter().flat_map(|device| &device.names);
    let behind: Vec<Name> = behind.map(|text| Name::of(text.clone(), event)).collect();
    let portals = if event.sub_system == "iscsi" { portals(event) } else { Vec::new() };
    let portals: Vec<Name> = portals.into_iter().map(|text| Name::of(text, event)).collect();
    add_new(&mut names, wholes.into_iter().chain(above.iter().cloned()).chain(behind).chain(portals));
    names
}

/// Adds what is not among them.
pub fn add_new<N: PartialEq>(names: &mut Vec<N>, new: impl IntoIterator<Item = N>) {
    for name in new {
        if !names.contains(&name) {
            names.push(name);
        }
    }
}

/// The names of what is built on the subject of an event: the map of a path, the array of a member.
pub fn above(event: &EventDraft, subject: &[Name]) -> Vec<Name> {
    let is_subject = |holder: &Holder| subject.iter().any(|name| holder.names.contains(&name.text));
    // A line about a path has the map as its device.
    let device =
        event.holders.first().filter(|device| !is_subject(device) && event.holders.iter().any(is_subject));
    let of_device = device.into_iter().flat_map(|device| device.names.iter());
    let node = device.and(event.dev_path.as_deref()).map(plain);
    let named = BUILT_ON.iter().filter_map(|key| event.extension.get(*key)).map(|name| plain(name));
    let texts = of_device.map(String::as_str).chain(node).chain(named).map(str::to_owned);
    let names = texts.map(|text| Name::of(text, event));
    names.filter(|name| !subject.iter().any(|own| own.text == name.text)).collect()
}

/// Captures and details of a path with the address of an iSCSI portal: alone, or with a port.
const PORTALS: [&str; 3] = ["portal", "peer", "address"];

/// Names of the iSCSI portal that an event is about.
pub fn portals(event: &EventDraft) -> Vec<String> {
    let transport = event.extension.get("transport").map(String::as_str);
    if event.sub_system != "iscsi" && transport != Some("iSCSI") {
        return Vec::new();
    }
    let written = PORTALS.iter().filter_map(|key| event.extension.get(*key));
    written.flat_map(|text| addresses(text)).map(|address| format!("portal {address}")).collect()
}

/// The address as iscsid (`192.168.1.10:3260`, `192.168.1.10,3260`, `[fe80::1]:3260`) and sysfs write it. `fe80::1:3260`
/// is an address with a port, or without one.
fn addresses(portal: &str) -> impl Iterator<Item = IpAddr> + '_ {
    let without_port = portal.rsplit_once([':', ',']).map(|(address, _)| address);
    let bare = |text: &str| text.trim_start_matches('[').trim_end_matches(']').parse().ok();
    [Some(portal), without_port].into_iter().flatten().filter_map(bare)
}

/// Tools name a session, a connection or a host by its number alone: `connection` = `1:0` is `connection1:0`.
pub fn with_kind(kind: &str, name: &str) -> String {
    let number = name.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    match number && matches!(kind, "session" | "connection" | "host") {
        true => format!("{kind}{name}"),
        false => name.to_owned(),
    }
}

fn add(names: &mut Vec<String>, name: Option<String>) {
    if let Some(name) = name.filter(|name| !name.is_empty() && !names.contains(name)) {
        names.push(name);
    }
}

fn meet(a: &[String], b: &[String]) -> bool {
    a.iter().any(|name| b.contains(name))
}

/// Without the directory and the tags that tools put around a name.
pub fn plain(name: &str) -> &str {
    let name = name.trim().split(' ').next().unwrap_or_default();
    let name = name.strip_prefix("/dev/mapper/").or_else(|| name.strip_prefix("/dev/")).unwrap_or(name);
    name.strip_prefix("+scsi:").unwrap_or(name)
}

/// What a device of this name is a part of, by the kernel's way of naming.
pub fn whole_of(name: &str) -> Option<String> {
    if let Some((port, _)) = name.split_once('.').filter(|(port, _)| numbered(port, "ata")) {
        return Some(port.to_owned());
    }
    if let Some(rest) = name.strip_prefix("nvme") {
        let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
        return (number.len() < rest.len()).then(|| format!("nvme{number}"));
    }
    if let Some((connection, _)) = name.split_once(':').filter(|(name, _)| numbered(name, "connection")) {
        return Some(connection.replace("connection", "session"));
    }
    if let Some(place) = name.strip_prefix("rport-").or_else(|| name.strip_prefix("target")) {
        return place.split(':').next().map(|host| format!("host{host}"));
    }
    if name.split(':').count() == 4 {
        return name.split(':').next().map(|host| format!("host{host}"));
    }
    let disk = name.trim_end_matches(|c: char| c.is_ascii_digit());
    if disk.len() == name.len() {
        return None;
    }
    match disk.strip_suffix('p') {
        Some(disk) if disk.ends_with(|c: char| c.is_ascii_digit()) => Some(disk.to_owned()),
        _ if ["sd", "hd", "vd", "xvd"].iter().any(|kind| lettered(disk, kind)) => Some(disk.to_owned()),
        _ => None,
    }
}

pub fn numbered(name: &str, kind: &str) -> bool {
    name.strip_prefix(kind).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
}

fn lettered(name: &str, kind: &str) -> bool {
    name.strip_prefix(kind)
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_know_what_they_are_part_of() {
        let cases = [
            ("sdb1", Some("sdb")),
            ("sdb", None),
            ("sr0", None),
            ("dm-0", None),
            ("md127", None),
            ("md127p1", Some("md127")),
            ("nvme0", None),
            ("nvme0n1", Some("nvme0")),
            ("nvme0n1p2", Some("nvme0")),
            ("mmcblk0p1", Some("mmcblk0")),
            ("ata3.00", Some("ata3")),
            ("ata3", None),
            ("2:0:0:1", Some("host2")),
            ("rport-2:0-1", Some("host2")),
            ("target2:0:0", Some("host2")),
            ("connection1:0", Some("session1")),
            ("xvda2", Some("xvda")),
            ("", None),
            ("p1", None),
        ];
        for (name, whole) in cases {
            assert_eq!(whole_of(name).as_deref(), whole, "{name}");
        }
    }

    #[test]
    fn numbers_are_named_by_their_kind() {
        assert_eq!(with_kind("connection", "1:0"), "connection1:0");
        assert_eq!(with_kind("session", "session3"), "session3");
        assert_eq!(with_kind("host", "6"), "host6");
        assert_eq!(with_kind("path", "8:16"), "8:16");
    }

    #[test]
    fn a_portal_has_one_name() {
        for portal in ["192.168.1.10", "192.168.1.10:3260", "192.168.1.10,3260"] {
            assert_eq!(addresses(portal).map(|a| a.to_string()).collect::<Vec<_>>(), ["192.168.1.10"]);
        }
        assert!(addresses("[fe80::1]:3260").any(|a| a.to_string() == "fe80::1"));
        assert!(addresses("fe80::1:3260").any(|a| a.to_string() == "fe80::1"));
        assert_eq!(addresses("san.example.org:3260").count(), 0);
    }

    #[test]
    fn names_are_compared_without_their_directory() {
        assert_eq!(plain("/dev/sda [SAT]"), "sda");
        assert_eq!(plain("/dev/mapper/mpatha"), "mpatha");
        assert_eq!(plain("+scsi:2:0:0:1"), "2:0:0:1");
    }
}
