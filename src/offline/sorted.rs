//! Sorts events by time: a repeated event, or one of several lines, is complete only after later ones.

use std::collections::BTreeMap;

use super::stage::Made;

/// Maximum number of events that wait for earlier ones.
const MAX_WAITING: usize = 4096;

/// Waiting events.
#[derive(Debug, Default)]
pub struct Sorted {
    /// By era, time, and the order in which they came.
    waiting: BTreeMap<(u64, u64, u64), Made>,
    came: u64,
}

impl Sorted {
    /// Adds an event; returns those that need not wait, or cannot wait any longer.
    pub fn add(&mut self, made: Made) -> Vec<Made> {
        self.came += 1;
        let newest = self.waiting.last_key_value().map(|((era, _, _), _)| *era);
        let mut out = if newest.is_some_and(|era| era < made.era) { self.end() } else { Vec::new() };
        self.waiting.insert((made.era, made.event.timestamp, self.came), made);
        if self.waiting.len() > MAX_WAITING {
            out.extend(self.waiting.pop_first().map(|(_, made)| made));
        }
        out
    }

    /// Returns all waiting events.
    pub fn end(&mut self) -> Vec<Made> {
        std::mem::take(&mut self.waiting).into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::StorageEvent;

    fn made(era: u64, timestamp: u64) -> Made {
        let event: StorageEvent =
            serde_json::from_str(include_str!("../../tests/fixtures/event.json")).unwrap();
        Made { event: StorageEvent { timestamp, ..event }.into(), era, timed: true }
    }

    fn times(all: &[Made]) -> Vec<u64> {
        all.iter().map(|made| made.event.timestamp).collect()
    }

    #[test]
    fn events_come_out_by_era_and_time() {
        let mut sorted = Sorted::default();
        assert!(sorted.add(made(0, 9)).is_empty());
        assert!(sorted.add(made(0, 7)).is_empty());
        assert_eq!(times(&sorted.add(made(1, 2))), [7, 9]);
        assert_eq!(times(&sorted.end()), [2]);
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut sorted = Sorted::default();
        let count = u64::try_from(MAX_WAITING).unwrap() + 2;
        let out: Vec<Made> = (0..count).rev().flat_map(|time| sorted.add(made(0, time))).collect();
        assert_eq!(out.len(), 2);
        assert_eq!(sorted.end().len(), MAX_WAITING);
    }
}
