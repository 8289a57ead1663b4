//! Every event from now on, once: from the event bus, and from the journal what the bus dropped
//! because its reader was too slow.

use std::sync::Arc;

use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, mpsc};

use crate::bus::{EventBus, Published};
use crate::event::StorageEvent;
use crate::store::access::{BatchResult, StoreAccess};

/// What a subscriber gets.
#[derive(Debug)]
pub enum Delivery {
    /// An event from the bus.
    Live(Arc<Published>),
    /// Events that had to be read from the journal.
    Stored(Vec<StorageEvent>),
    /// So many events are lost for this subscriber: they are not in the journal.
    Lost(u64),
}

/// A subscriber's end.
#[derive(Debug)]
pub struct Subscription {
    live: broadcast::Receiver<Arc<Published>>,
    store: Option<StoreAccess>,
    /// For whom events are read from the journal.
    uid: u32,
    /// Number of the last event delivered, and when it was published.
    seen: u64,
    seen_at: u64,
    /// The first event after a gap.
    next: Option<Arc<Published>>,
    gap: Option<Gap>,
}

/// Events being read from the journal.
#[derive(Debug)]
struct Gap {
    last: u64,
    missing: u64,
    batches: Option<mpsc::Receiver<BatchResult>>,
}

impl Subscription {
    /// Subscribes for a user; without `store` what the bus drops is lost.
    pub fn new(bus: &EventBus, store: Option<StoreAccess>, uid: u32) -> Self {
        let live = bus.subscribe();
        let now = crate::journal::now();
        Subscription { live, store, uid, seen: bus.count(), seen_at: now, next: None, gap: None }
    }

    /// Number of the last event published before.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Waits for what comes next; `None`: nothing will come any more. May be cancelled.
    pub async fn next(&mut self) -> Option<Delivery> {
        loop {
            if let Some(gap) = &mut self.gap {
                match gap.next().await {
                    Some(events) => return Some(Delivery::Stored(events)),
                    None => {
                        if let Some(lost) = self.end_gap() {
                            return Some(lost);
                        }
                    }
                }
            }
            if let Some(event) = self.next.take() {
                if let Some(delivery) = self.deliver(event) {
                    return Some(delivery);
                }
                continue;
            }
            match self.live.recv().await {
                Ok(event) => self.next = Some(event),
                Err(RecvError::Lagged(_)) => self.begin_gap(),
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// What waits already on the bus.
    pub fn try_next(&mut self) -> Option<Delivery> {
        while self.gap.is_none() {
            match self.next.take().map_or_else(|| self.live.try_recv(), Ok) {
                Ok(event) => {
                    if let Some(delivery) = self.deliver(event) {
                        return Some(delivery);
                    }
                }
                Err(TryRecvError::Lagged(_)) => self.begin_gap(),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return None,
            }
        }
        None
    }

    /// An event, unless it was delivered already.
    fn deliver(&mut self, event: Arc<Published>) -> Option<Delivery> {
        if event.sequence <= self.seen {
            return None;
        }
        (self.seen, self.seen_at) = (event.sequence, event.at);
        Some(Delivery::Live(event))
    }

    /// The bus dropped events: those up to the next one it still has are read from the journal.
    fn begin_gap(&mut self) {
        let next = loop {
            match self.live.try_recv() {
                Ok(event) => break event,
                Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        };
        let last = next.sequence.saturating_sub(1);
        let missing = last.saturating_sub(self.seen);
        self.next = Some(next);
        if missing > 0 {
            let read = |store: &StoreAccess| store.of_this_run(self.seen + 1, last, self.seen_at, self.uid);
            self.gap = Some(Gap { last, missing, batches: self.store.as_ref().map(read) });
        }
    }

    fn end_gap(&mut self) -> Option<Delivery> {
        let gap = self.gap.take()?;
        self.seen = self.seen.max(gap.last);
        (gap.missing > 0).then_some(Delivery::Lost(gap.missing))
    }
}

impl Gap {
    async fn next(&mut self) -> Option<Vec<StorageEvent>> {
        match self.batches.as_mut()?.recv().await? {
            Ok(events) => {
                self.missing = self.missing.saturating_sub(events.len() as u64);
                Some(events)
            }
            Err(e) => {
                tracing::warn!("cannot read back events for a slow reader: {e}");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: u64) -> StorageEvent {
        let mut event: StorageEvent =
            serde_json::from_str(include_str!("../tests/fixtures/event.json")).unwrap();
        event.event_id = id.to_string();
        event
    }

    #[tokio::test]
    async fn what_is_not_stored_is_counted_as_lost() {
        let bus = EventBus::new(4);
        let mut subscription = Subscription::new(&bus, None, 0);
        (1..=10).for_each(|id| drop(bus.publish(event(id))));
        let mut seen = Vec::new();
        drop(bus);
        while let Some(delivery) = subscription.next().await {
            match delivery {
                Delivery::Lost(count) => seen.push(format!("lost {count}")),
                Delivery::Live(published) => seen.push(published.event.event_id.clone()),
                Delivery::Stored(_) => panic!("nothing is stored"),
            }
        }
        assert_eq!(seen, ["lost 6", "7", "8", "9", "10"]);
    }
}
