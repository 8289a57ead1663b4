//! Keeps the history of this machine's devices up to date.

use std::collections::BTreeSet;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use peripety_blkinfo::history::{Action, Answer, History, Told, Uevent, Window};
use peripety_blkinfo::{BlockInfo, Tree};
use rustix::event::PollFlags;

use super::gaps::Gaps;
use super::mount_table::{MountTable, CHANGED};
use super::uevents::{Received, Socket};
use crate::journal::monotonic_now;
use crate::sys::poll_for;

/// How often is looked whether messages wait, while nobody asks. What happened in between is not known to be earlier or
/// later than a log line.
const IDLE: Duration = Duration::from_millis(500);
/// The same while log lines come.
const BUSY: Duration = Duration::from_millis(20);
/// Log lines came so short ago.
const RECENT: Duration = Duration::from_secs(10);
/// When udev and file systems are done with a device that came or changed.
const SETTLED: Duration = Duration::from_secs(2);

/// The devices of this machine over time.
#[derive(Debug)]
pub struct Watch {
    tree: Arc<Tree>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    history: History,
    socket: Socket,
    /// `None` when it cannot be watched.
    mounts: Option<MountTable>,
    gaps: Gaps,
    /// Devices to be looked at again, and since when.
    unsettled: BTreeSet<String>,
    changed: Option<Instant>,
    asked: Option<Instant>,
    failing: bool,
}

impl Watch {
    /// Begins to watch. `earlier`, what an earlier run of the daemon saw in the same boot, goes on.
    pub fn start(tree: Arc<Tree>, boot_id: &str, earlier: Option<History>) -> Result<Arc<Self>, String> {
        let socket = Socket::open().map_err(|e| format!("cannot listen to the kernel's uevents: {e}"))?;
        let (looked, blocks) = look_at_all(&tree).map_err(|e| e.to_string())?;
        let history = match earlier {
            Some(mut history) => {
                history.resync(looked, blocks);
                history
            }
            None => History::new(boot_id, looked, blocks),
        };
        let state = State {
            history,
            socket,
            mounts: MountTable::open()
                .inspect_err(|e| tracing::warn!("cannot watch the mount table: {e}"))
                .ok(),
            gaps: Gaps::default(),
            unsettled: BTreeSet::new(),
            changed: None,
            asked: None,
            failing: false,
        };
        let watch = Arc::new(Watch { tree, state: Mutex::new(state) });
        let weak = Arc::downgrade(&watch);
        let fd = watch.state().socket.fd();
        std::thread::Builder::new()
            .name("uevents".into())
            .spawn(move || follow(&weak, fd))
            .map_err(|e| format!("cannot start a thread for the kernel's uevents: {e}"))?;
        Ok(watch)
    }

    /// Who had this name at that time (µs of CLOCK_MONOTONIC)?
    pub fn at(&self, name: &str, time: u64) -> Answer {
        let mut state = self.state();
        state.asked = Some(Instant::now());
        self.read(&mut state);
        let now = monotonic_now();
        match state.gaps.open() {
            true => state.history.at_or_look(name, time, now, |block| self.is_there(block)),
            false => state.history.at(name, time),
        }
    }

    /// Nothing was told of it, but messages may be missing: is it the same under all of its names?
    fn is_there(&self, block: &BlockInfo) -> bool {
        let found = self.tree.kernel_block(&block.kdev);
        found.is_ok_and(|found| {
            (&found.dev_path, &found.address) == (&block.dev_path, &block.address) && block.is_same(&found)
        })
    }

    /// The same of the UUID of a file system or a mount point.
    pub fn content_at(&self, name: &str, time: u64) -> Answer {
        let mut state = self.state();
        state.asked = Some(Instant::now());
        self.read(&mut state);
        self.read_mounts(&mut state);
        state.history.content_at(name, time)
    }

    /// Takes note of what a device is now.
    pub fn refresh(&self, block: &BlockInfo) {
        self.state().history.refresh(block.clone());
    }

    /// Up to when the history was told.
    pub fn progress(&self) -> Told {
        let mut state = self.state();
        self.read(&mut state);
        state.history.progress()
    }

