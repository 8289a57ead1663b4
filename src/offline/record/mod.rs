//! Entries in the forms in which `journalctl` writes them: JSON and the export format.

pub mod export;
pub mod json;

use std::convert::Infallible;

use super::found::Found;
use super::rules::Rules;
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

    /// What it is good for; see [`Found::entry`].
    pub fn found(mut self, rules: &Rules, line: u64, lines: u64) -> Option<Found> {
        if self.entry.identifier.is_empty() && self.entry.transport == b"kernel" {
            self.entry.identifier = b"kernel".to_vec();
        }
        let Ok(found) = Found::entry(rules, &self.entry, || Ok::<_, Infallible>(self.position));
        found.map(|found| Found { line, lines, ..found })
    }
}
