//! Plays a recording of a machine through the daemon's own stages, on the times of the recording.
//!
//! A recording is a directory with the journal (`journal.export`, perhaps compressed: `.xz`, `.gz`, `.zst`), and what
//! [`Recording`] reads: device trees and uevents. Entries are read in the order and at the times in which journald received
//! them, and between two of them the devices come and go, mounts appear, and what waits is waited for, as it was there and
//! then. Nothing of this machine is looked at, and nothing depends on how fast it is.

mod entries;

use std::path::Path;
use std::sync::Arc;

use crate::bus::RawEvent;
use crate::correlate::burst::Settings;
use crate::correlate::hold::{Hold, Origin};
use crate::correlate::place::Place;
use crate::correlate::{Correlator, Done, Made};
use crate::devices::{Devices, Recording, RecordingError};
use crate::event::{EventDraft, StorageEvent};
use crate::incidents::{Change, Incidents};
use crate::parser::work::Work;
use crate::parser::{build, FAMILIES};
use crate::rules::conditions::Kinds;
use crate::rules::rule::Rule;
use entries::Recorded;

/// How long the replay continues after the last entry, µs: until bursts have ended.
const AFTER: u64 = 120_000_000;

/// Why a recording cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Its devices.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// Its journal.
    #[error("{path}: {cause}")]
    Journal {
        /// The file.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
}

/// An event, and when it was emitted.
#[derive(Debug)]
pub struct Played {
    /// µs since the epoch.
    pub received: u64,
    /// The event.
    pub event: StorageEvent,
}

/// Plays the recording in a directory.
///
/// # Errors
/// A file is missing, cannot be read, or is not in its format.
pub fn play(directory: &Path, rules: Vec<Arc<Rule>>, bursts: Settings) -> Result<Vec<Played>, ReplayError> {
    run(directory, rules, bursts, None).map(|player| player.played)
}

/// Plays it, and returns the reports about incidents.
///
/// # Errors
/// As [`play`].
pub fn incidents(
    directory: &Path,
    rules: Vec<Arc<Rule>>,
    bursts: Settings,
    kinds: Arc<Kinds>,
) -> Result<Vec<Change>, ReplayError> {
    let mut player = run(directory, rules, bursts, Some(Incidents::new(kinds)))?;
    let rest = player.incidents.as_mut().map(Incidents::flush).unwrap_or_default();
    player.changes.extend(rest);
    Ok(player.changes)
}

fn run(
    directory: &Path,
    rules: Vec<Arc<Rule>>,
    bursts: Settings,
    incidents: Option<Incidents>,
) -> Result<Player, ReplayError> {
    let entries = entries::read(directory, rules)?;
    let recording = Recording::open(directory)?;
    let first = entries.iter().find(|entry| recording.is_of(&entry.raw.entry.boot_id));
    recording.begin(first.map(|entry| entry.received.monotonic));
    let devices = Devices::recorded(&recording)?;
    let mut player = Player {
        boot_id: devices.boot_id().unwrap_or_default().to_owned(),
        devices,
        // What the clocks differ by; entries of another boot have the time of day only.
        epoch: first.map_or(0, |entry| entry.received.realtime.saturating_sub(entry.received.monotonic)),
        recording,
        works: FAMILIES.iter().map(Work::new).collect(),
        hold: Hold::default(),
        behind: false,
        faults: Correlator::new(bursts),
        played: Vec::new(),
        incidents,
        changes: Vec::new(),
    };
    let ahead = kernel_times(&entries);
    for (entry, ahead) in entries.into_iter().zip(ahead) {
        let own = player.recording.is_of(&entry.raw.entry.boot_id);
        let at = match own {
            true => entry.received.monotonic,
            false => entry.received.realtime.saturating_sub(player.epoch),
        };
        player.run_until(at);
        player.behind = ahead.is_some_and(|written| written <= player.now());
        player.take(Arc::new(entry.raw));
        player.release();
    }
    player.behind = false;
    let end = player.devices.time().saturating_add(AFTER);
    player.run_until(end);
    let rest = player.faults.flush();
    player.put(rest);
    Ok(player)
}

