//! Waiting for new entries.
//!
//! journald's change notification comes up to 250 ms late (it is coalesced). A kernel line
//! makes /dev/kmsg readable at once, so that is used as a wakeup: only the time stamps of its records are read, and
//! the journal is polled with growing pauses until journald has stored the line. Without
//! CAP_SYSLOG (or in a container) /dev/kmsg cannot be opened; the journal's own descriptor and a
//! short poll remain.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{eventfd, EventfdFlags};

use crate::bus::Beat;
use crate::sys::poll_readable;

/// First pause after a kernel message; each one is twice as long as the previous one.
const FIRST_STEP: Duration = Duration::from_millis(1);
/// After a pause of this length the journal's own notification is waited for again.
const LAST_STEP: Duration = Duration::from_millis(128);
/// Longest wait with /dev/kmsg.
const IDLE: Duration = Duration::from_secs(2);
/// Longest wait without.
const POLL: Duration = Duration::from_millis(50);
/// How long journald may take to store a kernel message before it counts as lost.
const STORED_WITHIN: Duration = Duration::from_secs(2);
/// Records of /dev/kmsg that are read at a time.
const MAX_RECORDS: usize = 256;
/// Room for one record: the kernel prints at most 8 KiB of one.
const RECORD: usize = 16 * 1024;

/// Stops a reader from another thread.
#[derive(Clone, Debug)]
pub struct Stopper(Arc<Shared>);

/// The reader's end of a [`Stopper`].
#[derive(Debug)]
pub struct Stop(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    set: AtomicBool,
    /// A sign of life to be handed on, and whether there is one.
    beat: Mutex<Option<Arc<Beat>>>,
    has_beat: AtomicBool,
    /// Wakes a reader that waits.
    event: OwnedFd,
}

/// A pair of both.
pub fn stopper() -> std::io::Result<(Stopper, Stop)> {
    let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
    let shared = Arc::new(Shared {
        set: AtomicBool::new(false),
        beat: Mutex::default(),
        has_beat: AtomicBool::new(false),
        event,
    });
    Ok((Stopper(shared.clone()), Stop(shared)))
}

impl Stopper {
    /// Makes the reader end after the entry at hand.
    pub fn stop(&self) {
        self.0.set.store(true, Ordering::Relaxed);
        self.wake();
    }

    /// Has the reader hand on a sign of life after the entry at hand.
    pub fn beat(&self, beat: Arc<Beat>) {
        *self.0.beat.lock().unwrap_or_else(PoisonError::into_inner) = Some(beat);
        self.0.has_beat.store(true, Ordering::Relaxed);
        self.wake();
    }

    /// Wakes a waiting reader.
    pub(super) fn wake(&self) {
        if let Err(e) = rustix::io::write(&self.0.event, &1u64.to_ne_bytes()) {
            tracing::error!("cannot wake the journal reader: {e}");
        }
    }
}

impl Stop {
    /// Descriptor that is readable once the reader shall end.
    pub fn fd(&self) -> RawFd {
        self.0.event.as_raw_fd()
    }

    /// The sign of life to be handed on, once.
    pub fn take_beat(&self) -> Option<Arc<Beat>> {
        if !self.0.has_beat.swap(false, Ordering::Relaxed) {
            return None;
        }
        self.0.beat.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Takes note of having been woken.
    fn awake(&self) {
        let _ = rustix::io::read(&self.0.event, &mut [0u8; 8]);
    }

    /// Waits for this time, or until the reader is woken.
    pub fn pause(&self, limit: Duration) {
        if let Ok([true]) = poll_readable([self.fd()], limit) {
            self.awake();
        }
    }

    /// The other end of it.
    pub fn stopper(&self) -> Stopper {
        Stopper(self.0.clone())
    }

    /// The reader shall end.
    pub fn is_set(&self) -> bool {
        self.0.set.load(Ordering::Relaxed)
    }
}

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// The journal may have new entries.
    Entries,
    /// The journal's files changed: `process` must be called.
    Changed,
    /// The reader shall end.
    Stopped,
}

/// Waits for entries of one journal.
#[derive(Debug)]
pub struct Waker {
    journal: RawFd,
    kmsg: Option<File>,
    step: Option<Duration>,
    /// The time stamp of the newest kernel line that is known, µs since the boot, and when it was seen.
    newest: Option<(u64, Instant)>,
}

impl Waker {
    /// Waits on this journal descriptor, and on /dev/kmsg if `with_kernel`.
    pub fn new(journal: RawFd, with_kernel: bool) -> Self {
        let mut kmsg = with_kernel.then(open_kmsg).flatten();
        // journald may be behind already: at boot it is.
        let newest = kmsg.as_mut().and_then(|kmsg| newest_record(kmsg, usize::MAX));
        let newest = newest.and_then(|time| Some((time, logged_at(time, crate::journal::monotonic_now())?)));
        Waker { journal, kmsg, step: None, newest }
    }

    /// The journal was opened again: waits on its new descriptor.
    pub fn wait_on(&mut self, journal: RawFd) {
        (self.journal, self.step) = (journal, None);
    }

