//! Damaged journal files: libsystemd passes over what it cannot read without a word.
//!
//! Numbers of the format are those of systemd's docs/JOURNAL_FILE_FORMAT.md; all are little-endian.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::Location;

/// What is wrong with a journal file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Nothing of it can be read, for this reason.
    Whole(&'static str),
    /// Some of its entries cannot be read.
    Entries {
        /// How many at least.
        lost: u64,
        /// How many it has.
        of: u64,
    },
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damage::Whole(why) => write!(f, "cannot be read: {why}; reading the others. Move it away"),
            Damage::Entries { lost, of } => write!(
                f,
                "is damaged: at least {lost} of its {of} entries cannot be read, reading the others; \
                 \"journalctl --verify --file=FILE\" shows where"
            ),
        }
    }
}

/// The damaged files of a journal with entries received at or after `since` (µs since the epoch). Looks at the
/// heads of the files and of the entries, not at what the entries say.
pub fn damaged(location: &Location, since: u64) -> Vec<(PathBuf, Damage)> {
    let named = matches!(location, Location::Files(_));
    let files = files(location).into_iter();
    let found = files.filter_map(|path| damage(&path, since).map(|damage| (path, damage)));
    // Opening a file that is named fails when nothing of it can be read.
    found.filter(|(_, damage)| !(named && matches!(damage, Damage::Whole(_)))).collect()
}

/// The files of a journal, where libsystemd looks for them.
fn files(location: &Location) -> Vec<PathBuf> {
    let of_machine = |suffix: &str| {
        let id = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
        let name = format!("{}{suffix}", id.trim());
        ["/run/log/journal", "/var/log/journal"].map(|folder| Path::new(folder).join(&name)).to_vec()
    };
    let folders = match location {
        Location::Files(files) => return files.clone(),
        Location::Local => of_machine(""),
        Location::Namespace(name) => of_machine(&format!(".{name}")),
        Location::Directory(folder) => {
            let below = entries(folder).into_iter().filter(|entry| entry.is_dir());
            std::iter::once(folder.clone()).chain(below).collect()
        }
    };
    folders.iter().flat_map(|folder| entries(folder)).filter(|file| is_journal(file)).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

fn is_journal(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "journal" || extension == "journal~")
}

/// What is wrong with a file. One that cannot be opened is left to libsystemd.
fn damage(path: &Path, since: u64) -> Option<Damage> {
    let mut file = Objects(BufReader::with_capacity(READ, File::open(path).ok()?));
    let head = match file.head() {
        Ok(head) => head,
        Err(why) => return Some(Damage::Whole(why)),
    };
    if head.newest < since {
        return None;
    }
    let lost = head.entries.saturating_sub(file.good_entries(&head));
    (lost > 0).then_some(Damage::Entries { lost, of: head.entries })
}

/// Bytes read at a time.
const READ: usize = 16 * 1024;
/// First bytes of every journal file.
const SIGNATURE: &[u8] = b"LPKSHHRH";
/// Length of the head in the oldest version of the format.
const HEAD: usize = 208;
/// `HEADER_INCOMPATIBLE_COMPACT`: offsets in lists of entries have four bytes instead of eight.
const COMPACT: u32 = 1 << 4;
/// `OBJECT_ENTRY` and `OBJECT_ENTRY_ARRAY`.
const ENTRY: u8 = 3;
const ENTRY_ARRAY: u8 = 6;
/// Bytes of an entry and of a list of entries, without their items.
const ENTRY_HEAD: u64 = 64;
const ARRAY_HEAD: u64 = 24;

/// What is taken from a file's head.
struct Head {
    /// How many entries the file has.
    entries: u64,
    /// Where the first list of them is.
    list: u64,
    /// Bytes of an offset in a list.
    item: usize,
    /// When the newest entry was received, µs since the epoch.
    newest: u64,
}

struct Objects(BufReader<File>);

