//! A place in a journal that survives rotation, flushes and copies.

use serde::{Deserialize, Serialize};

use crate::event::Covered;

/// The hash FNV-1a of 64 bits (draft-eastlake-fnv): the same in every version of Peripety.
fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

impl Covered {
    /// Both mark the same entry: see [`EntryKey::same_entry`].
    pub fn same_entry(&self, other: &Covered) -> bool {
        self.content == other.content && (self.number == other.number || self.file != other.file)
    }

    /// As it is stored.
    pub fn to_bytes(self) -> [u8; 24] {
        let mut bytes = [0; 24];
        for (place, part) in bytes.chunks_exact_mut(8).zip([self.content, self.file, self.number]) {
            place.copy_from_slice(&part.to_le_bytes());
        }
        bytes
    }

    /// What was stored; a rest that is no whole mark is left out.
    pub fn from_bytes(bytes: &[u8]) -> impl Iterator<Item = Covered> + '_ {
        let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
        bytes.chunks_exact(24).map(move |mark| {
            let mut parts = mark.chunks_exact(8).map(number);
            let mut part = || parts.next().unwrap_or_default();
            Covered { content: part(), file: part(), number: part() }
        })
    }
}

/// The place of one entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// journald's cursor (sd_journal_get_cursor(3)).
    pub cursor: String,
    /// Boot during which the entry was received.
    pub boot_id: String,
    /// When it was received, µs since that boot.
    pub monotonic: u64,
    /// When it was received, µs since the epoch.
    pub realtime: u64,
}

impl Position {
    /// Both are positions of one entry, or of copies of it.
    pub fn is_same(&self, other: &Position) -> bool {
        (&self.boot_id, self.monotonic, self.realtime) == (&other.boot_id, other.monotonic, other.realtime)
    }
}

/// What identifies an entry among all entries: the parts of its cursor.
///
/// A cursor reads `s=…;i=…;b=…;m=…;t=…;x=…`. `s` and `i` (the file's sequence and the number in
/// it) name the entry exactly but change when journald copies it to another file (a flush from
/// /run to /var). Boot, both times and `x` (a hash of its fields) stay, and tell all entries
/// apart but those that are equal in every field.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryKey {
    /// `b`, `m`, `t` and `x`: the same in every copy.
    pub content: String,
    /// `s` and `i`: this copy.
    pub sequence: (String, String),
}

impl EntryKey {
    /// Takes a cursor apart; `None` when it is no cursor.
    pub fn parse(cursor: &str) -> Option<Self> {
        let part = |name: &str| cursor.split(';').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        let content = [part("b")?, part("m")?, part("t")?, part("x")?].join(";");
        Some(EntryKey { content, sequence: (part("s")?.to_owned(), part("i")?.to_owned()) })
    }

    /// The same in 24 bytes.
    pub fn mark(&self) -> Covered {
        Covered {
            content: fnv(self.content.as_bytes()),
            file: fnv(self.sequence.0.as_bytes()),
            number: u64::from_str_radix(&self.sequence.1, 16).unwrap_or_default(),
        }
    }

    /// Both name the same entry. Two entries that are equal in every field and lie in different
    /// files cannot be distinguished from one entry that was copied.
    pub fn same_entry(&self, other: &EntryKey) -> bool {
        self.content == other.content
            && (self.sequence == other.sequence || self.sequence.0 != other.sequence.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flushed_entry_is_the_same_and_a_twin_is_not() {
        let key = |c: &str| EntryKey::parse(c).unwrap();
        let entry = key("s=aa;i=10;b=bb;m=1;t=2;x=3");
        assert!(entry.same_entry(&key("s=cc;i=7;b=bb;m=1;t=2;x=3")));
        assert!(!entry.same_entry(&key("s=aa;i=11;b=bb;m=1;t=2;x=3")));
        assert!(!entry.same_entry(&key("s=cc;i=7;b=bb;m=1;t=2;x=4")));
        assert!(EntryKey::parse("rubbish").is_none());
        let same = |c: &str| entry.mark().same_entry(&key(c).mark());
        assert!(same("s=cc;i=7;b=bb;m=1;t=2;x=3") && same("s=aa;i=10;b=bb;m=1;t=2;x=3"));
        assert!(!same("s=aa;i=11;b=bb;m=1;t=2;x=3") && !same("s=cc;i=7;b=bb;m=1;t=2;x=4"));
        let marks = [entry.mark(), key("s=aa;i=11;b=bb;m=1;t=2;x=3").mark()];
        let stored: Vec<u8> = marks.iter().flat_map(|mark| mark.to_bytes()).collect();
        assert_eq!(Covered::from_bytes(&stored).collect::<Vec<_>>(), marks);
    }
}
