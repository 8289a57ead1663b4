//! The devices of a machine over time, recorded: a device tree, the trees after it, and the kernel's uevents with their times.
//!
//! A recording is a directory:
//!
//! * `tree.txt`: the device tree at the beginning ([`Recorded`]);
//! * `trees/TIME.txt`: what changed in it since the tree before ([`Recorded::apply`]), TIME in µs of CLOCK_MONOTONIC;
//! * `uevents.txt`: the output of `udevadm monitor --kernel --property`.
//!
//! A uevent carries no attributes: those of a device that came or changed are taken from the next tree that has it.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use peripety_blkinfo::history::{Action, Uevent};
use peripety_blkinfo::{Recorded, Source, Tree};

use super::feed::{Clock, Feed};
use super::uevents::Received;

/// How long before a change the machine is looked at: what happened until then is known, as on a machine whose messages are
/// read all the time, µs.
const BEFORE: u64 = 20_000;

/// Why a recording cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// A file cannot be read.
    #[error("{}: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A file is not in its format.
    #[error("{}: {cause}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: peripety_blkinfo::Error,
    },
    /// The name of a tree is not its time.
    #[error("{}: a tree is named after its time, in µs of CLOCK_MONOTONIC: trees/TIME.txt", path.display())]
    Name {
        /// The file.
        path: PathBuf,
    },
    /// The first device tree is of no known boot.
    #[error("tree.txt: {0}")]
    Tree(peripety_blkinfo::Error),
    /// The devices in it cannot be listed.
    #[error("{0}")]
    Watch(String),
}

/// What happened.
#[derive(Debug)]
enum Change {
    /// The kernel's message; and from which of the trees that follow the device is described.
    Uevent(Uevent, Option<Arc<Recorded>>),
    /// All that changed since the tree before.
    Tree(Arc<Recorded>),
}

/// A recording that is being played.
#[derive(Clone, Debug)]
pub struct Recording {
    now: Arc<AtomicU64>,
    state: Arc<Mutex<Playback>>,
}

struct Playback {
    /// The machine now.
    tree: Recorded,
    /// What is still to happen, with its time.
    coming: VecDeque<(u64, Change)>,
    /// Uevents that wait to be read.
    waiting: VecDeque<Uevent>,
    /// The mount table of the last call.
    mounts: Option<Option<String>>,
}

impl fmt::Debug for Playback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Playback").field("coming", &self.coming.len()).finish_non_exhaustive()
    }
}

impl Recording {
    /// Reads a directory. The machine is in the state of `tree.txt`, and the time is 0: see [`Recording::begin`].
    ///
    /// # Errors
    /// A file is missing, cannot be read, or is not in its format.
    pub fn open(directory: &Path) -> Result<Self, RecordingError> {
        let path = directory.join("tree.txt");
        let first = Recorded::parse(&read(&path)?).map_err(|cause| RecordingError::Format { path, cause })?;
        let mut trees = vec![];
        let mut last = first.clone();
        for (time, path) in files(&directory.join("trees"))? {
            let changes = read(&path)?;
            last.apply(&changes).map_err(|cause| RecordingError::Format { path, cause })?;
            trees.push((time, Arc::new(last.clone())));
        }
        let path = directory.join("uevents.txt");
        let uevents = match path.exists() {
            true => {
                Uevent::monitored(&read(&path)?).map_err(|cause| RecordingError::Format { path, cause })?
            }
            false => Vec::new(),
        };
        let state = Playback {
            tree: first,
            coming: in_order(uevents, trees),
            waiting: VecDeque::new(),
            mounts: None,
        };
        Ok(Recording { now: Arc::default(), state: Arc::new(Mutex::new(state)) })
    }

    /// The recording is of this boot.
    pub fn is_of(&self, boot_id: &str) -> bool {
        self.tree().boot_id().is_ok_and(|own| own == boot_id)
    }

    /// Begins when `first` (an entry) or the first change came, but not before the first tree was recorded: when udev saw the
    /// last device that is in it.
    pub fn begin(&self, first: Option<u64>) {
        let changed = self.next().map(|at| at.saturating_sub(BEFORE));
        let blocks = self.tree().list_all().unwrap_or_default();
        let recorded = blocks.iter().filter_map(|block| block.present_since).max();
        let began = first.into_iter().chain(changed).min();
        self.set(began.max(recorded).unwrap_or_default());
    }

    /// The tree, which is always that of now.
    pub fn tree(&self) -> Tree {
        Tree::new(Now(self.state.clone()))
    }

    pub(super) fn clock(&self) -> Clock {
        Clock::Recorded(self.now.clone())
    }

    pub(super) fn feed(&self) -> Box<dyn Feed> {
        Box::new(self.clone())
    }

    /// The time, µs of CLOCK_MONOTONIC.
    pub fn now(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }

