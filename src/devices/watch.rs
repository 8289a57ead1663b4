//! Keeps the device history up to date: of this machine, or of a recorded one.

use std::collections::{BTreeSet, VecDeque};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use peripety_blkinfo::history::{Action, Answer, Claim, HighWaterMark, History, Probed, Uevent, Window};
use peripety_blkinfo::{BlockInfo, Tree};
use rustix::event::PollFlags;

use super::feed::{Clock, Feed, Kernel};
use super::gaps::Gaps;
use super::mount_table::{MountTable, CHANGED};
use super::uevents::Received;
use crate::sys::poll_for;

/// Idle poll interval of the uevent socket. Events within an interval cannot be ordered relative to a log line.
const IDLE_POLL: Duration = Duration::from_millis(500);
/// Poll interval while log lines arrive.
const BUSY_POLL: Duration = Duration::from_millis(20);
/// How recently log lines must have arrived for that, µs.
const RECENT: u64 = 10_000_000;
/// Time after which udev and file systems have finished with a device that appeared or changed, µs.
const SETTLED: u64 = 2_000_000;
/// Maximum number of removed devices that have not been collected.
const MAX_REMOVED: usize = 4096;

/// The devices of a machine over time.
#[derive(Debug)]
pub struct Watch {
    tree: Arc<Tree>,
    clock: Clock,
    state: Mutex<Observed>,
}

#[derive(Debug)]
struct Observed {
    history: History,
    feed: Box<dyn Feed>,
    gaps: Gaps,
    /// Devices to be read again, and since when.
    unsettled: BTreeSet<String>,
    changed: Option<u64>,
    asked: Option<u64>,
    failing: bool,
    removed: VecDeque<Removed>,
}

/// A block device that was removed.
#[derive(Clone, Debug)]
pub struct Removed {
    /// What was known of it.
    pub block: Arc<BlockInfo>,
    /// When that was seen, µs of CLOCK_MONOTONIC.
    pub time: u64,
}

impl Watch {
    /// Starts watching this machine. `earlier`, the history of a previous run in the same boot, is continued.
    pub fn start(tree: Arc<Tree>, boot_id: &str, earlier: Option<History>) -> Result<Arc<Self>, String> {
        let kernel = Kernel::open().map_err(|e| format!("cannot listen to the kernel's uevents: {e}"))?;
        let fd = kernel.fd();
        let watch = Self::new(tree, boot_id, earlier, Box::new(kernel), Clock::Machine)?;
        let weak = Arc::downgrade(&watch);
        std::thread::Builder::new()
            .name("uevents".into())
            .spawn(move || follow(&weak, fd))
            .map_err(|e| format!("cannot start a thread for the kernel's uevents: {e}"))?;
        Ok(watch)
    }

    /// A watch that reads on each lookup, and in [`Watch::catch_up`].
    pub fn new(
        tree: Arc<Tree>,
        boot_id: &str,
        earlier: Option<History>,
        feed: Box<dyn Feed>,
        clock: Clock,
    ) -> Result<Arc<Self>, String> {
        let (looked, blocks) = look_at_all(&tree, &clock).map_err(|e| e.to_string())?;
        let history = match earlier {
            Some(mut history) => {
                history.resync(looked, blocks);
                history
            }
            None => History::new(boot_id, looked, blocks),
        };
        let state = Observed {
            history,
            feed,
            gaps: Gaps::default(),
            unsettled: BTreeSet::new(),
            changed: None,
            asked: None,
            failing: false,
            removed: VecDeque::new(),
        };
        Ok(Arc::new(Watch { tree, clock, state: Mutex::new(state) }))
    }

    /// Reads pending uevents, and reads settled devices again. Returns how long to wait for the next uevent.
    pub fn catch_up(&self) -> Duration {
        let mut state = self.state();
        self.read(&mut state);
        self.read_mounts(&mut state);
        self.settle(&mut state);
        self.pause(&state)
    }

    /// Who had this name at that time (µs of CLOCK_MONOTONIC)?
    pub fn at(&self, name: &str, time: u64) -> Answer {
        let state = self.read_state();
        let now = self.clock.now();
        match state.gaps.open() {
            true => state.history.at_or_look(name, time, now, |block| self.is_there(block)),
            false => state.history.at(name, time),
        }
    }

