//! Reads back Peripety's own events: those of earlier runs, then those of this one.

use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{eventfd, EventfdFlags};
use tokio::sync::mpsc;

use super::early;
use super::format;
use super::stored::Stored;
use super::trust::Trust;
use crate::collector::AlreadyStored;
use crate::journal::{self, Error, Layout, Location, Reader, EVENT_VALUE};
use crate::sys::poll_readable;

/// Pause after the journal could not be read.
const RETRY: Duration = Duration::from_secs(1);
/// How often the events of earlier runs are tried to be read before the daemon gives up.
const ATTEMPTS: usize = 20;
/// Confirmations that may wait for the store.
const QUEUE: usize = 1024;
/// Pauses after an event was sent, from the first to the last, each twice the one before.
const FIRST_STEP: Duration = Duration::from_millis(1);
const LAST_STEP: Duration = Duration::from_millis(128);
/// Longest wait for the journal's own notification.
const IDLE: Duration = Duration::from_secs(1);

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
pub struct Waker(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    event: std::os::fd::OwnedFd,
    /// The journal shall be opened again.
    reopen: AtomicBool,
}

impl Waker {
    fn new() -> rustix::io::Result<Self> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Waker(Arc::new(Shared { event, reopen: AtomicBool::new(false) })))
    }

    /// An event was sent.
    pub fn poke(&self) {
        // A counter that is full is readable, which is all that matters.
        let _ = rustix::io::write(&self.0.event, &1u64.to_ne_bytes());
    }

    /// An event is missing: the journal is to be opened again before it counts as read to its end.
    pub fn reopen(&self) {
        self.0.reopen.store(true, Ordering::SeqCst);
        self.poke();
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

    fn set(&self, at: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
    }
}

/// Where to look for events of earlier runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartAt {
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
    pub waker: Waker,
}

/// Reads the stored events beginning `from` some place, and continues in a thread of its own.
/// Returns the entries that they cover.
pub fn start(
    location: Location,
    from: StartAt,
    run: String,
    trust: Trust,
) -> Result<(AlreadyStored, Follower), Error> {
    let thread_error = |cause: std::io::Error| Error::Read {
        location: location.to_string(),
        operation: "start a thread to read events back",
        cause,
    };
    let waker = Waker::new().map_err(|e| thread_error(e.into()))?;
    let (sender, confirmations) = mpsc::channel(QUEUE);
    let (ready, covered) = std::sync::mpsc::channel();
    let caught_up = CaughtUp::default();
    let thread = ReadBackThread {
        caught_up: caught_up.clone(),
        location: location.clone(),
        from,
        run: run.clone(),
        trust,
        waker: waker.clone(),
        out: sender,
        layout: Layout::default(),
        had_files: false,
    };
    std::thread::Builder::new()
        .name("journal-readback".into())
        .spawn(move || thread.run(&ready))
        .map_err(thread_error)?;
    let already_stored = covered.recv().map_err(|e| thread_error(std::io::Error::other(e)))??;
    Ok((already_stored, Follower { caught_up, run, confirmations, waker }))
}

/// Takes note of the entries from which a stored event was made.
fn cover(already_stored: &mut AlreadyStored, stored: &Stored) {
    if let Some(source) = format::decode_source(&stored.json) {
        already_stored.add(&stored.event_id, &source, &stored.covers);
    }
}

/// Why following ended before the store did.
enum Interrupted {
    /// The journal cannot be read.
    Failed(Error),
    /// It must be opened again.
    Stale,
}

impl std::convert::From<Error> for Interrupted {
    fn from(error: Error) -> Self {
        Interrupted::Failed(error)
    }
}

struct ReadBackThread {
    caught_up: CaughtUp,
    location: Location,
    from: StartAt,
    run: String,
    trust: Trust,
    waker: Waker,
    out: mpsc::Sender<Confirmation>,
    /// The journal's directories when it was opened.
    layout: Layout,
    /// There were some with files.
    had_files: bool,
}

impl ReadBackThread {
    fn run(mut self, ready: &std::sync::mpsc::Sender<Result<AlreadyStored, Error>>) {
        let mut stored = Stored::default();
        let mut already_stored = AlreadyStored::default();
        let mut attempts = 0;
        let mut reader = loop {
            attempts += 1;
            match self.read_earlier(&mut stored, &mut already_stored) {
                Ok(reader) => break reader,
                // A file may be damaged at this moment.
                Err(e @ Error::Read { .. }) if attempts < ATTEMPTS => {
                    tracing::warn!("{e}: stored events are not known yet; trying again in a second");
                    std::thread::sleep(RETRY);
                }
                Err(e) => return drop(ready.send(Err(e))),
            }
        };
        if ready.send(Ok(already_stored)).is_err() {
            return;
        }
        let Err(e) = self.follow(&mut reader, &mut stored) else { return };
        self.go_on(e, stored);
    }

