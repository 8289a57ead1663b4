//! The progress of `prpt monitor`, so that it can continue after a restart of the daemon.

use std::collections::{HashSet, VecDeque};

use peripety_api::StorageEvent;

/// Events are not always emitted in the order of their times: events older than the newest by no more than this, in
/// microseconds, are requested again.
const MARGIN: u64 = 60_000_000;
/// Most events that are remembered.
const MAX_REMEMBERED: usize = 65_536;

/// The request, and what was printed of it.
#[derive(Debug)]
pub struct Progress {
    /// The value of `--since`, µs since the epoch.
    since: Option<u64>,
    /// Events still to be printed; `None`: all.
    left: Option<u64>,
    /// When the daemon first answered.
    began: Option<u64>,
    /// The newest time printed.
    newest: Option<u64>,
    /// Times and ids of the last events printed, and their ids.
    printed: VecDeque<(u64, String)>,
    ids: HashSet<String>,
    /// The daemon keeps no events.
    without_past: bool,
}

impl Progress {
    /// Nothing is printed yet.
    pub fn new(since: Option<u64>, limit: Option<u64>) -> Self {
        Self {
            since,
            left: limit,
            began: None,
            newest: None,
            printed: VecDeque::new(),
            ids: HashSet::new(),
            without_past: false,
        }
    }

    /// `since` and `limit` for a call that continues from here.
    pub fn call(&self) -> (Option<u64>, Option<u64>) {
        let Some(began) = self.began else { return (self.since, self.left) };
        let first = self.since.unwrap_or(began);
        let since = self.newest.map_or(first, |newest| first.max(newest.saturating_sub(MARGIN)));
        // Some of the events that come were printed already: the limit is counted here.
        ((!self.without_past).then_some(since), None)
    }

    /// The daemon has answered.
    pub fn begin(&mut self) {
        let now = || u64::try_from(jiff::Timestamp::now().as_microsecond()).unwrap_or_default();
        self.began.get_or_insert_with(now);
    }

    /// It has answered before.
    pub fn has_begun(&self) -> bool {
        self.began.is_some()
    }

    /// From now on only new events are requested. Returns false if that was the case before.
    pub fn give_up_the_past(&mut self) -> bool {
        !std::mem::replace(&mut self.without_past, true)
    }

    /// Whether the limit has been reached.
    pub fn is_done(&self) -> bool {
        self.left == Some(0)
    }

    /// The event is to be printed: it was not before.
    pub fn is_new(&mut self, event: &StorageEvent) -> bool {
        if self.is_done() || !self.ids.insert(event.event_id.clone()) {
            return false;
        }
        self.left = self.left.map(|left| left - 1);
        let newest = self.newest.map_or(event.timestamp, |newest| newest.max(event.timestamp));
        self.newest = Some(newest);
        self.printed.push_back((event.timestamp, event.event_id.clone()));
        let is_old = |printed: &VecDeque<(u64, String)>| {
            printed.len() > MAX_REMEMBERED
                || printed.front().is_some_and(|(time, _)| *time < newest.saturating_sub(MARGIN))
        };
        while is_old(&self.printed) {
            if let Some((_, id)) = self.printed.pop_front() {
                self.ids.remove(&id);
            }
        }
        true
    }
}
