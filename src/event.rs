//! The vocabulary: what a storage event is made of.
//!
//! This module knows nothing of the others. Field names and their order are those of
//! `io.peripety.varlink`; the JSON of [`StorageEvent`] is what is stored and served.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Name space of every UUID that Peripety derives: the version 5 UUID of "io.peripety" in the
/// DNS name space of RFC 9562.
pub const NAMESPACE: Uuid = Uuid::from_u128(0x487d_5fee_73c4_5ce5_a9e0_a36a_6410_35cd);

/// How bad an event is, most severe first: the levels of syslog(3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Severity {
    /// The system is unusable.
    Emergency,
    /// Action must be taken at once.
    Alert,
    /// Data or access to it is lost.
    Critical,
    /// Something failed.
    Error,
    /// Something may fail soon, or redundancy is lost.
    Warning,
    /// Normal but significant.
    Notice,
    /// Routine.
    Info,
    /// For finding faults.
    Debug,
}

impl Severity {
    /// All severities, most severe first.
    pub const ALL: [Severity; 8] = [
        Severity::Emergency,
        Severity::Alert,
        Severity::Critical,
        Severity::Error,
        Severity::Warning,
        Severity::Notice,
        Severity::Info,
        Severity::Debug,
    ];

    /// The syslog level, 0 (Emergency) to 7 (Debug).
    pub fn level(self) -> u8 {
        self as u8
    }

    /// The severity of a syslog level; `None` above 7.
    pub fn from_level(level: u8) -> Option<Self> {
        Self::ALL.get(usize::from(level)).copied()
    }

    /// The name as it stands in events.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Emergency => "Emergency",
            Severity::Alert => "Alert",
            Severity::Critical => "Critical",
            Severity::Error => "Error",
            Severity::Warning => "Warning",
            Severity::Notice => "Notice",
            Severity::Info => "Info",
            Severity::Debug => "Debug",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that is no severity.
#[derive(Debug, thiserror::Error)]
#[error("\"{0}\" is no severity: use Emergency, Alert, Critical, Error, Warning, Notice, Info or Debug")]
pub struct UnknownSeverity(pub String);

impl FromStr for Severity {
    type Err = UnknownSeverity;

    /// Upper or lower case, and the short names of syslog(3).
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Ok(match s.to_ascii_lowercase().as_str() {
            "emergency" | "emerg" => Severity::Emergency,
            "alert" => Severity::Alert,
            "critical" | "crit" => Severity::Critical,
            "error" | "err" => Severity::Error,
            "warning" | "warn" => Severity::Warning,
            "notice" => Severity::Notice,
            "info" => Severity::Info,
            "debug" => Severity::Debug,
            _ => return Err(UnknownSeverity(s.to_owned())),
        })
    }
}

/// Other spellings of sub-systems, mostly those of the first Peripety and of drivers, lower case.
const SUB_SYSTEM_ALIASES: [(&str, &str); 9] = [
    ("lvm-thinprovisioning", "dm_thin"),
    ("dm-thin", "dm_thin"),
    ("dm-dirtylog", "dm_log"),
    ("dm-log", "dm_log"),
    ("dm-multipath", "multipath"),
    ("device-mapper", "dm"),
    ("3w-9xxx", "3w_9xxx"),
    ("3w-sas", "3w_sas"),
    ("3w-xxxx", "3w_xxxx"),
];

/// The one spelling of a sub-system: lower case, aliases resolved.
pub fn canonical_sub_system(name: &str) -> String {
    let lower = name.trim().to_ascii_lowercase();
    SUB_SYSTEM_ALIASES
        .iter()
        .find(|(alias, _)| *alias == lower)
        .map_or(lower, |(_, canonical)| (*canonical).to_owned())
}

