//! Entries in the forms in which `journalctl` writes them: JSON and the export format.

pub mod export;
mod fields;
pub mod json;
pub mod wrapper;

use std::convert::Infallible;

use jiff::tz::TimeZone;

use super::found::Found;
use super::rules::Rules;
use super::text::wall::Wall;
use crate::journal::{Entry, Position};

/// An entry that is being read.
#[derive(Debug, Default)]
pub struct Record {
    entry: Entry,
    position: Position,
}

impl Record {
    /// Sets a field.
    pub fn set(&mut self, name: &[u8], value: &[u8]) {
        let text = || String::from_utf8_lossy(value).into_owned();
        match name {
            b"__CURSOR" => self.position.cursor = text(),
            b"_BOOT_ID" => self.position.boot_id = text(),
            b"__REALTIME_TIMESTAMP" => self.position.realtime = Entry::number(value).unwrap_or(0),
            b"__MONOTONIC_TIMESTAMP" => self.position.monotonic = Entry::number(value).unwrap_or(0),
            _ => self.entry.set(name, value),
        }
    }

    /// Fills in what a copy may lack: the time under which another program stored it, and the facility, which only the kernel's own
    /// entries may be without.
    pub fn complete(&mut self, time: Option<Wall>) {
        if self.position.realtime == 0 && self.entry.source_realtime.is_empty() {
            let time = time.and_then(|wall| wall.micros_since_epoch(u64::MAX >> 2, &TimeZone::UTC));
            self.position.realtime = time.unwrap_or(0);
        }
    }

    /// What rules match in it; see [`Found::entry`]. If no rule matches a text of several lines as a whole, each line is tried.
    pub fn found(mut self, rules: &Rules, line: u64, lines: u64) -> Vec<Found> {
        if self.entry.transport == b"kernel" {
            if self.entry.identifier.is_empty() {
                self.entry.identifier = b"kernel".to_vec();
            }
            // A copy may contain some of the fields only.
            if self.entry.facility.is_empty() && self.entry.identifier == b"kernel" {
                self.entry.facility = b"0".to_vec();
            }
        }
        let one = |entry: &Entry| {
            let Ok(found) = Found::entry(rules, entry, || Ok::<_, Infallible>(self.position.clone()));
            found.map(|found| Found { line, lines, ..found })
        };
        if let Some(found) = one(&self.entry) {
            return vec![found];
        }
        if memchr::memchr(b'\n', &self.entry.message).is_none() {
            return Vec::new();
        }
        let texts = self.entry.message.split(|byte| *byte == b'\n').take(MAX_LINES_IN_ENTRY);
        let mut all: Vec<Found> =
            texts.filter_map(|text| one(&Entry { message: text.to_vec(), ..self.entry.clone() })).collect();
        all.iter_mut().skip(1).for_each(|found| found.further = true);
        all
    }
}

/// Number of lines of one entry that are examined.
const MAX_LINES_IN_ENTRY: usize = 1000;
