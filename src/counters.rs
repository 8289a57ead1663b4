//! What the daemon counts, for `GetStatus`.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;

/// A number that only grows, or a gauge.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Adds `n`.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// Takes one off.
    pub fn decrement(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// The number.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// All counters; clones of the `Arc` share them.
#[derive(Debug, Default)]
pub struct Counters {
    /// Log entries read.
    pub entries_read: Counter,
    /// Entries that a rule matched.
    pub entries_matched: Counter,
    /// Entries that a rule would match, had they come from where they claim.
    pub entries_untrusted: Counter,
    /// Entries that a stored event already covers.
    pub entries_covered: Counter,
    /// Events confirmed in the store.
    pub events_stored: Counter,
    /// Events that journald did not keep.
    pub events_not_stored: Counter,
    /// Open Monitor calls.
    pub monitors: Counter,
    caught_up: AtomicBool,
}

impl Counters {
    /// New counters, all zero.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// The reader is at the end of its journal.
    pub fn caught_up(&self) -> bool {
        self.caught_up.load(Ordering::Relaxed)
    }

    /// Notes whether the reader is at the end of its journal.
    pub fn set_caught_up(&self, yes: bool) {
        self.caught_up.store(yes, Ordering::Relaxed);
    }
}
