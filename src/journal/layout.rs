//! The directories and files of a journal.
//!
//! libsystemd watches the directories that exist when a journal is opened, and reads the machine id once per
//! thread. A [`Layout`] records both, so that a reader can detect that a directory appeared, disappeared or was replaced (also
//! by a mount), and that its handle no longer sees what a new one would see. Files that are given one by one are not watched
//! by libsystemd at all: their layout is the files themselves.

use std::cell::OnceCell;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Location;

/// Where journald keeps its directories (systemd-journald.service(8)).
const ROOTS: [&str; 2] = ["/run/log/journal", "/var/log/journal"];

/// The identity of a file regardless of its name: device and inode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FileKey {
    device: u64,
    inode: u64,
}

impl FileKey {
    /// Of the file that this is about.
    pub fn of(file: &std::fs::Metadata) -> Self {
        FileKey { device: file.dev(), inode: file.ino() }
    }
}

/// The directories of a journal at one moment, or its files where those are given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    machine_id: Option<String>,
    /// Those that exist.
    places: Vec<(PathBuf, FileKey)>,
    /// Some may hold journal files: not only the roots exist.
    has_files: bool,
    /// The places are files that are given one by one.
    given: bool,
}

impl Layout {
    /// The present directories of a journal, or the files that are given.
    pub fn of(location: &Location) -> Self {
        let machine_id = location.is_local().then(machine_id);
        let below = match location {
            Location::Files(files) => files.clone(),
            _ => directories(location, machine_id.as_deref()),
        };
        let has_files = !location.is_local() || below.iter().any(|directory| directory.is_dir());
        let roots = match location.is_local() {
            true => ROOTS.map(PathBuf::from).to_vec(),
            false => Vec::new(),
        };
        let identified = |path: PathBuf| {
            let key = FileKey::of(&std::fs::metadata(&path).ok()?);
            Some((path, key))
        };
        let places = roots.into_iter().chain(below).filter_map(identified).collect();
        Layout { machine_id, places, has_files, given: matches!(location, Location::Files(_)) }
    }

    /// A journal that was opened on this layout no longer sees all that one opened `now` would see. A given file that is
    /// gone is no reason to open the others again.
    pub fn is_outdated(&self, now: &Layout) -> bool {
        match self.given {
            true => now.places.iter().any(|place| !self.places.contains(place)),
            false => self != now,
        }
    }

    /// A given file is gone.
    pub fn has_lost(&self, now: &Layout) -> bool {
        self.given && self.places.iter().any(|place| !now.places.contains(place))
    }

    /// There is a directory that may hold journal files.
    pub fn has_files(&self) -> bool {
        self.has_files
    }
}

/// The machine id, which names journald's directories (machine-id(5)); empty when there is none.
fn machine_id() -> String {
    std::fs::read_to_string("/etc/machine-id").unwrap_or_default().trim().to_owned()
}

thread_local! {
    /// The machine ID that libsystemd has cached on this thread.
    static KNOWN_MACHINE: OnceCell<String> = const { OnceCell::new() };
}

/// Notes that libsystemd reads the machine id on this thread, if it did not yet.
pub(super) fn note_machine_id() {
    KNOWN_MACHINE.with(|known| {
        known.get_or_init(machine_id);
    });
}

/// libsystemd keeps another machine id on this thread than the present one, and cannot open the journal of this machine.
pub fn machine_id_changed() -> bool {
    KNOWN_MACHINE.with(|known| known.get().is_some_and(|known| *known != machine_id()))
}

/// Does work that opens journals on a thread where libsystemd knows the present machine id.
pub fn with_present_machine_id<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    if !machine_id_changed() {
        return work();
    }
    std::thread::scope(|scope| match scope.spawn(work).join() {
        Ok(done) => done,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

/// The directories that may hold the files of a journal, whether they exist or not.
fn directories(location: &Location, machine_id: Option<&str>) -> Vec<PathBuf> {
    let of_machine = |suffix: &str| {
        let name = format!("{}{suffix}", machine_id.unwrap_or_default());
        ROOTS.map(|root| Path::new(root).join(&name)).to_vec()
    };
    match location {
        Location::Files(_) => Vec::new(),
        // An empty name would be the root itself.
        Location::Local | Location::Namespace(_) if machine_id.is_none_or(str::is_empty) => Vec::new(),
        Location::Local => of_machine(""),
        Location::Namespace(name) => of_machine(&format!(".{name}")),
        Location::Directory(directory) => {
            let below = entries(directory).into_iter().filter(|entry| entry.is_dir());
            std::iter::once(directory.clone()).chain(below).collect()
        }
    }
}

/// The files of a journal, in the directories that libsystemd searches.
pub(super) fn files(location: &Location) -> Vec<PathBuf> {
    if let Location::Files(files) = location {
        return files.clone();
    }
    let machine_id = location.is_local().then(machine_id);
    let directories = directories(location, machine_id.as_deref());
    directories.iter().flat_map(|directory| entries(directory)).filter(|file| is_journal(file)).collect()
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    entries.sort_unstable();
    entries
}

fn is_journal(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "journal" || extension == "journal~")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_directory_is_another_layout() {
        let dir = tempfile::tempdir().unwrap();
        let journal = dir.path().join("journal");
        std::fs::create_dir_all(journal.join("below")).unwrap();
        let location = Location::Directory(journal.clone());
        let before = Layout::of(&location);
        assert!(!before.is_outdated(&Layout::of(&location)));
        std::fs::write(journal.join("a.journal"), b"").unwrap();
        assert!(!before.is_outdated(&Layout::of(&location)), "libsystemd notices files itself");
        // Both exist at the same time, so that the new one has another inode.
        std::fs::create_dir_all(dir.path().join("new/below")).unwrap();
        std::fs::rename(&journal, dir.path().join("old")).unwrap();
        assert!(before.is_outdated(&Layout::of(&location)));
        std::fs::rename(dir.path().join("new"), &journal).unwrap();
        assert!(before.is_outdated(&Layout::of(&location)));
    }

    #[test]
    fn a_replaced_file_that_is_given_is_another_layout() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.journal");
        std::fs::write(&file, b"old").unwrap();
        let location = Location::Files(vec![file.clone()]);
        let before = Layout::of(&location);
        std::fs::write(&file, b"longer").unwrap();
        assert!(!before.is_outdated(&Layout::of(&location)));
        std::fs::write(dir.path().join("new"), b"new").unwrap();
        std::fs::rename(dir.path().join("new"), &file).unwrap();
        assert!(before.is_outdated(&Layout::of(&location)));
        let new = Layout::of(&location);
        std::fs::remove_file(&file).unwrap();
        assert!(!new.is_outdated(&Layout::of(&location)), "it may still be written");
    }
}
