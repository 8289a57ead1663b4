//! What makes two events the same: event type, writer, device, and the text without its numbers.

use super::counted::without_numbers;
use super::key::{hash, Bearer, NameKey, PlaceKey};
use super::relations::{holder_of, plain, where_named, ARRAY_OF_DM};
use crate::event::{EventDraft, Identity};

/// What makes two events the same, apart from the identity of their device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Where it happened.
    pub place: PlaceKey,
    /// The device, as the line names it.
    pub device: u64,
    event_type: u64,
    identifier: u64,
    text: u64,
}

/// An event that may be one of many.
#[derive(Clone, Debug)]
pub struct Counter {
    /// What it is counted by.
    pub key: Key,
    /// Who holds the device's name.
    pub bearer: Bearer,
}

impl Counter {
    /// Of an event.
    pub fn of(event: &EventDraft) -> Self {
        let device = device(event);
        let bearer = holder_of(&device, event).map(|holder| Bearer::of(&holder.identity)).unwrap_or_default();
        let key = Key {
            place: PlaceKey::of(event),
            device: hash(&device),
            event_type: hash(&event.event_type),
            identifier: hash(&event.source.identifier),
            text: hash(&without_numbers(&event.msg)),
        };
        Counter { key, bearer }
    }

    /// Takes over who holds the device's name, where that was not known and is now.
    pub fn learn(&mut self, names: &[NameKey]) {
        if self.bearer == Identity::default() {
            let known = names.iter().find(|name| name.text == self.key.device);
            self.bearer = known.map(|name| name.bearer).unwrap_or_default();
        }
    }
}

/// As the line names it; a path of a map is not another one. A line that names no device may still say where it happens.
fn device(event: &EventDraft) -> String {
    let named = event.kdev.as_ref().filter(|kdev| *kdev != ARRAY_OF_DM).or(event.dev_path.as_ref());
    let plain = |name: &String| plain(name).to_owned();
    named.map_or_else(|| where_named(event).collect::<Vec<_>>().join(" "), plain)
}