    /// There was no uevent for it, but some may be missing: whether it is the same under all of its names.
    fn is_there(&self, block: &BlockInfo) -> bool {
        let found = self.tree.kernel_block(&block.kdev);
        found.is_ok_and(|found| {
            (&found.dev_path, &found.address) == (&block.dev_path, &block.address) && block.is_same(&found)
        })
    }

    /// The same of the UUID of a file system or a mount point.
    pub fn content_at(&self, name: &str, time: u64) -> Answer {
        let mut state = self.read_state();
        self.read_mounts(&mut state);
        state.history.content_at(name, time)
    }

    /// See [`History::probed`].
    pub fn probed(&self, name: &str, time: u64, claims: &[Claim]) -> Probed {
        self.read_state().history.probed(name, time, claims)
    }

    /// See [`History::last_holder`].
    pub fn last_holder(&self, name: &str, time: u64) -> Option<Arc<BlockInfo>> {
        self.read_state().history.last_holder(name, time)
    }

    /// See [`History::mounted_and_gone`].
    pub fn mounted_and_gone(&self, name: &str, time: u64) -> Option<Arc<BlockInfo>> {
        let mut state = self.read_state();
        self.read_mounts(&mut state);
        state.history.mounted_and_gone(name, time)
    }

    /// See [`History::present`].
    pub fn present(&self, kdev: &str) -> Option<Arc<BlockInfo>> {
        self.state().history.present(kdev)
    }

    /// See [`History::is_young`].
    pub fn is_young(&self, name: &str, time: u64) -> bool {
        self.read_state().history.is_young(name, time)
    }

    /// See [`History::note_file_system`].
    pub fn note_file_system(&self, kdev: &str, uuid: &str) {
        let now = self.clock.now();
        self.state().history.note_file_system(kdev, uuid, now);
    }

    /// See [`History::mounted_uuid`].
    pub fn mounted_uuid(&self, block: &BlockInfo) -> Option<String> {
        self.state().history.mounted_uuid(block).map(str::to_owned)
    }

