//! Tickets and the watermark: where a restart resumes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::journal::{PackedPosition, Position};

/// Where reading resumes after a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {
    /// An entry of the source journal.
    pub position: Position,
    /// Everything made from that entry is confirmed: reading goes on after it. Otherwise the
    /// entry itself is read again.
    pub done: bool,
    /// Cursor of a stored event; every event that covers an entry from `position` on was stored
    /// after it. `None`: no event was stored before.
    pub stored: Option<String>,
}

/// Knows which entries are still being worked on. Clones share one state.
#[derive(Clone, Debug, Default)]
pub struct Watermark(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    next: u64,
    live: BTreeMap<u64, (PackedPosition, Option<Arc<str>>)>,
    last_read: Option<(Position, Option<Arc<str>>)>,
    stored: Option<Arc<str>>,
    /// The reader is past all entries that events of earlier runs cover.
    past_coverage: bool,
}

impl Watermark {
    /// Opens the ticket of an entry.
    pub fn open(&self, position: Position) -> Arc<Ticket> {
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        let stored = state.stored.clone();
        state.live.insert(number, (position.into(), stored));
        Arc::new(Ticket { number, watermark: self.clone() })
    }

    /// All entries up to this one were read, and have a ticket if they need one.
    pub fn read_up_to(&self, position: Position) {
        let mut state = self.state();
        let stored = state.stored.clone();
        state.last_read = Some((position, stored));
    }

    /// Where the events of earlier runs were looked for.
    pub fn stored_before(&self, cursor: String) {
        self.state().stored = Some(cursor.into());
    }

    /// The reader is past all entries that events of earlier runs cover: from now on what this
    /// run stores is enough to look back at.
    pub fn past_coverage(&self) {
        self.state().past_coverage = true;
    }

    /// An event was confirmed at this cursor of the store.
    pub fn stored_at(&self, cursor: String) {
        let mut state = self.state();
        if state.past_coverage {
            state.stored = Some(cursor.into());
        }
    }

    /// Number of live tickets.
    pub fn in_flight(&self) -> usize {
        self.state().live.len()
    }

    /// Where a restart at this moment must resume; `None` before anything was read.
    pub fn resume(&self) -> Option<Resume> {
        let state = self.state();
        if let Some((position, stored)) = state.live.values().next() {
            let stored = stored.as_deref().map(str::to_owned);
            return Some(Resume { position: position.unpack(), done: false, stored });
        }
        let (position, stored) = state.last_read.as_ref()?;
        let stored = stored.as_deref().map(str::to_owned);
        Some(Resume { position: position.clone(), done: true, stored })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Travels with an entry until everything made from it is confirmed, and [`Ticket::done`] says
/// so. A ticket that is dropped without (by a task that failed, or at the end) stays live, so that
/// a restart reads its entry again.
#[derive(Debug)]
pub struct Ticket {
    number: u64,
    watermark: Watermark,
}

impl Ticket {
    /// A ticket of no journal that is resumed: `peripetyd parse` reads from beginning to end.
    pub fn detached() -> Arc<Self> {
        Watermark::default().open(Position::default())
    }

    /// Everything made from the entry is confirmed, or nothing is to be made from it.
    pub fn done(&self) {
        self.watermark.state().live.remove(&self.number);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn position(n: u64) -> Position {
        Position { cursor: n.to_string(), boot_id: "b".into(), monotonic: n, realtime: n }
    }

    #[test]
    fn resumes_at_the_oldest_live_ticket() {
        let watermark = Watermark::default();
        assert!(watermark.resume().is_none());
        watermark.past_coverage();
        let first = watermark.open(position(1));
        watermark.stored_at("one".into());
        let second = watermark.open(position(2));
        watermark.read_up_to(position(3));
        let resume = watermark.resume().unwrap();
        assert_eq!((resume.position, resume.done, resume.stored), (position(1), false, None));
        first.done();
        let resume = watermark.resume().unwrap();
        assert_eq!((resume.position, resume.stored), (position(2), Some("one".into())));
        second.done();
        let resume = watermark.resume().unwrap();
        assert_eq!((resume.position, resume.done), (position(3), true));
    }

    #[test]
    fn a_ticket_that_is_only_dropped_stays_live() {
        let watermark = Watermark::default();
        drop(watermark.open(position(1)));
        watermark.read_up_to(position(2));
        assert_eq!(watermark.resume().unwrap().position, position(1));
    }

    /// The position and the place in the store are of one moment: entries ticketed after it may
    /// be covered by events stored after it.
    #[test]
    fn a_noted_position_keeps_the_store_s_place_of_that_moment() {
        let watermark = Watermark::default();
        watermark.past_coverage();
        watermark.read_up_to(position(1));
        let ticket = watermark.open(position(2));
        watermark.stored_at("two".into());
        ticket.done();
        assert_eq!(watermark.resume().unwrap().stored, None);
    }

    /// An event of this run must not hide those of an earlier one that cover later entries.
    #[test]
    fn the_store_s_place_waits_for_the_reader_to_pass_the_coverage() {
        let watermark = Watermark::default();
        watermark.stored_before("old".into());
        let ticket = watermark.open(position(1));
        watermark.stored_at("new".into());
        ticket.done();
        let _later = watermark.open(position(2));
        assert_eq!(watermark.resume().unwrap().stored, Some("old".into()));
    }
}
