//! Moves a reader to another thread: libsystemd caches the machine ID per thread.

use tokio::sync::mpsc;

use super::reader::{Reader, Settings, RETRY};
use super::wake::Stop;
use super::watch::Watch;
use crate::bus::RawItem;
use crate::journal::{self, Error, Position};

/// The state that a reader keeps when it moves to another thread.
pub(super) struct Carried {
    pub settings: Settings,
    pub stop: Stop,
    pub out: mpsc::Sender<RawItem>,
    pub made: u64,
    pub last: Option<Position>,
    pub watch: Watch,
}

/// Why a reader stopped.
pub(super) enum Ended {
    /// It is done.
    Done,
    /// It must continue in another thread: libsystemd caches the machine ID per thread, and the ID changed.
    Elsewhere(Box<Carried>),
}

/// Runs a reader, on other threads if need be, until it is done.
pub fn run(reader: Reader) -> Result<(), Error> {
    let mut ended = reader.run()?;
    while let Ended::Elsewhere(carried) = ended {
        let there = std::thread::Builder::new().name("journal-reader".into()).spawn(|| carried.go_on());
        ended = match there.map(std::thread::JoinHandle::join) {
            Ok(Ok(ended)) => ended?,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(cause) => {
                let (location, operation) = (String::from("local journal"), "start a thread");
                return Err(Error::Read { location, operation, cause });
            }
        };
    }
    Ok(())
}

impl Carried {
    /// Goes on where the reader was.
    fn go_on(mut self: Box<Self>) -> Result<Ended, Error> {
        while !self.stop.is_set() {
            let layout = journal::Layout::of(&self.settings.location);
            match journal::Reader::open(&self.settings.location, journal::LOG_VALUE) {
                Ok(journal) => {
                    self.watch.opened(layout);
                    let mut reader = Reader::new(*self, journal)?;
                    reader.stale = true;
                    return reader.run();
                }
                Err(e) => tracing::debug!("{e}"),
            }
            self.stop.pause(RETRY);
        }
        Ok(Ended::Done)
    }
}

impl Reader {
    /// Leaves this thread.
    pub(super) fn carry(mut self) -> Box<Carried> {
        self.cover_matched();
        let Reader { settings, stop, out, made, last, watch, .. } = self;
        Box::new(Carried { settings, stop, out, made, last, watch })
    }
}
