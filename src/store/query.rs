//! Serves stored events, ordered by (timestamp, event_id).
//!
//! Events are stored in the order they were found, which in a catch-up is not that of their
//! time. So a query first collects keys and cursors (small, at most `CHUNK` at a time), then
//! reads the events they refer to. While its reader takes no batch, it keeps few of them and no open file.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use peripety_api::Order;

use super::batch::{Batch, Reading};
use super::cursor::Cursor;
use super::early;
use super::filter::Selection;
use super::stored::{Stored, StoredEvent};
use super::trust::Trust;
use crate::counters::Counters;
use crate::journal::{Error, Location, Reader, EVENT_VALUE};

/// Keys collected in one pass over the journal: about 5 MiB.
const CHUNK: usize = 32_768;
/// Keys kept while the reader takes no batch: about 80 KiB. The others are collected again.
const PARKED: usize = 512;
/// Slack of a search by time, µs: an event may seem to be stored so much earlier than it happened. Events for
/// which it is (about) more, because the clock was set back in between, carry [`STORED_EARLY`](super::fields::STORED_EARLY) and are
/// searched for by that.
pub const SKEW: u64 = 60_000_000;

/// Place of an event in the order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventKey {
    /// Its time, µs since the epoch.
    pub timestamp: u64,
    /// Its identifier.
    pub event_id: String,
}

impl EventKey {
    /// As text, for a client to hand back.
    pub fn to_cursor(&self) -> String {
        format!("{}:{}", self.timestamp, self.event_id)
    }

    /// From the text; `None` when it is none of ours.
    pub fn from_cursor(cursor: &str) -> Option<Self> {
        let (timestamp, event_id) = cursor.split_once(':')?;
        Some(EventKey { timestamp: timestamp.parse().ok()?, event_id: event_id.to_owned() })
    }
}

/// The query.
#[derive(Clone, Debug)]
pub struct Query {
    /// Which events.
    pub selection: Selection,
    /// In which order.
    pub order: Order,
    /// Only events behind this one.
    pub after: Option<EventKey>,
    /// Maximum number of events.
    pub limit: Option<u64>,
    /// Of this daemon run, only events up to this sequence number.
    pub up_to: Option<(String, u64)>,
}

/// A query that is answered batch by batch. Between two batches it can be parked, so that it holds no file.
#[derive(Debug)]
pub struct Search {
    location: Location,
    trust: Trust,
    query: Query,
    /// Number of events still to be returned.
    left: u64,
    /// The keys of the events to be read next, and their cursors.
    keys: VecDeque<(EventKey, Cursor)>,
    /// There are no events after those of `keys`.
    exhausted: bool,
    stored: Stored,
    counters: Arc<Counters>,
}

impl Search {
    /// Reads nothing yet.
    pub fn new(location: Location, trust: Trust, query: Query, counters: Arc<Counters>) -> Self {
        let left = query.limit.unwrap_or(u64::MAX);
        let (keys, stored) = (VecDeque::new(), Stored::default());
        Search { location, trust, query, left, keys, exhausted: false, stored, counters }
    }

    /// Finds the keys of the next events.
    fn collect(&mut self, readers: &mut Readers) -> Result<(), Error> {
        // Some conditions are filtered after the index, so more candidates are needed.
        let chunk = match self.query.selection.is_indexed() {
            true => usize::try_from(self.left).unwrap_or(CHUNK).min(CHUNK),
            false => CHUNK,
        };
        let after = self.query.after.as_ref();
        let keys = collect(readers, &self.trust, &self.query, after, chunk, &mut self.stored)?;
        self.exhausted = keys.len() < chunk;
        self.keys = match self.query.order {
            Order::OldestFirst => keys.into_iter().collect(),
            Order::NewestFirst => keys.into_iter().rev().collect(),
        };
        Ok(())
    }

    /// Reads the events of `keys` until a batch is full.
    fn read(&mut self, readers: &mut Readers) -> Result<Vec<StoredEvent>, Error> {
        let mut batch = Batch::default();
        while !batch.is_full() && (batch.events.len() as u64) < self.left {
            let Some((key, cursor)) = self.keys.pop_front() else { break };
            readers.all.seek_cursor(&cursor.to_string())?;
            if readers.all.step()? && self.stored.read(&mut readers.all, &self.trust) {
                let wanted = self.query.selection.takes(&self.stored);
                let event = if wanted { self.served(&cursor) } else { None };
                batch.add(event, self.stored.json.len());
            }
            self.query.after = Some(key);
        }
        self.left = self.left.saturating_sub(batch.events.len() as u64);
        Ok(batch.events)
    }

