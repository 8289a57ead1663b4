//! The events for one notifier, each once and in order: from the outbox, and from the journal when it is behind.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, watch};

use super::position::{Position, SavedPlace};
use super::status::Status;
use crate::bus::outbox::{Mark, Posted};
use crate::bus::{Outbox, Published};
use crate::journal::Error;
use crate::store::access::StoreAccess;
use crate::store::after::Entry;

/// Pause after the journal could not be read.
const RETRY: Duration = Duration::from_secs(1);
/// Events that are remembered as handed out: more than the outbox keeps and the store works on.
const REMEMBERED: usize = 8192;

/// What is handed out.
#[derive(Debug)]
pub struct Fed {
    /// The event, or the number of events that are lost for this notifier.
    pub what: Result<Arc<Published>, u64>,
    /// Where the notifier is when this is done.
    pub place: SavedPlace,
    /// It was read from the journal.
    pub from_journal: bool,
}

/// A notifier's end of outbox and journal.
#[derive(Debug)]
pub struct Feed {
    outbox: Outbox,
    store: watch::Receiver<Option<StoreAccess>>,
    status: Arc<Status>,
    /// For whom events are read from the journal.
    uid: u32,
    live: Option<broadcast::Receiver<Arc<Posted>>>,
    /// Where it is with what was handed out.
    place: SavedPlace,
    /// Events read from the journal and not handed out.
    page: VecDeque<Entry>,
    /// The next event of the outbox.
    next: Option<Arc<Posted>>,
    /// The journal holds events behind `place` that are not in `page`.
    behind: bool,
    /// Lost events that were not reported.
    lost: u64,
    recent: Recent,
    /// Nothing was read yet in this run of the daemon.
    first: bool,
    failing: bool,
}

impl Feed {
    /// What comes behind a place; from now on when it has no position.
    pub fn new(
        outbox: Outbox,
        store: watch::Receiver<Option<StoreAccess>>,
        status: Arc<Status>,
        place: SavedPlace,
    ) -> Self {
        let mut feed = Feed {
            outbox,
            store,
            status,
            uid: rustix::process::geteuid().as_raw(),
            live: None,
            behind: false,
            first: place.mark.is_none(),
            place,
            page: VecDeque::new(),
            next: None,
            lost: 0,
            recent: Recent::default(),
            failing: false,
        };
        // At once: what is posted from now on is not missed when there is no journal to read it from.
        feed.subscribe();
        feed
    }

    /// Events that are not taken now can be read from the journal later.
    pub fn is_stored(&self) -> bool {
        self.store.borrow().is_some()
    }

    /// Holds no events, here or in the outbox, until the next call: its notifier is busy for a while.
    pub fn park(&mut self) {
        if self.is_stored() && self.place.position.is_some() {
            (self.live, self.next) = (None, None);
            self.page = VecDeque::new();
        }
    }

    /// Waits for what comes next; if not to `wait`, only for what is there. May be cancelled.
    pub async fn next(&mut self, wait: bool) -> Option<Fed> {
        loop {
            if self.live.is_none() {
                self.subscribe();
            }
            match std::mem::take(&mut self.lost) {
                0 => {}
                lost => return Some(self.fed(Err(lost), false)),
            }
            if let Some(entry) = self.page.pop_front() {
                if let Some(fed) = self.read_entry(entry) {
                    return Some(fed);
                }
            } else if self.behind {
                if !self.read_page().await && !wait {
                    return None;
                }
            } else if let Some(posted) = self.next.take() {
                if let Some(fed) = self.read_posted(&posted) {
                    return Some(fed);
                }
            } else if !self.receive(wait).await {
                return None;
            }
        }
    }

    fn fed(&self, what: Result<Arc<Published>, u64>, from_journal: bool) -> Fed {
        Fed { what, place: self.place.clone(), from_journal }
    }

    /// An event of the journal, unless it was handed out already.
    fn read_entry(&mut self, entry: Entry) -> Option<Fed> {
        let event_id = entry.event.event_id.clone();
        let new = self.recent.is_new(&event_id);
        self.place.position = Some(Position { cursor: entry.cursor, event_id: Some(event_id) });
        if !new {
            self.status.done_from_journal();
        }
        let event = || Arc::new(Published::read_back(entry.sequence, entry.event));
        new.then(event).map(|event| self.fed(Ok(event), true))
    }

