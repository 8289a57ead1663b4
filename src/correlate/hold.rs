//! Lines in the order in which they were written.
//!
//! journald stores lines seconds late under load, those of the kernel and those of a tool in an order of its own. What belongs
//! together, and what follows from what, must not depend on that. So a line is held until nothing written before it is likely to
//! come: the reader has caught up, or has read later lines of the kernel (whose lines come in their order), or has read what
//! journald received long after; but never for long.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::place::Place;

/// How late journald stores a line, at most, µs: 4.8 s were measured on a machine under load.
pub const LATE: u64 = 5_000_000;
/// How long after a line those of a tool may come that were written before, where the kernel's have all come, µs.
const NEAR: u64 = 100_000;
/// How long a line is held while the reader is behind, µs of the clock: an alarm shall be heard within a second of its line.
const MAX_HELD: u64 = 600_000;
/// Lines held of one boot; with more, the earliest goes on.
const MAX_LINES: usize = 8192;
/// Boots without a line that are remembered.
const MAX_PLACES: usize = 64;

/// Lines that wait for earlier ones.
#[derive(Debug)]
pub struct Hold<E> {
    lanes: BTreeMap<Place, Lane<E>>,
    /// The latest time at which a line of a host was received, µs since the epoch: that ends the waiting of its earlier boots, too.
    received: HashMap<String, u64>,
}

/// Where a line comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// When it was written, µs since the epoch.
    pub written: u64,
    /// When journald received it, µs since the epoch.
    pub received: u64,
    /// A number that rises from line to line.
    pub number: u64,
    /// The kernel wrote it.
    pub kernel: bool,
}

/// When a line was written, and its number among equals.
type Key = (u64, u64);

/// The lines of one boot of one host.
#[derive(Debug)]
struct Lane<E> {
    lines: BTreeMap<Key, E>,
    /// When each came, µs of the clock, in that order; those that are gone included.
    came: VecDeque<(u64, Key)>,
    /// When the newest line of the kernel was written.
    kernel: u64,
}

impl<E> Default for Lane<E> {
    fn default() -> Self {
        Lane { lines: BTreeMap::new(), came: VecDeque::new(), kernel: 0 }
    }
}

impl<E> Default for Hold<E> {
    fn default() -> Self {
        Hold { lanes: BTreeMap::new(), received: HashMap::new() }
    }
}

impl<E> Hold<E> {
    /// Takes a line.
    pub fn put(&mut self, place: &Place, origin: Origin, line: E, now: u64) {
        let Origin { written, received, number, kernel } = origin;
        if self.lanes.len() > MAX_PLACES {
            self.lanes.retain(|_, lane| !lane.lines.is_empty());
        }
        if self.received.len() > MAX_PLACES {
            self.received.clear();
        }
        let newest = self.received.entry(place.hostname.clone()).or_default();
        *newest = received.max(*newest);
        let lane = self.lanes.entry(place.clone()).or_default();
        if kernel {
            lane.kernel = written.max(lane.kernel);
        }
        lane.lines.insert((written, number), line);
        lane.came.push_back((now, (written, number)));
    }

    /// The next line that need not wait any longer. `complete`: every entry that is there was read, and its line has come.
    pub fn take(&mut self, now: u64, complete: bool) -> Option<E> {
        let received = |place: &Place| self.received.get(&place.hostname).copied().unwrap_or_default();
        let lanes = self.lanes.iter_mut();
        let due =
            lanes.filter_map(|(place, lane)| lane.is_due(now, complete, received(place)).then_some(lane));
        let first = due.min_by_key(|lane| lane.lines.first_key_value().map(|((_, number), _)| *number))?;
        first.lines.pop_first().map(|(_, line)| line)
    }

    /// When the next line has waited long enough.
    pub fn wakes_at(&mut self) -> Option<u64> {
        self.lanes.values_mut().filter_map(Lane::due).min()
    }
}

