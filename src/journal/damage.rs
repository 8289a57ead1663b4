//! Journal files that libsystemd passes over without a word, because their heads are damaged.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::Location;

/// First bytes of every journal file (systemd, docs/JOURNAL_FILE_FORMAT.md).
const SIGNATURE: &[u8] = b"LPKSHHRH";
/// Where the lengths of head and body stand, as two little-endian 64-bit numbers.
const LENGTHS: usize = 88;
/// What is read of a file.
const HEAD: usize = LENGTHS + 16;

/// The files of a journal that cannot be read at all, each with the reason. Files that are named one by
/// one are not looked at: opening those fails. Damage behind the head is not found.
pub fn damaged(location: &Location) -> Vec<(PathBuf, &'static str)> {
    let files = folders(location).into_iter().flat_map(|folder| entries(&folder)).filter(|f| is_journal(f));
    files.filter_map(|file| head_damage(&file).map(|damage| (file, damage))).collect()
}

/// Where libsystemd looks for the files of a journal.
fn folders(location: &Location) -> Vec<PathBuf> {
    let of_machine = |suffix: &str| {
        let id = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
        let name = format!("{}{suffix}", id.trim());
        ["/run/log/journal", "/var/log/journal"].map(|folder| Path::new(folder).join(&name)).to_vec()
    };
    match location {
        Location::Local => of_machine(""),
        Location::Namespace(name) => of_machine(&format!(".{name}")),
        Location::Directory(folder) => {
            let below = entries(folder).into_iter().filter(|entry| entry.is_dir());
            std::iter::once(folder.clone()).chain(below).collect()
        }
        Location::Files(_) => Vec::new(),
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

fn is_journal(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "journal" || extension == "journal~")
}

/// What is wrong with a file's head. A file that cannot be opened is left to libsystemd.
fn head_damage(path: &Path) -> Option<&'static str> {
    let mut file = File::open(path).ok()?;
    let mut head = Vec::with_capacity(HEAD);
    Read::by_ref(&mut file).take(HEAD as u64).read_to_end(&mut head).ok()?;
    // The file may grow: its length is asked for after its head was read.
    let length = file.metadata().ok()?.len();
    match () {
        () if head.is_empty() => Some("it is empty"),
        () if !head.starts_with(SIGNATURE) => Some("it does not begin as a journal file"),
        () if needed(&head).is_none_or(|needed| needed > length) => Some("its end is missing"),
        () => None,
    }
}

/// Bytes that a file with this head has at least.
fn needed(head: &[u8]) -> Option<u64> {
    let number = |at: usize| Some(u64::from_le_bytes(head.get(at..at + 8)?.try_into().ok()?));
    number(LENGTHS)?.checked_add(number(LENGTHS + 8)?)
}
