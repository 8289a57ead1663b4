//! The entries of a recorded journal that rules match.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use peripety_blkinfo::archive::Stream;

use super::ReplayError;
use crate::bus::{RawEvent, Ticket};
use crate::collector::duplicates::DuplicateCounter;
use crate::collector::raw_event;
use crate::event::canonical_sub_system;
use crate::journal::Position;
use crate::offline::chunk::{Chunk, Format};
use crate::offline::early::Early;
use crate::offline::found::{Found, Said};
use crate::offline::record::export;
use crate::offline::rules::Rules;
use crate::offline::text::count::UnmatchedLines;
use crate::rules::rule::Rule;

/// Names that the journal may have.
const NAMES: [&str; 4] = ["journal.export", "journal.export.xz", "journal.export.gz", "journal.export.zst"];

/// An entry that a rule matched.
pub struct Recorded {
    /// As the collector makes it.
    pub raw: RawEvent,
    /// Where it stands in the journal, and when journald received it.
    pub received: Position,
}

/// Reads them in the order of the journal.
pub fn read(directory: &Path, rules: Vec<Arc<Rule>>) -> Result<Vec<Recorded>, ReplayError> {
    let path = NAMES.iter().map(|name| directory.join(name)).find(|path| path.exists());
    let path = path.unwrap_or_else(|| directory.join("journal.export"));
    let data =
        content(&path).map_err(|cause| ReplayError::Journal { path: path.display().to_string(), cause })?;
    let chunk =
        Chunk { format: Format::Export, end: data.len(), data, first_line: 1, writers: Arc::default() };
    let (mut duplicates, mut entries) = (DuplicateCounter::default(), Vec::new());
    let mut early = Early::default();
    let mut believed: Vec<Found> = Vec::new();
    for found in export::read(&Rules::new(rules), &chunk, &UnmatchedLines::default()).found {
        believed.extend(early.take(found));
    }
    believed.extend(early.end());
    for found in believed {
        let (Said::Entry(entry), Some(matched)) = (found.said, found.matched) else { continue };
        let (entry, received) = *entry;
        let happened = raw_event::happened(&entry, &received);
        let (rule, captures) = (matched.rule, matched.captures);
        let raw = RawEvent {
            number: u64::try_from(entries.len()).unwrap_or(u64::MAX),
            sub_system: match captures.get("sub_system") {
                Some(captured) => canonical_sub_system(captured),
                None => rule.sub_system.to_string(),
            },
            severity: rule.severity_at(raw_event::level(&entry)),
            captures,
            event_id: duplicates.event_id(&received.boot_id, happened.identity, &entry.message),
            entry: raw_event::info(&entry, &received, happened),
            ticket: Ticket::detached(),
            rule,
        };
        entries.push(Recorded { raw, received });
    }
    Ok(entries)
}

fn content(path: &Path) -> io::Result<Vec<u8>> {
    let mut data = Vec::new();
    Stream::open(File::open(path)?)?.whole().read_to_end(&mut data)?;
    Ok(data)
}
