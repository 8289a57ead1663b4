//! Reads Peripety's own events back: what earlier runs stored, then what this one stores.

use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{eventfd, EventfdFlags};
use serde::Deserialize;
use tokio::sync::mpsc;

use super::early;
use super::stored::Stored;
use super::trust::Trust;
use crate::collector::Coverage;
use crate::event::Source;
use crate::journal::{Error, Location, Reader, EVENT_VALUE};
use crate::sys::poll_readable;

/// Confirmations that may wait for the store.
const QUEUE: usize = 1024;
/// Pauses after an event was sent, from the first to the last, each twice the one before.
const FIRST_STEP: Duration = Duration::from_millis(1);
const LAST_STEP: Duration = Duration::from_millis(128);
/// Longest wait for the journal's own notification.
const IDLE: Duration = Duration::from_secs(2);

/// An event of this run is in the journal.
#[derive(Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// Its number in this run.
    pub sequence: u64,
    /// Where it is.
    pub cursor: String,
}

/// Tells the read-back thread that an event was sent.
#[derive(Clone, Debug)]
pub struct Poker(Arc<std::os::fd::OwnedFd>);

impl Poker {
    /// An event was sent.
    pub fn poke(&self) {
        // A counter that is full is readable, which is all that matters.
        let _ = rustix::io::write(&*self.0, &1u64.to_ne_bytes());
    }
}

/// When the journal of events was last seen read to its end.
#[derive(Clone, Debug, Default)]
pub struct CaughtUp(Arc<Mutex<Option<Instant>>>);

impl CaughtUp {
    /// The time; `None` before the first.
    pub fn at(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

/// Where to look for events of earlier runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// From the event at this cursor on.
    Cursor(String),
    /// Events stored since this time, µs since the epoch.
    Time(u64),
    /// Events stored during this boot.
    Boot(String),
    /// All events.
    All,
}

/// The running read-back.
#[derive(Debug)]
pub struct Follower {
    /// When it was last at the end.
    pub caught_up: CaughtUp,
    /// Identifier of this run.
    pub run: String,
    /// What was confirmed.
    pub confirmations: mpsc::Receiver<Confirmation>,
    /// For the store.
    pub poker: Poker,
}

#[derive(Deserialize)]
struct SourceOnly {
    source: Source,
}

/// Reads the events stored `from` somewhere on, and goes on reading on a thread of its own.
/// Returns what they cover.
pub fn start(
    location: Location,
    from: From,
    run: String,
    trust: Trust,
) -> Result<(Coverage, Follower), Error> {
    let thread_error = |cause: std::io::Error| Error::Read {
        location: location.to_string(),
        operation: "start a thread to read events back",
        cause,
    };
    let fd =
        eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map_err(|e| thread_error(e.into()))?;
    let poker = Poker(Arc::new(fd));
    let (sender, confirmations) = mpsc::channel(QUEUE);
    let (ready, covered) = std::sync::mpsc::channel();
    let caught_up = CaughtUp::default();
    let thread = ReadBackThread {
        caught_up: caught_up.clone(),
        location: location.clone(),
        from,
        run: run.clone(),
        trust,
        poker: poker.clone(),
        out: sender,
    };
    std::thread::Builder::new()
        .name("journal-readback".into())
        .spawn(move || thread.run(&ready))
        .map_err(thread_error)?;
    let coverage = covered.recv().map_err(|e| thread_error(std::io::Error::other(e)))??;
    Ok((coverage, Follower { caught_up, run, confirmations, poker }))
}

/// Takes note of the entries from which a stored event was made.
fn cover(coverage: &mut Coverage, stored: &Stored) {
    if let Ok(SourceOnly { mut source }) = serde_json::from_slice(&stored.json) {
        source.covered.clone_from(&stored.covers);
        coverage.add(&stored.event_id, &source);
    }
}

struct ReadBackThread {
    caught_up: CaughtUp,
    location: Location,
    from: From,
    run: String,
    trust: Trust,
    poker: Poker,
    out: mpsc::Sender<Confirmation>,
}

impl ReadBackThread {
    fn run(mut self, ready: &std::sync::mpsc::Sender<Result<Coverage, Error>>) {
        let mut stored = Stored::default();
        let mut coverage = Coverage::default();
        let opened = self.read_early(&mut stored, &mut coverage).and_then(|()| {
            let mut reader = self.open()?;
            while reader.step()? {
                if stored.read(&mut reader, &self.trust) {
                    cover(&mut coverage, &stored);
                    self.from = From::Cursor(reader.cursor()?);
                }
            }
            Ok(reader)
        });
        let mut reader = match opened {
            Ok(reader) => reader,
            Err(e) => return drop(ready.send(Err(e))),
        };
        if ready.send(Ok(coverage)).is_err() {
            return;
        }
        while let Err(e) = self.follow(&mut reader, &mut stored) {
            tracing::error!("{e}: events cannot be confirmed; trying again every second");
            std::thread::sleep(Duration::from_secs(1));
            if let Ok(again) = self.open() {
                reader = again;
            }
        }
    }

    /// Reads the events that a search by time does not find.
    fn read_early(&self, stored: &mut Stored, coverage: &mut Coverage) -> Result<(), Error> {
        if !matches!(self.from, From::Time(_)) {
            return Ok(());
        }
        let mut reader = early::open(&self.location, |reader| self.trust.add_matches(reader))?;
        reader.seek_head()?;
        while reader.step()? {
            if stored.read(&mut reader, &self.trust) {
                cover(coverage, stored);
            }
        }
        Ok(())
    }

    /// Opens the journal of events behind `from`.
    fn open(&self) -> Result<Reader, Error> {
        let mut reader = Reader::open(&self.location, EVENT_VALUE)?;
        self.trust.add_matches(&mut reader)?;
        match &self.from {
            From::Cursor(cursor) => reader.seek_cursor(cursor)?,
            From::Time(since) => reader.seek_realtime(*since)?,
            From::Boot(boot) => {
                reader.match_and()?;
                reader.match_add("_BOOT_ID", boot)?;
                reader.seek_head()?;
            }
            From::All => reader.seek_head()?,
        }
        Ok(reader)
    }

    /// Confirms events of this run until the store is gone.
    fn follow(&mut self, reader: &mut Reader, stored: &mut Stored) -> Result<(), Error> {
        let wake = reader.wake_fd()?;
        let mut step: Option<Duration> = None;
        let mut looked = false;
        loop {
            while reader.step()? {
                if stored.read(reader, &self.trust) && stored.run == self.run {
                    let cursor = reader.cursor()?;
                    self.from = From::Cursor(cursor.clone());
                    let confirmation = Confirmation { sequence: stored.sequence, cursor };
                    if self.out.blocking_send(confirmation).is_err() {
                        return Ok(());
                    }
                    step = step.map(|_| FIRST_STEP);
                }
            }
            if self.out.is_closed() {
                return Ok(());
            }
            if looked {
                self.caught_up.now();
            }
            let poke = self.poker.0.as_raw_fd();
            let limit = step.unwrap_or(IDLE);
            let [poked, changed] = poll_readable([poke, wake], limit).unwrap_or_default();
            step = step.filter(|step| *step < LAST_STEP).map(|step| step * 2);
            if poked {
                let _ = rustix::io::read(&*self.poker.0, &mut [0u8; 8]);
                step = Some(FIRST_STEP);
            }
            // New files are seen by process() only.
            looked = changed || step.is_none();
            if looked {
                reader.process()?;
            }
        }
    }
}
