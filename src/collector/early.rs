//! Lines that PID 1 and its helpers logged before journald started.
//!
//! Until journald runs, systemd and what it starts (udevd, dracut, mdadm, lvm) write to `/dev/kmsg`. Such an entry looks like one
//! that a user had forwarded to the kernel log: `_TRANSPORT=kernel`, a tool's identifier, no `_UID`. What distinguishes them
//! is the time at which they were logged. journald first reads the kernel's log buffer, then logs its "Journal started", and
//! accepts connections only after that. So a line that was there before the boot's first "Journal started" was written by
//! root, and is believed.
//!
//! journald may be restarted, and the beginning of a boot may be vacuumed: the first "Journal started" that is left may
//! be a later one. Files are vacuumed from the oldest on, so the first one is known to be there exactly if the kernel's first
//! line is. An initramfs may run a journald of its own; then its start counts, and nothing after it is believed.

use crate::journal::{self, Entry, Error, Location, Position};

/// The kernel prints its version (init/main.c: start_kernel) within this time of its clock, µs. A process cannot
/// print such a line this early.
const BANNER_BY: u64 = 1_000_000;
/// What that line begins with (init/version-timestamp.c: linux_banner).
pub const BANNER: &[u8] = b"Linux version ";
/// Lines that some architectures print before it.
const BEFORE_BANNER: usize = 64;

/// What an entry means for the beginning of its boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The kernel's first line.
    Banner,
    /// A "Journal started" of journald.
    Started,
    /// A tool's line in the kernel's log.
    Tool,
}

/// The part that an entry plays; `None` for all others.
pub fn role(entry: &Entry) -> Option<Role> {
    if entry.transport == b"driver" {
        return (entry.message_id == journal::STARTED.as_bytes()).then_some(Role::Started);
    }
    if entry.transport != b"kernel" {
        return None;
    }
    match entry.identifier.as_slice() {
        b"kernel" => is_banner(entry).then_some(Role::Banner),
        b"systemd-journald" | b"peripetyd" => None,
        _ => (entry.uid.is_empty() && is_of_tool(&entry.facility)).then_some(Role::Tool),
    }
}

/// Only the kernel itself logs with facility 0, and its lines carry no other identifier.
fn is_of_tool(facility: &[u8]) -> bool {
    !facility.is_empty() && facility != b"0"
}

fn is_banner(entry: &Entry) -> bool {
    entry.facility == b"0"
        && entry.message.starts_with(BANNER)
        && Entry::number(&entry.source_monotonic).is_some_and(|time| time < BANNER_BY)
}

/// The entry was written, and taken over by journald, before journald first `started`. All times are µs since the boot;
/// the kernel's time stamp may differ from CLOCK_MONOTONIC by some milliseconds, so both must hold.
pub fn is_before(entry: &Entry, received: u64, started: u64) -> bool {
    received <= started && Entry::number(&entry.source_monotonic).is_some_and(|time| time < started)
}

/// When journald first started, for the boots of one journal.
#[derive(Debug)]
pub struct FirstStarts {
    location: Location,
    /// The boot of the last lookup.
    known: Option<(String, Option<u64>)>,
}

impl FirstStarts {
    /// The journal, which is read when needed.
    pub fn new(location: Location) -> Self {
        FirstStarts { location, known: None }
    }

    /// A tool wrote the entry before journald ran.
    pub fn is_early(&mut self, entry: &Entry, position: &Position) -> Result<bool, Error> {
        if role(entry) != Some(Role::Tool) {
            return Ok(false);
        }
        let started = self.of_boot(&position.boot_id)?;
        Ok(started.is_some_and(|started| is_before(entry, position.monotonic, started)))
    }

    fn of_boot(&mut self, boot_id: &str) -> Result<Option<u64>, Error> {
        if let Some((_, started)) = self.known.as_ref().filter(|(known, _)| known == boot_id) {
            return Ok(*started);
        }
        // The banner last, since concurrent vacuuming removes it first.
        let started = journal::first_start(&self.location, boot_id)?;
        let started = if started.is_some() && self.has_banner(boot_id)? { started } else { None };
        self.known = Some((boot_id.to_owned(), started));
        Ok(started)
    }

    fn has_banner(&self, boot_id: &str) -> Result<bool, Error> {
        let mut lines = journal::kernel_lines(&self.location, boot_id)?;
        let mut entry = Entry::default();
        for _ in 0..BEFORE_BANNER {
            if !lines.step()? {
                break;
            }
            entry.read(&mut lines);
            if role(&entry) == Some(Role::Banner) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kmsg(identifier: &str, facility: &str, time: &str, message: &str) -> Entry {
        Entry::of(&[
            ("_TRANSPORT", "kernel"),
            ("SYSLOG_IDENTIFIER", identifier),
            ("SYSLOG_FACILITY", facility),
            ("_SOURCE_MONOTONIC_TIMESTAMP", time),
            ("MESSAGE", message),
        ])
    }

    #[test]
    fn entries_have_their_roles() {
        let banner = "Linux version 6.12.117+deb13-amd64 (debian-kernel@lists.debian.org)";
        let started = [("_TRANSPORT", "driver"), ("MESSAGE_ID", journal::STARTED)];
        let mut forwarded = kmsg("systemd", "3", "5", "x");
        forwarded.set(b"_UID", b"0");
        let cases = [
            (kmsg("kernel", "0", "0", banner), Some(Role::Banner)),
            // A process that is called "Linux version 6" crashes.
            (kmsg("kernel", "0", "1000000", "Linux version 6[42]: segfault at 0"), None),
            (kmsg("kernel", "1", "0", banner), None),
            (kmsg("kernel", "0", "0", "Command line: quiet"), None),
            (Entry::of(&started), Some(Role::Started)),
            (Entry::of(&[("_TRANSPORT", "journal"), started[1]]), None),
            (kmsg("systemd", "3", "114881725", "x"), Some(Role::Tool)),
            (kmsg("dracut-initqueue", "1", "5", "x"), Some(Role::Tool)),
            (kmsg("systemd", "0", "5", "x"), None),
            (kmsg("systemd", "", "5", "x"), None),
            (kmsg("systemd-journald", "5", "5", "x"), None),
            (kmsg("peripetyd", "3", "5", "x"), None),
            (forwarded, None),
        ];
        for (entry, expected) in cases {
            assert_eq!(role(&entry), expected, "{entry:?}");
        }
    }

    #[test]
    fn both_times_must_be_before_the_start() {
        let line = kmsg("systemd", "3", "100", "x");
        assert!(is_before(&line, 150, 200));
        assert!(!is_before(&line, 201, 200));
        assert!(!is_before(&line, 99, 100));
        assert!(!is_before(&Entry::of(&[("_TRANSPORT", "kernel")]), 1, 200));
    }
}
