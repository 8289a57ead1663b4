//! The daemon's counters, for `GetStatus`.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

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

/// What keeps a part of the daemon from working, as text; usually nothing.
#[derive(Debug, Default)]
pub struct Trouble(Mutex<Option<String>>);

impl Trouble {
    /// There is trouble.
    pub fn set(&self, text: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
    }

    /// It is over.
    pub fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What it is.
    pub fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
    /// Number of times the journal was written but not read, and had to be reopened.
    pub times_deaf: Counter,
    /// Journal files that were found damaged.
    pub journal_files_damaged: Counter,
    /// Entries of those that cannot be read, at least.
    pub journal_entries_damaged: Counter,
    /// How often a stored event was left out of an answer because it is damaged.
    pub events_damaged: Counter,
    /// Open Monitor calls.
    pub monitors: Counter,
    /// The journal is written and not read.
    pub deaf: Trouble,
    /// journald is waited for.
    pub journald: Trouble,
    caught_up: AtomicBool,
}

impl Counters {
    /// New counters, all zero.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// What keeps the daemon from its work.
    pub fn trouble(&self) -> Option<String> {
        let all: Vec<String> = [&self.journald, &self.deaf].into_iter().filter_map(Trouble::get).collect();
        (!all.is_empty()).then(|| all.join("; "))
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
