//! Starts, restarts and stops the notifiers.

use std::collections::btree_map::{BTreeMap, Entry};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};

use super::feed::Feed;
use super::inbox::{Inbox, Stop};
use super::position::{self, Keeper, Position, SavedPlace};
use super::settings::Configured;
use super::status::{Board, Status};
use crate::bus::Outbox;
use crate::store::access::StoreAccess;

/// How long a notifier may work on the current item when its settings change or the daemon stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// What notifiers share with the rest of the daemon.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Events.
    pub outbox: Outbox,
    /// How stored events are read; `None` while they are not stored.
    pub store: watch::Receiver<Option<StoreAccess>>,
    /// The state directory.
    pub directory: PathBuf,
}

/// All notifiers. One that hangs or fails does not delay the others.
#[derive(Debug)]
pub struct Notifiers {
    parts: Parts,
    board: Arc<Board>,
    slots: BTreeMap<String, Slot>,
}

/// The slot of one notifier. It remains when the notifier is removed from the configuration, so that one with the same name
/// starts only after the old one has stopped.
#[derive(Debug)]
struct Slot {
    keeper: Arc<Keeper>,
    status: Arc<Status>,
    wanted: watch::Sender<Wanted>,
    supervisor: JoinHandle<()>,
}

#[derive(Clone, Debug, PartialEq)]
enum Wanted {
    Run(Box<Configured>),
    /// It is not configured.
    Nothing,
    /// The daemon ends. What waits may be worked off for so long.
    End(Duration),
}

impl Notifiers {
    /// None runs yet.
    pub fn new(parts: Parts) -> Self {
        Notifiers { parts, board: Arc::default(), slots: BTreeMap::new() }
    }

    /// What is counted of them.
    pub fn board(&self) -> Arc<Board> {
        self.board.clone()
    }

    /// Runs exactly these. A new notifier starts with new events; one whose settings changed is
    /// restarted, and continues where it was. Does not wait for any of them.
    pub async fn apply(&mut self, configured: Vec<Configured>) {
        let is_configured = |name: &str| configured.iter().any(|configured| configured.name == name);
        for (_, slot) in self.slots.iter().filter(|(name, _)| !is_configured(name)) {
            slot.want(Wanted::Nothing);
        }
        position::remove_others(&self.parts.directory, is_configured);
        let mut listed = Vec::new();
        for configured in configured {
            let slot = match self.slots.entry(configured.name.clone()) {
                Entry::Occupied(slot) => {
                    self.parts.begin(&slot.get().keeper, &slot.get().status).await;
                    slot.into_mut()
                }
                Entry::Vacant(place) => {
                    let slot = Slot::start(&configured.name, &self.parts).await;
                    place.insert(slot)
                }
            };
            slot.status.set_kind(configured.kind.name);
            listed.push(slot.status.clone());
            slot.want(Wanted::Run(Box::new(configured)));
        }
        self.board.set(listed);
    }

    /// Ends all, each when the item at hand is done or its time is over; those that work off what waits have so long. The
    /// store must have ended.
    pub async fn end(self, work_off: Duration) {
        self.slots.values().for_each(|slot| slot.want(Wanted::End(work_off)));
        for slot in self.slots.into_values() {
            let _ = slot.supervisor.await;
            slot.keeper.save(true).await;
        }
    }
}

impl Slot {
    async fn start(name: &str, parts: &Parts) -> Self {
        let (keeper, status) = (Keeper::load(&parts.directory, name), Status::new(name));
        parts.begin(&keeper, &status).await;
        let (wanted, changes) = watch::channel(Wanted::Nothing);
        // It listens before this returns: where nothing is stored, the first event would be lost.
        let feed = Some(parts.feed(&keeper, &status));
        let work = Supervised { parts: parts.clone(), keeper: keeper.clone(), status: status.clone(), feed };
        Slot { keeper, status, wanted, supervisor: tokio::spawn(work.supervise(changes)) }
    }

    fn want(&self, wanted: Wanted) {
        let change = |old: &mut Wanted| {
            let changed = *old != wanted;
            *old = wanted;
            changed
        };
        self.wanted.send_if_modified(change);
    }
}

