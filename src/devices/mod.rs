//! Finds the block device that a log line is about.
//!
//! The running machine is watched: see `watch.rs`. Its history tells which device had a name when the line was logged.
//!
//! A device tree belongs to one boot: entries of another boot, or of another machine, are never
//! looked up in it. Nor is a device that got its name only after the line was logged.

mod attached;
mod feed;
mod gaps;
mod mount_table;
mod near;
mod recording;
mod uevents;
mod watch;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use peripety_blkinfo::history::{Answer as Past, HighWaterMark, History};
use peripety_blkinfo::{BlkType, BlockInfo, Error, Mount, Recorded, Tree};

use self::attached::Attached;
use self::feed::Clock;
use self::near::Claims;
pub use self::near::{is_deleted, is_last_word, PROBING};
pub use self::recording::{Recording, RecordingError};
pub use self::watch::Removed;
use self::watch::Watch;
use crate::bus::raw::EntryInfo;

/// A line of the running machine that is not older than this is about the devices of now. journald
/// may store a line some seconds late.
const NEW_LINE: u64 = 10_000_000;
/// How long an answer about the running machine stays good, µs.
const FRESH: u64 = 100_000;
/// Answers kept; more are not needed, since they are not kept for long.
const MAX_ANSWERS: usize = 4096;

/// A string of a log line that names a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name<'n> {
    /// A name assigned by the kernel: nothing else may match. That `sdq` was removed must not resolve
    /// to a map that somebody named "sdq".
    Kernel(&'n str),
    /// Any name: of a map, a file system UUID, a mount point.
    Any(&'n str),
}

impl<'n> Name<'n> {
    fn text(self) -> &'n str {
        match self {
            Name::Kernel(text) | Name::Any(text) => text,
        }
    }
}

/// Can it be a mount point?
fn is_place(name: &str) -> bool {
    name.starts_with('/') && !name.starts_with("/dev/") && !name.starts_with("/sys/")
}

/// A path in a log line is a mount point or the file behind a loop device, never the file system that contains it.
fn is_exactly(found: &BlockInfo, name: &str) -> bool {
    let behind = found.extension.get("backing_file").is_some_and(|file| file == name);
    !is_place(name) || behind || found.mount_points.iter().any(|point| point == name)
}

/// The device tree, and the boot it belongs to.
#[derive(Debug)]
pub struct Devices {
    tree: Arc<Tree>,
    boot_id: Option<String>,
    /// Of the running machine.
    watch: Option<Arc<Watch>>,
    /// What an earlier run of the daemon saw in another boot.
    earlier: Option<History>,
    clock: Clock,
    answers: Mutex<HashMap<String, Answer>>,
    claims: Claims,
    attached: Attached,
}

#[derive(Clone, Debug)]
struct Answer {
    block: Option<Arc<BlockInfo>>,
    at: u64,
}

impl Devices {
    /// The devices of a tree. `earlier`: what the daemon saw when it ran before.
    pub fn new(tree: Tree, earlier: Option<History>) -> Self {
        let boot_id = tree.boot_id().inspect_err(|e| {
            tracing::warn!(
                "the device tree belongs to no known boot, so that no device can be resolved: {e}"
            );
        });
        let (tree, boot_id) = (Arc::new(tree), boot_id.ok());
        let (same_boot, earlier): (Option<History>, Option<History>) = match earlier {
            Some(history) if Some(history.boot_id()) == boot_id.as_deref() => (Some(history), None),
            other => (None, other),
        };
        let watch = boot_id.as_deref().filter(|_| tree.is_live()).and_then(|boot_id| {
            let watch = Watch::start(tree.clone(), boot_id, same_boot);
            watch
                .inspect_err(|e| {
                    tracing::error!("{e}; a line about a device that came or went may not name it")
                })
                .ok()
        });
        Devices { watch, earlier, ..Self::still(tree, boot_id) }
    }

    /// The devices of another machine, or none: no device of this machine is ever read.
    pub fn elsewhere(history: Option<History>) -> Self {
        let tree = Arc::new(Tree::new(Recorded::default()));
        Devices { earlier: history, ..Self::still(tree, None) }
    }

    fn still(tree: Arc<Tree>, boot_id: Option<String>) -> Self {
        Devices {
            tree,
            boot_id,
            watch: None,
            earlier: None,
            clock: Clock::Machine,
            answers: Mutex::default(),
            claims: Claims::default(),
            attached: Attached::default(),
        }
    }

