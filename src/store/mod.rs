//! Writes events into journald and confirms each by reading it back.
//!
//! [`encode`] makes the entry, [`socket`] sends it, [`readback`] sees it in the journal. Only
//! then are its tickets closed. [`query`] serves stored events; [`trust`] distinguishes Peripety's
//! events from forged ones; [`after`] continues after a stored event.

pub mod access;
pub mod after;
mod batch;
mod cursor;
mod early;
pub mod encode;
pub mod fields;
pub mod filter;
mod format;
pub mod query;
pub mod readback;
mod run_reader;
pub mod socket;
pub mod stored;
pub mod trust;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::bus::{Beat, EventBus, Outbox, Published, Ticket, Watermark};
use crate::counters::Counters;
use crate::event::{EventDraft, Severity};
use readback::{CaughtUp, Confirmation, Waker};
use socket::JournalSocket;

/// Events that may wait for the store.
const QUEUE: usize = 256;
/// Events that may be sent and not yet confirmed.
const WINDOW: usize = 1024;
/// How long journald has to show an event it has read, by attempt.
const CONFIRM_TIMEOUTS: [Duration; 5] = [
    Duration::from_secs(5),
    Duration::from_secs(5),
    Duration::from_secs(8),
    Duration::from_secs(16),
    Duration::from_secs(28),
];
/// How long reopening the journal and reading it to its end usually takes at most.
const REOPEN: Duration = Duration::from_millis(500);
/// How long the last events have to be confirmed when the daemon ends.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// An event for the store; its tickets are done when it is confirmed.
#[derive(Debug)]
pub struct StoreEvent {
    /// The event.
    pub published: Arc<Published>,
    /// Tickets of the entries it was made from.
    pub tickets: Vec<Arc<Ticket>>,
}

/// What comes to the store.
#[derive(Debug)]
pub enum ToStore {
    /// An event.
    Event(StoreEvent),
    /// A sign of life to be dropped.
    Beat(Arc<Beat>),
}

/// Where parsers hand their events. Clones share the switch.
#[derive(Clone, Debug)]
pub struct EventOutput {
    bus: EventBus,
    outbox: Outbox,
    store: Arc<RwLock<Option<mpsc::Sender<ToStore>>>>,
    waiting: Arc<AtomicBool>,
}

impl EventOutput {
    /// Publishes only, until switched on.
    pub fn new(bus: EventBus, outbox: Outbox) -> Self {
        EventOutput { bus, outbox, store: Arc::default(), waiting: Arc::default() }
    }

    /// Has events stored from now on.
    pub fn switch_on(&self, store: mpsc::Sender<ToStore>) {
        *self.store.write().unwrap_or_else(PoisonError::into_inner) = Some(store);
    }

