//! A stored event, read back from the journal.

use bytes::Bytes;
use peripety_api::schema;

use super::fields;
use super::format;
use super::query::EventKey;
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
    /// Its fields do not name all owners.
    pub owners_truncated: bool,
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
            fields::OWNERS_TRUNCATED => self.owners_truncated = true,
            fields::COVERS => self.covers = Covered::from_bytes(value).collect(),
            "_UID" => self.writer.uid.extend_from_slice(value),
            "_SYSTEMD_UNIT" => self.writer.unit.extend_from_slice(value),
            "_TRANSPORT" => self.writer.transport.extend_from_slice(value),
            _ => {}
        }
    }

    /// The event, in whichever form it was stored; `None` when its JSON is damaged, or does not fit its fields.
    pub fn event(&self) -> Option<StorageEvent> {
        format::decode(&self.json).filter(|event| event.event_id == self.event_id)
    }

    /// The event as it is served; `None` when it is damaged. In the present form it is what was stored: checked, not decoded.
    pub fn served(&self) -> Option<StoredEvent> {
        let key = EventKey { timestamp: self.timestamp, event_id: self.event_id.clone() };
        if self.is_present_form() {
            return Some(StoredEvent { key, json: Bytes::copy_from_slice(&self.json) });
        }
        let json = serde_json::to_vec(&self.event()?).ok()?;
        Some(StoredEvent { key, json: json.into() })
    }

    /// The JSON is an event of the interface as it is, and the one that the fields name.
    fn is_present_form(&self) -> bool {
        // Within a string the quotes would be escaped.
        let names_it = || format!("\"event_id\":\"{}\"", self.event_id);
        std::str::from_utf8(&self.json)
            .is_ok_and(|json| json.contains(&names_it()) && schema::fits("StorageEvent", json))
    }
}

/// A stored event for a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its place in the order.
    pub key: EventKey,
    /// It, as the interface defines it.
    pub json: Bytes,
}

impl StoredEvent {
    /// The event, for who does more than pass it on.
    ///
    /// # Errors
    /// None that can happen: [`Stored::served`] has checked the JSON.
    pub fn event(&self) -> serde_json::Result<StorageEvent> {
        serde_json::from_slice(&self.json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An event in every form that was ever stored.
    const FORMS: [&str; 2] = [
        include_str!("../../tests/fixtures/stored/without-counts.json"),
        include_str!("../../tests/fixtures/stored/present.json"),
    ];

    fn stored(json: &str, event_id: &str) -> Stored {
        Stored { json: json.trim_end().into(), event_id: event_id.into(), timestamp: 7, ..Stored::default() }
    }

    #[test]
    fn every_form_is_served_as_the_interface_defines_it() {
        for (form, json) in FORMS.iter().enumerate() {
            let id = format::decode(json.as_bytes()).unwrap().event_id;
            let stored = stored(json, &id);
            let served = stored.served().unwrap();
            assert_eq!(served.key, EventKey { timestamp: 7, event_id: id });
            assert!(schema::fits("StorageEvent", std::str::from_utf8(&served.json).unwrap()), "{form}");
            assert_eq!(
                served.json == stored.json,
                form == FORMS.len() - 1,
                "only the present form passes as it is"
            );
            assert_eq!(served.event().unwrap(), stored.event().unwrap());
        }
    }

    #[test]
    fn what_is_damaged_is_not_served() {
        let [_, json] = FORMS;
        let id = format::decode(json.as_bytes()).unwrap().event_id;
        let whole = json.trim_end();
        let damaged = [
            whole.get(..whole.len() / 2).unwrap().to_owned(),
            format!("{whole}{whole}"),
            whole.replacen("\"msg\":", "\"gsm\":", 1),
            whole.replacen("\"severity\":\"", "\"severity\":\"X", 1),
        ];
        for json in damaged {
            assert_eq!(stored(&json, &id).served(), None, "{json}");
        }
        let mut no_text = stored(whole, &id);
        let place = whole.find("\"msg\":\"").unwrap() + 8;
        *no_text.json.get_mut(place).unwrap() = 0xff;
        assert_eq!(no_text.served(), None, "not UTF-8");
        assert_eq!(stored(whole, "another").served(), None, "the event of another entry");
    }
}