/// The log entries that an event was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Syslog identifier of the writer; "kernel" for the kernel.
    pub identifier: String,
    /// journald cursor of the first entry that the event covers.
    pub first: Option<String>,
    /// journald cursor of the last entry that the event covers.
    pub last: Option<String>,
    /// Number of entries, or lines of a file, that the event covers. Events of older versions cover one.
    #[serde(default = "one")]
    pub entries: u64,
    /// File that the lines were read from, when it was no journal.
    #[serde(default)]
    pub file: Option<String>,
    /// Numbers of these lines, from 1, in rising order.
    #[serde(default)]
    pub lines: Vec<u64>,
    /// Marks of the journal entries that the event covers. Kept in a journal field of its own, not in the JSON.
    #[serde(skip)]
    pub covered: Vec<Covered>,
}

/// Short mark of a journal entry: what stays when the entry is copied to another file, then the file's sequence and the
/// number in it. See `crate::journal::EntryKey`, which makes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Covered {
    /// Hash of boot, times and content.
    pub content: u64,
    /// Hash of the file's sequence.
    pub file: u64,
    /// Number of the entry in it.
    pub number: u64,
}

fn one() -> u64 {
    1
}

impl Default for Source {
    /// One entry, of which nothing is known.
    fn default() -> Self {
        Source {
            identifier: String::new(),
            first: None,
            last: None,
            entries: 1,
            file: None,
            lines: Vec::new(),
            covered: Vec::new(),
        }
    }
}

/// What users see: something that happened to storage. Fields as in `io.peripety.varlink`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StorageEvent {
    /// Host that logged the entry.
    pub hostname: String,
    /// How bad it is.
    pub severity: Severity,
    /// Family of the log line.
    pub sub_system: String,
    /// Time of the source entry, µs since the epoch.
    pub timestamp: u64,
    /// See [`event_id`].
    pub event_id: String,
    /// What happened.
    pub event_type: String,
    /// World wide id of the device; `None` when it cannot be known.
    pub dev_wwid: Option<String>,
    /// Path of the device in /dev.
    pub dev_path: Option<String>,
    /// World wide ids of the devices it is built from, nearest first, each once.
    pub owners_wwids: Vec<String>,
    /// Paths of the devices it is built from, nearest first.
    pub owners_paths: Vec<String>,
    /// The device as the log line wrote it.
    pub kdev: Option<String>,
    /// A sentence for people.
    pub msg: String,
    /// The log line.
    pub raw_msg: String,
    /// What else is known.
    pub extension: BTreeMap<String, String>,
    /// The event that this one follows from.
    pub root_cause_event_id: Option<String>,
    /// Entries of the same kind that this event stands for.
    pub repeat_count: u64,
    /// Boot during which the entry was logged.
    pub boot_id: String,
    /// Where it was read.
    pub source: Source,
    /// Who held the names that the event has, as far as known: the device, then what it is built from. It serves to compare
    /// events while they are worked on; it is neither stored nor sent.
    #[serde(skip)]
    pub holders: Vec<Holder>,
}

/// The device that held some names when a line was logged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// Its names, without `/dev/`: the kernel's (`sdb`), the node's (`mapper/…` without its directory), number, SCSI address.
    pub names: Vec<String>,
    /// What tells it from other devices of the same name.
    pub identity: Identity,
    /// It was no longer there when the line was worked on.
    pub gone: bool,
}

/// What tells a device from another one of the same name. `W`: how the world wide id is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identity<W = String> {
    /// World wide id of the block device; never the UUID of a file system.
    pub wwid: Option<W>,
    /// The kernel's disk sequence number, never used twice in one boot.
    pub diskseq: Option<u64>,
}

impl<W: PartialEq> Identity<W> {
    /// They are certainly two devices. What is not known denies nothing.
    pub fn denies(&self, other: &Self) -> bool {
        let differ = |a: Option<u64>, b: Option<u64>| a.zip(b).is_some_and(|(a, b)| a != b);
        differ(self.diskseq, other.diskseq)
            || self.wwid.as_ref().zip(other.wwid.as_ref()).is_some_and(|(a, b)| a != b)
    }

    /// They are one device, where they have one name.
    pub fn proves(&self, other: &Self) -> bool {
        let seq = self.diskseq.is_some() && self.diskseq == other.diskseq;
        let wwid = self.wwid.is_some() && self.wwid == other.wwid;
        !self.denies(other) && (seq || wwid)
    }
}

