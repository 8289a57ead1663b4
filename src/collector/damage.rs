//! Looks for damaged journal files beside the reading, on a thread of its own: there may be gigabytes of them.

use std::sync::mpsc::{channel, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::wake::Stopper;
use crate::journal::{DamageCheck, Damaged, Location};

/// Pause between two looks at files that changed.
const PAUSE: Duration = Duration::from_secs(30);
/// A pause is at least so many times as long as the look before it.
const SHARE: u32 = 100;

/// The thread that looks.
#[derive(Debug)]
pub struct DamageWatch {
    /// Has it look at once. `None`: it shall end.
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
            thread.inspect_err(|e| tracing::warn!("cannot look for damaged journal files: {e}")).ok();
        DamageWatch { wake: Some(wake), found, thread }
    }

    /// There is reason to look at once.
    pub fn look_now(&self) {
        // A thread that is gone was mentioned.
        let _ = self.wake.as_ref().map(|wake| wake.send(()));
    }

    /// What was found since this was asked last.
    pub fn found(&self) -> Option<Damaged> {
        self.found.try_recv().ok()
    }

    /// Waits for the look at hand, and looks no more.
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
        let began = Instant::now();
        for damaged in check.run(since) {
            if found.send(damaged).is_err() {
                return;
            }
            reader.wake();
        }
        let pause = PAUSE.max(began.elapsed() * SHARE);
        match woken.recv_timeout(pause) {
            Ok(()) => while woken.try_recv().is_ok() {},
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
