//! The items for a notifier, one after the other, and their outcome.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::feed::{Fed, Feed};
use super::filter::Compiled;
use super::position::{Keeper, SavedPlace};
use super::status::Status;
use crate::bus::Published;

/// Pause after the first failure; each further one doubles it …
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// … up to this.
const MAX_PAUSE: Duration = Duration::from_secs(300);

/// What a notifier is given.
#[derive(Clone, Debug)]
pub enum Item {
    /// Something happened.
    Event(Arc<Published>),
    /// This number of events is lost for the notifier: they are not stored, and it was too slow. The log and the counters show it
    /// already.
    Lost(u64),
}

/// Whether a notifier is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// No.
    Never,
    /// The daemon ends: what waits can be read from the journal by the next one.
    AtEnd,
    /// Its settings changed.
    Now,
}

/// A notifier's items.
#[derive(Debug)]
pub struct Inbox {
    feed: Feed,
    filter: Compiled,
    keeper: Arc<Keeper>,
    status: Arc<Status>,
    stop: watch::Receiver<Stop>,
    /// It works off what waits when the daemon ends.
    works_off: bool,
    /// Where it is with what was handed out.
    place: SavedPlace,
    /// Items in flight: events, and those of them that came from the journal.
    out: (u64, u64),
    failing: bool,
}

impl Inbox {
    /// The items behind the keeper's place.
    pub(super) fn new(
        feed: Feed,
        filter: Compiled,
        keeper: Arc<Keeper>,
        status: Arc<Status>,
        stop: watch::Receiver<Stop>,
        works_off: bool,
    ) -> Self {
        let place = keeper.place();
        Inbox { feed, filter, keeper, status, stop, works_off, place, out: (0, 0), failing: false }
    }

    /// The notifier's name.
    pub fn name(&self) -> &str {
        &self.status.name
    }

    /// Waits for the next item; `None`: the notifier is to end. May be cancelled.
    pub async fn next(&mut self) -> Option<Item> {
        loop {
            let stop = *self.stop.borrow_and_update();
            let wait = match stop {
                Stop::Never => true,
                Stop::AtEnd if self.works_off || !self.feed.is_stored() => false,
                Stop::AtEnd | Stop::Now => return None,
            };
            let fed = tokio::select! {
                biased;
                fed = self.feed.next(wait) => fed?,
                changed = self.stop.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return None,
                },
            };
            if let Some(item) = self.take(fed).await {
                return Some(item);
            }
        }
    }

    /// The next item if it is there already: to work on many at once.
    pub async fn next_waiting(&mut self) -> Option<Item> {
        loop {
            let fed = self.feed.next(false).await?;
            if let Some(item) = self.take(fed).await {
                return Some(item);
            }
        }
    }

    /// Marks all items so far as delivered: they are not repeated, whatever happens.
    pub async fn delivered(&mut self) {
        self.status.delivered.add(self.out.0);
        self.done().await;
        if std::mem::replace(&mut self.failing, false) {
            tracing::info!("notifier {}: delivery works again", self.status.name);
        }
    }

    /// The item cannot be delivered, now or later.
    pub async fn refused(&mut self, why: &str) {
        self.status.failed.increment();
        self.status.set_error(why.to_owned());
        tracing::error!("notifier {}: {why}; this event is not delivered", self.status.name);
        self.done().await;
    }

    /// Something is wrong, and the item at hand is still being worked on.
    pub fn report(&self, what: &str) {
        self.status.set_error(what.to_owned());
        tracing::warn!("notifier {}: {what}", self.status.name);
    }

    /// An attempt failed, the first one or a later one of the same item. Waits until it should be tried again; false: the
    /// notifier is to end.
    pub async fn failed(&mut self, why: &str, attempt: u32) -> bool {
        let pause = pause(attempt);
        self.failing = true;
        self.status.failed.increment();
        self.status.set_error(why.to_owned());
        tracing::warn!("notifier {}: {why}; trying again in {} s", self.status.name, pause.as_secs());
        self.feed.park();
        tokio::select! {
            () = tokio::time::sleep(pause) => true,
            _ = self.stop.wait_for(|stop| *stop != Stop::Never) => false,
        }
    }

    /// Takes note of what was fed; an event that the filter leaves out is done.
    async fn take(&mut self, fed: Fed) -> Option<Item> {
        self.place = fed.place;
        let from_journal = u64::from(fed.from_journal);
        match fed.what {
            Ok(published) if self.filter.matches(&published.event) => {
                self.out = (self.out.0 + 1, self.out.1 + from_journal);
                Some(Item::Event(published))
            }
            Ok(_) => {
                self.out.1 += from_journal;
                if self.out.0 == 0 {
                    self.move_on();
                    self.keeper.save_sometimes().await;
                }
                None
            }
            Err(lost) => {
                tracing::error!("notifier {}: {lost} events are lost: they are not stored, and it was too slow (save_to_journald = true keeps them)", self.status.name);
                self.status.lost.add(lost);
                Some(Item::Lost(lost))
            }
        }
    }

    async fn done(&mut self) {
        self.move_on();
        self.keeper.save(false).await;
    }

    fn move_on(&mut self) {
        let (_, from_journal) = std::mem::take(&mut self.out);
        (0..from_journal).for_each(|_| self.status.done_from_journal());
        if let Some(mark) = self.place.mark {
            self.status.done_up_to(mark);
        }
        self.keeper.set(self.place.clone());
    }
}

/// How long to wait after an attempt.
fn pause(attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(1).min(16);
    FIRST_PAUSE.saturating_mul(1 << doublings).min(MAX_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_five_minutes() {
        let seconds = [1, 2, 3, 8, 9, 10, 1000, u32::MAX].map(|attempt| pause(attempt).as_secs());
        assert_eq!(seconds, [1, 2, 4, 128, 256, 300, 300, 300]);
    }
}
