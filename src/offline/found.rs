//! What a line or record that a rule matched says.

use crate::event::Severity;
use crate::journal::{Entry, Position};
use crate::rules::Matched;

use super::text::stamp::Wall;

/// A line, or a record of several lines, that a rule matched.
#[derive(Debug)]
pub struct Found {
    /// The rule and its captures.
    pub matched: Matched,
    /// Number of its first line, from 1; 0 in a journal file.
    pub line: u64,
    /// How many lines it has.
    pub lines: u64,
    /// What was said of it.
    pub said: Said,
}

/// Who said what, and when.
#[derive(Debug)]
pub enum Said {
    /// A line of text.
    Line(Line),
    /// An entry of a journal.
    Entry(Box<(Entry, Position)>),
}

/// A line of text.
#[derive(Debug, Default)]
pub struct Line {
    /// The message without what stood before it.
    pub message: Vec<u8>,
    /// Who wrote it.
    pub identifier: Vec<u8>,
    /// The host.
    pub host: Option<Vec<u8>>,
    /// syslog level.
    pub level: Option<u8>,
    /// µs since boot.
    pub boot: Option<u64>,
    /// Date and time.
    pub wall: Option<Wall>,
}

impl Line {
    /// The severity of a line whose rule gives none.
    pub fn severity(&self) -> Severity {
        self.level.and_then(Severity::from_level).unwrap_or(Severity::Info)
    }
}