/// Key of the extension with the event types of all lines of an event, when they differ.
pub const EVENT_TYPES: &str = "event_types";

/// The same of their sub-systems.
pub const SUB_SYSTEMS: &str = "sub_systems";

/// Key of the extension of a problem that follows from another event, and is worse than all that was reported of it before.
pub const ESCALATES: &str = "escalates";

impl StorageEvent {
    /// It follows from another event that is no less bad: no alarm of its own.
    pub fn is_consequence(&self) -> bool {
        self.root_cause_event_id.is_some() && !self.extension.contains_key(ESCALATES)
    }

    /// The event type, then those of the other lines that are part of the event.
    pub fn event_types(&self) -> impl Iterator<Item = &str> {
        self.with_others(&self.event_type, EVENT_TYPES)
    }

    /// The sub-system, then those of the other lines.
    pub fn sub_systems(&self) -> impl Iterator<Item = &str> {
        self.with_others(&self.sub_system, SUB_SYSTEMS)
    }

    fn with_others<'e>(&'e self, own: &'e str, key: &str) -> impl Iterator<Item = &'e str> {
        let others = self.extension.get(key).into_iter().flat_map(|all| all.split(' '));
        std::iter::once(own).chain(others.filter(move |name| *name != own))
    }
}

/// Time of a log entry, as far as it identifies the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryTime {
    /// `_SOURCE_MONOTONIC_TIMESTAMP`: the kernel's own stamp, µs.
    Source(u64),
    /// `__REALTIME_TIMESTAMP` and `__MONOTONIC_TIMESTAMP`: when journald received it, µs.
    Received {
        /// µs since the epoch.
        realtime: u64,
        /// µs since the boot.
        monotonic: u64,
    },
}

/// The identifier of the event whose first entry has this boot, time and text: the same after
/// a restart, in a catch-up, and from a copy of the journal. `twin` counts the earlier entries
/// with the same three.
pub fn event_id(boot_id: &str, time: EntryTime, message: &[u8], twin: u32) -> String {
    let mut name = match time {
        EntryTime::Source(monotonic) => format!("{boot_id}:{monotonic}:"),
        EntryTime::Received { realtime, monotonic } => format!("{boot_id}:{realtime}+{monotonic}:"),
    }
    .into_bytes();
    name.extend_from_slice(message);
    if twin > 0 {
        name.extend_from_slice(format!("#{twin}").as_bytes());
    }
    Uuid::new_v5(&NAMESPACE, &name).hyphenated().to_string()
}

/// journald's MESSAGE_ID of an event type: 32 hexadecimal digits.
pub fn message_id(event_type: &str) -> String {
    Uuid::new_v5(&NAMESPACE, event_type.as_bytes()).simple().to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn namespace_is_derived_from_the_name() {
        assert_eq!(NAMESPACE, Uuid::new_v5(&Uuid::NAMESPACE_DNS, b"io.peripety"));
    }

    #[test]
    fn severities_are_ordered_and_parsed() {
        assert!(Severity::Emergency < Severity::Debug);
        for severity in Severity::ALL {
            assert_eq!(severity.name().parse::<Severity>().unwrap(), severity);
            assert_eq!(Severity::from_level(severity.level()), Some(severity));
        }
        assert_eq!("ERR".parse::<Severity>().unwrap(), Severity::Error);
        assert!("bad".parse::<Severity>().unwrap_err().to_string().contains("Warning"));
    }

    #[test]
    fn event_id_depends_on_boot_time_text_and_twin() {
        let id =
            |boot, time, text: &str, twin| event_id(boot, EntryTime::Source(time), text.as_bytes(), twin);
        let first = id("b", 1, "x", 0);
        assert_eq!(first, id("b", 1, "x", 0));
        for other in [id("c", 1, "x", 0), id("b", 2, "x", 0), id("b", 1, "y", 0), id("b", 1, "x", 1)] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn old_sub_system_names_are_known() {
        assert_eq!(canonical_sub_system("LVM-ThinProvisioning"), "dm_thin");
        assert_eq!(canonical_sub_system("SCSI"), "scsi");
        assert_eq!(canonical_sub_system("my-array"), "my-array");
    }
}
