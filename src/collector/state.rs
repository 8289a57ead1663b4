//! The state directory, and in it `position.json`, the saved position.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{flock, FlockOperation, Mode, OFlags};
use serde::{Deserialize, Serialize};

use super::device_file::DeviceFile;
use crate::bus::ticket::Resume;
use crate::journal::{EntryKey, Location};

#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    version: u32,
    journal: String,
    resume: Resume,
}

const VERSION: u32 = 1;
/// Mode of the files: they contain information about this machine.
const MODE: Mode = Mode::from_raw_mode(0o600);
/// Name of the file that is locked.
const LOCK: &str = "lock";

/// The state directory, held by one daemon at a time.
#[derive(Debug)]
pub struct StateDirectory {
    directory: PathBuf,
    journal: String,
    /// Held as long as the daemon runs; acquired again if the directory was removed.
    lock: Mutex<File>,
}

/// Why the state directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It cannot be made or written.
    #[error("cannot use the state directory {directory}: {cause}; {}", remedy(.cause))]
    Unusable {
        /// Directory.
        directory: String,
        /// Why not.
        cause: std::io::Error,
    },
    /// Another daemon uses it.
    #[error("another peripetyd already uses the state directory {0}; stop it, or name another directory with --state-directory")]
    InUse(String),
}

impl StateError {
    pub(super) fn unusable(directory: &Path, cause: std::io::Error) -> Self {
        StateError::Unusable { directory: directory.display().to_string(), cause }
    }
}

/// Its cursors can be sought.
fn is_cursors(resume: &Resume) -> bool {
    let cursors = [Some(&resume.position.cursor), resume.stored.as_ref()];
    cursors.into_iter().flatten().all(|cursor| EntryKey::parse(cursor).is_some())
}

/// What the user can do when the directory cannot be used.
fn remedy(cause: &std::io::Error) -> &'static str {
    match cause.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "free some space there, or name another with --state-directory"
        }
        _ => "make it writable, or name another with --state-directory",
    }
}

/// Creates a directory if needed, and acquires its lock.
fn take(directory: &Path) -> Result<File, StateError> {
    let unusable = |cause| StateError::unusable(directory, cause);
    fs::create_dir_all(directory).map_err(unusable)?;
    // Not for writing: that would keep the file system from becoming read-only.
    let flags = OFlags::RDONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let lock = rustix::fs::open(directory.join(LOCK), flags, MODE);
    let lock = lock.map(File::from).map_err(|e| unusable(e.into()))?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(lock),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(StateError::InUse(directory.display().to_string())),
        Err(e) => Err(unusable(e.into())),
    }
}

/// Replaces a file: the old one stays until the new one is complete. A symbolic link is replaced, never followed.
pub(crate) fn replace(path: &Path, text: &[u8], durable: bool) -> std::io::Result<()> {
    let temporary = path.with_extension("json.new");
    match fs::remove_file(&temporary) {
        Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    // Newly created, so that nothing that was placed there in the meantime is written to (open(2): O_EXCL).
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::open(&temporary, flags, MODE)?);
    file.write_all(text)?;
    if durable {
        file.sync_all()?;
    }
    fs::rename(&temporary, path)
}

impl StateDirectory {
    /// Takes a directory, making it if needed.
    pub fn open(directory: &Path, location: &Location) -> Result<Self, StateError> {
        let lock = Mutex::new(take(directory)?);
        Ok(StateDirectory { directory: directory.to_owned(), journal: location.to_string(), lock })
    }

