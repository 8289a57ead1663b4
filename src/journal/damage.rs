//! Detects damaged journal files: libsystemd silently skips what it cannot read.
//!
//! Numbers of the format are those of systemd's docs/JOURNAL_FILE_FORMAT.md; all are little-endian.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::header::{number, Header, Unreadable};
use super::layout::{files, FileKey};
use super::{Location, Reader, LOG_VALUE};

/// Pause before damage is checked again: journald may be modifying the file.
const CONFIRM: Duration = Duration::from_millis(500);
/// Number of times all files are checked again if one changed in the meantime.
const PASSES: usize = 3;

/// How recently an archived file must have been written for the content of its entries to be checked, too.
const RECENT: Duration = Duration::from_secs(600);

/// A number of entries of a damaged file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// So many.
    Exactly(u64),
    /// So many or more: the file may have grown after they were counted.
    AtLeast(u64),
}

impl Count {
    /// The number.
    pub fn number(self) -> u64 {
        match self {
            Count::Exactly(number) | Count::AtLeast(number) => number,
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Count::Exactly(number) => write!(f, "{number}"),
            Count::AtLeast(number) => write!(f, "at least {number}"),
        }
    }
}

/// What is wrong with a journal file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Nothing of it can be read.
    Whole {
        /// Why not.
        why: &'static str,
        /// The number of entries according to its header, now or when it was last intact.
        entries: Option<Count>,
    },
    /// Some of its entries cannot be read.
    Entries {
        /// How many at least.
        lost: u64,
        /// How many it has.
        of: u64,
    },
}

impl Damage {
    /// How many entries cannot be read, at least.
    pub fn lost(&self) -> u64 {
        match self {
            Damage::Whole { entries, .. } => entries.map_or(0, Count::number),
            Damage::Entries { lost, .. } => *lost,
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damage::Whole { why, .. } => {
                write!(f, "cannot be read: {why}; reading the others. Move it away")
            }
            Damage::Entries { lost, of } => write!(
                f,
                "is damaged: at least {lost} of its {of} entries cannot be read, reading the others; \
                 \"journalctl --verify --file=FILE\" shows where"
            ),
        }
    }
}

/// A damaged file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// The file itself.
    pub file: FileKey,
    /// Its present name.
    pub path: PathBuf,
    /// What is wrong with it.
    pub damage: Damage,
}

/// Checks the files of a journal for damage: headers of files and entries. The content of entries is read only
/// of files that are damaged, and once of those that were completed lately, or were altered after that.
#[derive(Debug)]
pub struct DamageCheck {
    location: Location,
    /// The files of the last check.
    known: HashMap<FileKey, Known>,
    checked: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    length: u64,
    modified: Option<SystemTime>,
    damage: Option<Damage>,
}

impl DamageCheck {
    /// A check of this journal; nothing is known of it yet.
    pub fn new(location: Location) -> Self {
        DamageCheck { location, known: HashMap::new(), checked: false }
    }

    /// The files that were found damaged, or more so, since the last check, among those with entries received at or
    /// after `since` (µs since the epoch). Files that did not change are not read again. Blocks.
    pub fn run(&mut self, since: u64) -> Vec<Damaged> {
        let mut found = Vec::new();
        for _ in 0..PASSES {
            if self.pass(since, &mut found) {
                break;
            }
        }
        self.checked = true;
        found
    }

    /// Checks every file once. Returns false if one of them changed in the meantime, which makes the result unreliable.
    fn pass(&mut self, since: u64, found: &mut Vec<Damaged>) -> bool {
        // Opening a file that is named fails when nothing of it can be read.
        let refused = matches!(self.location, Location::Files(_)) && !self.checked;
        let (mut known, mut clear) = (HashMap::new(), true);
        for path in files(&self.location) {
            let Some((key, mut now)) = look(&path) else { continue };
            let before = self.known.remove(&key);
            if let Some(same) = before.as_ref().filter(|before| before.is_as(&now)) {
                now.damage.clone_from(&same.damage);
            } else if damage(&path, since).is_some() {
                std::thread::sleep(CONFIRM);
                now.damage = damage(&path, since);
                if now.damage.is_none() {
                    // Intact or replaced by now: journald renames and replaces damaged files.
                    clear = false;
                    continue;
                }
            }
            let lost = |damage: &Option<Damage>| damage.as_ref().map(Damage::lost);
            let worse = now.damage.is_some() && lost(&now.damage) > before.and_then(|b| lost(&b.damage));
            let whole = matches!(now.damage, Some(Damage::Whole { .. }));
            if let Some(damage) = now.damage.clone().filter(|_| worse && !(whole && refused)) {
                found.push(Damaged { file: key, path, damage });
            }
            known.insert(key, now);
        }
        self.known = known;
        clear
    }
}