impl Objects {
    /// The head, or why the file cannot be read at all.
    fn head(&mut self) -> Result<Head, &'static str> {
        let mut head = Vec::with_capacity(HEAD);
        let read = self.0.by_ref().take(HEAD as u64).read_to_end(&mut head);
        // The file may grow: its length is asked for after its head was read.
        let length = read.and_then(|_| self.0.get_ref().metadata()).map_err(|_| "its head cannot be read")?;
        let at = |offset: usize| number(&head, offset);
        match (at(88), at(96)) {
            _ if head.is_empty() => Err("it is empty"),
            _ if !head.starts_with(SIGNATURE) => Err("it does not begin as a journal file"),
            (Some(head), Some(body)) if head.checked_add(body).is_some_and(|end| end <= length.len()) => {
                Ok(())
            }
            _ => Err("its end is missing"),
        }?;
        let flags = head.get(12..16).and_then(|bytes| Some(u32::from_le_bytes(bytes.try_into().ok()?)));
        let item = if flags.unwrap_or(0) & COMPACT == 0 { 8 } else { 4 };
        match (at(152), at(176), at(192)) {
            (Some(entries), Some(list), Some(newest)) => Ok(Head { entries, list, item, newest }),
            _ => Err("its end is missing"),
        }
    }

    /// How many entries can be reached and look like entries. A list that is broken ends the count.
    fn good_entries(&mut self, head: &Head) -> u64 {
        let (mut good, mut seen, mut list) = (0, 0, head.list);
        while seen < head.entries && list != 0 {
            let Ok((next, offsets)) = self.list(list, head) else {
                break;
            };
            let offsets =
                offsets.into_iter().take(usize::try_from(head.entries - seen).unwrap_or(usize::MAX));
            for offset in offsets {
                seen += 1;
                good += u64::from(self.is_entry(offset).unwrap_or(false));
            }
            // Lists are written one behind the other: one that points back would be read for ever.
            list = if next > list { next } else { 0 };
        }
        good
    }

    /// Where the next list is, and the offsets in this one.
    fn list(&mut self, offset: u64, head: &Head) -> io::Result<(u64, Vec<u64>)> {
        let bytes = self.read(offset, ARRAY_HEAD)?;
        let (kind, size, next) = (bytes.first().copied(), number(&bytes, 8), number(&bytes, 16));
        let (Some(ENTRY_ARRAY), Some(size), Some(next)) = (kind, size, next) else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        let items = self.read(offset + ARRAY_HEAD, size.saturating_sub(ARRAY_HEAD))?;
        let offsets = items
            .chunks_exact(head.item)
            .map(|item| item.iter().rev().fold(0, |offset: u64, byte| offset << 8 | u64::from(*byte)));
        Ok((next, offsets.collect()))
    }

    /// Is there an entry with a sequence number and a time?
    fn is_entry(&mut self, offset: u64) -> io::Result<bool> {
        let bytes = self.read(offset, ENTRY_HEAD)?;
        let positive = |at: usize| number(&bytes, at).is_some_and(|value| value > 0 && value < 1 << 55);
        let size = number(&bytes, 8).is_some_and(|size| size >= ENTRY_HEAD);
        Ok(bytes.first() == Some(&ENTRY) && size && positive(16) && positive(24))
    }

    /// Bytes of the file. Of a damaged length no more is taken than the file has.
    fn read(&mut self, offset: u64, length: u64) -> io::Result<Vec<u8>> {
        let place = self.0.stream_position()?;
        let distance = i64::try_from(offset).ok().zip(i64::try_from(place).ok());
        match distance.map(|(offset, place)| offset - place) {
            Some(distance) => self.0.seek_relative(distance)?,
            None => drop(self.0.seek(SeekFrom::Start(offset))?),
        }
        let mut bytes = Vec::new();
        self.0.by_ref().take(length).read_to_end(&mut bytes)?;
        match bytes.len() as u64 == length {
            true => Ok(bytes),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}
