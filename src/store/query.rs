//! Serves stored events, ordered by (timestamp, event_id).
//!
//! Events are stored in the order they were found, which in a catch-up is not that of their
//! time. So a query first collects keys and cursors (small, at most `CHUNK` at a time), then
//! reads the events they lead to.

use std::collections::{BTreeMap, HashSet};

use super::early;
use super::fields;
use super::filter::Filter;
use super::stored::Stored;
use super::trust::Trust;
use crate::event::StorageEvent;
use crate::journal::{Error, Location, Reader, EVENT_VALUE};

/// Keys collected in one pass over the journal.
const CHUNK: usize = 65_536;
/// Events handed over at a time.
pub const BATCH: usize = 64;
/// Slack of a search by time, µs: an event may seem to be stored so much earlier than it happened. Events for
/// which it is (about) more, because the clock was set back in between, carry [`fields::STORED_EARLY`] and are
/// searched for by that.
pub const SKEW: u64 = 60_000_000;

/// Order of the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Ascending.
    OldestFirst,
    /// Descending.
    NewestFirst,
}

/// Place of an event in the order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Its time, µs since the epoch.
    pub timestamp: u64,
    /// Its identifier.
    pub event_id: String,
}

impl Key {
    /// The key of an event.
    pub fn of(event: &StorageEvent) -> Self {
        Key { timestamp: event.timestamp, event_id: event.event_id.clone() }
    }

    /// As text, for a client to hand back.
    pub fn to_cursor(&self) -> String {
        format!("{}:{}", self.timestamp, self.event_id)
    }

