//! A stored event, read back from the journal.

use super::fields;
use super::trust::{Trust, Writer};
use crate::event::{Covered, StorageEvent};
use crate::journal::{Reader, EVENT_VALUE};

/// The fields of a stored event, its JSON not yet decoded. Reused from entry to entry.
#[derive(Debug, Default)]
pub struct Stored {
    /// Event identifier.
    pub event_id: String,
    /// Time of the event, µs since the epoch.
    pub timestamp: u64,
    /// Daemon run that stored it.
    pub run: String,
    /// Its number in that run.
    pub sequence: u64,
    /// The whole event.
    pub json: Vec<u8>,
    /// Marks of the entries that it covers, when they are more than two.
    pub covers: Vec<Covered>,
    writer: Writer,
}

impl Stored {
    /// Reads the current entry. False: it is no event, or not one that Peripety wrote.
    pub fn read(&mut self, reader: &mut Reader, trust: &Trust) -> bool {
        *self = Stored { json: std::mem::take(&mut self.json), ..Stored::default() };
        self.json.clear();
        let stored = &mut *self;
        reader.fields(|name, value| stored.set(name, value));
        // Of bytes that vanished meanwhile nothing counts.
        !reader.is_spoiled()
            && !self.event_id.is_empty()
            && !self.json.is_empty()
            && trust.accepts(&self.writer)
    }

    fn set(&mut self, name: &[u8], value: &[u8]) {
        let text = || String::from_utf8_lossy(value).into_owned();
        let number = || text().parse().unwrap_or(0);
        match std::str::from_utf8(name).unwrap_or_default() {
            fields::EVENT_ID => self.event_id = text(),
            fields::TIMESTAMP => self.timestamp = number(),
            fields::RUN => self.run = text(),
            fields::SEQUENCE => self.sequence = number(),
            fields::JSON if value.len() <= EVENT_VALUE => self.json.extend_from_slice(value),
            fields::COVERS => self.covers = Covered::from_bytes(value).collect(),
            "_UID" => self.writer.uid.extend_from_slice(value),
            "_SYSTEMD_UNIT" => self.writer.unit.extend_from_slice(value),
            "_TRANSPORT" => self.writer.transport.extend_from_slice(value),
            _ => {}
        }
    }

    /// The event; `None` when its JSON does not fit its fields.
    pub fn event(&self) -> Option<StorageEvent> {
        let event: StorageEvent = serde_json::from_slice(&self.json).ok()?;
        (event.event_id == self.event_id).then_some(event)
    }
}
