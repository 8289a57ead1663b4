//! The store, which the configuration can switch on and off while the daemon runs.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::DaemonError;
use crate::bus::{EventBus, Outbox, Watermark};
use crate::collector::{AlreadyStored, CollectorError};
use crate::counters::Counters;
use crate::journal::Location;
use crate::store::access::StoreAccess;
use crate::store::readback::StartAt;
use crate::store::trust::Trust;
use crate::store::{readback, socket, EventOutput, Store, ToStore};

/// How long journald may take to process what was sent to it before the start.
const JOURNALD_TIMEOUT: Duration = Duration::from_secs(30);

/// What the store shares with the rest.
#[derive(Clone)]
pub struct Parts {
    /// Events.
    pub events: EventBus,
    /// Events that are stored, for notifiers.
    pub outbox: Outbox,
    /// What is counted.
    pub counters: Arc<Counters>,
    /// Where a restart resumes.
    pub watermark: Watermark,
}

/// The switch.
pub struct StoreSwitch {
    parts: Parts,
    /// For the parsers.
    pub sink: EventOutput,
    /// How stored events are read; `None` while they are not stored.
    pub access: watch::Sender<Option<StoreAccess>>,
    store: Option<JoinHandle<()>>,
}

impl StoreSwitch {
    /// Off.
    pub fn new(parts: Parts) -> Self {
        let sink = EventOutput::new(parts.events.clone(), parts.outbox.clone());
        StoreSwitch { parts, sink, access: watch::channel(None).0, store: None }
    }

    /// Switches it `on` or off. Events stored `from` somewhere on are looked at when it is switched on; what they cover is
    /// returned.
    pub async fn apply(&mut self, on: bool, from: StartAt) -> Result<AlreadyStored, DaemonError> {
        match (on, self.store.is_some()) {
            (true, false) => {
                let started = start_store(from, &self.sink, &self.parts).await?;
                self.store = Some(started.task);
                self.access.send_replace(Some(started.access));
                self.sink.switch_on(started.sender);
                Ok(started.already_stored)
            }
            (false, true) => {
                self.sink.switch_off();
                self.access.send_replace(None);
                // It exits by itself once all its events are confirmed.
                self.store = None;
                Ok(AlreadyStored::default())
            }
            _ => Ok(AlreadyStored::default()),
        }
    }

    /// Stops the store once all its events are confirmed. The parsers must have stopped.
    pub async fn end(mut self) {
        self.sink.switch_off();
        if let Some(store) = self.store.take() {
            let _ = store.await;
        }
    }
}

struct StartedStore {
    sender: mpsc::Sender<ToStore>,
    already_stored: AlreadyStored,
    access: StoreAccess,
    task: JoinHandle<()>,
}

/// Reads back the stored events and starts the store.
async fn start_store(from: StartAt, sink: &EventOutput, parts: &Parts) -> Result<StartedStore, DaemonError> {
    let mut journald = socket::JournalSocket::new(socket::PATH.as_ref());
    if !journald.is_there() {
        return Err(DaemonError::NoJournald);
    }
    // What a killed daemon sent last must be in the journal before it is searched for.
    if !journald.drain(JOURNALD_TIMEOUT).await {
        tracing::warn!(
            "journald does not read what is sent to it; events of the last run may be stored twice"
        );
    }
    if let StartAt::Cursor(cursor) = &from {
        parts.watermark.stored_before(cursor.clone());
    }
    let run = uuid::Uuid::new_v4().simple().to_string();
    let (trust, location) = (Trust::here(), Location::Local);
    let reading = {
        let (location, run, trust) = (location.clone(), run.clone(), trust.clone());
        tokio::task::spawn_blocking(move || readback::start(location, from, run, trust))
    };
    let (already_stored, follower) = reading.await.map_err(|e| CollectorError::Thread(e.to_string()))??;
    let (store, handle) = Store::new(
        socket::PATH.as_ref(),
        sink,
        parts.events.clone(),
        follower,
        parts.counters.clone(),
        parts.watermark.clone(),
    );
    let task = tokio::spawn(store.run());
    let access = StoreAccess::new(location, trust, run, handle.settled, parts.counters.clone());
    Ok(StartedStore { sender: handle.sender, already_stored, access, task })
}
