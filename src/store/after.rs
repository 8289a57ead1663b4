//! Reads the stored events after a given one, in journal order: for notifiers, whose queue is the journal.

use super::stored::Stored;
use super::trust::Trust;
use crate::event::StorageEvent;
use crate::journal::{EntryKey, Error, Location, Reader, EVENT_VALUE};

/// Most events in a page.
const MAX_EVENTS: usize = 256;
/// Size at which a page is full: bytes of JSON.
const FULL: usize = 512 * 1024;

/// A stored event and where it is.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its number in the run that stored it.
    pub sequence: u64,
    /// The event.
    pub event: StorageEvent,
    /// journald's cursor.
    pub cursor: String,
}

/// Some of the events behind a cursor.
#[derive(Debug, Default)]
pub struct Page {
    /// The next ones.
    pub entries: Vec<Entry>,
    /// There are no more.
    pub end: bool,
    /// The event of the cursor is still in the journal.
    pub found: bool,
    /// Events that cannot be decoded.
    pub damaged: u64,
}

/// The first events behind a cursor, which may be that of any journal entry. Blocks.
///
/// # Errors
/// The journal cannot be read.
pub fn read(location: &Location, trust: &Trust, cursor: &str) -> Result<Page, Error> {
    let (mut page, mut stored, mut bytes) = (Page::default(), Stored::default(), 0);
    let mut events = Events::open(location, trust, cursor)?;
    while page.entries.len() < MAX_EVENTS && bytes < FULL {
        let Some(cursor) = events.next()? else {
            page.end = true;
            break;
        };
        if !stored.read(&mut events.reader, trust) {
            continue;
        }
        match stored.event() {
            Some(event) => {
                bytes += stored.json.len();
                page.entries.push(Entry { sequence: stored.sequence, event, cursor });
            }
            None => page.damaged += 1,
        }
    }
    page.found = events.found;
    Ok(page)
}

/// How many events there are behind a cursor. Blocks.
///
/// # Errors
/// The journal cannot be read.
pub fn count(location: &Location, trust: &Trust, cursor: &str) -> Result<u64, Error> {
    let mut events = Events::open(location, trust, cursor)?;
    let mut count = 0;
    while events.next()?.is_some() {
        count += 1;
    }
    Ok(count)
}

struct Events {
    reader: Reader,
    /// Where reading begins; `None` behind it.
    begin: Option<EntryKey>,
    found: bool,
}

impl Events {
    fn open(location: &Location, trust: &Trust, cursor: &str) -> Result<Self, Error> {
        let mut reader = Reader::open(location, EVENT_VALUE)?;
        trust.add_matches(&mut reader)?;
        reader.seek_cursor(cursor)?;
        Ok(Events { reader, begin: EntryKey::parse(cursor), found: false })
    }

    /// The cursor of the next event but the one of the cursor itself.
    fn next(&mut self) -> Result<Option<String>, Error> {
        while self.reader.step()? {
            let cursor = self.reader.cursor()?;
            let begin = self.begin.take();
            match EntryKey::parse(&cursor).zip(begin) {
                Some((at, begin)) if at.same_entry(&begin) => self.found = true,
                _ => return Ok(Some(cursor)),
            }
        }
        Ok(None)
    }
}
