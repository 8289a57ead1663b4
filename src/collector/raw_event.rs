//! From a matched entry to a raw event.

use crate::bus::raw::EntryInfo;
use crate::event::{EntryTime, Severity};
use crate::journal::{Entry, Position};

/// When an entry happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Happened {
    /// µs since the epoch.
    pub realtime: u64,
    /// µs since the boot.
    pub monotonic: u64,
    /// As far as it identifies the entry.
    pub identity: EntryTime,
}

/// The writer's own time stamp if there is one, else when journald received the entry.
pub fn happened(entry: &Entry, position: &Position) -> Happened {
    let received = EntryTime::Received { realtime: position.realtime, monotonic: position.monotonic };
    if let Some(monotonic) = Entry::number(&entry.source_monotonic) {
        let late = position.monotonic.saturating_sub(monotonic);
        let realtime = position.realtime.saturating_sub(late);
        let identity = EntryTime::Source(monotonic);
        // The kernel's log has a clock of its own, some milliseconds ahead on some machines: no line is received before it is
        // written.
        return Happened { realtime, monotonic: monotonic.min(position.monotonic), identity };
    }
    let realtime = Entry::number(&entry.source_realtime).unwrap_or(position.realtime);
    let late = position.realtime.saturating_sub(realtime);
    Happened { realtime, monotonic: position.monotonic.saturating_sub(late), identity: received }
}

/// What later stages need to know of an entry.
pub fn info(entry: &Entry, position: &Position, happened: Happened) -> EntryInfo {
    EntryInfo {
        cursor: position.cursor.clone(),
        hostname: Entry::text(&entry.hostname).unwrap_or_default(),
        boot_id: position.boot_id.clone(),
        timestamp: happened.realtime,
        received: position.realtime,
        monotonic: happened.monotonic,
        identifier: Entry::text(&entry.identifier).unwrap_or_default(),
        message: Entry::text(&entry.message).unwrap_or_default(),
        kernel_device: Entry::text(&entry.kernel_device),
        udev_devnode: Entry::text(&entry.udev_devnode),
    }
}

/// The level at which an entry was logged; Info if it has none.
pub fn level(entry: &Entry) -> Severity {
    let level = Entry::number(&entry.priority).and_then(|level| u8::try_from(level).ok());
    level.and_then(Severity::from_level).unwrap_or(Severity::Info)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position() -> Position {
        Position { cursor: String::new(), boot_id: "b".into(), monotonic: 5_000, realtime: 1_000_000 }
    }

    #[test]
    fn kernel_time_is_when_the_kernel_wrote_the_line() {
        let mut entry = Entry::default();
        entry.set(b"_SOURCE_MONOTONIC_TIMESTAMP", b"2000");
        let at = happened(&entry, &position());
        assert_eq!((at.realtime, at.monotonic, at.identity), (997_000, 2_000, EntryTime::Source(2_000)));
    }

    #[test]
    fn no_line_is_of_the_future() {
        let mut entry = Entry::default();
        entry.set(b"_SOURCE_MONOTONIC_TIMESTAMP", b"5015");
        let at = happened(&entry, &position());
        assert_eq!((at.realtime, at.monotonic, at.identity), (1_000_000, 5_000, EntryTime::Source(5_015)));
    }

    #[test]
    fn a_tool_s_time_is_its_own() {
        let mut entry = Entry::default();
        entry.set(b"_SOURCE_REALTIME_TIMESTAMP", b"999000");
        let at = happened(&entry, &position());
        assert_eq!((at.realtime, at.monotonic), (999_000, 4_000));
        let without = happened(&Entry::default(), &position());
        assert_eq!((without.realtime, without.monotonic), (1_000_000, 5_000));
    }
}
