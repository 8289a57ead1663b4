//! A storage event as one journald entry, in the native protocol
//! (<https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>).

use super::fields;
use super::query::SKEW;
use crate::bus::Published;
use crate::event::{message_id, Severity, StorageEvent};

/// Encodes an event; `run` identifies this run of the daemon, `now` is the time (µs since the epoch).
pub fn encode(published: &Published, run: &str, now: u64) -> Vec<u8> {
    let event = &published.event;
    let mut entry = Encoder(Vec::with_capacity(4096));
    entry.field("MESSAGE", &sentence(event));
    entry.field("PRIORITY", &priority(event.severity).to_string());
    entry.field("MESSAGE_ID", &message_id(&event.event_type));
    entry.field("SYSLOG_IDENTIFIER", fields::IDENTIFIER);
    entry.field(fields::FORMAT, fields::FORMAT_VERSION);
    entry.field(fields::RUN, run);
    entry.field(fields::SEQUENCE, &published.sequence.to_string());
    entry.field(fields::EVENT_ID, &event.event_id);
    event.event_types().for_each(|name| entry.field(fields::EVENT_TYPE, name));
    event.sub_systems().for_each(|name| entry.field(fields::SUB_SYSTEM, name));
    entry.field(fields::SEVERITY, event.severity.name());
    entry.field(fields::TIMESTAMP, &event.timestamp.to_string());
    if event.timestamp > now.saturating_add(SKEW / 2) {
        entry.field(fields::STORED_EARLY, "1");
    }
    entry.optional(fields::DEV_WWID, &event.dev_wwid);
    for owner in event.owners_wwids.iter().take(fields::MAX_OWNERS) {
        entry.field(fields::OWNERS_WWID, owner);
    }
    if event.owners_wwids.len() > fields::MAX_OWNERS {
        entry.field(fields::OWNERS_TRUNCATED, "1");
    }
    entry.optional(fields::DEV_PATH, &event.dev_path);
    entry.optional(fields::KDEV, &event.kdev);
    if published.covered.len() > 2 {
        let marks: Vec<u8> = published.covered.iter().flat_map(|mark| mark.to_bytes()).collect();
        entry.binary(fields::COVERS, &marks);
    }
    entry.bytes(fields::JSON, &published.json());
    entry.0
}

/// The text that `journalctl` shows: type, device and message.
pub fn sentence(event: &StorageEvent) -> String {
    let device = event.dev_path.as_ref().or(event.kdev.as_ref());
    let mut sentence = event.event_type.clone();
    if let Some(device) = device {
        sentence.push_str(&format!(" on {device}"));
    }
    if let Some(mount_point) = event.extension.get("mount_point") {
        sentence.push_str(&format!(" mounted at {mount_point}"));
    }
    format!("{sentence}: {}", event.msg)
}

/// journald shows level 0 on every terminal, so Emergency becomes 1.
fn priority(severity: Severity) -> u8 {
    severity.level().max(1)
}

struct Encoder(Vec<u8>);

impl Encoder {
    fn field(&mut self, name: &str, value: &str) {
        self.bytes(name, value.as_bytes());
    }

    fn optional(&mut self, name: &str, value: &Option<String>) {
        if let Some(value) = value {
            self.field(name, value);
        }
    }

    /// A value with a line break is sent with its length.
    fn bytes(&mut self, name: &str, value: &[u8]) {
        if value.contains(&b'\n') {
            return self.binary(name, value);
        }
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(b'=');
        self.0.extend_from_slice(value);
        self.0.push(b'\n');
    }

    fn binary(&mut self, name: &str, value: &[u8]) {
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(b'\n');
        self.0.extend_from_slice(&(value.len() as u64).to_le_bytes());
        self.0.extend_from_slice(value);
        self.0.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_with_a_line_break_carries_its_length() {
        let mut entry = Encoder(Vec::new());
        entry.field("A", "x");
        entry.field("B", "1\n2");
        assert_eq!(entry.0, b"A=x\nB\n\x03\0\0\0\0\0\0\x001\n2\n");
    }

    #[test]
    fn emergency_is_not_shouted() {
        assert_eq!(priority(Severity::Emergency), 1);
        assert_eq!(priority(Severity::Info), 6);
    }
}
