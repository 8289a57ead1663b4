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

/// Tickets are numbered in the order of their entries. Between two numbers there is room for gaps.
const APART: u64 = 1 << 16;

/// Knows which entries are still being worked on. Clones share one state.
#[derive(Clone, Debug, Default)]
pub struct Watermark(Arc<Mutex<State>>);

/// A ticket that is not done, and where a restart resumes because of it.
#[derive(Debug)]
struct Live {
    position: PackedPosition,
    done: bool,
    stored: Option<Arc<str>>,
}

#[derive(Debug, Default)]
struct State {
    /// The number of the last ticket of an entry.
    last: u64,
    live: BTreeMap<u64, Live>,
    last_read: Option<(Position, Option<Arc<str>>)>,
    /// The number of the last ticket opened before `last_read` was noted.
    last_before: u64,
    /// Gaps reported so far.
    gaps: u64,
    stored: Option<Arc<str>>,
    /// The reader is past all entries that events of earlier runs cover.
    past_already_stored: bool,
}

impl Watermark {
    /// Opens the ticket of an entry.
    pub fn open(&self, position: Position) -> Arc<Ticket> {
        let mut state = self.state();
        let number = state.last + APART;
        state.last = number;
        let stored = state.stored.clone();
        state.live.insert(number, Live { position: position.into(), done: false, stored });
        Arc::new(Ticket { number, watermark: self.clone() })
    }

    /// Opens the ticket of a gap that begins behind the position noted last, or at `position` when none was: until it is
    /// done, a restart begins before the gap.
    pub fn open_gap(&self, position: Position) -> Arc<Ticket> {
        let mut state = self.state();
        let live = match state.last_read.clone() {
            Some((position, stored)) => Live { position: position.into(), done: true, stored },
            None => Live { position: position.into(), done: false, stored: state.stored.clone() },
        };
        let number = state.last_before + 1 + state.gaps % (APART - 1);
        state.gaps += 1;
        state.live.insert(number, live);
        Arc::new(Ticket { number, watermark: self.clone() })
    }

    /// All entries up to this one were read, and have a ticket if they need one.
    pub fn read_up_to(&self, position: Position) {
        let mut state = self.state();
        let stored = state.stored.clone();
        state.last_read = Some((position, stored));
        state.last_before = state.last;
    }

    /// Where the events of earlier runs were looked for.
    pub fn stored_before(&self, cursor: String) {
        self.state().stored = Some(cursor.into());
    }

    /// The reader is past all entries that events of earlier runs cover: from now on what this
    /// run stores is enough to look back at.
    pub fn past_already_stored(&self) {
        self.state().past_already_stored = true;
    }

    /// An event was confirmed at this cursor of the store.
    pub fn stored_at(&self, cursor: String) {
        let mut state = self.state();
        if state.past_already_stored {
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
        if let Some(live) = state.live.values().next() {
            let stored = live.stored.as_deref().map(str::to_owned);
            return Some(Resume { position: live.position.unpack(), done: live.done, stored });
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
mod tests {
    use super::*;

    fn position(n: u64) -> Position {
        Position { cursor: n.to_string(), boot_id: "b".into(), monotonic: n, realtime: n }
    }

    #[test]
    fn resumes_at_the_oldest_live_ticket() {
        let watermark = Watermark::default();
        assert!(watermark.resume().is_none());
        watermark.past_already_stored();
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
        watermark.past_already_stored();
        watermark.read_up_to(position(1));
        let ticket = watermark.open(position(2));
        watermark.stored_at("two".into());
        ticket.done();
        assert_eq!(watermark.resume().unwrap().stored, None);
    }

    /// Killed before the report of a gap is stored, the daemon finds the gap again, and reads nothing twice.
    #[test]
    fn a_gap_that_is_not_reported_yet_is_found_again() {
        let watermark = Watermark::default();
        watermark.stored_before("old".into());
        let first = watermark.open_gap(position(1));
        let behind = watermark.open(position(5));
        let resume =
            |p, done, stored: &str| Some(Resume { position: position(p), done, stored: Some(stored.into()) });
        assert_eq!(watermark.resume(), resume(1, false, "old"));
        first.done();
        assert_eq!(watermark.resume(), resume(5, false, "old"));
        watermark.past_already_stored();
        watermark.read_up_to(position(6));
        behind.done();
        watermark.stored_at("new".into());
        // Read since the position was noted, and stored: after a restart, `old` leads to its event.
        watermark.open(position(7)).done();
        let later = watermark.open(position(8));
        let gaps = [watermark.open_gap(position(6)), watermark.open_gap(position(6))];
        gaps.into_iter().for_each(|gap| {
            assert_eq!(watermark.resume(), resume(6, true, "old"));
            gap.done();
        });
        assert_eq!(watermark.resume(), resume(8, false, "new"));
        later.done();
    }

    /// An event of this run must not hide those of an earlier one that cover later entries.
    #[test]
    fn the_store_s_place_waits_for_the_reader_to_pass_what_is_stored() {
        let watermark = Watermark::default();
        watermark.stored_before("old".into());
        let ticket = watermark.open(position(1));
        watermark.stored_at("new".into());
        ticket.done();
        let _later = watermark.open(position(2));
        assert_eq!(watermark.resume().unwrap().stored, Some("old".into()));
    }
}
