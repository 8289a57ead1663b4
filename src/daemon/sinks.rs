//! What the configuration can switch on and off while the daemon runs: the store and the
//! standard output.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::DaemonError;
use crate::bus::{EventBus, Watermark};
use crate::collector::{CollectorError, Coverage};
use crate::config::Main;
use crate::counters::Counters;
use crate::journal::Location;
use crate::notifier;
use crate::store::access::StoreAccess;
use crate::store::readback::From;
use crate::store::trust::Trust;
use crate::store::{readback, socket, Sink, Store, ToStore};
use crate::subscription::Subscription;

/// How long journald may take to read what was sent to it before the start.
const JOURNALD_PATIENCE: Duration = Duration::from_secs(30);

/// What the sinks share with the rest.
#[derive(Clone)]
pub struct Parts {
    /// Events.
    pub events: EventBus,
    /// What is counted.
    pub counters: Arc<Counters>,
    /// Where a restart resumes.
    pub watermark: Watermark,
}

/// The switchable sinks.
pub struct Sinks {
    parts: Parts,
    /// For the parsers.
    pub sink: Sink,
    /// How stored events are read; `None` while they are not stored.
    pub access: watch::Sender<Option<StoreAccess>>,
    store: Option<JoinHandle<()>>,
    stdout: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Sinks {
    /// All off.
    pub fn new(parts: Parts) -> Self {
        let sink = Sink::new(parts.events.clone());
        Sinks { parts, sink, access: watch::channel(None).0, store: None, stdout: None }
    }

    /// Switches as the configuration says. Events stored `from` somewhere on are looked at when
    /// the store is switched on; what they cover is returned.
    pub async fn apply(&mut self, main: &Main, from: From) -> Result<Coverage, DaemonError> {
        let coverage = match (main.save_to_journald, self.store.is_some()) {
            (true, false) => {
                let started = start_store(from, &self.sink, &self.parts).await?;
                self.store = Some(started.task);
                self.access.send_replace(Some(started.access));
                self.sink.switch_on(started.sender);
                started.coverage
            }
            (false, true) => {
                self.sink.switch_off();
                self.access.send_replace(None);
                // It ends by itself when what it has is confirmed.
                self.store = None;
                Coverage::default()
            }
            _ => Coverage::default(),
        };
        match (main.notify_stdout, self.stdout.is_some()) {
            (true, false) => {
                let (end, ended) = oneshot::channel();
                let access = self.access.borrow().clone();
                let subscription =
                    Subscription::new(&self.parts.events, access, rustix::process::geteuid().as_raw());
                self.stdout = Some((end, tokio::spawn(notifier::stdout::run(subscription, ended))));
            }
            (false, true) => self.stdout = None,
            _ => {}
        }
        Ok(coverage)
    }

    /// Ends all, each when it has worked off what it has. The parsers must have ended.
    pub async fn end(mut self) {
        self.sink.switch_off();
        if let Some(store) = self.store.take() {
            let _ = store.await;
        }
        if let Some((end, printing)) = self.stdout.take() {
            drop(end);
            let _ = printing.await;
        }
    }
}

struct StartedStore {
    sender: mpsc::Sender<ToStore>,
    coverage: Coverage,
    access: StoreAccess,
    task: JoinHandle<()>,
}

/// Reads back what is stored already and starts the store.
async fn start_store(from: From, sink: &Sink, parts: &Parts) -> Result<StartedStore, DaemonError> {
    let mut journald = socket::JournalSocket::new(socket::PATH.as_ref());
    if !journald.is_there() {
        return Err(DaemonError::NoJournald);
    }
    // What a killed daemon sent last must be in the journal before it is looked for there.
    if !journald.drain(JOURNALD_PATIENCE).await {
        tracing::warn!(
            "journald does not read what is sent to it; events of the last run may be stored twice"
        );
    }
    if let From::Cursor(cursor) = &from {
        parts.watermark.stored_before(cursor.clone());
    }
    let run = uuid::Uuid::new_v4().simple().to_string();
    let (trust, location) = (Trust::here(), Location::Local);
    let reading = {
        let (location, run, trust) = (location.clone(), run.clone(), trust.clone());
        tokio::task::spawn_blocking(move || readback::start(location, from, run, trust))
    };
    let (coverage, follower) = reading.await.map_err(|e| CollectorError::Thread(e.to_string()))??;
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
    Ok(StartedStore { sender: handle.sender, coverage, access, task })
}
