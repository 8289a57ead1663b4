//! Entries as JSON objects: `journalctl -o json`, `json-pretty`, `json-sse`, `json-seq`, `dmesg --json`, and lines of
//! text that another program wrapped ([`super::wrapper`]).

use std::sync::LazyLock;

use memchr::{memchr_iter, memmem};

use super::fields::Fields;
use super::{wrapper, Record};
use crate::offline::chunk::Chunk;
use crate::offline::found::{Found, TextLine};
use crate::offline::rules::Rules;
use crate::offline::text::count::{Counts, UnmatchedLines};
use crate::offline::text::ChunkResult;

/// The JSON object of a line, without the prefixes of json-sse and json-seq.
pub fn of_line(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_prefix(b"data: ").unwrap_or(line);
    let line = line.strip_prefix(b"\x1e").unwrap_or(line).trim_ascii_start();
    let line = line.strip_prefix(b"[").filter(|rest| rest.starts_with(b"{")).unwrap_or(line);
    let line = line.trim_ascii_end();
    let line = line.strip_suffix(b",").unwrap_or(line);
    (line.starts_with(b"{") && line.contains(&b'"')).then_some(line)
}

/// The entries of an object that match rules: one, or one for each line of its text.
pub fn read(rules: &Rules, object: &[u8], line: u64, lines: u64) -> Vec<Found> {
    if !is_wanted(rules, object) {
        return Vec::new();
    }
    let Ok(fields) = serde_json::from_slice::<Fields>(object) else { return Vec::new() };
    if JOURNAL.iter().any(|name| fields.0.contains_key(*name)) {
        let mut record = Record::default();
        fields.0.iter().for_each(|(name, value)| record.set(name.as_bytes(), value));
        record.complete(wrapper::time(&fields));
        return record.found(rules, line, lines);
    }
    match (fields.0.get("msg"), fields.0.contains_key("pri")) {
        (Some(message), true) => of_dmesg(rules, &fields, message, line, lines).into_iter().collect(),
        _ => wrapper::read(rules, &fields, line, lines),
    }
}

/// Fields that only journald sets: an object with one of them is a journal entry.
const JOURNAL: [&str; 4] = ["__CURSOR", "__REALTIME_TIMESTAMP", "_TRANSPORT", "_BOOT_ID"];

/// Whether rules may match the object. For most entries, whose writers have no rules, this is known without parsing the object.
fn is_wanted(rules: &Rules, object: &[u8]) -> bool {
    // Names with escapes are examined.
    identifier(object).is_none_or(|name| name.contains(&b'\\') || rules.knows(name))
}

/// The writer of an entry, as it stands in the text.
fn identifier(object: &[u8]) -> Option<&[u8]> {
    const NAME: &[u8] = b"\"SYSLOG_IDENTIFIER\"";
    static FINDER: LazyLock<memmem::Finder<'_>> = LazyLock::new(|| memmem::Finder::new(NAME));
    let at = FINDER.find(object)?;
    let rest = object.get(at + NAME.len()..)?.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    let value = rest.strip_prefix(b"\"")?;
    value.get(..value.iter().take(256).position(|byte| *byte == b'"')?)
}

/// `{"pri": 6, "time": 12.345678, "msg": "…"}` of dmesg.
fn of_dmesg(rules: &Rules, fields: &Fields, message: &[u8], line: u64, lines: u64) -> Option<Found> {
    let text = |name: &str| std::str::from_utf8(fields.0.get(name)?).ok();
    let level = text("pri").and_then(|text| text.parse::<u8>().ok()).map(|priority| priority & 7);
    let boot = text("time").and_then(|text| {
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let micros: u64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
        seconds.trim().parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(micros)
    });
    let matched = rules.matched(b"kernel", message)?;
    let (message, identifier) = (message.to_vec(), b"kernel".to_vec());
    let said = TextLine { message, identifier, level, boot, ..TextLine::default() };
    Some(Found::line(matched, line, lines, said))
}

/// Deepest nesting of brackets in which entries are searched.
const MAX_OPEN_BRACKETS: usize = 64;

