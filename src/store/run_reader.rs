//! Reads the events of one daemon run again, for those who missed them.

use super::batch::{Batch, Reading};
use super::fields;
use super::query::SKEW;
use super::stored::Stored;
use super::trust::Trust;
use crate::event::StorageEvent;
use crate::journal::{Error, Location, Reader, EVENT_VALUE};

/// Maximum number of events that are searched for in one pass over the journal: 64 KiB of marks.
const SLICE: u64 = 1 << 19;

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

/// The events of a range, as they were stored.
#[derive(Debug)]
pub struct RunReader {
    location: Location,
    trust: Trust,
    range: Range,
    slice: Slice,
    place: SeekTo,
    stored: Stored,
    /// When the last event found was stored, µs since the epoch.
    found_at: u64,
}

/// Where to continue reading.
#[derive(Debug)]
enum SeekTo {
    /// From the time before which no event of the slice was published.
    Time,
    /// From the beginning: the clock has been set back, and the events are before that time.
    Head,
    /// Behind the entry of this cursor; `true`: of the pass from the beginning.
    Behind(String, bool),
}

impl RunReader {
    /// Reads nothing yet.
    pub fn new(location: Location, trust: Trust, range: Range) -> Self {
        let (slice, found_at) = (Slice::of(&range), range.since);
        let stored = Stored::default();
        RunReader { location, trust, range, slice, place: SeekTo::Time, stored, found_at }
    }

    fn open(&self) -> Result<Reader, Error> {
        let mut reader = Reader::open(&self.location, EVENT_VALUE)?;
        self.trust.add_matches(&mut reader)?;
        reader.match_and()?;
        reader.match_add(fields::RUN, &self.range.run)?;
        match &self.place {
            SeekTo::Time => reader.seek_realtime(self.range.since.saturating_sub(SKEW))?,
            SeekTo::Head => reader.seek_head()?,
            SeekTo::Behind(cursor, _) => reader.seek_cursor(cursor)?,
        }
        Ok(reader)
    }

    /// Events not yet found, from the reader's position on, until a batch is full or the journal ends.
    fn read(&mut self, reader: &mut Reader) -> Result<(Batch<StorageEvent>, bool), Error> {
        let mut batch = Batch::default();
        let mut ended = false;
        while !batch.is_full() && self.slice.missing > 0 {
            if !reader.step()? {
                ended = true;
                break;
            }
            let wanted = self.stored.read(reader, &self.trust) && self.slice.take(self.stored.sequence);
            if wanted {
                self.found_at = reader.realtime()?;
                batch.add(self.stored.event(), self.stored.json.len());
            }
        }
        if !ended && batch.is_full() {
            let from_head = matches!(self.place, SeekTo::Head | SeekTo::Behind(_, true));
            self.place = SeekTo::Behind(reader.cursor()?, from_head);
        }
        Ok((batch, ended))
    }

    /// What comes when the reader has ended or has found all of the slice. False: nothing.
    fn turn(&mut self) -> bool {
        let from_head = matches!(self.place, SeekTo::Head | SeekTo::Behind(_, true));
        if self.slice.missing > 0 && !from_head {
            self.place = SeekTo::Head;
            return true;
        }
        self.range.first = self.slice.first + self.slice.length;
        self.range.since = self.range.since.max(self.found_at);
        (self.slice, self.place) = (Slice::of(&self.range), SeekTo::Time);
        self.slice.missing > 0
    }
}

impl Reading for RunReader {
    type Files = Reader;
    type Item = StorageEvent;

    fn next_batch(&mut self, files: &mut Option<Reader>) -> Result<Option<Vec<StorageEvent>>, Error> {
        if self.slice.missing == 0 {
            return Ok(None);
        }
        loop {
            let reader = match files.as_mut() {
                Some(reader) => reader,
                None => files.insert(self.open()?),
            };
            let (batch, ended) = self.read(reader)?;
            let goes_on = !ended && self.slice.missing > 0;
            let more = goes_on || {
                *files = None;
                self.turn()
            };
            if !batch.events.is_empty() {
                return Ok(Some(batch.events));
            }
            if !more {
                return Ok(None);
            }
        }
    }

    fn park(&mut self) {
        self.stored = Stored::default();
    }
}

/// Which numbers of a range were found.
#[derive(Debug)]
struct Slice {
    first: u64,
    length: u64,
    missing: u64,
    found: Vec<u64>,
}

impl Slice {
    /// The first numbers of a range.
    fn of(range: &Range) -> Self {
        let length = (range.last + 1).saturating_sub(range.first).min(SLICE);
        let words = usize::try_from(length.div_ceil(64)).unwrap_or_default();
        Slice { first: range.first, length, missing: length, found: vec![0; words] }
    }

    /// Notes a number. False: it does not belong here, or was found before.
    fn take(&mut self, number: u64) -> bool {
        let Some(place) = number.checked_sub(self.first).filter(|place| *place < self.length) else {
            return false;
        };
        let word = usize::try_from(place / 64).ok().and_then(|word| self.found.get_mut(word));
        let bit = 1 << (place % 64);
        let Some(word) = word.filter(|word| **word & bit == 0) else { return false };
        *word |= bit;
        self.missing -= 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_taken_once() {
        let range = |first, last| Range { run: String::new(), first, last, since: 0 };
        let mut slice = Slice::of(&range(10, 200));
        let taken = [9, 10, 10, 73, 74, 200, 201, 200].map(|number| slice.take(number));
        assert_eq!(taken, [false, true, false, true, true, true, false, false]);
        assert_eq!(slice.missing, 191 - 4);
        assert_eq!(Slice::of(&range(1, u64::MAX - 1)).missing, SLICE);
        assert_eq!(Slice::of(&range(5, 4)).missing, 0);
    }
}