    /// Stores no event from now on.
    pub fn switch_off(&self) {
        *self.store.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Whether the store is blocked because journald accepts or shows nothing.
    pub fn waits_for_journald(&self) -> bool {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Hands on a sign of life.
    pub async fn beat(&self, beat: Arc<Beat>) {
        if let Some(store) = self.store() {
            let _ = store.send(ToStore::Beat(beat)).await;
        }
    }

    fn store(&self) -> Option<mpsc::Sender<ToStore>> {
        self.store.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Publishes an event and has it stored, waiting while the store is full.
    pub async fn emit(&self, event: EventDraft, tickets: Vec<Arc<Ticket>>) {
        let published = self.bus.publish(event);
        match self.store() {
            None => {
                self.outbox.post(&published, None);
                tickets.iter().for_each(|ticket| ticket.done());
            }
            Some(store) => {
                let event = ToStore::Event(StoreEvent { published, tickets });
                if store.send(event).await.is_err() {
                    tracing::error!("the store has ended: an event is made again after a restart");
                }
            }
        }
    }
}

/// Takes events and returns when each is in the journal.
pub struct Store {
    socket: JournalSocket,
    run: String,
    bus: EventBus,
    outbox: Outbox,
    incoming: mpsc::Receiver<ToStore>,
    confirmations: mpsc::Receiver<Confirmation>,
    waker: Waker,
    caught_up: CaughtUp,
    pending: BTreeMap<u64, Pending>,
    settled: Settled,
    waiting: Arc<AtomicBool>,
    counters: Arc<Counters>,
    watermark: Watermark,
}

struct Pending {
    event: StoreEvent,
    attempt: usize,
    /// The journal must have been read to its end after this.
    shown_by: Instant,
    /// When it is checked next.
    deadline: Instant,
    /// It was also searched for in a reopened journal.
    reopened: bool,
}

/// What the rest of the daemon needs of a running store.
pub struct Handle {
    /// For the sink.
    pub sender: mpsc::Sender<ToStore>,
    /// Every event up to this sequence number is stored, or given up.
    pub settled: watch::Receiver<u64>,
}

impl Store {
    /// A store for `sink` that writes to the journald at `path`.
    pub fn new(
        path: &Path,
        sink: &EventOutput,
        bus: EventBus,
        readback: readback::Follower,
        counters: Arc<Counters>,
        watermark: Watermark,
    ) -> (Self, Handle) {
        let (sender, incoming) = mpsc::channel(QUEUE);
        let (settled, settled_receiver) = watch::channel(0);
        let begun = bus.count() == 0;
        let handle = Handle { sender, settled: settled_receiver };
        let store = Store {
            socket: JournalSocket::new(path),
            run: readback.run,
            bus,
            outbox: sink.outbox.clone(),
            incoming,
            confirmations: readback.confirmations,
            waker: readback.waker,
            pending: BTreeMap::new(),
            settled: Settled { up_to: settled, beyond: BTreeSet::new(), begun },
            caught_up: readback.caught_up,
            waiting: sink.waiting.clone(),
            counters,
            watermark,
        };
        (store, handle)
    }

    /// Works until every [`EventOutput`] is dropped and the last events are confirmed.
    pub async fn run(mut self) {
        let mut deadline: Option<Instant> = None;
        loop {
            if deadline.is_some() && self.pending.is_empty() {
                return;
            }
            self.waiting.store(self.pending.len() >= WINDOW, Ordering::Relaxed);
            let retry = self.pending.values().map(|p| p.deadline).min();
            let wake = [retry, deadline].into_iter().flatten().min();
            tokio::select! {
                // Nothing may be sent again whose confirmation waits here.
                biased;
                Some(confirmation) = self.confirmations.recv() => self.confirm(confirmation),
                () = sleep_until(wake) => {
                    if deadline.is_some_and(|end| end <= Instant::now()) {
                        tracing::warn!(unconfirmed = self.pending.len(), "journald has not confirmed all events; they are looked for at the next start");
                        return;
                    }
                    self.retry().await;
                }
                event = self.incoming.recv(), if deadline.is_none() && self.pending.len() < WINDOW => match event {
                    Some(ToStore::Event(event)) => self.send(event, 0).await,
                    Some(ToStore::Beat(beat)) => drop(beat),
                    None => deadline = Some(Instant::now() + FLUSH_TIMEOUT),
                },
            }
        }
    }

    async fn send(&mut self, event: StoreEvent, attempt: usize) {
        let sequence = event.published.sequence;
        let entry = encode::encode(&event.published, &self.run, crate::journal::now());
        self.waiting.store(true, Ordering::Relaxed);
        let began = Instant::now();
        self.socket.send(&entry).await;
        // While journald read nothing, it could not show the others either.
        let waited = began.elapsed();
        for pending in self.pending.values_mut() {
            pending.shown_by += waited;
            pending.deadline += waited;
        }
        self.waiting.store(false, Ordering::Relaxed);
        self.waker.poke();
        let timeout = CONFIRM_TIMEOUTS.get(attempt).copied().unwrap_or(FLUSH_TIMEOUT);
        self.settled.begin(sequence);
        let shown_by = Instant::now() + timeout;
        self.pending
            .insert(sequence, Pending { event, attempt, shown_by, deadline: shown_by, reopened: false });
    }

    fn confirm(&mut self, confirmation: Confirmation) {
        if let Some(pending) = self.pending.remove(&confirmation.sequence) {
            self.socket.works();
            self.counters.events_stored.increment();
            self.outbox.post(&pending.event.published, Some(&confirmation.cursor));
            self.watermark.stored_at(confirmation.cursor);
            pending.event.tickets.iter().for_each(|ticket| ticket.done());
            self.settled.add(confirmation.sequence);
        }
    }

    /// Sends again what is certainly not in the journal: journald has read it, and the journal was opened again and read
    /// to its end after the time for it was over.
    async fn retry(&mut self) {
        while let Ok(confirmation) = self.confirmations.try_recv() {
            self.confirm(confirmation);
        }
        let now = Instant::now();
        let late: Vec<u64> =
            self.pending.iter().filter(|(_, p)| p.deadline <= now).map(|(n, _)| *n).collect();
        let unread = self.socket.is_behind();
        let looked_at = self.caught_up.at();
        for sequence in late {
            let Some(mut pending) = self.pending.remove(&sequence) else { continue };
            let looked = looked_at.is_some_and(|looked| looked > pending.shown_by.into_std());
            if unread || !looked {
                pending.deadline = now + Duration::from_secs(1);
                if unread {
                    pending.shown_by = pending.deadline;
                }
                self.pending.insert(sequence, pending);
            } else if !std::mem::replace(&mut pending.reopened, true) {
                self.waker.reopen();
                // After the request: what was read to the end before does not count.
                pending.shown_by = Instant::now();
                pending.deadline = pending.shown_by + REOPEN;
                self.pending.insert(sequence, pending);
            } else if pending.attempt + 1 < CONFIRM_TIMEOUTS.len() {
                tracing::warn!(
                    sequence,
                    attempt = pending.attempt + 1,
                    "journald did not keep an event; sending it again"
                );
                self.send(pending.event, pending.attempt + 1).await;
            } else {
                let report = self.give_up(&pending.event.published);
                pending.event.tickets.iter().for_each(|ticket| ticket.done());
                self.settled.add(sequence);
                self.settled.add(report);
            }
        }
    }

    /// Reports an event that journald does not keep. Returns the number of the report, which is
    /// itself only published.
    fn give_up(&self, published: &Arc<Published>) -> u64 {
        let event = &published.event;
        self.counters.events_not_stored.increment();
        tracing::error!(event_id = event.event_id, event_type = event.event_type,
            "journald did not keep an event in {} attempts: check its disk space and LogRateLimitIntervalSec= of peripetyd.service", CONFIRM_TIMEOUTS.len());
        let mut report = event.clone();
        report.event_type = "PERIPETY_EVENT_NOT_STORED".into();
        report.severity = Severity::Error;
        report.sub_system = "peripety".into();
        report.msg = format!("{} was not stored by journald: {}", event.event_type, event.msg);
        report.root_cause_event_id = Some(event.event_id.clone());
        report.event_id = crate::event::event_id(
            &event.boot_id,
            crate::event::EntryTime::Source(event.timestamp),
            format!("not stored: {}", event.event_id).as_bytes(),
            0,
        );
        let report = self.bus.publish(report);
        self.outbox.post(published, None);
        self.outbox.post(&report, None);
        report.sequence
    }
}

/// Which events are stored, or given up.
struct Settled {
    /// All up to this one are.
    up_to: watch::Sender<u64>,
    /// Those behind the first that is not.
    beyond: BTreeSet<u64>,
    /// An event has come: a store that is switched on later does not see the first ones.
    begun: bool,
}

impl Settled {
    fn begin(&mut self, sequence: u64) {
        if !std::mem::replace(&mut self.begun, true) {
            self.up_to.send_replace(sequence.saturating_sub(1));
        }
    }

    fn add(&mut self, sequence: u64) {
        let mut up_to = *self.up_to.borrow();
        if sequence > up_to {
            self.beyond.insert(sequence);
        }
        while self.beyond.remove(&(up_to + 1)) {
            up_to += 1;
        }
        self.up_to.send_replace(up_to);
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_is_still_on_its_way_is_not_settled() {
        let (up_to, receiver) = watch::channel(0);
        let mut settled = Settled { up_to, beyond: BTreeSet::new(), begun: true };
        for (sequence, expected) in [(2, 0), (1, 2), (4, 2), (5, 2), (3, 5)] {
            settled.add(sequence);
            assert_eq!(*receiver.borrow(), expected);
        }
    }

    #[test]
    fn a_store_that_is_switched_on_later_begins_at_its_first_event() {
        let (up_to, receiver) = watch::channel(0);
        let mut settled = Settled { up_to, beyond: BTreeSet::new(), begun: false };
        settled.begin(100);
        settled.begin(101);
        settled.add(100);
        assert_eq!((*receiver.borrow(), settled.beyond.len()), (100, 0));
    }
}
