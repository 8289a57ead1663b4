//! Storage events: merged event types, root causes, and identifiers.

use uuid::Uuid;

use crate::{Source, StorageEvent};

/// Name space of every UUID that Peripety derives: the version 5 UUID of "io.peripety" in the
/// DNS name space of RFC 9562.
pub const NAMESPACE: Uuid = Uuid::from_u128(0x487d_5fee_73c4_5ce5_a9e0_a36a_6410_35cd);

/// Key of the extension with the event types of all lines of an event, when they differ.
pub const EVENT_TYPES: &str = "event_types";

/// The same of their sub-systems.
pub const SUB_SYSTEMS: &str = "sub_systems";

/// Key of the extension of a problem that follows from another event, and is worse than all that was reported of it before.
pub const ESCALATES: &str = "escalates";

impl Default for Source {
    /// One entry about which nothing is known.
    fn default() -> Self {
        Source {
            identifier: String::new(),
            first: None,
            last: None,
            entries: 1,
            file: None,
            lines: Vec::new(),
        }
    }
}

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
mod tests {
    use super::*;

    #[test]
    fn namespace_is_derived_from_the_name() {
        assert_eq!(NAMESPACE, Uuid::new_v5(&Uuid::NAMESPACE_DNS, b"io.peripety"));
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
    fn event_json_is_what_the_interface_defines() {
        let json = include_str!("../../tests/fixtures/event.json");
        let event: StorageEvent = serde_json::from_str(json).unwrap();
        let (a, b): (serde_json::Value, _) =
            (serde_json::from_str(json).unwrap(), serde_json::to_value(&event).unwrap());
        assert_eq!(a, b);
        assert!(crate::schema::fits("StorageEvent", &serde_json::to_string(&event).unwrap()));
    }
}
