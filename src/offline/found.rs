//! A line or record that a rule matched.

use crate::collector::early::{self, Role};
use crate::collector::provenance;
use crate::event::Severity;
use crate::journal::{Entry, Position};
use crate::rules::Matched;

use super::rules::Rules;
use super::text::heading::Heading;
use super::text::near::Nearby;
use super::text::wall::Wall;

/// A line, or a record of several lines, that a rule matched or that has a role.
#[derive(Debug)]
pub struct Found {
    /// The rule and its captures; an entry that only has a role may have none.
    pub matched: Option<Matched>,
    /// Its role at the beginning of its boot.
    pub role: Option<Role>,
    /// Number of its first line, from 1; 0 in a journal file.
    pub line: u64,
    /// Its number of lines.
    pub lines: u64,
    /// Another event of the same entry.
    pub further: bool,
    /// What journalctl prints between entries.
    pub heading: Option<Heading>,
    /// What was said of it.
    pub said: Said,
}

impl Found {
    /// From a line of text.
    pub fn line(matched: Matched, line: u64, lines: u64, said: TextLine) -> Self {
        Found {
            matched: Some(matched),
            role: None,
            line,
            lines,
            further: false,
            heading: None,
            said: Said::Line(Box::new(said)),
        }
    }

    /// The kernel's first line of a boot.
    pub fn boot(said: TextLine) -> Self {
        let role = Some(Role::Banner);
        Found {
            matched: None,
            role,
            line: 0,
            lines: 1,
            further: false,
            heading: None,
            said: Said::Line(Box::new(said)),
        }
    }

    /// A line between entries.
    pub fn heading(heading: Heading) -> Self {
        let said = Said::Line(Box::default());
        Found { matched: None, role: None, line: 0, lines: 1, further: false, heading: Some(heading), said }
    }

    /// Only a catch-all rule matched it.
    pub fn is_vague(&self) -> bool {
        self.matched.as_ref().is_some_and(|matched| matched.rule.catch_all)
    }

    /// Sets the device of the kernel's record.
    pub fn set_kernel_device(&mut self, device: &[u8]) {
        if let Said::Line(line) = &mut self.said {
            line.kernel_device = Some(String::from_utf8_lossy(device).into_owned());
        }
    }

    /// Of an entry, if a rule matches it and its writer is, or may be, the one that it names, or if it has a role.
    /// `at`: its position.
    pub fn entry<E>(
        rules: &Rules,
        entry: &Entry,
        at: impl FnOnce() -> Result<Position, E>,
    ) -> Result<Option<Self>, E> {
        let role = early::role(entry);
        let may_be_written = |matched: &Matched| {
            // A copy without the fields that journald sets does not show where it comes from.
            entry.transport.is_empty()
                || provenance::is_trusted_for(entry, &matched.rule)
                || role == Some(Role::Tool) && matched.rule.writer.is_none()
        };
        let matched = rules.matched(&entry.identifier, &entry.message).filter(may_be_written);
        if matched.is_none() && matches!(role, None | Some(Role::Tool)) {
            return Ok(None);
        }
        let said = Said::Entry(Box::new((entry.clone(), at()?)));
        Ok(Some(Found { matched, role, line: 0, lines: 0, further: false, heading: None, said }))
    }
}

/// Who said what, and when.
#[derive(Debug)]
pub enum Said {
    /// A line of text.
    Line(Box<TextLine>),
    /// An entry of a journal.
    Entry(Box<(Entry, Position)>),
}

/// A line of text.
#[derive(Debug, Default)]
pub struct TextLine {
    /// The message without its head.
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
    /// The lines whose time it gets if it has none.
    pub nearby: Nearby,
    /// The device in the kernel's record: `b8:16`, `+scsi:2:0:0:1`.
    pub kernel_device: Option<String>,
}

impl TextLine {
    /// The level at which the line was logged; Info if it is unknown.
    pub fn severity(&self) -> Severity {
        self.level.and_then(Severity::from_level).unwrap_or(Severity::Info)
    }
}
