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
pub struct NotifierContext {
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
    context: NotifierContext,
    board: Arc<Board>,
    slots: BTreeMap<String, Slot>,
}

/// The slot of one notifier. It remains when the notifier is removed from the configuration, so that one with the same name
/// starts only after the old one has stopped.
#[derive(Debug)]
struct Slot {
    keeper: Arc<Keeper>,
    status: Arc<Status>,
    target: watch::Sender<TargetState>,
    supervisor: JoinHandle<()>,
}

/// What the configuration asks of a notifier.
#[derive(Clone, Debug, PartialEq)]
enum TargetState {
    Run(Box<Configured>),
    /// It is not configured.
    Nothing,
    /// The daemon ends. What waits may be worked off for so long.
    End(Duration),
}

impl Notifiers {
    /// None runs yet.
    pub fn new(context: NotifierContext) -> Self {
        Notifiers { context, board: Arc::default(), slots: BTreeMap::new() }
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
            slot.set_target(TargetState::Nothing);
        }
        position::remove_others(&self.context.directory, is_configured);
        let mut listed = Vec::new();
        for configured in configured {
            let slot = match self.slots.entry(configured.name.clone()) {
                Entry::Occupied(slot) => {
                    self.context.begin(&slot.get().keeper, &slot.get().status).await;
                    slot.into_mut()
                }
                Entry::Vacant(place) => {
                    let slot = Slot::start(&configured.name, &self.context).await;
                    place.insert(slot)
                }
            };
            slot.status.set_kind(configured.kind.name);
            listed.push(slot.status.clone());
            slot.set_target(TargetState::Run(Box::new(configured)));
        }
        self.board.set(listed);
    }

    /// Ends all, each when the item at hand is done or its time is over; those that work off what waits have so long. The
    /// store must have ended.
    pub async fn end(self, work_off: Duration) {
        self.slots.values().for_each(|slot| slot.set_target(TargetState::End(work_off)));
        for slot in self.slots.into_values() {
            let _ = slot.supervisor.await;
            slot.keeper.save(true).await;
        }
    }
}

impl Slot {
    async fn start(name: &str, context: &NotifierContext) -> Self {
        let (keeper, status) = (Keeper::load(&context.directory, name), Status::new(name));
        context.begin(&keeper, &status).await;
        let (target, changes) = watch::channel(TargetState::Nothing);
        // It listens before this returns: where nothing is stored, the first event would be lost.
        let feed = Some(context.feed(&keeper, &status));
        let work =
            Supervised { context: context.clone(), keeper: keeper.clone(), status: status.clone(), feed };
        Slot { keeper, status, target, supervisor: tokio::spawn(work.supervise(changes)) }
    }

    fn set_target(&self, target: TargetState) {
        let change = |old: &mut TargetState| {
            let changed = *old != target;
            *old = target;
            changed
        };
        self.target.send_if_modified(change);
    }
}

impl NotifierContext {
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
    context: NotifierContext,
    keeper: Arc<Keeper>,
    status: Arc<Status>,
    /// For the first run.
    feed: Option<Feed>,
}

impl Supervised {
    async fn supervise(mut self, mut target: watch::Receiver<TargetState>) {
        let mut ran = false;
        // Until no request can arrive any more.
        while target.has_changed().is_ok() {
            let now = target.borrow_and_update().clone();
            match now {
                TargetState::End(_) => return,
                TargetState::Nothing => {
                    if std::mem::take(&mut ran) {
                        self.keeper.forget();
                    }
                    if target.changed().await.is_err() {
                        return;
                    }
                }
                TargetState::Run(configured) => {
                    ran = true;
                    self.run(&configured, &mut target).await;
                }
            }
        }
    }

    /// Runs the notifier until its settings change or it must stop.
    async fn run(&mut self, configured: &Configured, target: &mut watch::Receiver<TargetState>) {
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
                let _ = target.changed().await;
                return;
            }
            changed = target.changed() => changed,
        };
        let (stop_as, timeout) = match (changed, &*target.borrow()) {
            (Ok(()), TargetState::End(work_off)) if works_off => (Stop::AtEnd, *work_off),
            (Ok(()), TargetState::Run(_) | TargetState::Nothing) => (Stop::Now, STOP_TIMEOUT),
            (Ok(()), TargetState::End(_)) | (Err(_), _) => (Stop::AtEnd, STOP_TIMEOUT),
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
        let feed = self.feed.take().unwrap_or_else(|| self.context.feed(&self.keeper, &self.status));
        let (keeper, status) = (self.keeper.clone(), self.status.clone());
        Inbox::new(feed, configured.filter.compile(), keeper, status, stop, works_off)
    }
}
