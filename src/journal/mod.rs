//! Access to journal files: opening, stepping, one entry's fields, positions.
//!
//! A thin layer over libsystemd (sd-journal(3)) that knows nothing of storage. Only
//! `collector/` (logs) and `store/` (Peripety's own events) use it. A [`Reader`] stays on the
//! thread that made it.

mod boot;
mod damage;
mod entry;
mod hash;
mod header;
mod layout;
mod packed;
mod position;
mod tails;

use std::ffi::CString;
use std::fmt;
use std::path::{Path, PathBuf};

use systemd::journal::{Journal, OpenDirectoryOptions, OpenFilesOptions, OpenOptions};

pub use boot::{
    boot_began, boot_id, first_of_boot, first_start, kernel_lines, monotonic_now, newest, now, present_boot,
    STARTED,
};
pub use damage::{Count, Damage, DamageCheck, Damaged};
pub use entry::Entry;
pub use layout::{machine_id_changed, with_present_machine_id, FileKey, Layout};
pub use packed::PackedPosition;
pub use position::{EntryKey, Position};
pub use tails::{tails, Tail, Tails};

/// Longest value that is read of a log entry. Kernel messages have less than 1 KiB
/// (kernel/printk/printk.c: PRINTKRB_RECORD_MAX), those of tools little more.
pub const LOG_VALUE: usize = 64 * 1024;
/// Longest value that is read of a stored event: its JSON contains the log line several times, and up to six
/// bytes stand for one.
pub const EVENT_VALUE: usize = 64 * LOG_VALUE;

/// Where entries come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// The journal of this machine, all of its files that the user may read.
    Local,
    /// A journal namespace of this machine (systemd-journald.service(8)).
    Namespace(String),
    /// The journal files of a directory.
    Directory(PathBuf),
    /// These journal files.
    Files(Vec<PathBuf>),
}

impl Location {
    /// Entries come from this machine's journald while it runs: its boot is the present boot.
    pub fn is_local(&self) -> bool {
        matches!(self, Location::Local | Location::Namespace(_))
    }

    /// The systemd unit that writes the journal, where it is one of this machine.
    pub fn unit(&self) -> String {
        match self {
            Location::Namespace(name) => format!("systemd-journald@{name}"),
            _ => "systemd-journald".to_owned(),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Local => f.write_str("local journal"),
            Location::Namespace(name) => write!(f, "journal namespace {name}"),
            Location::Directory(dir) => write!(f, "journal directory {}", dir.display()),
            Location::Files(files) => {
                f.write_str("journal file")?;
                for file in files {
                    write!(f, " {}", file.display())?;
                }
                Ok(())
            }
        }
    }
}

/// What can go wrong with a journal.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be opened.
    #[error("cannot open the {location}: {cause}; {remedy}")]
    Open {
        /// What was to be opened.
        location: String,
        /// Why not.
        cause: std::io::Error,
        /// What the user can do.
        remedy: &'static str,
    },
    /// Reading failed.
    #[error(
        "cannot read the {location}: {operation}: {cause}; check its files with \"journalctl --verify\""
    )]
    Read {
        /// What was read.
        location: String,
        /// Call that failed.
        operation: &'static str,
        /// Why.
        cause: std::io::Error,
    },
}

/// A journal, opened for reading.
pub struct Reader {
    journal: Journal,
    location: Location,
    /// Damaged entries have been logged.
    damage_known: bool,
    /// For [`Reader::take_damage`].
    damaged: bool,
    /// Pages that had vanished on this thread when the journal was opened.
    vanished: u64,
    /// The same when the current entry was begun to be read.
    vanished_before_entry: u64,
}

impl Reader {
    /// Opens a journal. Values longer than `longest` bytes may come cut (compressed ones are not
    /// unpacked further): anybody can log one of 768 MiB.
    pub fn open(location: &Location, longest: usize) -> Result<Self, Error> {
        layout::note_machine_id();
        let vanished = crate::sys::vanished_pages();
        let opened = open(location).map_err(|cause| Error::Open {
            remedy: open_remedy(location, &cause),
            location: location.to_string(),
            cause,
        })?;
        let mut reader = Reader {
            journal: opened,
            location: location.clone(),
            damage_known: false,
            damaged: false,
            vanished,
            vanished_before_entry: vanished,
        };
        reader.journal.set_data_threshold(longest).map_err(|e| reader.error("set_data_threshold", e))?;
        Ok(reader)
    }