    /// Reads the events of earlier runs, to the end.
    fn read_earlier(
        &mut self,
        stored: &mut Stored,
        already_stored: &mut AlreadyStored,
    ) -> Result<Reader, Error> {
        self.read_early(stored, already_stored)?;
        let mut reader = self.open()?;
        while reader.step()? {
            if stored.read(&mut reader, &self.trust) {
                cover(already_stored, stored);
                self.from = StartAt::Cursor(reader.cursor()?);
            }
        }
        Ok(reader)
    }

    /// Goes on after the journal had to be opened again, until the store is gone.
    fn go_on(mut self, mut ended: Interrupted, mut stored: Stored) {
        let mut opened: Option<Instant> = None;
        loop {
            if let Interrupted::Failed(e) = &ended {
                tracing::error!("{e}: events cannot be confirmed; trying again every second");
            }
            if journal::machine_id_changed() {
                // libsystemd keeps the machine id of a thread.
                let thread = std::thread::Builder::new().name("journal-readback".into());
                if let Err(e) = thread.spawn(move || self.go_on(Interrupted::Stale, stored)) {
                    tracing::error!(
                        "cannot start a thread: {e}: events cannot be confirmed; restart peripetyd"
                    );
                }
                return;
            }
            let often = opened.is_some_and(|opened| opened.elapsed() < RETRY);
            if often || matches!(ended, Interrupted::Failed(_)) {
                std::thread::sleep(RETRY);
            }
            opened = Some(Instant::now());
            let followed = self.open().map_err(Interrupted::Failed);
            match followed.and_then(|mut reader| self.follow(&mut reader, &mut stored)) {
                Ok(()) => return,
                Err(again) => ended = again,
            }
        }
    }

    /// Reads the events that a search by time does not find.
    fn read_early(&self, stored: &mut Stored, already_stored: &mut AlreadyStored) -> Result<(), Error> {
        if !matches!(self.from, StartAt::Time(_)) {
            return Ok(());
        }
        let mut reader = early::open(&self.location, |reader| self.trust.add_matches(reader))?;
        reader.seek_head()?;
        while reader.step()? {
            if stored.read(&mut reader, &self.trust) {
                cover(already_stored, stored);
            }
        }
        Ok(())
    }

    /// Opens the journal of events behind `from`.
    fn open(&mut self) -> Result<Reader, Error> {
        // What changes while it is opened is another layout.
        self.layout = Layout::of(&self.location);
        self.had_files |= self.layout.has_files();
        let mut reader = Reader::open(&self.location, EVENT_VALUE)?;
        self.trust.add_matches(&mut reader)?;
        match &self.from {
            StartAt::Cursor(cursor) => reader.seek_cursor(cursor)?,
            StartAt::Time(since) => reader.seek_realtime(*since)?,
            StartAt::Boot(boot) => {
                reader.match_and()?;
                reader.match_add("_BOOT_ID", boot)?;
                reader.seek_head()?;
            }
            StartAt::All => reader.seek_head()?,
        }
        Ok(reader)
    }

    /// Confirms events of this run until the store is gone.
    fn follow(&mut self, reader: &mut Reader, stored: &mut Stored) -> Result<(), Interrupted> {
        let wake = reader.wake_fd()?;
        let mut step: Option<Duration> = None;
        let mut looked = false;
        loop {
            while reader.step()? {
                if stored.read(reader, &self.trust) && stored.run == self.run {
                    let cursor = reader.cursor()?;
                    self.from = StartAt::Cursor(cursor.clone());
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
            let now = Instant::now();
            if self.is_stale(reader, looked) {
                return Err(Interrupted::Stale);
            }
            // If the files of a journal are gone, there is no way to know what is missing.
            if looked && (self.layout.has_files() || !self.had_files) {
                self.caught_up.set(now);
            }
            let poke = self.waker.0.event.as_raw_fd();
            let limit = step.unwrap_or(IDLE);
            let [poked, changed] = poll_readable([poke, wake], limit).unwrap_or_default();
            step = step.filter(|step| *step < LAST_STEP).map(|step| step * 2);
            if poked {
                let _ = rustix::io::read(&self.waker.0.event, &mut [0u8; 8]);
                step = Some(FIRST_STEP);
            }
            // New files are seen by process() only.
            looked = changed || step.is_none();
            if looked {
                reader.process()?;
            }
        }
    }

    /// What the reader sees is not all that a new one would see.
    fn is_stale(&self, reader: &Reader, looked: bool) -> bool {
        self.waker.0.reopen.swap(false, Ordering::SeqCst)
            || reader.has_vanished()
            || looked && self.layout.is_outdated(&Layout::of(&self.location))
    }
}