    /// Lets the time go on. `look` is called whenever somebody who watches the machine would look at it: a little before
    /// each change, at it, and at the end.
    pub fn advance(&self, to: u64, mut look: impl FnMut()) {
        while let Some(at) = self.next().filter(|at| *at <= to) {
            if self.now().saturating_add(BEFORE) < at {
                self.set(at - BEFORE);
                look();
            }
            self.set(at);
            self.state().happen(at);
            look();
        }
        self.set(to);
        look();
    }

    /// When something happens next.
    fn next(&self) -> Option<u64> {
        self.state().coming.front().map(|(at, _)| *at)
    }

    fn set(&self, time: u64) {
        self.now.fetch_max(time, Ordering::Relaxed);
    }

    fn state(&self) -> MutexGuard<'_, Playback> {
        lock(&self.state)
    }
}

fn lock(state: &Mutex<Playback>) -> MutexGuard<'_, Playback> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Playback {
    /// Everything that happened at this time.
    fn happen(&mut self, at: u64) {
        while self.coming.front().is_some_and(|(time, _)| *time == at) {
            let Some((_, change)) = self.coming.pop_front() else { return };
            match change {
                Change::Tree(tree) => self.tree = Recorded::clone(&tree),
                Change::Uevent(event, later) => {
                    if event.subsystem == "block" && event.action == Action::Remove {
                        self.tree.forget(&event.devpath);
                    } else if let Some(later) = later {
                        self.tree.adopt(&later, &event.devpath);
                    }
                    self.waiting.push_back(event);
                }
            }
        }
    }
}

/// What happened, in the order of the times; each uevent with the tree that describes its device.
fn in_order(uevents: Vec<(u64, Uevent)>, trees: Vec<(u64, Arc<Recorded>)>) -> VecDeque<(u64, Change)> {
    let removed = |path: &str, from: u64| {
        let gone = |(at, event): &&(u64, Uevent)| {
            *at > from && event.action == Action::Remove && event.devpath == path
        };
        uevents.iter().find(gone).map_or(u64::MAX, |(at, _)| *at)
    };
    let describing = |at: u64, event: &Uevent| {
        let until = removed(&event.devpath, at);
        let tree = trees.iter().find(|(time, tree)| (at..until).contains(time) && has(tree, event));
        tree.map(|(_, tree)| tree.clone())
    };
    // Uevents that do not concern storage may be missing from the recording: sequence numbers mean nothing.
    let changes = (0..).zip(&uevents).map(|(seqnum, (at, event))| {
        let later = (event.subsystem == "block").then(|| describing(*at, event)).flatten();
        (*at, Change::Uevent(Uevent { seqnum, ..event.clone() }, later))
    });
    let mut all: Vec<(u64, Change)> = changes.collect();
    all.extend(trees.iter().map(|(at, tree)| (*at, Change::Tree(tree.clone()))));
    all.sort_by_key(|(at, _)| *at);
    all.into()
}

/// The tree has the very device of the uevent.
fn has(tree: &Recorded, event: &Uevent) -> bool {
    let device = PathBuf::from(format!("/sys{}", event.devpath));
    let sequence = tree.text(&device.join("diskseq")).and_then(|text| text.trim().parse().ok());
    tree.read_dir(&device).is_ok()
        && event.diskseq.is_none_or(|wanted| sequence.is_none_or(|own: u64| own == wanted))
}

fn read(path: &Path) -> Result<String, RecordingError> {
    std::fs::read_to_string(path)
        .map_err(|cause| RecordingError::Unreadable { path: path.to_path_buf(), cause })
}

/// The trees by time. None where the directory is missing.
fn files(directory: &Path) -> Result<Vec<(u64, PathBuf)>, RecordingError> {
    let failed = |cause| RecordingError::Unreadable { path: directory.to_path_buf(), cause };
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(failed(e)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let time = path.file_stem().and_then(|name| name.to_str()?.parse().ok());
        files.push((time.ok_or_else(|| RecordingError::Name { path: path.clone() })?, path));
    }
    files.sort();
    Ok(files)
}

/// The tree of now.
struct Now(Arc<Mutex<Playback>>);

impl Source for Now {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        lock(&self.0).tree.read(path)
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        lock(&self.0).tree.read_link(path)
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<OsString>> {
        lock(&self.0).tree.read_dir(path)
    }
}

impl Feed for Recording {
    fn receive(&mut self) -> io::Result<Received> {
        Ok(self.state().waiting.pop_front().map_or(Received::Nothing, Received::Event))
    }

    fn mounts_changed(&mut self) -> Option<bool> {
        let mut state = self.state();
        let table = state.tree.text(Path::new("/proc/self/mountinfo"));
        let known = state.mounts.replace(table.clone());
        Some(known != Some(table))
    }
}
