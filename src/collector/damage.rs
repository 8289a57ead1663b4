//! Checks journal files for damage, on a thread of its own because there may be gigabytes of them.

use std::sync::mpsc::{channel, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::time::{clock_gettime, ClockId};

use super::wake::Stopper;
use crate::journal::{DamageCheck, Damaged, Location};

/// Interval between checks of changed files.
const PAUSE: Duration = Duration::from_secs(30);
/// An interval is at least this many times as long as the CPU time of the check before it. Time spent waiting for a processor does not
/// count: on a busy machine a check of a second would otherwise delay the next one by minutes.
const SHARE: u32 = 100;

/// The thread that checks.
#[derive(Debug)]
pub struct DamageWatch {
    /// Requests a check at once; `None` requests an exit.
    wake: Option<Sender<()>>,
    found: Receiver<Damaged>,
    thread: Option<JoinHandle<()>>,
}

impl DamageWatch {
    /// Looks now, for files with entries received at or after `since` (µs since the epoch), and from time to time. What it
    /// finds wakes the reader.
    pub fn start(location: Location, since: u64, reader: Stopper) -> Self {
        let (wake, woken) = channel();
        let (sender, found) = channel();
        let work = move || watch(DamageCheck::new(location), since, &woken, &sender, &reader);
        let thread = std::thread::Builder::new().name("journal-check".into()).spawn(work);
        let thread =
            thread.inspect_err(|e| tracing::warn!("cannot check journal files for damage: {e}")).ok();
        DamageWatch { wake: Some(wake), found, thread }
    }

    /// Requests a check at once.
    pub fn look_now(&self) {
        // That the thread exited has been logged.
        let _ = self.wake.as_ref().map(|wake| wake.send(()));
    }

    /// The findings since the last call.
    pub fn found(&self) -> Option<Damaged> {
        self.found.try_recv().ok()
    }

    /// Waits for the check in progress, and stops checking.
    pub fn finish(&mut self) {
        self.wake = None;
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn watch(
    mut check: DamageCheck,
    since: u64,
    woken: &Receiver<()>,
    found: &Sender<Damaged>,
    reader: &Stopper,
) {
    loop {
        let began = processor_time();
        for damaged in check.run(since) {
            if found.send(damaged).is_err() {
                return;
            }
            reader.wake();
        }
        match woken.recv_timeout(pause(processor_time().saturating_sub(began))) {
            Ok(()) => while woken.try_recv().is_ok() {},
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn pause(look: Duration) -> Duration {
    PAUSE.max(look * SHARE)
}

/// Processor time of this thread.
pub(super) fn processor_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A check that waits for a file or for a processor does not delay the next one.
    #[test]
    fn only_processor_time_lengthens_the_pause() {
        let began = processor_time();
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(pause(processor_time() - began), PAUSE);
        assert_eq!(pause(Duration::from_secs(2)), 2 * SHARE * Duration::from_secs(1));
    }
}