    /// From the text; `None` when it is none of ours.
    pub fn from_cursor(cursor: &str) -> Option<Self> {
        let (timestamp, event_id) = cursor.split_once(':')?;
        Some(Key { timestamp: timestamp.parse().ok()?, event_id: event_id.to_owned() })
    }
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Query {
    /// Which events.
    pub filter: Filter,
    /// In which order.
    pub order: Order,
    /// Only events behind this one.
    pub after: Option<Key>,
    /// At most so many.
    pub limit: Option<u64>,
    /// Of this daemon run, only events up to this sequence number.
    pub up_to: Option<(String, u64)>,
}

/// Answers a query, handing over batches until `take` says false. Blocks: it reads files.
pub fn run(
    location: &Location,
    trust: &Trust,
    query: &Query,
    take: &mut dyn FnMut(Vec<StorageEvent>) -> bool,
) -> Result<(), Error> {
    let mut left = query.limit.unwrap_or(u64::MAX);
    let mut after = query.after.clone();
    let mut stored = Stored::default();
    let mut readers = Readers::open(location, trust, &query.filter)?;
    while left > 0 {
        // What the index cannot tell apart is filtered afterwards, so that more is needed.
        let chunk = match query.filter.is_indexed() {
            true => usize::try_from(left).unwrap_or(CHUNK).min(CHUNK),
            false => CHUNK,
        };
        let keys = collect(&mut readers, trust, query, after.as_ref(), chunk, &mut stored)?;
        let exhausted = keys.len() < chunk;
        let mut batch = Vec::with_capacity(BATCH.min(keys.len()));
        for (key, cursor) in in_order(keys, query.order) {
            readers.all.seek_cursor(&cursor)?;
            if readers.all.step()? && stored.read(&mut readers.all, trust) {
                batch.extend(stored.event().filter(|event| query.filter.matches(event)));
            }
            after = Some(key);
            if batch.len() as u64 >= left {
                break;
            }
            if batch.len() >= BATCH {
                left = left.saturating_sub(batch.len() as u64);
                if !take(std::mem::take(&mut batch)) {
                    return Ok(());
                }
            }
        }
        left = left.saturating_sub(batch.len() as u64);
        if !batch.is_empty() && !take(batch) {
            return Ok(());
        }
        if exhausted {
            break;
        }
    }
    Ok(())
}

/// The journal, with journald's index set to the candidates of a query.
struct Readers {
    /// All of them.
    all: Reader,
    /// Those that a search by time does not find.
    early: Reader,
}

impl Readers {
    fn open(location: &Location, trust: &Trust, filter: &Filter) -> Result<Self, Error> {
        let mut all = Reader::open(location, EVENT_VALUE)?;
        filter.add_matches(&mut all, trust)?;
        let early = early::open(location, |reader| filter.add_matches(reader, trust))?;
        Ok(Readers { all, early })
    }
}

/// The first `chunk` keys behind `after`, with the cursor of each event's last copy.
fn collect(
    readers: &mut Readers,
    trust: &Trust,
    query: &Query,
    after: Option<&Key>,
    chunk: usize,
    stored: &mut Stored,
) -> Result<BTreeMap<Key, String>, Error> {
    let passed = after.filter(|_| query.order == Order::OldestFirst).map(|key| key.timestamp);
    let mut keys = BTreeMap::new();
    let mut collect =
        |reader: &mut Reader| collect_from(reader, trust, query, after, chunk, stored, &mut keys);
    match query.filter.since.max(passed) {
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

/// Adds the keys from where the reader stands on, and keeps the first `chunk`.
fn collect_from(
    reader: &mut Reader,
    trust: &Trust,
    query: &Query,
    after: Option<&Key>,
    chunk: usize,
    stored: &mut Stored,
    keys: &mut BTreeMap<Key, String>,
) -> Result<(), Error> {
    while reader.step()? {
        if !stored.read(reader, trust) || !query.filter.in_time(stored.timestamp) {
            continue;
        }
        let too_new = |(run, last): &(String, u64)| stored.run == *run && stored.sequence > *last;
        if query.up_to.as_ref().is_some_and(too_new) {
            continue;
        }
        let key = Key { timestamp: stored.timestamp, event_id: std::mem::take(&mut stored.event_id) };
        let behind = after.is_none_or(|after| match query.order {
            Order::OldestFirst => key > *after,
            Order::NewestFirst => key < *after,
        });
        if behind {
            keys.insert(key, reader.cursor()?);
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

fn in_order(keys: BTreeMap<Key, String>, order: Order) -> Box<dyn Iterator<Item = (Key, String)>> {
    match order {
        Order::OldestFirst => Box::new(keys.into_iter()),
        Order::NewestFirst => Box::new(keys.into_iter().rev()),
    }
}

/// Events of one daemon run.
#[derive(Clone, Debug)]
pub struct Range {
    /// The run.
    pub run: String,
    /// Number of the first event.
    pub first: u64,
    /// Number of the last.
    pub last: u64,
    /// When the first was published at the earliest, µs since the epoch.
    pub since: u64,
}

impl Range {
    fn len(&self) -> usize {
        usize::try_from((self.last + 1).saturating_sub(self.first)).unwrap_or(usize::MAX)
    }
}

/// Hands over the events of a range in batches, as they were stored, until `take` says false.
/// Blocks: it reads files.
pub fn of_run(
    location: &Location,
    trust: &Trust,
    range: &Range,
    take: &mut dyn FnMut(Vec<StorageEvent>) -> bool,
) -> Result<(), Error> {
    let mut reader = Reader::open(location, EVENT_VALUE)?;
    trust.add_matches(&mut reader)?;
    reader.match_and()?;
    reader.match_add(fields::RUN, &range.run)?;
    let mut seen = HashSet::new();
    reader.seek_realtime(range.since.saturating_sub(SKEW))?;
    if take_range(&mut reader, trust, range, &mut seen, take)? && seen.len() < range.len() {
        // The clock was set back since: they lie before that time.
        reader.seek_head()?;
        take_range(&mut reader, trust, range, &mut seen, take)?;
    }
    Ok(())
}

/// Hands over the events not yet `seen` from where the reader stands on. False: no more are wanted.
fn take_range(
    reader: &mut Reader,
    trust: &Trust,
    range: &Range,
    seen: &mut HashSet<u64>,
    take: &mut dyn FnMut(Vec<StorageEvent>) -> bool,
) -> Result<bool, Error> {
    let mut stored = Stored::default();
    let mut batch = Vec::with_capacity(BATCH);
    while seen.len() < range.len() && reader.step()? {
        let wanted = stored.read(reader, trust)
            && (range.first..=range.last).contains(&stored.sequence)
            && seen.insert(stored.sequence);
        batch.extend(wanted.then(|| stored.event()).flatten());
        if batch.len() >= BATCH && !take(std::mem::take(&mut batch)) {
            return Ok(false);
        }
    }
    Ok(take(batch))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back() {
        let key = Key { timestamp: 7, event_id: "a-b".into() };
        assert_eq!(Key::from_cursor(&key.to_cursor()), Some(key));
        assert_eq!(Key::from_cursor("nonsense"), None);
    }
}
