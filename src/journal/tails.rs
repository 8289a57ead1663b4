//! The last write according to the headers of the journal files, independent of libsystemd.

use std::fs::File;
use std::path::PathBuf;

use super::header::Header;
use super::layout::{files, FileKey};
use super::{EntryKey, Location, Position};

/// The last entry of a journal file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    /// The file.
    pub path: PathBuf,
    /// Its device and inode: journald renames files.
    pub file: FileKey,
    /// Number of entries of the file.
    pub entries: u64,
    /// Sequence of the entry, and its number in that.
    pub sequence: (String, u64),
    /// Boot during which it was received.
    pub boot_id: String,
    /// When it was received, µs since that boot.
    pub monotonic: u64,
    /// When it was received, µs since the epoch.
    pub realtime: u64,
}

/// The headers of the files of a journal.
#[derive(Debug, Default)]
pub struct Tails {
    /// The last entry of every file that has entries.
    pub tails: Vec<Tail>,
    /// Number of files that cannot be read at all.
    pub unreadable: usize,
}

/// Reads the headers of the files that may be opened.
pub fn tails(location: &Location) -> Tails {
    let mut found = Tails::default();
    for path in files(location) {
        let Ok(file) = File::open(&path) else { continue };
        match Header::read(&file) {
            Ok(header) if header.entries > 0 => found.tails.extend(Tail::new(path, &file, header)),
            Ok(_) => {}
            Err(_) => found.unreadable += 1,
        }
    }
    found
}

impl Tail {
    fn new(path: PathBuf, file: &File, header: Header) -> Option<Self> {
        Some(Tail {
            path,
            file: FileKey::of(&file.metadata().ok()?),
            entries: header.entries,
            sequence: (header.seqnum_id, header.tail_seqnum),
            boot_id: header.boot_id,
            monotonic: header.tail_monotonic,
            realtime: header.tail_realtime,
        })
    }

    /// In the order in which libsystemd reads entries (sd_journal_next(3)), this one comes after the entry at `position`.
    pub fn is_after(&self, position: &Position) -> bool {
        let (sequence, number) = match EntryKey::parse(&position.cursor) {
            Some(key) => key.sequence,
            None => Default::default(),
        };
        if self.sequence.0 == sequence {
            return u64::from_str_radix(&number, 16).is_ok_and(|number| self.sequence.1 > number);
        }
        match self.boot_id == position.boot_id {
            true => self.monotonic > position.monotonic,
            false => self.realtime > position.realtime,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_is_by_sequence_then_by_boot_then_by_clock() {
        let position = Position {
            cursor: "s=aa;i=10;b=bb;m=64;t=c8;x=1".into(),
            boot_id: "bb".into(),
            monotonic: 100,
            realtime: 200,
        };
        let after = |sequence: &str, number, boot_id: &str, monotonic, realtime| {
            let sequence = (sequence.to_owned(), number);
            let path = PathBuf::new();
            let file = FileKey::default();
            Tail { path, file, entries: 1, sequence, boot_id: boot_id.into(), monotonic, realtime }
                .is_after(&position)
        };
        assert!(after("aa", 0x11, "bb", 1, 1), "the numbers count, not the clocks");
        assert!(!after("aa", 0x10, "bb", 101, 201));
        assert!(after("cc", 1, "bb", 101, 1));
        assert!(!after("cc", 99, "bb", 100, 999));
        assert!(after("cc", 1, "dd", 1, 201));
        assert!(!after("cc", 1, "dd", 999, 200));
    }
}