    /// An event of the outbox, unless it was read from the journal already.
    fn read_posted(&mut self, posted: &Posted) -> Option<Fed> {
        self.place.mark = Some(posted.mark);
        let event_id = &posted.published.event.event_id;
        if !self.recent.is_new(event_id) {
            self.status.done_up_to(posted.mark);
            return None;
        }
        if let Some(cursor) = posted.cursor.clone() {
            self.place.position = Some(Position { cursor, event_id: Some(event_id.clone()) });
        }
        Some(self.fed(Ok(posted.published.clone()), false))
    }

    /// Listens to the outbox. What was posted since `place` is read from the journal.
    fn subscribe(&mut self) {
        let (mark, live) = self.outbox.subscribe();
        (self.live, self.next) = (Some(live), None);
        self.missed(mark);
        self.behind = self.place.position.is_some();
    }

    /// The outbox has passed by, up to a count.
    fn missed(&mut self, up_to: Mark) {
        let Some(seen) = self.place.mark.replace(up_to) else {
            return self.status.found_in_journal(0, up_to);
        };
        let missing = up_to.number.saturating_sub(seen.number);
        let lost = match self.is_stored() && self.place.position.is_some() {
            true => up_to.unstored.saturating_sub(seen.unstored),
            false => missing,
        };
        self.lost += lost;
        self.behind |= missing > lost;
        self.status.left_to_journal(up_to, lost);
    }

    /// Takes the next event of the outbox. False: there is none, and none will come or shall be waited for.
    async fn receive(&mut self, wait: bool) -> bool {
        self.status.journal_is_done();
        let Some(live) = &mut self.live else { return false };
        let received = match wait {
            true => live.recv().await.map_err(|e| matches!(e, RecvError::Lagged(_))),
            false => live.try_recv().map_err(|e| matches!(e, TryRecvError::Lagged(_))),
        };
        let lagged = matches!(received, Err(true));
        let posted = received.or_else(|_| live.try_recv());
        match posted {
            Ok(posted) => {
                // For stored events this changes nothing.
                if self.place.mark.is_none_or(|mark| mark.number < posted.before().number) {
                    self.missed(posted.before());
                }
                self.next = Some(posted);
                true
            }
            Err(_) => lagged,
        }
    }

    /// Reads the next events from the journal. False: it cannot be read now.
    async fn read_page(&mut self) -> bool {
        let access = self.store.borrow().clone();
        let (Some(access), Some(position)) = (access, self.place.position.clone()) else {
            self.behind = false;
            return true;
        };
        if let Err(e) = self.read_behind(&access, position).await {
            if !std::mem::replace(&mut self.failing, true) {
                let text = format!("cannot read stored events: {e}");
                tracing::warn!("notifier {}: {text}; trying again every second", self.status.name);
                self.status.set_error(text);
            }
            tokio::time::sleep(RETRY).await;
            return false;
        }
        if std::mem::replace(&mut self.failing, false) {
            tracing::info!("notifier {}: stored events can be read again", self.status.name);
        }
        true
    }

    async fn read_behind(&mut self, access: &StoreAccess, position: Position) -> Result<(), Error> {
        let name = &self.status.name;
        if self.first {
            let mark = self.outbox.mark();
            let count = access.count_after(position.cursor.clone(), self.uid).await?;
            self.status.found_in_journal(count, mark);
        }
        let page = access.after(position.cursor, self.uid).await?;
        if self.first && !page.found && position.event_id.is_some() {
            tracing::warn!("notifier {name}: the event at which it stopped is no longer in the journal; events that were removed after it are not delivered: make the journal larger (SystemMaxUse= in journald.conf(5))");
        }
        if page.damaged > 0 {
            tracing::error!("notifier {name}: {} stored events cannot be decoded and are not delivered; check the journal with \"journalctl --verify\"", page.damaged);
            self.status.lost.add(page.damaged);
        }
        (self.first, self.behind) = (false, !page.end);
        self.page = page.entries.into();
        Ok(())
    }
}

/// The events that were handed out last, by identifier: what comes from the journal comes from the outbox, too.
#[derive(Debug, Default)]
struct Recent {
    order: VecDeque<u128>,
    all: HashSet<u128>,
}

impl Recent {
    /// Notes an event. False: it was handed out already.
    fn is_new(&mut self, event_id: &str) -> bool {
        let Ok(id) = uuid::Uuid::try_parse(event_id) else { return true };
        let new = self.all.insert(id.as_u128());
        if new {
            self.order.push_back(id.as_u128());
        }
        if self.order.len() > REMEMBERED {
            self.order.pop_front().map(|oldest| self.all.remove(&oldest));
        }
        new
    }
}