    /// The history up to now.
    pub fn history(&self) -> History {
        let mut state = self.state();
        self.read(&mut state);
        state.history.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads all messages that wait.
    fn read(&self, state: &mut State) {
        loop {
            // Taken before: what happened until then is in the queue.
            let before = monotonic_now();
            match state.socket.receive() {
                Ok(Received::Event(event)) => self.take(state, &event),
                Ok(Received::Nothing) => {
                    state.failing = false;
                    if state.gaps.due(Instant::now()) {
                        self.resync(state);
                    } else if state.gaps.open() {
                        return state.history.told_in_part(before);
                    } else {
                        return state.history.told(before);
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
    fn read_mounts(&self, state: &mut State) {
        // Which devices a table means is certain only when all was told.
        let Some(table) = state.mounts.as_mut().filter(|_| !state.gaps.open()) else { return };
        let after = monotonic_now();
        if !table.changed() {
            return state.history.mounts_told(after);
        }
        let Ok(mounts) = self.tree.mounts() else { return };
        let by = monotonic_now();
        self.read(state);
        state.history.mounts(Window { after, by }, &mounts);
    }

    fn take(&self, state: &mut State, event: &Uevent) {
        state.gaps.note(event.seqnum);
        let now = monotonic_now();
        match (event.subsystem.as_str(), event.action) {
            ("block", Action::Remove) => {
                state.unsettled.insert(event.name());
                state.changed = Some(Instant::now());
                state.history.gone(&event.name(), event.diskseq, now);
            }
            ("block", Action::Add | Action::Change) => self.look(state, event),
            ("block", Action::Move) => {
                if let Some(old) = event.old_name() {
                    state.history.gone(&old, event.diskseq, now);
                }
                self.look(state, event);
            }
            ("scsi", Action::Remove) => state.history.address_gone(&event.name(), now),
            _ => {}
        }
    }

    /// A device came or changed. What has its name by now may be a later one: it came in the same span of time.
    fn look(&self, state: &mut State, event: &Uevent) {
        let Ok(block) = self.tree.kernel_block(&event.name()) else { return };
        state.unsettled.insert(block.kdev.clone());
        // What it is built from has a new holder, and no message of its own.
        state.unsettled.extend(block.slaves.iter().cloned());
        state.changed = Some(Instant::now());
        state.history.seen(block, monotonic_now());
    }

    /// Looks at all devices. Messages that wait are read afterwards: those about what was seen already change nothing.
    fn resync(&self, state: &mut State) {
        let begin = Instant::now();
        let found = look_at_all(&self.tree).inspect_err(|e| tracing::error!("{e}"));
        state.gaps.looked(begin, Instant::now(), found.is_ok());
        if let Ok((looked, blocks)) = found {
            state.history.resync(looked, blocks);
        }
    }

    /// Looks again at devices that have settled: udev knows more of them by then, and a message that came out of order
    /// is set right.
    fn settle(&self, state: &mut State) {
        if state.changed.is_none_or(|changed| changed.elapsed() < SETTLED) {
            return;
        }
        state.changed = None;
        for name in std::mem::take(&mut state.unsettled) {
            match self.tree.kernel_block(&name) {
                Ok(block) => state.history.seen(block, monotonic_now()),
                Err(_) => state.history.gone(&name, None, monotonic_now()),
            }
        }
    }

    /// How long to wait for a message.
    fn pause(state: &State) -> Duration {
        match state.asked.is_some_and(|asked| asked.elapsed() < RECENT) {
            true => BUSY,
            false => IDLE,
        }
    }
}

/// Reads messages as they come, and looks what is mounted when that changes, as long as somebody has the watch.
fn follow(watch: &Weak<Watch>, socket: RawFd) {
    let mut pause = IDLE;
    let mounts = MountTable::open().ok();
    let waited = [(socket, PollFlags::IN), (mounts.as_ref().map_or(-1, MountTable::as_raw_fd), CHANGED)];
    while watch.strong_count() > 0 {
        if poll_for(waited, pause).is_err() {
            std::thread::sleep(IDLE);
        }
        let Some(watch) = watch.upgrade() else { return };
        let mut state = watch.state();
        watch.read(&mut state);
        watch.read_mounts(&mut state);
        watch.settle(&mut state);
        pause = Watch::pause(&state);
    }
}

/// All block devices, empty and hidden ones too, and when they were looked at.
fn look_at_all(tree: &Tree) -> Result<(Window, Vec<BlockInfo>), peripety_blkinfo::Error> {
    let after = monotonic_now();
    let blocks = tree.list_all()?;
    Ok((Window { after, by: monotonic_now() }, blocks))
}