impl<E> Lane<E> {
    fn is_due(&mut self, now: u64, complete: bool, received: u64) -> bool {
        let Some(((written, _), _)) = self.lines.first_key_value() else { return false };
        complete
            || written.saturating_add(LATE) <= received
            || *written < self.kernel && written.saturating_add(NEAR) <= received
            || self.lines.len() > MAX_LINES
            || self.due().is_some_and(|at| at <= now)
    }

    /// When the line that has waited for longest, and with it all that were written before, need not wait any longer.
    fn due(&mut self) -> Option<u64> {
        while self.came.front().is_some_and(|(_, key)| !self.lines.contains_key(key)) {
            self.came.pop_front();
        }
        self.came.front().map(|(came, _)| came.saturating_add(MAX_HELD))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000;

    fn origin(written: u64, received: u64, number: u64) -> Origin {
        Origin { written, received, number, kernel: false }
    }

    fn hold(lines: &[(u64, u64)]) -> Hold<u64> {
        let mut hold = Hold::default();
        for (number, (written, received)) in (0..).zip(lines) {
            hold.put(&Place::default(), origin(*written, *received, number), *written, 0);
        }
        hold
    }

    fn all(hold: &mut Hold<u64>, now: u64, complete: bool) -> Vec<u64> {
        std::iter::from_fn(|| hold.take(now, complete)).collect()
    }

    #[test]
    fn lines_leave_in_the_order_in_which_they_were_written() {
        let mut hold = hold(&[(3, 3), (1, 4), (2, 5)]);
        assert_eq!(all(&mut hold, 0, true), [1, 2, 3]);
        assert_eq!(hold.wakes_at(), None);
    }

    #[test]
    fn while_the_reader_is_behind_a_late_line_is_waited_for() {
        let mut hold = hold(&[(10 * S, 10 * S), (8 * S, 11 * S)]);
        assert!(all(&mut hold, S / 2, false).is_empty());
        // What was received five seconds later proves that nothing earlier comes.
        hold.put(&Place::default(), origin(14 * S, 14 * S, 9), 14 * S, S / 2);
        assert_eq!(all(&mut hold, S / 2, false), [8 * S]);
        assert_eq!(hold.wakes_at(), Some(MAX_HELD));
        assert_eq!(all(&mut hold, MAX_HELD, false), [10 * S]);
        assert_eq!(all(&mut hold, MAX_HELD + S, false), [14 * S]);
    }

    /// The kernel's lines come in their order: one that is later proves that all before it have come.
    #[test]
    fn in_a_storm_of_the_kernel_s_lines_each_is_held_for_a_moment_only() {
        let mut hold = hold(&[(S, S)]);
        let kernel = |written, number| Origin { kernel: true, ..origin(written, written, number) };
        hold.put(&Place::default(), kernel(S + NEAR / 2, 1), 0, 0);
        assert!(all(&mut hold, 0, false).is_empty());
        hold.put(&Place::default(), kernel(S + NEAR, 2), 0, 0);
        assert_eq!(all(&mut hold, 0, false), [S]);
    }

    /// What has waited long enough takes those with it that were written before.
    #[test]
    fn a_line_that_is_due_is_not_held_by_an_earlier_one() {
        let mut hold = hold(&[(10, 10)]);
        hold.put(&Place::default(), origin(5, 11, 1), 5, MAX_HELD - 1);
        assert_eq!(all(&mut hold, MAX_HELD, false), [5, 10]);
    }

    #[test]
    fn hosts_do_not_wait_for_each_other_and_a_boot_ends_with_the_next_one() {
        let mut hold = hold(&[(10, 10)]);
        let other = Place { hostname: "other".into(), ..Place::default() };
        hold.put(&other, origin(5, 100 * S, 1), 5, 0);
        assert_eq!(all(&mut hold, 0, false), [5]);
        let next = Place { boot_id: "next".into(), ..Place::default() };
        hold.put(&next, origin(100 * S, 100 * S, 2), 100 * S, 0);
        assert_eq!(all(&mut hold, 0, false), [10]);
    }
}