impl Known {
    /// The file did not change in between.
    fn is_as(&self, other: &Known) -> bool {
        (self.length, self.modified) == (other.length, other.modified)
    }
}

fn look(path: &Path) -> Option<(FileKey, Known)> {
    let file = std::fs::metadata(path).ok()?;
    let known = Known { length: file.len(), modified: file.modified().ok(), damage: None };
    Some((FileKey::of(&file), known))
}

/// What is wrong with a file. One that cannot be opened is left to libsystemd.
fn damage(path: &Path, since: u64) -> Option<Damage> {
    let file = File::open(path).ok()?;
    let header = match Header::read(&file) {
        Ok(header) => header,
        Err(Unreadable { why, entries }) => {
            return Some(Damage::Whole { why, entries: entries.map(Count::Exactly) });
        }
    };
    if header.tail_realtime < since {
        return None;
    }
    let recent = file
        .metadata()
        .and_then(|file| file.modified())
        .is_ok_and(|at| at.elapsed().is_ok_and(|age| age < RECENT));
    let mut objects = Objects(BufReader::with_capacity(READ, file));
    let mut lost = header.entries.saturating_sub(objects.good_entries(&header));
    if lost > 0 || recent && !header.online {
        lost = readable_entries(path).map_or(lost, |read| lost.max(header.entries.saturating_sub(read)));
    }
    (lost > 0).then_some(Damage::Entries { lost, of: header.entries })
}

/// How many entries libsystemd reads of a file, as they were written: behind some kinds of damage it ignores the rest of a
/// file. `None`: it cannot be asked.
fn readable_entries(path: &Path) -> Option<u64> {
    let mut reader = Reader::open(&Location::Files(vec![path.to_owned()]), LOG_VALUE).ok()?;
    reader.seek_head().ok()?;
    let mut read = 0;
    while reader.step().ok()? {
        read += u64::from(reader.cursor().is_ok_and(|cursor| reader.is_intact(&cursor)));
    }
    Some(read)
}

/// Bytes read at a time.
const READ: usize = 16 * 1024;
/// `OBJECT_ENTRY` and `OBJECT_ENTRY_ARRAY`.
const ENTRY: u8 = 3;
const ENTRY_ARRAY: u8 = 6;
/// Bytes of an entry and of a list of entries, without their items.
const ENTRY_HEAD: u64 = 64;
const ARRAY_HEAD: u64 = 24;

struct Objects(BufReader<File>);

impl Objects {
    /// Number of reachable entries that look like entries. A broken list ends the count.
    fn good_entries(&mut self, header: &Header) -> u64 {
        let (mut good, mut seen, mut list) = (0, 0, header.entry_array);
        while seen < header.entries && list != 0 {
            let Ok((next, offsets)) = self.list(list, header) else {
                break;
            };
            let offsets =
                offsets.into_iter().take(usize::try_from(header.entries - seen).unwrap_or(usize::MAX));
            for offset in offsets {
                seen += 1;
                good += u64::from(self.is_entry(offset).unwrap_or(false));
            }
            // Lists are written in ascending order: one that points backwards would be an endless loop.
            list = if next > list { next } else { 0 };
        }
        good
    }

    /// Where the next list is, and the offsets in this one.
    fn list(&mut self, offset: u64, header: &Header) -> io::Result<(u64, Vec<u64>)> {
        let bytes = self.read(offset, ARRAY_HEAD)?;
        let (kind, size, next) = (bytes.first().copied(), number(&bytes, 8), number(&bytes, 16));
        let (Some(ENTRY_ARRAY), Some(size), Some(next)) = (kind, size, next) else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        let items = self.read(offset + ARRAY_HEAD, size.saturating_sub(ARRAY_HEAD))?;
        let offsets = items
            .chunks_exact(header.item)
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

    /// Bytes of the file. A damaged length is limited to the size of the file.
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