    /// The state when all messages that wait are read.
    fn read_state(&self) -> MutexGuard<'_, Observed> {
        let mut state = self.state();
        state.asked = Some(self.clock.now());
        self.read(&mut state);
        state
    }

    /// The block devices that were removed since the last call, in order; if there are very many, only the last ones.
    pub fn removed(&self) -> Vec<Removed> {
        self.state().removed.drain(..).collect()
    }

    /// Takes note of what a device is now.
    pub fn refresh(&self, block: &BlockInfo) {
        let now = self.clock.now();
        self.state().history.refresh(block.clone(), now);
    }

    /// How far the history is complete.
    pub fn progress(&self) -> HighWaterMark {
        let mut state = self.state();
        self.read(&mut state);
        state.history.progress()
    }

    /// Some device that is known, present or past, is like this.
    pub fn any(&self, is: impl Fn(&BlockInfo) -> bool) -> bool {
        self.read_state().history.blocks().any(is)
    }

    /// Number of devices that are known, present and past.
    pub fn count(&self) -> usize {
        self.state().history.len()
    }

    /// The history up to now.
    pub fn history(&self) -> History {
        let mut state = self.state();
        self.read(&mut state);
        state.history.clone()
    }

    fn state(&self) -> MutexGuard<'_, Observed> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads all messages that wait.
    fn read(&self, state: &mut Observed) {
        loop {
            // Taken before: what happened until then is in the queue.
            let before = self.clock.now();
            match state.feed.receive() {
                Ok(Received::Event(event)) => self.take(state, &event),
                Ok(Received::Nothing) => {
                    state.failing = false;
                    if state.gaps.due(self.clock.now()) {
                        self.resync(state);
                    } else if state.gaps.open() {
                        return state.history.advance_in_part(before);
                    } else {
                        return state.history.advance(before);
                    }
                }
                Ok(Received::Lost) => {
                    tracing::warn!(
                        "the kernel's uevents came faster than they were read; looking at all devices again"
                    );
                    self.resync(state);
                }
                // Nothing is certain until it can be read again.
                Err(e) => {
                    if !std::mem::replace(&mut state.failing, true) {
                        tracing::error!(
                            "cannot read the kernel's uevents: {e}; devices are not resolved until then"
                        );
                    }
                    return;
                }
            }
        }
    }

    /// Looks whether something was mounted or unmounted.
    fn read_mounts(&self, state: &mut Observed) {
        // The devices of a table are certain only if the history is complete.
        if state.gaps.open() {
            return;
        }
        let after = self.clock.now();
        match state.feed.mounts_changed() {
            Some(true) => {}
            Some(false) => return state.history.advance_mounts(after),
            None => return,
        }
        let Ok(mounts) = self.tree.mounts() else { return };
        let by = self.clock.now();
        self.read(state);
        state.history.mounts(Window { after, by }, &mounts);
    }

    fn take(&self, state: &mut Observed, event: &Uevent) {
        state.gaps.note(event.seqnum);
        let now = self.clock.now();
        match (event.subsystem.as_str(), event.action) {
            ("block", Action::Remove) => {
                state.unsettled.insert(event.name());
                state.changed = Some(self.clock.now());
                let before = state.history.present(&event.name());
                state.history.gone(&event.name(), event.diskseq, now);
                if let Some(block) = before.filter(|_| state.history.present(&event.name()).is_none()) {
                    state.note_removed(Removed { block, time: now });
                }
            }
            ("block", Action::Add | Action::Change) => self.look(state, event),
            ("block", Action::Move) => {
                if let Some(old) = event.old_name() {
                    state.history.gone(&old, event.diskseq, now);
                }
                self.look(state, event);
            }
            ("scsi", Action::Remove) => state.history.address_gone(&event.name(), now),
            ("nvme", Action::Remove) => state.history.controller_gone(&event.name(), now),
            ("nvme", Action::Add | Action::Change) => {
                state.unsettled.extend(state.history.namespaces());
                state.changed = Some(now);
            }
            _ => {}
        }
    }

    /// A device appeared or changed. The present holder of the name may be a later device that appeared within the same period.
    fn look(&self, state: &mut Observed, event: &Uevent) {
        let Ok(block) = self.tree.kernel_block(&event.name()) else { return };
        state.unsettled.insert(block.kdev.clone());
        // What it is built from has a new holder, and no message of its own.
        state.unsettled.extend(block.slaves.iter().cloned());
        state.changed = Some(self.clock.now());
        state.history.seen(block, self.clock.now());
    }

    /// Looks at all devices. Messages that wait are read afterwards: those about what was seen already change nothing.
    fn resync(&self, state: &mut Observed) {
        let begin = self.clock.now();
        let found = look_at_all(&self.tree, &self.clock).inspect_err(|e| tracing::error!("{e}"));
        state.gaps.looked(begin, self.clock.now(), found.is_ok());
        if let Ok((looked, blocks)) = found {
            state.history.resync(looked, blocks);
        }
    }

    /// Reads settled devices again: udev knows more about them by then, and a uevent that arrived out of order
    /// is set right.
    fn settle(&self, state: &mut Observed) {
        let now = self.clock.now();
        if state.changed.is_none_or(|changed| now.saturating_sub(changed) < SETTLED) {
            return;
        }
        state.changed = None;
        for name in std::mem::take(&mut state.unsettled) {
            match self.tree.kernel_block(&name) {
                Ok(block) => state.history.seen(block, self.clock.now()),
                Err(_) => state.history.gone(&name, None, self.clock.now()),
            }
        }
    }

    /// How long to wait for a message.
    fn pause(&self, state: &Observed) -> Duration {
        let now = self.clock.now();
        match state.asked.is_some_and(|asked| now.saturating_sub(asked) < RECENT) {
            true => BUSY_POLL,
            false => IDLE_POLL,
        }
    }
}

impl Observed {
    fn note_removed(&mut self, removed: Removed) {
        if self.removed.len() >= MAX_REMOVED {
            self.removed.pop_front();
        }
        self.removed.push_back(removed);
    }
}

/// Reads uevents as they arrive, and the mount table when it changes, as long as the watch is in use.
fn follow(watch: &Weak<Watch>, socket: RawFd) {
    let mut pause = IDLE_POLL;
    let mounts = MountTable::open().ok();
    let waited = [(socket, PollFlags::IN), (mounts.as_ref().map_or(-1, MountTable::as_raw_fd), CHANGED)];
    while watch.strong_count() > 0 {
        if poll_for(waited, pause).is_err() {
            std::thread::sleep(IDLE_POLL);
        }
        let Some(watch) = watch.upgrade() else { return };
        pause = watch.catch_up();
    }
}

/// All block devices, including empty and hidden ones, and the period of the scan.
fn look_at_all(tree: &Tree, clock: &Clock) -> Result<(Window, Vec<BlockInfo>), peripety_blkinfo::Error> {
    let after = clock.now();
    let blocks = tree.list_all()?;
    Ok((Window { after, by: clock.now() }, blocks))
}
