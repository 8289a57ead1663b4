//! Quickly determines whether a journal has storage events.

use std::time::{Duration, Instant};

use crate::collector::early::FirstStarts;
use crate::collector::provenance;
use crate::journal::{self, Entry, Error, Location, Reader};
use crate::rules::RuleSet;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbeResult {
    /// Entries read.
    pub entries: u64,
    /// Entries that are storage events.
    pub events: u64,
    /// The time ran out before the end.
    pub incomplete: bool,
}

/// Reads a journal (of the local one, the present boot) for at most `limit`. `None`: it holds
/// no entry that this user may read.
pub fn probe(location: &Location, rules: &RuleSet, limit: Duration) -> Result<Option<ProbeResult>, Error> {
    let end = Instant::now() + limit;
    let mut reader = Reader::open(location, journal::LOG_VALUE)?;
    if !reader.is_readable()? {
        return Ok(None);
    }
    reader.seek_head()?;
    if location.is_local() {
        match journal::first_of_boot(location)? {
            Some(cursor) => reader.seek_cursor(&cursor)?,
            None => return Ok(Some(ProbeResult { entries: 0, events: 0, incomplete: false })),
        }
    }
    let mut early = FirstStarts::new(location.clone());
    let mut entry = Entry::default();
    let mut found = ProbeResult { entries: 0, events: 0, incomplete: false };
    while reader.step()? {
        entry.read(&mut reader);
        found.entries += 1;
        if let Some(rule) = rules.find(&entry.identifier, &entry.message) {
            let believed = provenance::is_trusted_for(&entry, rule)
                || rule.writer.is_none() && early.is_early(&entry, &reader.position()?)?;
            found.events += u64::from(believed);
        }
        if Instant::now() > end {
            found.incomplete = true;
            break;
        }
    }
    Ok(Some(found))
}