    /// The journal holds at least one entry that may be read.
    pub fn is_readable(&mut self) -> Result<bool, Error> {
        self.seek_head()?;
        self.step()
    }

    /// Moves before the first entry.
    pub fn seek_head(&mut self) -> Result<(), Error> {
        self.journal.seek_head().map_err(|e| self.error("seek_head", e))
    }

    /// Moves after the last entry. Not to be used with matches: see docs/architecture.md.
    pub fn seek_tail(&mut self) -> Result<(), Error> {
        self.journal.seek_tail().map_err(|e| self.error("seek_tail", e))
    }

    /// Moves before the first entry received at or after this time (µs since the epoch).
    pub fn seek_realtime(&mut self, usec: u64) -> Result<(), Error> {
        self.journal.seek_realtime_usec(usec).map_err(|e| self.error("seek_realtime", e))
    }

    /// Moves to the entry of a cursor, or to the nearest that still exists; `step` or
    /// `step_back` then lands on it.
    pub fn seek_cursor(&mut self, cursor: &str) -> Result<(), Error> {
        self.journal.seek_cursor(cursor).map_err(|e| self.error("seek_cursor", e))
    }

    /// Steps to the next entry; false when there is none (yet).
    pub fn step(&mut self) -> Result<bool, Error> {
        self.journal.next().map(|steps| steps > 0).map_err(|e| self.error("next", e))
    }

    /// Steps to the previous entry; false when there is none.
    pub fn step_back(&mut self) -> Result<bool, Error> {
        self.journal.previous().map(|steps| steps > 0).map_err(|e| self.error("previous", e))
    }

    /// Calls `each` with name and value of every field of the current entry. A field that
    /// cannot be read (a damaged or compressed object) ends the entry: its other fields remain.
    pub fn fields(&mut self, mut each: impl FnMut(&[u8], &[u8])) {
        self.fields_while(|name, value| {
            each(name, value);
            true
        });
    }

    /// The same, as long as `each` is true: the fields that remain are not read.
    pub fn fields_while(&mut self, each: impl FnMut(&[u8], &[u8]) -> bool) {
        self.vanished_before_entry = crate::sys::vanished_pages();
        if let Err(e) = self.enumerate(each) {
            self.note_damage(&format!("that cannot be read whole ({e})"));
        }
    }

    fn enumerate(&mut self, mut each: impl FnMut(&[u8], &[u8]) -> bool) -> Result<(), systemd::Error> {
        self.journal.restart_data();
        while let Some(field) = self.journal.enumerate_data()? {
            if !field.value().is_none_or(|value| each(field.name(), value)) {
                break;
            }
        }
        Ok(())
    }

    /// The current entry may hold bytes that were never written: a mapped page of its file vanished since its fields were
    /// read first. libsystemd passes over the file from then on, and reads the others.
    pub fn is_spoiled(&self) -> bool {
        crate::sys::vanished_pages() != self.vanished_before_entry
    }

    /// A mapped page of a file vanished since the journal was opened: it should be opened again.
    pub fn has_vanished(&self) -> bool {
        crate::sys::vanished_pages() != self.vanished
    }

    /// An entry was found damaged, for the first time; true once.
    pub fn take_damage(&mut self) -> bool {
        std::mem::take(&mut self.damaged)
    }

    /// The current entry is damaged. The log mentions the first of a handle.
    pub fn note_damage(&mut self, what: &str) {
        if !std::mem::replace(&mut self.damage_known, true) {
            self.damaged = true;
            let location = &self.location;
            tracing::warn!("the {location} has entries {what}; check it with \"journalctl --verify\"");
        }
    }

