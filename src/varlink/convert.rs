//! Between the daemon's types and the generated ones. The compiler checks here that the event of
//! `event.rs` and the interface definition have the same fields.

use super::generated as api;
use crate::event::{Severity, StorageEvent};

/// An integer of Varlink, which has no unsigned ones.
pub fn int(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

impl From<Severity> for api::Severity {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Emergency => api::Severity::Emergency,
            Severity::Alert => api::Severity::Alert,
            Severity::Critical => api::Severity::Critical,
            Severity::Error => api::Severity::Error,
            Severity::Warning => api::Severity::Warning,
            Severity::Notice => api::Severity::Notice,
            Severity::Info => api::Severity::Info,
            Severity::Debug => api::Severity::Debug,
        }
    }
}

impl From<api::Severity> for Severity {
    fn from(severity: api::Severity) -> Self {
        match severity {
            api::Severity::Emergency => Severity::Emergency,
            api::Severity::Alert => Severity::Alert,
            api::Severity::Critical => Severity::Critical,
            api::Severity::Error => Severity::Error,
            api::Severity::Warning => Severity::Warning,
            api::Severity::Notice => Severity::Notice,
            api::Severity::Info => Severity::Info,
            api::Severity::Debug => Severity::Debug,
        }
    }
}

impl From<StorageEvent> for api::StorageEvent {
    fn from(event: StorageEvent) -> Self {
        api::StorageEvent {
            hostname: event.hostname,
            severity: event.severity.into(),
            sub_system: event.sub_system,
            timestamp: int(event.timestamp),
            event_id: event.event_id,
            event_type: event.event_type,
            dev_wwid: event.dev_wwid,
            dev_path: event.dev_path,
            owners_wwids: event.owners_wwids,
            owners_paths: event.owners_paths,
            kdev: event.kdev,
            msg: event.msg,
            raw_msg: event.raw_msg,
            extension: event.extension.into_iter().collect(),
            root_cause_event_id: event.root_cause_event_id,
            repeat_count: int(event.repeat_count),
            boot_id: event.boot_id,
            source: api::Source {
                identifier: event.source.identifier,
                first: event.source.first,
                last: event.source.last,
                entries: int(event.source.entries),
                file: event.source.file,
                lines: event.source.lines.into_iter().map(int).collect(),
            },
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn event_json_is_what_the_interface_defines() {
        let json = include_str!("../../tests/fixtures/event.json");
        let event: StorageEvent = serde_json::from_str(json).unwrap();
        let of_api: api::StorageEvent = serde_json::from_str(json).unwrap();
        assert_eq!(of_api, event.clone().into());
        let (a, b) = (serde_json::to_value(&event).unwrap(), serde_json::to_value(&of_api).unwrap());
        assert_eq!(a, b);
    }
}