    /// The saved position of this journal. A file that cannot be used is reported and passed
    /// over: everything is read again, and what is stored already is recognised.
    pub fn load(&self) -> Option<Resume> {
        let path = self.path();
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == ErrorKind::NotFound => return None,
            Err(e) => {
                tracing::warn!("cannot read {}: {e}; reading the journal from its start", path.display());
                return None;
            }
        };
        match serde_json::from_slice::<Saved>(&text) {
            Ok(saved) if saved.version != VERSION => {
                tracing::warn!(
                    "{} is of another version; reading the journal from its start",
                    path.display()
                );
                None
            }
            Ok(saved) if saved.journal != self.journal => {
                tracing::info!(
                    "{} is about the {}; reading the {} from its start",
                    path.display(),
                    saved.journal,
                    self.journal
                );
                None
            }
            Ok(saved) if !is_cursors(&saved.resume) => {
                tracing::warn!(
                    "{} is damaged (no journal cursor); reading the journal from its start",
                    path.display()
                );
                None
            }
            Ok(saved) => Some(saved.resume),
            Err(e) => {
                tracing::warn!("{} is damaged ({e}); reading the journal from its start", path.display());
                None
            }
        }
    }

    /// Saves a position: the old one stays until the new one is complete.
    pub fn save(&self, resume: &Resume, durable: bool) -> Result<(), StateError> {
        let saved = Saved { version: VERSION, journal: self.journal.clone(), resume: resume.clone() };
        let text = serde_json::to_vec(&saved).map_err(|e| self.unusable(e.into()))?;
        if !self.directory.join(LOCK).exists() {
            *self.lock.lock().unwrap_or_else(PoisonError::into_inner) = take(&self.directory)?;
        }
        replace(&self.path(), &text, durable).map_err(|e| self.unusable(e))
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where the history of the devices is kept.
    pub fn device_file(&self) -> DeviceFile {
        DeviceFile::new(&self.directory)
    }

    fn unusable(&self, cause: std::io::Error) -> StateError {
        StateError::unusable(&self.directory, cause)
    }

    fn path(&self) -> PathBuf {
        self.directory.join("position.json")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Position;

    fn resume() -> Resume {
        let position = Position {
            cursor: "s=a;i=1;b=b;m=1;t=2;x=3".into(),
            boot_id: "b".into(),
            monotonic: 1,
            realtime: 2,
        };
        Resume { position, done: true, stored: None }
    }

    #[test]
    fn saved_position_comes_back_for_the_same_journal_only() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDirectory::open(dir.path(), &Location::Local).unwrap();
        assert_eq!(state.load(), None);
        state.save(&resume(), true).unwrap();
        assert_eq!(state.load(), Some(resume()));
        drop(state);
        let other = StateDirectory::open(dir.path(), &Location::Namespace("x".into())).unwrap();
        assert_eq!(other.load(), None);
    }

    #[test]
    fn a_damaged_file_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDirectory::open(dir.path(), &Location::Local).unwrap();
        fs::write(dir.path().join("position.json"), "{\"version\":").unwrap();
        assert_eq!(state.load(), None);
    }

    #[test]
    fn links_are_replaced_and_others_may_not_read() {
        use std::os::unix::fs::{symlink, PermissionsExt};
        let dir = tempfile::tempdir().unwrap();
        let (victim, state_dir) = (dir.path().join("victim"), dir.path().join("state"));
        fs::write(&victim, "precious").unwrap();
        fs::create_dir(&state_dir).unwrap();
        for name in ["position.json", "position.json.new"] {
            symlink(&victim, state_dir.join(name)).unwrap();
        }
        let state = StateDirectory::open(&state_dir, &Location::Local).unwrap();
        state.save(&resume(), true).unwrap();
        assert_eq!((fs::read(&victim).unwrap(), state.load()), (b"precious".to_vec(), Some(resume())));
        for name in ["position.json", LOCK] {
            let file = fs::symlink_metadata(state_dir.join(name)).unwrap();
            assert_eq!((file.is_file(), file.permissions().mode() & 0o777), (true, 0o600), "{name}");
        }
        drop(state);
        fs::remove_file(state_dir.join(LOCK)).unwrap();
        symlink(dir.path().join("elsewhere"), state_dir.join(LOCK)).unwrap();
        assert!(StateDirectory::open(&state_dir, &Location::Local).is_err());
        assert!(!dir.path().join("elsewhere").exists());
    }

    #[test]
    fn a_second_daemon_is_turned_away() {
        let dir = tempfile::tempdir().unwrap();
        let _first = StateDirectory::open(dir.path(), &Location::Local).unwrap();
        let second = StateDirectory::open(dir.path(), &Location::Local).unwrap_err();
        assert!(second.to_string().contains("another peripetyd"));
    }
}
