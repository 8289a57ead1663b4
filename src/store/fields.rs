//! Names of the journal fields of a stored event.

/// Version of the fields; every stored event has it, so that one match finds them all.
pub const FORMAT: &str = "PERIPETY_FORMAT";
/// Value of [`FORMAT`].
pub const FORMAT_VERSION: &str = "1";
/// Random identifier of the daemon run that stored the event.
pub const RUN: &str = "PERIPETY_RUN";
/// Number of the event in that run, from 1.
pub const SEQUENCE: &str = "PERIPETY_SEQUENCE";
/// [`crate::event::StorageEvent::event_id`].
pub const EVENT_ID: &str = "PERIPETY_EVENT_ID";
/// Event type; the field comes once for each line's type when several lines are one event.
pub const EVENT_TYPE: &str = "PERIPETY_EVENT_TYPE";
/// Sub-system.
pub const SUB_SYSTEM: &str = "PERIPETY_SUB_SYSTEM";
/// Severity by name; PRIORITY is never 0.
pub const SEVERITY: &str = "PERIPETY_SEVERITY";
/// Time of the event, µs since the epoch.
pub const TIMESTAMP: &str = "PERIPETY_TIMESTAMP";
/// The event was stored before its own time: the clock was set back in between.
pub const STORED_EARLY: &str = "PERIPETY_STORED_EARLY";
/// World wide id of the device.
pub const DEV_WWID: &str = "PERIPETY_DEV_WWID";
/// World wide id of an owner; the field comes once for each.
pub const OWNERS_WWID: &str = "PERIPETY_OWNERS_WWID";
/// There were more owners than [`MAX_OWNERS`].
pub const OWNERS_TRUNCATED: &str = "PERIPETY_OWNERS_TRUNCATED";
/// Path of the device.
pub const DEV_PATH: &str = "PERIPETY_DEV_PATH";
/// Device as the log wrote it.
pub const KDEV: &str = "PERIPETY_KDEV";
/// Marks of the entries that the event covers, 24 bytes each ([`crate::event::Covered`]), when they are more than
/// the first and the last.
pub const COVERS: &str = "PERIPETY_COVERS";
/// The whole event.
pub const JSON: &str = "PERIPETY_JSON";

/// Most owners that get a field each: journald silently drops an entry of 1,024 fields.
pub const MAX_OWNERS: usize = 512;
/// SYSLOG_IDENTIFIER of stored events.
pub const IDENTIFIER: &str = "peripetyd";
