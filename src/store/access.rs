//! Access to stored events, for queries, monitors and notifiers that fell behind.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, OwnedPermit};
use tokio::sync::watch;

use super::after::{self, Page};
use super::batch::Reading;
use super::query::{Query, Search};
use super::run_reader::{Range, RunReader};
use super::stored::StoredEvent;
use super::trust::Trust;
use crate::counters::Counters;
use crate::event::StorageEvent;
use crate::journal::{with_present_machine_id, Error, Location};
use crate::permits::Permits;

/// Readings of the journal at the same time, and those of one user.
const READINGS: (usize, usize) = (4, 2);
/// Maximum number of batches that wait for their reader.
const QUEUE: usize = 1;
/// How long files stay open and the permit is kept while the reader does not take the next batch.
const GRACE: Duration = Duration::from_millis(100);
/// How long the store may take to settle events that are to be read from it.
const SETTLE: Duration = Duration::from_secs(30);

/// How stored events are read. Clones share the permits.
#[derive(Clone, Debug)]
pub struct StoreAccess {
    location: Location,
    trust: Trust,
    run: String,
    settled: watch::Receiver<u64>,
    permits: Arc<Permits>,
    counters: Arc<Counters>,
}

/// A batch of events, or why there are no more.
pub type BatchResult<I = StorageEvent> = Result<Vec<I>, Error>;

impl StoreAccess {
    /// For the events that the run `run` stores at `location`; every one up to `settled` is.
    pub fn new(
        location: Location,
        trust: Trust,
        run: String,
        settled: watch::Receiver<u64>,
        counters: Arc<Counters>,
    ) -> Self {
        let permits = Permits::new(READINGS.0, READINGS.1);
        StoreAccess { location, trust, run, settled, permits, counters }
    }

    /// Identifier of this run.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Answers a user's query, as fast as its reader takes the batches.
    pub fn query(&self, query: Query, uid: u32) -> mpsc::Receiver<BatchResult<StoredEvent>> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let search = Search::new(self.location.clone(), self.trust.clone(), query, self.counters.clone());
        tokio::spawn(hand_over(search, self.permits.clone(), uid, sender));
        receiver
    }

    /// The events of this run with numbers from `first` to `last`, published since `since` (µs
    /// since the epoch), for a user; waits until they are stored.
    pub fn of_this_run(&self, first: u64, last: u64, since: u64, uid: u32) -> mpsc::Receiver<BatchResult> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let access = self.clone();
        tokio::spawn(async move {
            access.settle(last).await;
            let range = Range { run: access.run, first, last, since };
            let reader = RunReader::new(access.location, access.trust, range);
            hand_over(reader, access.permits, uid, sender).await;
        });
        receiver
    }

    /// The first events behind a cursor, for a user.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub async fn after(&self, cursor: String, uid: u32) -> Result<Page, Error> {
        self.read(uid, move |location, trust| after::read(location, trust, &cursor)).await
    }

    /// How many events there are behind a cursor, for a user.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub async fn count_after(&self, cursor: String, uid: u32) -> Result<u64, Error> {
        self.read(uid, move |location, trust| after::count(location, trust, &cursor)).await
    }

    /// The cursor of the journal's newest entry, whatever it is; `None` when the journal is empty.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub async fn newest(&self, uid: u32) -> Result<Option<String>, Error> {
        self.read(uid, |location, _| crate::journal::newest(location)).await
    }

    /// Reads the journal on a thread that may wait for files.
    async fn read<T: Send + 'static>(
        &self,
        uid: u32,
        work: impl FnOnce(&Location, &Trust) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let permit = self.permits.acquire(uid).await;
        let (location, trust) = (self.location.clone(), self.trust.clone());
        let reading = tokio::task::spawn_blocking(move || {
            let result = with_present_machine_id(|| work(&location, &trust));
            drop(permit);
            result
        });
        reading.await.unwrap_or_else(|e| {
            let (location, operation) = (self.location.to_string(), "start a thread");
            Err(Error::Read { location, operation, cause: std::io::Error::other(e) })
        })
    }

    /// Waits until every event up to this number is stored or given up, or for half a minute.
    pub async fn settle(&self, sequence: u64) {
        let mut settled = self.settled.clone();
        let done = settled.wait_for(|up_to| *up_to >= sequence);
        if tokio::time::timeout(SETTLE, done).await.is_err() {
            tracing::warn!("journald has not stored all events within {SETTLE:?}");
        }
    }
}

/// Reads batch by batch as they are taken. A permit is held, and files are open, only while batches are read: one that
/// nobody takes for [`GRACE`] interrupts the reading.
async fn hand_over<R: Reading>(
    mut reading: R,
    permits: Arc<Permits>,
    uid: u32,
    sender: mpsc::Sender<BatchResult<R::Item>>,
) {
    loop {
        // Nothing is read before there is room for it.
        let Ok(room) = sender.clone().reserve_owned().await else { return };
        let permit = permits.acquire(uid).await;
        let (handle, shared) = (Handle::current(), permits.clone());
        let work = move || {
            let unfinished = read_on(&mut reading, room, &handle, &shared);
            drop(permit);
            unfinished.then_some(reading)
        };
        match tokio::task::spawn_blocking(|| with_present_machine_id(work)).await {
            Ok(Some(parked)) => reading = parked,
            Ok(None) | Err(_) => return,
        }
    }
}

/// Passes on batches. Returns true if the reader did not take one and there may be more.
fn read_on<R: Reading>(
    reading: &mut R,
    room: OwnedPermit<BatchResult<R::Item>>,
    handle: &Handle,
    permits: &Permits,
) -> bool {
    let (mut room, mut files) = (room, None);
    loop {
        let sender = match reading.next_batch(&mut files) {
            Ok(Some(batch)) => room.send(Ok(batch)),
            Ok(None) => return false,
            Err(e) => {
                room.send(Err(e));
                return false;
            }
        };
        let grace = if permits.are_wanted() { Duration::ZERO } else { GRACE };
        match handle.block_on(async { tokio::time::timeout(grace, sender.reserve_owned()).await }) {
            Ok(Ok(next)) => room = next,
            Ok(Err(_)) => return false,
            Err(_) => {
                reading.park();
                return true;
            }
        }
    }
}
