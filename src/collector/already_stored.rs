//! Entries that a stored event already covers.

use std::collections::{HashMap, HashSet};

use crate::event::{Covered, Source};
use crate::journal::EntryKey;

/// Entries covered by stored events, by position.
#[derive(Debug, Default)]
pub struct AlreadyStored {
    entries: HashMap<u64, Vec<Covered>>,
    /// Events that cover no entry: what the collector found out itself.
    events: HashSet<String>,
}

impl AlreadyStored {
    /// Adds a stored event and the entries it covers: first and last from its source, further entries by their marks.
    pub fn add(&mut self, event_id: &str, source: &Source, covered: &[Covered]) {
        if source.first.is_none() {
            self.events.insert(event_id.to_owned());
        }
        let ends = [&source.first, &source.last].into_iter().flatten();
        let ends = ends.filter_map(|cursor| EntryKey::parse(cursor)).map(|key| key.mark());
        for mark in ends.chain(covered.iter().copied()) {
            let known = self.entries.entry(mark.content).or_default();
            if !known.contains(&mark) {
                known.push(mark);
            }
        }
    }

    /// A stored event covers the entry at this cursor.
    pub fn covers(&self, cursor: &str) -> bool {
        if self.entries.is_empty() {
            return false;
        }
        EntryKey::parse(cursor).map(|key| key.mark()).is_some_and(|mark| {
            self.entries.get(&mark.content).is_some_and(|known| known.iter().any(|k| k.same_entry(&mark)))
        })
    }

    /// The event, which covers no entry, is stored.
    pub fn has_event(&self, event_id: &str) -> bool {
        self.events.contains(event_id)
    }

    /// Number of entries covered.
    pub fn len(&self) -> usize {
        self.entries.values().map(Vec::len).sum()
    }

    /// Nothing is covered.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_first_and_last_entry_of_an_event() {
        let cursor = |i: u32| format!("s=a;i={i};b=b;m={i};t=1;x=1");
        let mut already_stored = AlreadyStored::default();
        already_stored.add(
            "id",
            &Source {
                identifier: "kernel".into(),
                first: Some(cursor(1)),
                last: Some(cursor(2)),
                ..Source::default()
            },
            &[],
        );
        assert!(already_stored.covers(&cursor(1)) && already_stored.covers(&cursor(2)));
        assert!(!already_stored.covers(&cursor(3)));
        let covered = vec![EntryKey::parse(&cursor(4)).unwrap().mark()];
        already_stored.add("more", &Source { first: Some(cursor(5)), ..Source::default() }, &covered);
        assert!(
            already_stored.covers(&cursor(4))
                && already_stored.covers(&cursor(5))
                && !already_stored.covers(&cursor(6))
        );
        assert!(!already_stored.covers("rubbish"));
        assert_eq!(already_stored.len(), 4);
    }
}