    /// Cursor of the current entry.
    pub fn cursor(&self) -> Result<String, Error> {
        self.journal.cursor().map_err(|e| self.error("cursor", e))
    }

    /// When the current entry was received: µs since the epoch.
    pub fn realtime(&self) -> Result<u64, Error> {
        self.journal.timestamp_usec().map_err(|e| self.error("get_realtime_usec", e))
    }

    /// When the current entry was received: µs since the boot, and that boot.
    pub fn monotonic(&self) -> Result<(u64, String), Error> {
        let (usec, boot) =
            self.journal.monotonic_timestamp().map_err(|e| self.error("get_monotonic_usec", e))?;
        Ok((usec, boot.to_string().replace('-', "")))
    }

    /// Descriptor that becomes readable when the journal changes (sd_journal_get_fd(3)).
    pub fn wake_fd(&self) -> Result<std::os::fd::RawFd, Error> {
        self.journal.fd().map_err(|e| self.error("get_fd", e))
    }

    /// Takes note of new, rotated and removed files; never blocks.
    pub fn process(&mut self) -> Result<(), Error> {
        self.journal.process().map(drop).map_err(|e| self.error("process", e))
    }

    /// Adds a match: equal fields are alternatives, different fields must all hold.
    pub fn match_add(&mut self, field: &str, value: &str) -> Result<(), Error> {
        match self.journal.match_add(field, value) {
            Ok(_) => Ok(()),
            Err(e) => Err(self.error("add_match", e)),
        }
    }

    /// The matches before and after are alternatives (sd_journal_add_disjunction(3)).
    pub fn match_or(&mut self) -> Result<(), Error> {
        match self.journal.match_or() {
            Ok(_) => Ok(()),
            Err(e) => Err(self.error("add_disjunction", e)),
        }
    }

    /// The matches before and after must both hold (sd_journal_add_conjunction(3)).
    pub fn match_and(&mut self) -> Result<(), Error> {
        match self.journal.match_and() {
            Ok(_) => Ok(()),
            Err(e) => Err(self.error("add_conjunction", e)),
        }
    }

    fn error(&self, operation: &'static str, cause: systemd::Error) -> Error {
        Error::Read { location: self.location.to_string(), operation, cause: cause.into() }
    }
}

/// From now on, a journal file that becomes shorter while it is read is a damaged file, and does not end the process.
pub fn survive_shrinking_files() {
    if let Err(e) = crate::sys::survive_vanished_pages() {
        tracing::warn!("a journal file that becomes shorter while it is read will end this program: {e}");
    }
}

fn open(location: &Location) -> Result<Journal, std::io::Error> {
    Ok(match location {
        Location::Local => OpenOptions::default().system(true).current_user(true).local_only(true).open()?,
        Location::Namespace(name) => OpenOptions::default()
            .system(true)
            .local_only(true)
            .open_namespace(CString::new(name.as_str())?.as_c_str())?,
        Location::Directory(dir) => {
            OpenDirectoryOptions::default().open_directory(c_path(dir)?.as_c_str())?
        }
        Location::Files(files) => {
            let paths = files.iter().map(|file| c_path(file)).collect::<Result<Vec<_>, _>>()?;
            OpenFilesOptions::default().open_files(paths.iter().map(CString::as_c_str))?
        }
    })
}

fn c_path(path: &Path) -> Result<CString, std::io::Error> {
    use std::os::unix::ffi::OsStrExt;
    Ok(CString::new(path.as_os_str().as_bytes())?)
}

fn open_remedy(location: &Location, cause: &std::io::Error) -> &'static str {
    match (cause.kind(), location) {
        (std::io::ErrorKind::PermissionDenied, _) => {
            "run as root or as a member of the group systemd-journal"
        }
        (_, Location::Local) => "check that systemd-journald runs",
        (_, Location::Namespace(_)) => "check the name of the namespace",
        (_, Location::Directory(_)) => "name a directory with *.journal files",
        (_, Location::Files(_)) => {
            "name a journal file; text exports are turned into one by systemd-journal-remote"
        }
    }
}
