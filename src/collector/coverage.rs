//! Which entries a stored event covers already.

use std::collections::{HashMap, HashSet};

use crate::event::Source;
use crate::journal::EntryKey;

/// Entries covered by stored events, by position.
#[derive(Debug, Default)]
pub struct Coverage {
    entries: HashMap<String, Vec<EntryKey>>,
    /// Events that cover no entry: what the collector found out itself.
    events: HashSet<String>,
}

impl Coverage {
    /// Adds a stored event and what it covers.
    pub fn add(&mut self, event_id: &str, source: &Source) {
        if source.first.is_none() {
            self.events.insert(event_id.to_owned());
        }
        for cursor in [&source.first, &source.last].into_iter().flatten() {
            if let Some(key) = EntryKey::parse(cursor) {
                let known = self.entries.entry(key.content.clone()).or_default();
                if !known.contains(&key) {
                    known.push(key);
                }
            }
        }
    }

    /// A stored event covers the entry at this cursor.
    pub fn covers(&self, cursor: &str) -> bool {
        if self.entries.is_empty() {
            return false;
        }
        EntryKey::parse(cursor).is_some_and(|key| {
            self.entries.get(&key.content).is_some_and(|known| known.iter().any(|k| k.same_entry(&key)))
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
        let mut coverage = Coverage::default();
        coverage.add(
            "id",
            &Source {
                identifier: "kernel".into(),
                first: Some(cursor(1)),
                last: Some(cursor(2)),
                ..Source::default()
            },
        );
        assert!(coverage.covers(&cursor(1)) && coverage.covers(&cursor(2)));
        assert!(!coverage.covers(&cursor(3)));
        assert!(!coverage.covers("rubbish"));
        assert_eq!(coverage.len(), 2);
    }
}