    /// The event that was read, as it is served. One that is damaged is left out, and counted.
    fn served(&self, cursor: &Cursor) -> Option<StoredEvent> {
        let event = self.stored.served();
        if event.is_none() {
            self.counters.events_damaged.increment();
            tracing::warn!(
                event_id = self.stored.event_id,
                "a stored event is damaged, and left out of an answer: see journalctl --cursor='{cursor}' -n 1"
            );
        }
        event
    }
}

impl Reading for Search {
    type Files = Readers;
    type Item = StoredEvent;

    fn next_batch(&mut self, files: &mut Option<Readers>) -> Result<Option<Vec<StoredEvent>>, Error> {
        while self.left > 0 && !(self.keys.is_empty() && self.exhausted) {
            let readers = match files.as_mut() {
                Some(readers) => readers,
                None => files.insert(Readers::open(&self.location, &self.trust, &self.query.selection)?),
            };
            if self.keys.is_empty() {
                self.collect(readers)?;
            }
            let batch = self.read(readers)?;
            if !batch.is_empty() {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    fn park(&mut self) {
        self.stored = Stored::default();
        if self.keys.len() > PARKED {
            self.keys.truncate(PARKED);
            self.exhausted = false;
        }
        self.keys.shrink_to_fit();
    }
}

/// The journal, with journald's index set to the candidates of a query.
pub struct Readers {
    /// All of them.
    all: Reader,
    /// Those that a search by time does not find.
    early: Reader,
}

impl Readers {
    fn open(location: &Location, trust: &Trust, selection: &Selection) -> Result<Self, Error> {
        let mut all = Reader::open(location, EVENT_VALUE)?;
        selection.add_matches(&mut all, trust)?;
        let early = early::open(location, |reader| selection.add_matches(reader, trust))?;
        Ok(Readers { all, early })
    }
}

/// The first `chunk` keys behind `after`, with the cursor of each event's last copy.
fn collect(
    readers: &mut Readers,
    trust: &Trust,
    query: &Query,
    after: Option<&EventKey>,
    chunk: usize,
    stored: &mut Stored,
) -> Result<BTreeMap<EventKey, Cursor>, Error> {
    let passed = after.filter(|_| query.order == Order::OldestFirst).map(|key| key.timestamp);
    let mut keys = BTreeMap::new();
    let mut collect =
        |reader: &mut Reader| collect_from(reader, trust, query, after, chunk, stored, &mut keys);
    match query.selection.filter.since.max(passed) {
        Some(since) => {
            readers.early.seek_head()?;
            collect(&mut readers.early)?;
            readers.all.seek_realtime(since.saturating_sub(SKEW))?;
        }
        None => readers.all.seek_head()?,
    }
    collect(&mut readers.all)?;
    Ok(keys)
}

/// Adds the keys from the reader's position on, and keeps the first `chunk`.
fn collect_from(
    reader: &mut Reader,
    trust: &Trust,
    query: &Query,
    after: Option<&EventKey>,
    chunk: usize,
    stored: &mut Stored,
    keys: &mut BTreeMap<EventKey, Cursor>,
) -> Result<(), Error> {
    while reader.step()? {
        if !stored.read(reader, trust) || !query.selection.filter.in_time(stored.timestamp) {
            continue;
        }
        let too_new = |(run, last): &(String, u64)| stored.run == *run && stored.sequence > *last;
        if query.up_to.as_ref().is_some_and(too_new) {
            continue;
        }
        let key = EventKey { timestamp: stored.timestamp, event_id: std::mem::take(&mut stored.event_id) };
        let behind = after.is_none_or(|after| match query.order {
            Order::OldestFirst => key > *after,
            Order::NewestFirst => key < *after,
        });
        if behind {
            keys.insert(key, Cursor::new(reader.cursor()?));
        }
        if keys.len() > chunk {
            match query.order {
                Order::OldestFirst => keys.pop_last(),
                Order::NewestFirst => keys.pop_first(),
            };
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back() {
        let key = EventKey { timestamp: 7, event_id: "a-b".into() };
        assert_eq!(EventKey::from_cursor(&key.to_cursor()), Some(key));
        assert_eq!(EventKey::from_cursor("nonsense"), None);
    }
}
