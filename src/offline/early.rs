//! Entries that count only if they were written before journald ran ([`crate::collector::early`]), in the order of the input.
//!
//! That is known only at the first "Journal started" of the boot, which comes after them. Until then they are held back together with what
//! was found after them, so that the order is preserved.

use super::found::{Found, Said};
use crate::collector::early::{is_before, Role};

/// Maximum number of held items. An input that goes on for longer without a "Journal started" is a kernel log, which has none.
const MAX_HELD: usize = 4096;

/// Decides on the entries of one input.
#[derive(Debug, Default)]
pub struct Early {
    /// The boot of the entries read now.
    boot_id: String,
    phase: Phase,
    held: Vec<Found>,
}

/// How far the boot has progressed in the input.
#[derive(Debug, Default, PartialEq, Eq)]
enum Phase {
    /// The input does not contain the beginning of the boot.
    #[default]
    Unknown,
    /// After the kernel's first line.
    Began,
    /// journald is running.
    Started,
}

impl Early {
    /// Adds the next item; returns those that are decided, in order.
    pub fn take(&mut self, found: Found) -> Vec<Found> {
        let Said::Entry(entry) = &found.said else { return self.hold_or_pass(found) };
        let (boot_id, received) = (entry.1.boot_id.as_str(), entry.1.monotonic);
        let mut out = Vec::new();
        if boot_id != self.boot_id {
            boot_id.clone_into(&mut self.boot_id);
            out = self.release(None);
            self.phase = Phase::Unknown;
        }
        match found.role {
            Some(Role::Banner) if self.phase == Phase::Unknown => self.phase = Phase::Began,
            Some(Role::Started) => {
                out.extend(self.release(Some(received)));
                self.phase = Phase::Started;
            }
            Some(Role::Tool) if self.phase != Phase::Began => return out,
            _ => {}
        }
        out.extend(self.hold_or_pass(found));
        out
    }

    /// Ends the input: held entries of tools are dropped.
    pub fn end(mut self) -> Vec<Found> {
        self.release(None)
    }

    fn hold_or_pass(&mut self, found: Found) -> Vec<Found> {
        if found.role != Some(Role::Tool) && self.held.is_empty() {
            return vec![found];
        }
        self.held.push(found);
        if self.held.len() < MAX_HELD {
            return Vec::new();
        }
        self.phase = Phase::Unknown;
        self.release(None)
    }

    /// Releases what is held, including entries of tools that are older than this time.
    fn release(&mut self, started: Option<u64>) -> Vec<Found> {
        let is_early = |found: &Found| match (&found.said, started) {
            (Said::Entry(entry), Some(started)) => is_before(&entry.0, entry.1.monotonic, started),
            _ => false,
        };
        let mut held = std::mem::take(&mut self.held);
        held.retain(|found| found.role != Some(Role::Tool) || is_early(found));
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Entry, Position};

    fn found(role: Option<Role>, line: u64) -> Found {
        let mut entry = Entry::default();
        entry.set(b"_SOURCE_MONOTONIC_TIMESTAMP", line.to_string().as_bytes());
        let position = Position { boot_id: "b".into(), monotonic: line, ..Position::default() };
        Found {
            matched: None,
            role,
            line,
            lines: 1,
            further: false,
            heading: None,
            said: Said::Entry(Box::new((entry, position))),
        }
    }

    fn lines(found: &[Found]) -> Vec<u64> {
        found.iter().map(|found| found.line).collect()
    }

    #[test]
    fn what_is_held_comes_out_in_its_order() {
        let mut early = Early::default();
        assert_eq!(lines(&early.take(found(Some(Role::Banner), 1))), [1]);
        assert_eq!(lines(&early.take(found(None, 2))), [2]);
        assert!(early.take(found(Some(Role::Tool), 3)).is_empty());
        assert!(early.take(found(None, 4)).is_empty());
        assert_eq!(lines(&early.take(found(Some(Role::Started), 5))), [3, 4, 5]);
        assert!(early.take(found(Some(Role::Tool), 6)).is_empty());
        assert_eq!(lines(&early.take(found(None, 7))), [7]);
        assert!(early.end().is_empty());
    }

    #[test]
    fn what_is_held_is_bounded() {
        let mut early = Early::default();
        let most = u64::try_from(MAX_HELD).unwrap_or_default();
        early.take(found(Some(Role::Banner), 1));
        assert!(early.take(found(Some(Role::Tool), 2)).is_empty());
        let out: Vec<u64> = (3..most + 3).flat_map(|line| lines(&early.take(found(None, line)))).collect();
        assert_eq!(out, (3..most + 3).collect::<Vec<_>>());
        // The start comes too late.
        assert_eq!(lines(&early.take(found(Some(Role::Started), most + 3))), [most + 3]);
    }
}
