//! How far the reader is: whether it has caught up with the journal.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;

use tokio::sync::Notify;

/// Shared by the reader, which moves it, and the task that puts lines in order. Clones share one state.
#[derive(Clone, Debug, Default)]
pub struct Frontier(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// Raw events made so far.
    made: AtomicU64,
    caught_up: AtomicBool,
    changed: Notify,
}

impl Frontier {
    /// So many raw events were made.
    pub fn made(&self, count: u64) {
        self.0.made.store(count, Ordering::Release);
    }

    /// Whether every entry that is there was read.
    pub fn set_caught_up(&self, caught_up: bool) {
        if self.0.caught_up.swap(caught_up, Ordering::AcqRel) != caught_up {
            self.0.changed.notify_one();
        }
    }

    /// How many raw events were made when every entry had been read; `None` while entries wait.
    pub fn caught_up(&self) -> Option<u64> {
        self.0.caught_up.load(Ordering::Acquire).then(|| self.0.made.load(Ordering::Acquire))
    }

    /// Waits until the reader catches up, or falls behind.
    pub async fn changed(&self) {
        self.0.changed.notified().await;
    }
}
