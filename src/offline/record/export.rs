//! journald's export format: one field per line, a blank line between entries; values with line breaks are preceded by their length
//! (systemd's docs/JOURNAL_EXPORT_FORMATS.md).

use memchr::{memchr, memchr_iter};

use super::Record;
use crate::offline::chunk::Chunk;
use crate::offline::rules::Rules;
use crate::offline::text::count::UnmatchedLines;
use crate::offline::text::ChunkResult;

/// A field: name, value, and the rest of the data. An empty name stands for the blank line after an entry. `None` if the field is not
/// complete.
fn field(data: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let end = memchr(b'\n', data)?;
    let line = data.get(..end)?;
    let rest = data.get(end + 1..)?;
    if line.is_empty() {
        return Some((b"", b"", rest));
    }
    if let Some(at) = memchr(b'=', line) {
        return Some((line.get(..at)?, line.get(at + 1..)?, rest));
    }
    let length = u64::from_le_bytes(rest.get(..8)?.try_into().ok()?);
    let end = usize::try_from(length).ok()?.checked_add(8)?;
    Some((line, rest.get(8..end)?, rest.get(end..)?.strip_prefix(b"\n")?))
}

/// Where the last complete entry ends.
pub fn last_end(data: &[u8]) -> Option<usize> {
    let mut rest = data;
    let mut end = None;
    while let Some((name, _, behind)) = field(rest) {
        rest = behind;
        if name.is_empty() {
            end = Some(data.len() - rest.len());
        }
    }
    end
}

/// The entries that match rules.
pub fn read(rules: &Rules, chunk: &Chunk, unmatched: &UnmatchedLines) -> ChunkResult {
    let mut batch = ChunkResult::default();
    let mut record = Record::default();
    let mut rest = chunk.data.as_slice();
    let (mut first, mut line) = (chunk.first_line, chunk.first_line);
    let mut fields = 0;
    while let Some((name, value, behind)) = field(rest) {
        let taken = rest.get(..rest.len() - behind.len()).unwrap_or_default();
        line += u64::try_from(memchr_iter(b'\n', taken).count()).unwrap_or(0);
        rest = behind;
        if !name.is_empty() {
            record.set(name, value);
            fields += 1;
            continue;
        }
        let lines = line.saturating_sub(first + 1).max(1);
        batch.take(std::mem::take(&mut record), rules, unmatched, (first, lines));
        (first, fields) = (line, 0);
    }
    // The last entry may lack its blank line.
    if fields > 0 {
        batch.take(record, rules, unmatched, (first, line.saturating_sub(first).max(1)));
    }
    batch
}

impl ChunkResult {
    fn take(
        &mut self,
        record: Record,
        rules: &Rules,
        unmatched: &UnmatchedLines,
        (first, lines): (u64, u64),
    ) {
        let (identifier, message) = (&record.entry.identifier, &record.entry.message);
        self.counts.add(record.position.realtime > 0, identifier == b"kernel");
        let text = (unmatched.looks() && rules.knows(identifier)).then(|| message.clone());
        let found = record.found(rules, first, lines);
        if let Some(text) = text.filter(|_| found.is_empty()) {
            self.counts.unmatched(unmatched, first, &text, &text);
        }
        self.found.extend(found);
    }
}