    /// An entry was found: the next pause is a short one again.
    pub fn found(&mut self) {
        if self.step.is_some() {
            self.step = Some(FIRST_STEP);
        }
    }

    /// The kernel logged something after this time (µs since the boot) that journald has not stored yet.
    pub fn kernel_is_ahead(&mut self, read: u64) -> bool {
        let ahead = |(time, seen): &(u64, Instant)| *time > read && seen.elapsed() < STORED_WITHIN;
        self.newest = self.newest.take_if(|newest| ahead(newest));
        self.newest.is_some()
    }

    /// Waits until there may be entries.
    pub fn wait(&mut self, stop: &Stop) -> std::io::Result<Woken> {
        if let Some(step) = self.step {
            self.step = (step < LAST_STEP).then_some(step * 2);
            // The journal's descriptor too: a new file is seen in no other way.
            let [stopped, changed] = poll_readable([stop.fd(), self.journal], step)?;
            return Ok(woken(stop, stopped, changed));
        }
        let kmsg = self.kmsg.as_ref().map_or(-1, File::as_raw_fd);
        let limit = if self.kmsg.is_some() { IDLE } else { POLL };
        let [stopped, changed, kernel] = poll_readable([stop.fd(), self.journal, kmsg], limit)?;
        if kernel {
            self.rewind_alarm();
        }
        Ok(woken(stop, stopped, changed))
    }

    /// Moves past the last kernel message, so that only a new one causes another wakeup.
    fn rewind_alarm(&mut self) {
        self.step = Some(FIRST_STEP);
        if let Some(time) = self.kmsg.as_mut().and_then(|kmsg| newest_record(kmsg, MAX_RECORDS)) {
            self.newest = Some((time, Instant::now()));
        }
        if let Some(Err(e)) = self.kmsg.as_mut().map(|kmsg| kmsg.seek(SeekFrom::End(0))) {
            tracing::warn!("/dev/kmsg can no longer be used ({e}): kernel lines are seen up to 250 ms later");
            self.kmsg = None;
        }
    }
}

fn woken(stop: &Stop, called: bool, changed: bool) -> Woken {
    if called {
        stop.awake();
    }
    match (stop.is_set(), changed) {
        (true, _) => Woken::Stopped,
        (_, true) => Woken::Changed,
        _ => Woken::Entries,
    }
}

/// When the kernel logged a record with this time stamp, both times in µs since the boot; `None` when journald has stored or lost it.
fn logged_at(time: u64, now: u64) -> Option<Instant> {
    let ago = Duration::from_micros(now.saturating_sub(time));
    (ago < STORED_WITHIN).then(|| Instant::now().checked_sub(ago)).flatten()
}

/// The time stamp of the newest record that waits, µs since the boot. At most `most` records are read.
fn newest_record(kmsg: &mut File, most: usize) -> Option<u64> {
    let mut record = [0u8; RECORD];
    let mut newest = None;
    for _ in 0..most {
        match kmsg.read(&mut record) {
            Ok(length) => newest = time_of(record.get(..length)?).or(newest),
            // Records were overwritten before they were read; the next read continues after them.
            Err(e) if e.kind() == ErrorKind::BrokenPipe => {}
            Err(_) => break,
        }
    }
    newest
}

/// The time stamp of a record `PRIORITY,NUMBER,TIME,FLAGS;TEXT` (Documentation/ABI/testing/dev-kmsg) that the kernel itself
/// wrote: its facility is 0.
fn time_of(record: &[u8]) -> Option<u64> {
    let head = std::str::from_utf8(record.split(|byte| *byte == b';').next()?).ok()?;
    let mut fields = head.split(',');
    let priority: u64 = fields.next()?.parse().ok()?;
    let time = fields.nth(1)?.parse().ok()?;
    (priority < 8).then_some(time)
}

fn open_kmsg() -> Option<File> {
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    let opened = OpenOptions::new().read(true).custom_flags(nonblocking).open("/dev/kmsg");
    opened
        .inspect_err(|e| tracing::info!("no /dev/kmsg ({e}): kernel lines are seen up to 250 ms later"))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::{logged_at, time_of, STORED_WITHIN};

    #[test]
    fn a_record_from_before_the_start_is_waited_for_as_long_as_journald_may_take() {
        let within = u64::try_from(STORED_WITHIN.as_micros()).unwrap();
        assert!(logged_at(10_000_000, 10_000_000 + within - 1).is_some());
        assert!(logged_at(10_000_000, 9_999_000).is_some(), "the kernel's clock may be some ms ahead");
        assert!(logged_at(10_000_000, 10_000_000 + within).is_none());
    }

    #[test]
    fn records_of_the_kernel_have_a_time() {
        assert_eq!(
            time_of(b"6,339,5140900,-;NET: Registered protocol family\n SUBSYSTEM=net"),
            Some(5_140_900)
        );
        assert_eq!(time_of(b"30,340,5690716,-;udevd[80]: starting version 181"), None, "another facility");
        assert_eq!(time_of(b"no record"), None);
    }
}
