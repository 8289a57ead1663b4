//! Stored events on their way to a reader, batch by batch.

use crate::journal::Error;

/// Most events in a batch.
const MAX_EVENTS: usize = 64;
/// Size at which a batch is full: bytes of JSON. Another batch may wait for a reader, and one may be in preparation.
const FULL: usize = 64 * 1024;

/// Stored events that are read batch by batch.
pub trait Reading: Send + 'static {
    /// The journal while it is read. It must stay on one thread: sd_journal_open(3).
    type Files;
    /// An event as it is handed over.
    type Item: Send + 'static;

    /// The next events; `None` when there are no more. Opens the files when there are none. Blocks.
    ///
    /// # Errors
    /// The journal cannot be read.
    fn next_batch(&mut self, files: &mut Option<Self::Files>) -> Result<Option<Vec<Self::Item>>, Error>;

    /// Drops whatever can be read again: files are closed while the reader is not taking batches.
    fn park(&mut self);
}

/// Events that are handed over together.
#[derive(Debug)]
pub struct Batch<I> {
    /// The events.
    pub events: Vec<I>,
    bytes: usize,
}

impl<I> Default for Batch<I> {
    fn default() -> Self {
        Batch { events: Vec::new(), bytes: 0 }
    }
}

impl<I> Batch<I> {
    /// Adds an event whose JSON is so long.
    pub fn add(&mut self, event: Option<I>, bytes: usize) {
        if let Some(event) = event {
            self.events.push(event);
            self.bytes += bytes;
        }
    }

    /// No further event is to be added.
    pub fn is_full(&self) -> bool {
        self.events.len() >= MAX_EVENTS || self.bytes >= FULL
    }
}
