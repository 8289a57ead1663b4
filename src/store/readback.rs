//! Reads Peripety's own events back: what earlier runs stored, then what this one stores.

use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{eventfd, EventfdFlags};
use serde::Deserialize;
use tokio::sync::mpsc;

use super::fields;
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

/// The running read-back.
#[derive(Debug)]
pub struct Follower {
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

/// Reads the events stored after the cursor `from` (all, if `None`), and goes on reading on a
/// thread of its own. Returns what they cover.
pub fn start(
    location: Location,
    from: Option<String>,
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
    let thread = ReadBackThread {
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
    Ok((coverage, Follower { run, confirmations, poker }))
}

struct ReadBackThread {
    location: Location,
    from: Option<String>,
    run: String,
    trust: Trust,
    poker: Poker,
    out: mpsc::Sender<Confirmation>,
}

impl ReadBackThread {
    fn run(mut self, ready: &std::sync::mpsc::Sender<Result<Coverage, Error>>) {
        let mut stored = Stored::default();
        let mut coverage = Coverage::default();
        let opened = self.open().and_then(|mut reader| {
            while reader.step()? {
                if stored.read(&mut reader, &self.trust) {
                    if let Ok(SourceOnly { source }) = serde_json::from_slice(&stored.json) {
                        coverage.add(&source);
                    }
                    self.from = Some(reader.cursor()?);
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

    /// Opens the journal of events behind `from`.
    fn open(&self) -> Result<Reader, Error> {
        let mut reader = Reader::open(&self.location, EVENT_VALUE)?;
        reader.match_add(fields::FORMAT, fields::FORMAT_VERSION)?;
        match &self.from {
            Some(cursor) => reader.seek_cursor(cursor)?,
            None => reader.seek_head()?,
        }
        Ok(reader)
    }

    /// Confirms events of this run until the store is gone.
    fn follow(&mut self, reader: &mut Reader, stored: &mut Stored) -> Result<(), Error> {
        let wake = reader.wake_fd()?;
        let mut step: Option<Duration> = None;
        loop {
            while reader.step()? {
                if stored.read(reader, &self.trust) && stored.run == self.run {
                    let cursor = reader.cursor()?;
                    self.from = Some(cursor.clone());
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
            let (journal, limit) = match step {
                Some(step) => (-1, step),
                None => (wake, IDLE),
            };
            let poke = self.poker.0.as_raw_fd();
            let [poked, changed] = poll_readable([poke, journal], limit).unwrap_or_default();
            step = step.filter(|step| *step < LAST_STEP).map(|step| step * 2);
            if poked {
                let _ = rustix::io::read(&*self.poker.0, &mut [0u8; 8]);
                step = Some(FIRST_STEP);
            }
            if changed || step.is_none() {
                reader.process()?;
            }
        }
    }
}