impl Parts {
    /// A notifier without a position begins behind the newest entry of the journal.
    async fn begin(&self, keeper: &Arc<Keeper>, status: &Status) {
        let store = self.store.borrow().clone();
        let Some(store) = store.filter(|_| keeper.place().position.is_none()) else { return };
        match store.newest(rustix::process::geteuid().as_raw()).await {
            Ok(None) => {}
            Ok(Some(cursor)) => {
                let position = Some(Position { cursor, event_id: None });
                keeper.set(SavedPlace { position, mark: keeper.place().mark });
                keeper.save(false).await;
            }
            Err(e) => tracing::warn!(
                "notifier {}: {e}; until its first event a restart of peripetyd begins anew",
                status.name
            ),
        }
    }

    /// What comes behind the place of a notifier.
    fn feed(&self, keeper: &Keeper, status: &Arc<Status>) -> Feed {
        Feed::new(self.outbox.clone(), self.store.clone(), status.clone(), keeper.place())
    }
}

/// One notifier and its supervisor.
struct Supervised {
    parts: Parts,
    keeper: Arc<Keeper>,
    status: Arc<Status>,
    /// For the first run.
    feed: Option<Feed>,
}

impl Supervised {
    async fn supervise(mut self, mut wanted: watch::Receiver<Wanted>) {
        let mut ran = false;
        // Until no request can arrive any more.
        while wanted.has_changed().is_ok() {
            let now = wanted.borrow_and_update().clone();
            match now {
                Wanted::End(_) => return,
                Wanted::Nothing => {
                    if std::mem::take(&mut ran) {
                        self.keeper.forget();
                    }
                    if wanted.changed().await.is_err() {
                        return;
                    }
                }
                Wanted::Run(configured) => {
                    ran = true;
                    self.run(&configured, &mut wanted).await;
                }
            }
        }
    }

    /// Runs the notifier until its settings change or it must stop.
    async fn run(&mut self, configured: &Configured, wanted: &mut watch::Receiver<Wanted>) {
        let (stop, stopping) = watch::channel(Stop::Never);
        let (notifier, works_off) = (configured.notifier.clone(), configured.notifier.works_off());
        let mut inbox = self.inbox(configured, stopping, works_off);
        let mut running = tokio::spawn(async move { notifier.run(&mut inbox).await });
        let changed = tokio::select! {
            ended = &mut running => {
                if ended.as_ref().is_err_and(JoinError::is_cancelled) {
                    // The daemon ends, and does not wait for it.
                    return;
                }
                let why = ended.map_err(|e| e.to_string()).and_then(|result| result);
                let why = why.err().unwrap_or_else(|| "it has ended".to_owned());
                tracing::error!("notifier {}: {why}; it starts again when its settings change or peripetyd is restarted", self.status.name);
                self.status.set_error(why);
                let _ = wanted.changed().await;
                return;
            }
            changed = wanted.changed() => changed,
        };
        let (stop_as, timeout) = match (changed, &*wanted.borrow()) {
            (Ok(()), Wanted::End(work_off)) if works_off => (Stop::AtEnd, *work_off),
            (Ok(()), Wanted::Run(_) | Wanted::Nothing) => (Stop::Now, STOP_TIMEOUT),
            (Ok(()), Wanted::End(_)) | (Err(_), _) => (Stop::AtEnd, STOP_TIMEOUT),
        };
        stop.send_replace(stop_as);
        if tokio::time::timeout(timeout, &mut running).await.is_err() {
            tracing::warn!(
                "notifier {}: it did not stop within {} s; the event in flight is delivered again",
                self.status.name,
                timeout.as_secs()
            );
            running.abort();
            let _ = running.await;
        }
    }

    fn inbox(&mut self, configured: &Configured, stop: watch::Receiver<Stop>, works_off: bool) -> Inbox {
        let feed = self.feed.take().unwrap_or_else(|| self.parts.feed(&self.keeper, &self.status));
        let (keeper, status) = (self.keeper.clone(), self.status.clone());
        Inbox::new(feed, configured.filter.compile(), keeper, status, stop, works_off)
    }
}
