//! Lines of text.

mod bare;
pub mod clean;
pub mod count;
mod csv;
pub mod date;
mod find;
pub mod head;
pub mod heading;
mod inner;
mod join;
mod mail;
pub mod names;
pub mod near;
pub mod stamp;
pub mod wall;
mod wrapped;

use std::borrow::Cow;

use memchr::memchr;

use super::chunk::Chunk;
use super::found::Found;
use super::record;
use super::rules::Rules;
use super::ties::{Tie, TieFinder};
use crate::journal::LOG_VALUE;
use count::{Counts, Shown, UnmatchedLines};
use find::LineContext;
use head::Head;
use near::Carry;

/// What was found in a chunk.
#[derive(Debug, Default)]
pub struct ChunkResult {
    /// The lines that match rules, in order.
    pub found: Vec<Found>,
    /// The last time, for the next chunk.
    pub carry: Carry,
    /// How much of it was understood.
    pub counts: Counts,
    /// Its lines that name a disk and its address.
    pub ties: Vec<Tie>,
}

/// The lines of a chunk that match rules, in order.
pub fn read(rules: &Rules, chunk: &Chunk, unmatched: &UnmatchedLines) -> ChunkResult {
    let (lines, spans, own) = lines(chunk);
    let known = |name: &[u8]| rules.knows(name);
    let heads: Vec<Head<'_>> = lines.iter().map(|line| head::read(line, &known)).collect();
    let (nearby, carry) = near::all(&heads, own);
    let hosts = near::hosts(&heads);
    let mut batch = ChunkResult { carry, ..ChunkResult::default() };
    let mut ties = TieFinder::default();
    let mut next = 0;
    for (index, (head, line)) in heads.iter().zip(&lines).enumerate().take(own) {
        let number = chunk.first_line + u64::try_from(index).unwrap_or(0);
        let host = hosts.get(index).copied().flatten();
        ties.look(number, head, host);
        batch.counts.count(head, line, number);
        if index < next || line.is_empty() {
            continue;
        }
        let following = heads.get(index + 1..).unwrap_or_default();
        let nearby = nearby.get(index).copied().unwrap_or_default();
        let place = LineContext { rules, head, following, line, writers: &chunk.writers, nearby, host };
        let before = batch.found.len();
        if let Some(json) = record::json::of_line(line) {
            batch.found.extend(record::json::read(rules, json, number, 1));
        } else if let Some(json) = record::json::of_line(head.body).filter(|_| head.headed) {
            // A JSON object after the head of another program.
            let found = record::json::read(rules, json, number, 1);
            batch.found.extend(record::wrapper::with(found, head.wall, head.host));
        } else if let Some(heading) = heading::of(line) {
            batch.found.push(Found::heading(heading));
        } else if let Some(mut one) = place.found() {
            one.line = number;
            next = index + usize::try_from(one.lines).unwrap_or(1);
            one.lines = spans.get(index..next).map_or(one.lines, |spans| spans.iter().sum());
            batch.found.push(one);
        }
        if batch.found.len() == before && head.may_be_storage(&known) {
            batch.counts.unmatched(unmatched, number, head.body, line);
        }
    }
    batch.ties = ties.ties;
    batch
}

/// The events of the lines of an entry, without line numbers.
pub fn read_entry(rules: &Rules, text: &[u8]) -> Vec<Found> {
    let known = |name: &[u8]| rules.knows(name);
    let lines: Vec<Cow<'_, [u8]>> =
        text.split(|byte| *byte == b'\n').take(MAX_LINES_IN_ENTRY).map(clean::line).collect();
    let heads: Vec<Head<'_>> = lines.iter().map(|line| head::read(line, &known)).collect();
    let (nearby, _) = near::all(&heads, heads.len());
    let mut next = 0;
    let read_one = |(index, (head, line)): (usize, (&Head<'_>, &Cow<'_, [u8]>))| {
        if index < next {
            return None;
        }
        let following = heads.get(index + 1..).unwrap_or_default();
        let nearby = nearby.get(index).copied().unwrap_or_default();
        let place = LineContext { rules, head, following, line, writers: &[], nearby, host: None };
        let found = place.found()?;
        next = index + usize::try_from(found.lines).unwrap_or(1);
        Some(found)
    };
    heads.iter().zip(&lines).enumerate().filter_map(read_one).collect()
}

/// Number of lines of one entry that are examined.
const MAX_LINES_IN_ENTRY: usize = 20_000;

/// All lines of a chunk, truncated; the number of lines of the file that each was made of; and how many of them belong to the chunk itself.
fn lines(chunk: &Chunk) -> (Vec<Cow<'_, [u8]>>, Vec<u64>, usize) {
    let (raw, own) = split(chunk);
    if mail::is_quoted(&chunk.data) {
        let (lines, spans) = mail::unquoted(&raw, LOG_VALUE);
        let lines = lines.into_iter().map(|line| match line {
            Cow::Borrowed(line) => clean::line(line),
            Cow::Owned(line) => Cow::Owned(clean::line(&line).into_owned()),
        });
        return (lines.collect(), spans, own);
    }
    (raw.into_iter().map(clean::line).collect(), Vec::new(), own)
}

/// All lines of a chunk, truncated, and how many of them belong to the chunk itself.
fn split(chunk: &Chunk) -> (Vec<&[u8]>, usize) {
    let mut lines = Vec::with_capacity(chunk.data.len() / 80);
    let (mut rest, mut own) = (chunk.data.as_slice(), 0);
    let ahead = chunk.data.len() - chunk.end;
    while !rest.is_empty() {
        own += usize::from(rest.len() > ahead);
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest.get(..end).unwrap_or_default();
        lines.push(line.get(..LOG_VALUE).unwrap_or(line));
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    (lines, own)
}

impl Counts {
    fn count(&mut self, head: &Head<'_>, line: &[u8], number: u64) {
        if line.trim_ascii().is_empty() {
            return;
        }
        let timed = head.boot.is_some() || head.wall.is_some() || head.delta.is_some();
        self.add(timed, head.kernel || head.boot.is_some() && head.tool.is_none());
        if !head.headed && self.first.is_none() {
            self.first = Some(Shown::new(number, line));
        }
    }
}

impl Head<'_> {
    /// Whether the line is from the kernel, a known tool, or an unnamed writer.
    fn may_be_storage(&self, known: &dyn Fn(&[u8]) -> bool) -> bool {
        self.tool.is_none_or(known)
    }
}
