//! Reading what is stored: for queries, monitors and notifiers that fell behind.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch, Semaphore};

use super::query::{self, Query};
use super::trust::Trust;
use crate::event::StorageEvent;
use crate::journal::{Error, Location};

/// Readings of the journal at the same time.
const SEATS: usize = 4;
/// Batches that may wait for whoever asked.
const QUEUE: usize = 2;
/// How long the store may take to settle events that are to be read from it.
const SETTLE: Duration = Duration::from_secs(30);

/// How stored events are read. Clones share the seats.
#[derive(Clone, Debug)]
pub struct StoreAccess {
    location: Location,
    trust: Trust,
    run: String,
    settled: watch::Receiver<u64>,
    seats: Arc<Semaphore>,
}

/// A batch of events, or why there are no more.
pub type Batch = Result<Vec<StorageEvent>, Error>;

impl StoreAccess {
    /// For the events that the run `run` stores at `location`; every one up to `settled` is.
    pub fn new(location: Location, trust: Trust, run: String, settled: watch::Receiver<u64>) -> Self {
        StoreAccess { location, trust, run, settled, seats: Arc::new(Semaphore::new(SEATS)) }
    }

    /// Identifier of this run.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Answers a query, no faster than the batches are taken.
    pub fn query(&self, query: Query) -> mpsc::Receiver<Batch> {
        self.read(move |access, take| query::run(&access.location, &access.trust, &query, take))
    }

    /// The events of this run with numbers from `first` to `last`, published since `since` (µs
    /// since the epoch); waits until they are stored.
    pub fn of_this_run(&self, first: u64, last: u64, since: u64) -> mpsc::Receiver<Batch> {
        let range = query::Range { run: self.run.clone(), first, last, since };
        let (access, (sender, receiver)) = (self.clone(), mpsc::channel(QUEUE));
        tokio::spawn(async move {
            access.settle(last).await;
            let mut batches =
                access.read(move |access, take| query::of_run(&access.location, &access.trust, &range, take));
            while let Some(batch) = batches.recv().await {
                if sender.send(batch).await.is_err() {
                    return;
                }
            }
        });
        receiver
    }

    /// Waits until every event up to this number is stored or given up, or for half a minute.
    pub async fn settle(&self, sequence: u64) {
        let mut settled = self.settled.clone();
        let done = settled.wait_for(|up_to| *up_to >= sequence);
        if tokio::time::timeout(SETTLE, done).await.is_err() {
            tracing::warn!("journald has not stored all events within {SETTLE:?}");
        }
    }

    /// Runs `work` on a thread of its own when there is a seat for it.
    fn read(
        &self,
        work: impl FnOnce(&StoreAccess, &mut dyn FnMut(Vec<StorageEvent>) -> bool) -> Result<(), Error>
            + Send
            + 'static,
    ) -> mpsc::Receiver<Batch> {
        let (access, (sender, receiver)) = (self.clone(), mpsc::channel(QUEUE));
        tokio::spawn(async move {
            let Ok(_seat) = access.seats.clone().acquire_owned().await else { return };
            let work = move || {
                let mut take = |batch| sender.blocking_send(Ok(batch)).is_ok();
                if let Err(e) = work(&access, &mut take) {
                    let _ = sender.blocking_send(Err(e));
                }
            };
            let _ = tokio::task::spawn_blocking(work).await;
        });
        receiver
    }
}