    /// The devices of a recorded machine, watched as those of this one are, at the time at which the recording begins.
    ///
    /// # Errors
    /// [`RecordingError::Tree`] when its first device tree is of no known boot.
    pub fn recorded(recording: &Recording) -> Result<Self, RecordingError> {
        let tree = Arc::new(recording.tree());
        let boot_id = tree.boot_id().map_err(RecordingError::Tree)?;
        let watch = Watch::new(tree.clone(), &boot_id, None, recording.feed(), recording.clock());
        let watch = Some(watch.map_err(RecordingError::Watch)?);
        Ok(Devices { watch, clock: recording.clock(), ..Self::still(tree, Some(boot_id)) })
    }

    /// The block devices that were removed since the last call, in order. The caller takes them.
    pub fn removed(&self) -> Vec<Removed> {
        self.watch.as_ref().map(|watch| watch.removed()).unwrap_or_default()
    }

    /// Number of devices of the machine that is watched, present and past; 0 of any other.
    pub fn count(&self) -> usize {
        self.watch.as_ref().map_or(0, |watch| watch.count())
    }

    /// Reads pending changes, like the thread that watches this machine.
    pub fn catch_up(&self) {
        if let Some(watch) = &self.watch {
            watch.catch_up();
        }
    }

    /// The time by the clock of the devices, µs of CLOCK_MONOTONIC.
    pub fn time(&self) -> u64 {
        self.clock.now()
    }

    /// Whether the devices change with time: this is the running machine, or a recording that is being played.
    pub fn moves(&self) -> bool {
        self.watch.is_some() || self.tree.is_live()
    }

    /// Whether the entry is of the current boot, and so recent (`within`) that its device may still appear.
    pub fn is_new(&self, entry: &EntryInfo, within: Duration) -> bool {
        let age = self.clock.now().saturating_sub(entry.monotonic);
        self.moves() && self.knows(entry) && Duration::from_micros(age) < within
    }

    /// What is known of this machine's devices over time, to be kept for the next run.
    pub fn history(&self) -> Option<History> {
        self.watch.as_ref().map(|watch| watch.history())
    }

    /// The time up to which the history is complete, with its generation.
    pub fn progress(&self) -> Option<HighWaterMark> {
        self.watch.as_ref().map(|watch| watch.progress())
    }

    /// The boot to which the tree belongs.
    pub fn boot_id(&self) -> Option<&str> {
        self.boot_id.as_deref()
    }

    /// The tree, for questions that are not about a log line.
    pub fn tree(&self) -> Arc<Tree> {
        self.tree.clone()
    }

    /// The tree is of the boot during which the entry was logged.
    pub fn knows(&self, entry: &EntryInfo) -> bool {
        self.boot_id.as_ref().is_some_and(|boot| *boot == entry.boot_id)
    }

    /// The device that had the name `name` when the entry was logged, if known.
    pub fn at(&self, entry: &EntryInfo, name: Name<'_>) -> Option<Arc<BlockInfo>> {
        if !self.knows(entry) {
            return self.in_earlier_boot(entry, name);
        }
        match &self.watch {
            Some(watch) => self.watched(watch, entry, name),
            None => self.now(name).filter(|block| self.was_there(entry, block)),
        }
    }

    /// The device that had the name in a boot that ended.
    fn in_earlier_boot(&self, entry: &EntryInfo, name: Name<'_>) -> Option<Arc<BlockInfo>> {
        let history = self.earlier.as_ref().filter(|history| history.boot_id() == entry.boot_id)?;
        let past = match name {
            Name::Kernel(name) => history.at(name, entry.monotonic),
            Name::Any(name) => history.any_at(name, entry.monotonic),
        };
        match past {
            Past::Known { block, .. } => Some(block),
            Past::Uncertain | Past::Absent => None,
        }
    }

    /// The device that had the name when the line was logged; it may have been removed since.
    fn watched(&self, watch: &Watch, entry: &EntryInfo, name: Name<'_>) -> Option<Arc<BlockInfo>> {
        let time = entry.monotonic;
        let past = match (watch.at(name.text(), time), name) {
            (Past::Absent, Name::Any(point)) if is_place(point) => watch.content_at(point, time),
            (Past::Absent, Name::Any(map)) => watch.at(&format!("/dev/mapper/{map}"), time),
            (past, _) => past,
        };
        match past {
            Past::Known { block, present: false } => Some(block),
            Past::Known { block, present: true } => Some(self.fresh(watch, block)),
            Past::Uncertain => self.near(watch, time, name),
            Past::Absent => self
                .still_there(watch, time, name)
                .or_else(|| self.lay_on(watch, time, name))
                .or_else(|| self.near(watch, time, name)),
        }
    }

    /// What a device is like now, if it is still there.
    fn at_present(&self, watch: &Watch, block: Arc<BlockInfo>) -> Arc<BlockInfo> {
        match watch.at(&block.kdev, self.clock.now()) {
            Past::Known { block: now, present: true } if block.is_same(&now) => self.fresh(watch, now),
            _ => block,
        }
    }

