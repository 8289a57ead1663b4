//! The counters of each notifier, for `GetStatus`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::bus::outbox::Mark;
use crate::bus::Outbox;
use crate::counters::Counter;

/// What is counted of one notifier since the daemon started.
#[derive(Debug, Default)]
pub struct Status {
    /// Its name.
    pub name: String,
    /// Events delivered.
    pub delivered: Counter,
    /// Attempts that failed.
    pub failed: Counter,
    /// Events that it will never get.
    pub lost: Counter,
    kind: Mutex<&'static str>,
    /// Events that must be read from the journal.
    in_journal: AtomicU64,
    /// Up to here, events of the outbox are done or counted in `in_journal`.
    done: AtomicU64,
    error: Mutex<Option<LastError>>,
}

/// The last error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastError {
    /// When, µs since the epoch.
    pub at: u64,
    /// What, and what to do.
    pub text: String,
}

impl Status {
    /// Of a notifier that has done nothing yet.
    pub fn new(name: &str) -> Arc<Self> {
        Arc::new(Status { name: name.to_owned(), ..Status::default() })
    }

    /// Its type.
    pub fn kind(&self) -> &'static str {
        *self.kind.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It is of this type now.
    pub fn set_kind(&self, kind: &'static str) {
        *self.kind.lock().unwrap_or_else(PoisonError::into_inner) = kind;
    }

    /// Records an error.
    pub fn set_error(&self, text: String) {
        let error = LastError { at: crate::journal::now(), text };
        *self.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    /// The last error, if any.
    pub fn last_error(&self) -> Option<LastError> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Events that are posted and neither delivered nor filtered out; nearly exact.
    pub fn backlog(&self, outbox: &Outbox) -> u64 {
        let live = outbox.mark().number.saturating_sub(self.done.load(Ordering::Relaxed));
        self.in_journal.load(Ordering::Relaxed).saturating_add(live)
    }

    /// So many events wait in the journal when the daemon starts; `now` is the count of the outbox before they were counted.
    pub(super) fn found_in_journal(&self, count: u64, now: Mark) {
        self.in_journal.store(count, Ordering::Relaxed);
        self.done.store(now.number, Ordering::Relaxed);
    }

    /// Events of the outbox up to here are read from the journal, apart from those that are lost.
    pub(super) fn left_to_journal(&self, up_to: Mark, lost: u64) {
        let missing = up_to.number.saturating_sub(self.done.swap(up_to.number, Ordering::Relaxed));
        self.in_journal.fetch_add(missing.saturating_sub(lost), Ordering::Relaxed);
    }

    /// An event from the journal is done.
    pub(super) fn done_from_journal(&self) {
        let less = |count: u64| Some(count.saturating_sub(1));
        let _ = self.in_journal.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// The journal holds nothing more for it.
    pub(super) fn journal_is_done(&self) {
        self.in_journal.store(0, Ordering::Relaxed);
    }

    /// The events of the outbox up to here are done.
    pub(super) fn done_up_to(&self, mark: Mark) {
        self.done.fetch_max(mark.number, Ordering::Relaxed);
    }
}

/// The notifiers that are configured, sorted by name.
#[derive(Debug, Default)]
pub struct Board(Mutex<Vec<Arc<Status>>>);

impl Board {
    /// All of them.
    pub fn all(&self) -> Vec<Arc<Status>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set(&self, all: Vec<Arc<Status>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = all;
    }
}
