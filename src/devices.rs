//! What block device a log line is about.
//!
//! A device tree belongs to one boot: entries of another boot, or of another machine, are never
//! looked up in it. Nor is a device that got its name only after the line was logged.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use peripety_blkinfo::{BlkType, BlockInfo, Error, Mount, Tree};

use crate::bus::raw::EntryInfo;
use crate::journal::monotonic_now;

/// A line of the running machine that is not older than this is about the devices of now. journald
/// may store a line some seconds late.
const NEW_LINE: u64 = 10_000_000;
/// How long an answer about the running machine stays good.
const FRESH: Duration = Duration::from_millis(100);
/// Answers kept; more are not needed, since they are not kept for long.
const MOST: usize = 4096;

/// A string of a log line that names a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name<'n> {
    /// As the kernel writes it: nothing else may answer to it. That `sdq` is gone must not lead
    /// to a map that somebody named "sdq".
    Kernel(&'n str),
    /// Any name: of a map, a file system UUID, a mount point.
    Any(&'n str),
}

/// The device tree, and the boot it belongs to.
#[derive(Debug)]
pub struct Devices {
    tree: Arc<Tree>,
    boot_id: Option<String>,
    answers: Mutex<HashMap<String, Answer>>,
}

#[derive(Clone, Debug)]
struct Answer {
    block: Option<Arc<BlockInfo>>,
    at: Instant,
}

impl Devices {
    /// The devices of a tree.
    pub fn new(tree: Tree) -> Self {
        let boot_id = tree.boot_id().inspect_err(|e| {
            tracing::warn!(
                "the device tree belongs to no known boot, so that no device can be resolved: {e}"
            );
        });
        Devices { tree: Arc::new(tree), boot_id: boot_id.ok(), answers: Mutex::default() }
    }

    /// The tree, for questions that are not about a log line.
    pub fn tree(&self) -> Arc<Tree> {
        self.tree.clone()
    }

    /// The tree is of the boot during which the entry was logged.
    pub fn knows(&self, entry: &EntryInfo) -> bool {
        self.boot_id.as_ref().is_some_and(|boot| *boot == entry.boot_id)
    }

    /// The device that `name` meant when the entry was logged; `None` when that is not known.
    pub fn at(&self, entry: &EntryInfo, name: Name<'_>) -> Option<Arc<BlockInfo>> {
        if !self.knows(entry) {
            return None;
        }
        self.now(name).filter(|block| self.was_there(entry, block))
    }

    /// The device had its name already when the entry was logged. Where nothing tells since when
    /// it has it, that holds for lines of this moment only.
    fn was_there(&self, entry: &EntryInfo, block: &BlockInfo) -> bool {
        match block.present_since {
            Some(since) => since <= entry.monotonic,
            None => self.tree.is_live() && monotonic_now().saturating_sub(entry.monotonic) < NEW_LINE,
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
        if !self.knows(entry) {
            return None;
        }
        self.tree.holders_of_type(&path.kdev, BlkType::DmMultipath).map(Arc::new)
    }

    /// The mounts of a device, present ones only.
    pub fn mounts(&self, block: &BlockInfo) -> Vec<Mount> {
        block.major_minor.map(|number| self.tree.mount_of(number)).unwrap_or_default()
    }

    fn now(&self, name: Name<'_>) -> Option<Arc<BlockInfo>> {
        let key = match name {
            Name::Kernel(name) => format!("k{name}"),
            Name::Any(name) => format!("a{name}"),
        };
        let fresh = |a: &&Answer| !self.tree.is_live() || a.at.elapsed() < FRESH;
        if let Some(answer) = self.answers().get(&key).filter(fresh) {
            return answer.block.clone();
        }
        let found = match name {
            Name::Kernel(name) => self.tree.kernel_block(name),
            Name::Any(name) => self.tree.block(name),
        };
        let block = found.inspect_err(report).ok().map(Arc::new);
        let mut answers = self.answers();
        if answers.len() >= MOST {
            answers.clear();
        }
        answers.insert(key, Answer { block: block.clone(), at: Instant::now() });
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