    /// Not a name of the kind that a history has: an ATA port, a WWID. What has it now, when that was there then.
    fn still_there(&self, watch: &Watch, time: u64, name: Name<'_>) -> Option<Arc<BlockInfo>> {
        let found = self.now(name).filter(|found| is_exactly(found, name.text()))?;
        match watch.at(&found.kdev, time) {
            Past::Known { block, .. } if block.is_same(&found) => Some(found),
            // A path of a multipathed NVMe namespace and the like, which no history has.
            Past::Absent if found.major_minor.is_none() => Some(found),
            _ => None,
        }
    }

    /// The device, possibly removed or changed since, that held the file system with that UUID.
    fn lay_on(&self, watch: &Watch, time: u64, name: Name<'_>) -> Option<Arc<BlockInfo>> {
        match (name, watch.content_at(name.text(), time)) {
            (Name::Any(_), Past::Known { block, .. }) => Some(block),
            _ => None,
        }
    }

    /// What a device that is there is like now.
    fn fresh(&self, watch: &Watch, block: Arc<BlockInfo>) -> Arc<BlockInfo> {
        match self.now(Name::Kernel(&block.kdev)).filter(|found| block.is_same(found)) {
            Some(found) => {
                if found != block {
                    watch.refresh(&found);
                }
                found
            }
            None => block,
        }
    }

    /// The device had its name already when the entry was logged. Where nothing tells since when
    /// it has it, that holds for lines of this moment only.
    fn was_there(&self, entry: &EntryInfo, block: &BlockInfo) -> bool {
        match block.present_since {
            Some(since) => since <= entry.monotonic,
            None => self.tree.is_live() && self.clock.now().saturating_sub(entry.monotonic) < NEW_LINE,
        }
    }

    /// The first of several names that leads to a device.
    pub fn first_at<'n>(
        &self,
        entry: &EntryInfo,
        names: impl IntoIterator<Item = Name<'n>>,
    ) -> Option<Arc<BlockInfo>> {
        names.into_iter().find_map(|name| self.at(entry, name))
    }

    /// The multipath map that has this device as a path.
    pub fn map_above(&self, entry: &EntryInfo, path: &BlockInfo) -> Option<Arc<BlockInfo>> {
        let known = path.holders.iter().filter_map(|holder| self.at(entry, Name::Kernel(holder)));
        let mut maps = known.filter(|holder| holder.blk_type == BlkType::DmMultipath);
        maps.next().or_else(|| {
            let live = self.knows(entry).then(|| self.tree.holders_of_type(&path.kdev, BlkType::DmMultipath));
            live.flatten().map(Arc::new)
        })
    }

    /// The mounts of a device, present ones only.
    pub fn mounts(&self, block: &BlockInfo) -> Vec<Mount> {
        block.major_minor.map(|number| self.tree.mount_of(number)).unwrap_or_default()
    }

    /// Where something of this server is mounted; nothing when the mount table is another one than when the line was written.
    pub fn mounts_from(&self, entry: &EntryInfo, server: &str) -> Vec<String> {
        let told =
            self.knows(entry) && (!self.moves() || self.is_new(entry, Duration::from_micros(NEW_LINE)));
        let mounts = if told { self.tree.mounts().unwrap_or_default() } else { Vec::new() };
        let of_server = |mount: &Mount| mount.server().is_some_and(|own| own.eq_ignore_ascii_case(server));
        mounts.into_iter().filter(of_server).map(|mount| mount.mount_point).collect()
    }

    fn now(&self, name: Name<'_>) -> Option<Arc<BlockInfo>> {
        let key = match name {
            Name::Kernel(name) => format!("k{name}"),
            Name::Any(name) => format!("a{name}"),
        };
        let now = self.clock.now();
        let fresh = |a: &&Answer| !self.moves() || now.saturating_sub(a.at) < FRESH;
        if let Some(answer) = self.answers().get(&key).filter(fresh) {
            return answer.block.clone();
        }
        let found = match name {
            Name::Kernel(name) => self.tree.kernel_block(name),
            Name::Any(name) => self.tree.block(name),
        };
        let block = found.inspect_err(report).ok().map(Arc::new);
        let mut answers = self.answers();
        if answers.len() >= MAX_ANSWERS {
            answers.clear();
        }
        answers.insert(key, Answer { block: block.clone(), at: now });
        block
    }

    fn answers(&self) -> MutexGuard<'_, HashMap<String, Answer>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets answers about the running machine: it has changed.
    pub fn forget(&self) {
        self.answers().clear();
    }
}

fn report(error: &Error) {
    match error {
        Error::NotFound { .. } | Error::Ambiguous { .. } => tracing::debug!("{error}"),
        _ => tracing::warn!("{error}"),
    }
}
