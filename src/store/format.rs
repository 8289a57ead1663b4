//! The forms in which events were stored. All have the same `PERIPETY_FORMAT`: the fields by which the journal is searched never
//! changed, but the JSON gained members.
//!
//! | Form | Written | What differs |
//! | --- | --- | --- |
//! | without counts | before events of several lines | `source` has neither `entries` nor `file` nor `lines`: the event covers one entry |
//! | present | since | what `io.peripety.varlink` defines |

use serde::Deserialize;
use serde_json::{json, Value};

use crate::event::{Source, StorageEvent};

/// The event of a stored JSON in any form; `None` when it is damaged.
pub fn decode(json: &[u8]) -> Option<StorageEvent> {
    serde_json::from_slice(json).ok().or_else(|| {
        let mut event: Value = serde_json::from_slice(json).ok()?;
        add_counts(event.get_mut("source")?);
        serde_json::from_value(event).ok()
    })
}

/// The source of the event alone.
pub fn decode_source(json: &[u8]) -> Option<Source> {
    #[derive(Deserialize)]
    struct Only<S> {
        source: S,
    }
    let present = serde_json::from_slice::<Only<Source>>(json).map(|only| only.source);
    present.ok().or_else(|| {
        let mut source = serde_json::from_slice::<Only<Value>>(json).ok()?.source;
        add_counts(&mut source);
        serde_json::from_value(source).ok()
    })
}

/// Adds what a source without counts means.
fn add_counts(source: &mut Value) {
    if let Value::Object(members) = source {
        members.entry("entries").or_insert(json!(1));
        members.entry("lines").or_insert(json!([]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_without_counts_covers_one_entry() {
        let json = include_bytes!("../../tests/fixtures/stored/without-counts.json");
        let event = decode(json).unwrap();
        assert_eq!((event.source.entries, &event.source.file, event.source.lines.len()), (1, &None, 0));
        assert_eq!(decode_source(json), Some(event.source));
    }
}
