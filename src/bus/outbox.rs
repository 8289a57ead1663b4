//! The outbox: events for notifiers, each when it is stored, in the order of the journal.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;

use super::Published;

/// How many events were posted up to some moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// All of them.
    pub number: u64,
    /// Those that cannot be read from the journal again.
    pub unstored: u64,
}

/// An event in the outbox.
#[derive(Debug)]
pub struct Posted {
    /// The count up to this event, itself included.
    pub mark: Mark,
    /// The event.
    pub published: Arc<Published>,
    /// journald's cursor of the stored event; `None` when it is not stored.
    pub cursor: Option<String>,
}

impl Posted {
    /// The count up to the event before.
    pub fn before(&self) -> Mark {
        Mark {
            number: self.mark.number.saturating_sub(1),
            unstored: self.mark.unstored.saturating_sub(u64::from(self.cursor.is_none())),
        }
    }
}

/// Hands events to notifiers. Nobody holds it up: who is slower than `capacity` events reads from the journal what is
/// stored, and loses the rest.
#[derive(Clone, Debug)]
pub struct Outbox {
    sender: broadcast::Sender<Arc<Posted>>,
    mark: Arc<Mutex<Mark>>,
}

impl Outbox {
    /// An outbox that keeps the last `capacity` events while somebody listens.
    pub fn new(capacity: usize) -> Self {
        Outbox { sender: broadcast::channel(capacity).0, mark: Arc::default() }
    }

    /// Posts an event, with its cursor when it is stored.
    pub fn post(&self, published: &Arc<Published>, cursor: Option<&str>) {
        // The lock is held while sending, so that listeners see the counts in order.
        let mut mark = self.lock();
        mark.number += 1;
        mark.unstored += u64::from(cursor.is_none());
        if self.sender.receiver_count() > 0 {
            let cursor = cursor.map(str::to_owned);
            // An error means that nobody listens any more.
            let _ = self.sender.send(Arc::new(Posted { mark: *mark, published: published.clone(), cursor }));
        }
    }

    /// The present count, and all that is posted after it.
    pub fn subscribe(&self) -> (Mark, broadcast::Receiver<Arc<Posted>>) {
        let mark = self.lock();
        (*mark, self.sender.subscribe())
    }

    /// The present count.
    pub fn mark(&self) -> Mark {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Mark> {
        self.mark.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