/// The objects of a text that can be entries: beginning, end and depth of each. These are objects that stand alone or in an array; one that is
/// the value of a field belongs to the object around it.
fn objects(data: &[u8]) -> impl Iterator<Item = (usize, usize, usize)> + '_ {
    let (mut open, mut quoted, mut escaped): (Vec<(u8, usize)>, _, _) = (Vec::new(), false, false);
    data.iter().enumerate().filter_map(move |(at, byte)| {
        if quoted {
            quoted = escaped || *byte != b'"';
            escaped = *byte == b'\\' && !escaped;
            return None;
        }
        match byte {
            b'"' => quoted = true,
            b'{' | b'[' if open.len() < MAX_OPEN_BRACKETS => open.push((*byte, at)),
            b'}' | b']' => {
                let (bracket, begin) = open.pop()?;
                let stands_alone = open.last().is_none_or(|(around, _)| *around == b'[');
                return (bracket == b'{' && *byte == b'}' && stands_alone).then_some((
                    begin,
                    at + 1,
                    open.len(),
                ));
            }
            _ => {}
        }
        None
    })
}

/// Where the last complete object ends; only the outermost objects count.
pub fn last_end(data: &[u8]) -> Option<usize> {
    let mut last: Option<(usize, usize)> = None;
    for (_, end, depth) in objects(data) {
        if last.is_none_or(|(_, outer)| depth <= outer) {
            last = Some((end, depth));
        }
    }
    last.map(|(end, _)| end)
}

/// The entries of a chunk of objects that match rules.
pub fn read_all(rules: &Rules, chunk: &Chunk, unmatched: &UnmatchedLines) -> ChunkResult {
    let (mut line, mut counted) = (chunk.first_line, 0);
    let newlines = |begin: usize, end: usize| {
        let part = chunk.data.get(begin..end).unwrap_or_default();
        u64::try_from(memchr_iter(b'\n', part).count()).unwrap_or(0)
    };
    let mut batch = ChunkResult::default();
    for (begin, end, _) in objects(&chunk.data) {
        // An enclosing object begins before those that were read.
        let first = if begin < counted { line } else { line + newlines(counted, begin) };
        let within = newlines(begin, end);
        if begin >= counted {
            line = first + within;
        } else {
            line += newlines(counted, end);
        }
        let first = if begin < counted { line.saturating_sub(within) } else { first };
        counted = end;
        let object = chunk.data.get(begin..end).unwrap_or_default();
        let found = read(rules, object, first, within + 1);
        if found.is_empty() {
            batch.counts.unmatched_object(rules, unmatched, first, object);
        }
        batch.counts.object(object);
        batch.found.extend(found);
    }
    batch
}

impl Counts {
    fn object(&mut self, object: &[u8]) {
        let timed = memmem::find(object, b"TIMESTAMP\"").or_else(|| memmem::find(object, b"time")).is_some();
        self.add(timed, identifier(object) == Some(b"kernel"));
    }

    fn unmatched_object(&mut self, rules: &Rules, unmatched: &UnmatchedLines, line: u64, object: &[u8]) {
        if unmatched.looks() && is_wanted(rules, object) {
            self.unmatched(unmatched, line, object, object);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        objects(text.as_bytes()).filter_map(|(begin, end, _)| text.get(begin..end)).collect()
    }

    #[test]
    fn objects_that_can_be_entries_are_found() {
        let text = r#"{ "dmesg": [ {"msg": "a } \" {"}, {"msg": "b"} ] }"#;
        assert_eq!(found(text).get(..2), Some(&[r#"{"msg": "a } \" {"}"#, r#"{"msg": "b"}"#][..]));
        let nested = r#"{"host": {"name": "h"}, "message": "x"} {"a": 1}"#;
        assert_eq!(found(nested), [r#"{"host": {"name": "h"}, "message": "x"}"#, r#"{"a": 1}"#]);
        assert_eq!(last_end(nested.as_bytes()), Some(nested.len()));
        let cut = r#"{ "dmesg": [ {"msg": "a"}, {"msg": "b"#;
        assert_eq!(last_end(cut.as_bytes()), Some(25));
    }
}