/// For each entry, when the first line of the kernel was written that journald received later, µs since the epoch: until it
/// comes, the reader is known to be behind.
fn kernel_times(entries: &[Recorded]) -> Vec<Option<u64>> {
    let mut first = None;
    let mut times: Vec<Option<u64>> = Vec::with_capacity(entries.len());
    for entry in entries.iter().rev() {
        times.push(first);
        if entry.raw.entry.identifier == "kernel" {
            let written = entry.raw.entry.timestamp;
            first = Some(first.map_or(written, |known: u64| known.min(written)));
        }
    }
    times.reverse();
    times
}

struct Player {
    recording: Recording,
    devices: Devices,
    epoch: u64,
    works: Vec<Work>,
    /// The boot that was recorded.
    boot_id: String,
    hold: Hold<Made<()>>,
    /// Something was written by now that journald receives later.
    behind: bool,
    faults: Correlator<()>,
    played: Vec<Played>,
    incidents: Option<Incidents>,
    changes: Vec<Change>,
}

impl Player {
    /// Lets the time go on, and everything happen that happens until then.
    fn run_until(&mut self, to: u64) {
        loop {
            let waiting = self.works.iter().filter(|work| work.is_waiting()).filter_map(Work::next);
            let stages = self.faults.next().into_iter().chain(self.hold.wakes_at());
            let next = waiting.chain(stages.map(|at| at.saturating_sub(self.epoch))).min();
            let Some(next) = next.filter(|next| *next <= to) else { break };
            self.look(next);
            let parsed: Vec<_> = self.works.iter_mut().flat_map(|work| work.tick(&self.devices)).collect();
            parsed.into_iter().for_each(|(event, raw)| self.push(event, &raw));
            self.release();
            let done = self.faults.tick(self.now());
            self.put(done);
        }
        self.look(to);
    }

    /// The time goes on, and devices come and go.
    fn look(&mut self, to: u64) {
        self.recording.advance(to, || self.devices.catch_up());
        for removed in self.devices.removed() {
            let time = self.epoch.saturating_add(removed.time);
            let holder = build::holder(&removed.block);
            self.faults.gone(&self.boot_id, &holder, time);
            if let Some(incidents) = &mut self.incidents {
                self.changes.extend(incidents.gone(&self.boot_id, &holder, time));
            }
        }
    }

    fn take(&mut self, raw: Arc<RawEvent>) {
        self.devices.note_line(&raw);
        let Some(work) = self.works.iter_mut().find(|work| work.takes(&raw)) else { return };
        if let Some((event, raw)) = work.take(&self.devices, raw) {
            self.push(event, &raw);
        }
    }

    fn push(&mut self, event: EventDraft, raw: &RawEvent) {
        let place = Place::of(&event);
        let made = Made::new(event, raw.rule.clone(), 0, ());
        let origin = Origin {
            written: raw.entry.timestamp,
            received: raw.entry.received,
            number: raw.number,
            kernel: raw.entry.identifier == "kernel",
        };
        self.hold.put(&place, origin, made, self.now());
        self.release();
    }

    /// Works on the lines whose turn it is.
    fn release(&mut self) {
        let now = self.now();
        self.faults.set_caught_up(!self.behind);
        while let Some(made) = self.hold.take(now, !self.behind) {
            let done = self.faults.push(made, now);
            self.put(done);
        }
    }

    fn put(&mut self, done: Vec<Done<()>>) {
        let received = self.now();
        if let Some(incidents) = &mut self.incidents {
            self.changes.extend(done.iter().flat_map(|done| incidents.push(&done.event, 0)));
        }
        self.played.extend(done.into_iter().map(|done| Played { received, event: done.event.event }));
    }

    /// µs since the epoch, by the recorded clock.
    fn now(&self) -> u64 {
        self.epoch.saturating_add(self.devices.time())
    }
}
