//! Reads a journal, applies the rules, publishes raw events on the raw bus.
//!
//! libsystemd's handles stay on one thread, so [`reader`] runs on a thread of its own. It
//! matches there too, on the journal's own data: an entry that no rule matches (nearly all)
//! costs no allocation and no channel operation. [`provenance`] decides which entries are what they
//! claim to be, with the table of [`tools`] ([`early`]: before journald started), [`already_stored`] which ones a stored event covers
//! already; `duplicates` numbers equal entries, `wake` waits for new ones, `watch` checks whether the journal is still the one that
//! was opened, is being read (`hearing`) and is undamaged (`damage`), [`state`] keeps the position across restarts.

pub mod already_stored;
mod carried;
mod damage;
pub mod device_file;
pub(crate) mod duplicates;
pub mod early;
mod files;
mod hearing;
pub mod provenance;
pub(crate) mod raw_event;
pub mod reader;
mod report;
mod seek;
pub mod state;
pub mod tools;
mod wake;
mod watch;

use tokio::sync::{mpsc, oneshot};

use crate::bus::raw::NoParser;
use crate::bus::{RawBus, RawItem};

pub use already_stored::AlreadyStored;
pub use reader::{Reader, Start};
pub use wake::Stopper;

/// Raw events that may wait between the reader's thread and the bus.
const QUEUE: usize = 256;

/// A running collector.
pub struct Collector {
    /// Stops the reader.
    pub stopper: Stopper,
    thread: std::thread::JoinHandle<Result<(), crate::journal::Error>>,
    items: mpsc::Receiver<RawItem>,
}

/// Why a collector stopped.
#[derive(Debug, thiserror::Error)]
pub enum CollectorError {
    /// Its journal cannot be read.
    #[error(transparent)]
    Journal(#[from] crate::journal::Error),
    /// Nothing consumes its events.
    #[error(transparent)]
    NoParser(#[from] NoParser),
    /// Its thread has exited.
    #[error("the thread that reads the journal ended: {0}; restart peripetyd and report this as a fault of Peripety")]
    Thread(String),
}

impl Collector {
    /// Starts the reader's thread; returns when it has opened its journal.
    pub async fn start(settings: reader::Settings) -> Result<Self, CollectorError> {
        let (sender, items) = mpsc::channel(QUEUE);
        let (ready, opened) = oneshot::channel();
        let (stopper, stop) = wake::stopper().map_err(|e| CollectorError::Thread(e.to_string()))?;
        let thread = std::thread::Builder::new()
            .name("journal-reader".into())
            .spawn(move || {
                let reader = Reader::open(settings, stop, sender)?;
                let _ = ready.send(());
                carried::run(reader)
            })
            .map_err(|e| CollectorError::Thread(e.to_string()))?;
        // An error means that the thread has exited; run() gives the reason.
        let _ = opened.await;
        Ok(Collector { stopper, thread, items })
    }

    /// Puts what the reader finds on the bus, until the reader ends: at the end of a journal
    /// that is not followed, when stopped, or when the journal cannot be read.
    pub async fn run(mut self, bus: RawBus) -> Result<(), CollectorError> {
        while let Some(item) = self.items.recv().await {
            bus.send(item).await?;
        }
        let joined = tokio::task::spawn_blocking(move || self.thread.join()).await;
        // Only now may the parsers stop: by then the result is known.
        drop(bus);
        match joined {
            Ok(Ok(result)) => Ok(result?),
            _ => Err(CollectorError::Thread("it panicked".into())),
        }
    }
}
