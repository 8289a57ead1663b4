//! The event bus: parsers → monitors.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use tokio::sync::broadcast;

use crate::event::{Covered, EventDraft, StorageEvent};

/// A storage event on the bus.
#[derive(Debug)]
pub struct Published {
    /// Number of the event among all of this daemon run, from 1 without gaps.
    pub sequence: u64,
    /// When it was published, µs since the epoch.
    pub at: u64,
    /// The event.
    pub event: StorageEvent,
    /// Marks of the journal entries that it covers.
    pub covered: Vec<Covered>,
    encoded: OnceLock<Bytes>,
}

impl Published {
    /// An event that was read from the journal, with its number in the run that stored it.
    pub fn read_back(sequence: u64, event: StorageEvent) -> Self {
        let (at, covered) = (crate::journal::now(), Vec::new());
        Published { sequence, at, event, covered, encoded: OnceLock::new() }
    }

    /// The event as JSON, encoded once for all who send it.
    pub fn json(&self) -> Bytes {
        self.encoded.get_or_init(|| json(&self.event)).clone()
    }
}

/// An event as JSON. Encoding cannot fail: all keys are strings.
pub fn json(event: &StorageEvent) -> Bytes {
    serde_json::to_vec(event).unwrap_or_default().into()
}

/// Hands every storage event to everyone who listens. Nobody holds it up: who is slower than
/// `capacity` events loses some and is told how many.
#[derive(Clone, Debug)]
pub struct EventBus {
    sender: broadcast::Sender<Arc<Published>>,
    count: Arc<Mutex<u64>>,
}

impl EventBus {
    /// A bus that keeps the last `capacity` events for those who are slow.
    pub fn new(capacity: usize) -> Self {
        EventBus { sender: broadcast::channel(capacity).0, count: Arc::default() }
    }

    /// Numbers an event and hands it out.
    pub fn publish(&self, event: impl Into<EventDraft>) -> Arc<Published> {
        let EventDraft { event, covered, .. } = event.into();
        // The lock is held while sending, so that listeners see the numbers in order.
        let mut count = self.lock();
        *count += 1;
        let published = Arc::new(Published {
            sequence: *count,
            at: crate::journal::now(),
            event,
            covered,
            encoded: OnceLock::new(),
        });
        // An error means that nobody listens.
        let _ = self.sender.send(published.clone());
        published
    }

    /// Listens from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Published>> {
        self.sender.subscribe()
    }

    /// Number of events published so far.
    pub fn count(&self) -> u64 {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
