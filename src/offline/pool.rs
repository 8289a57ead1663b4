//! Matches lines on all cores, and returns results in the order of the input.
//!
//! One thread reads and splits the input, several match, the caller receives the results. All channels are bounded.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{sync_channel, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;
use std::{io, thread};

use super::chunk::{Chunk, Chunks, Format};
use super::found::Found;
use super::input::link::Link;
use super::input::{walk, Visitor};
use super::progress::Progress;
use super::record::{export, json};
use super::rules::Rules;
use super::text::count::{Counts, UnmatchedLines};
use super::text::ChunkResult;
use super::writers::writers;
use super::{journal_files, text};

/// Number of chunks that may wait, per matching thread.
const WAITING: usize = 4;

/// The results of reading, in order.
pub enum InputItem {
    /// The following items belong to this input.
    Begin {
        /// Its name.
        name: String,
        /// Time of the last modification, µs since the epoch.
        modified: Option<u64>,
    },
    /// What was found next in it, as soon as it has been matched.
    Work(Receiver<ChunkResult>),
    /// What was found next in it.
    Found(Vec<Found>),
    /// How much of a journal was understood.
    Counted(Counts),
    /// The end of the input.
    End,
    /// A file that is not a log.
    Skipped {
        /// Its name.
        name: String,
        /// The user named it.
        named: bool,
    },
    /// Something that could not be read completely.
    Failed {
        /// Its name.
        name: String,
        /// Why.
        why: String,
    },
}

type Job = (Chunk, SyncSender<ChunkResult>);

/// Starts reading the paths that the user named, and returns a channel of results. The threads end when the channel is dropped.
pub fn start(
    paths: Vec<PathBuf>,
    forced: Option<Format>,
    rules: Arc<Rules>,
    unmatched: Arc<UnmatchedLines>,
    progress: Progress,
) -> io::Result<Receiver<InputItem>> {
    let threads = thread::available_parallelism().map_or(1, |count| count.get());
    let (jobs, queue) = sync_channel::<Job>(threads * WAITING);
    let (items, taken) = sync_channel(threads * WAITING * 2);
    let queue = Arc::new(Mutex::new(queue));
    for number in 0..threads {
        let (queue, rules, unmatched) = (queue.clone(), rules.clone(), unmatched.clone());
        Builder::new()
            .name(format!("match-{number}"))
            .spawn(move || match_all(&queue, &rules, &unmatched))?;
    }
    Builder::new().name("read".into()).spawn(move || {
        let mut reading = InputReader { items, jobs, rules, unmatched };
        paths.iter().all(|path| walk::named(&mut reading, path, forced, &progress));
    })?;
    Ok(taken)
}

fn match_all(queue: &Mutex<Receiver<Job>>, rules: &Rules, unmatched: &UnmatchedLines) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((chunk, result)) = job else { return };
        let found = match chunk.format {
            Format::Text => text::read(rules, &chunk, unmatched),
            Format::Objects => json::read_all(rules, &chunk, unmatched),
            Format::Export => export::read(rules, &chunk, unmatched),
        };
        if found.found.iter().any(|found| found.matched.is_some()) {
            unmatched.found.store(true, Ordering::Relaxed);
        }
        // An error means that the receiver is gone.
        let _ = result.send(found);
    }
}

struct InputReader {
    items: SyncSender<InputItem>,
    jobs: SyncSender<Job>,
    rules: Arc<Rules>,
    unmatched: Arc<UnmatchedLines>,
}

impl InputReader {
    fn send(&self, item: InputItem) -> bool {
        self.items.send(item).is_ok()
    }

    fn work(&self, chunk: Chunk) -> bool {
        let (result, receiver) = sync_channel(1);
        self.send(InputItem::Work(receiver)) && self.jobs.send((chunk, result)).is_ok()
    }
}

impl Visitor for InputReader {
    fn log(
        &mut self,
        name: &str,
        begin: Vec<u8>,
        rest: &mut dyn io::Read,
        format: Format,
        modified: Option<u64>,
    ) -> bool {
        let mut goes_on = self.send(InputItem::Begin { name: name.to_owned(), modified });
        let mut chunks = Chunks::new(begin, rest, format);
        chunks.writers = writers(&self.rules, name);
        while let Some(chunk) = goes_on.then(|| chunks.next_chunk()).flatten() {
            goes_on = self.work(chunk);
        }
        let failed = chunks.error.is_none_or(|e| self.failed(name, &format!("the rest cannot be read: {e}")));
        goes_on && failed && self.send(InputItem::End)
    }

    fn journal(&mut self, name: &str, files: Vec<PathBuf>, link: Option<Link>) -> bool {
        let mut goes_on = self.send(InputItem::Begin { name: name.to_owned(), modified: None });
        let mut counts = Counts::default();
        let read = journal_files::read(&self.rules, files, link, &mut counts, |found| {
            self.unmatched.found.fetch_or(!found.is_empty(), Ordering::Relaxed);
            goes_on = goes_on && self.send(InputItem::Found(found));
            goes_on
        });
        goes_on = goes_on && self.send(InputItem::Counted(counts));
        let reported = read.map_or_else(|e| self.failed(name, &e.to_string()), |()| true);
        goes_on && reported && self.send(InputItem::End)
    }

    fn skipped(&mut self, name: &str, named: bool) -> bool {
        self.send(InputItem::Skipped { name: name.to_owned(), named })
    }

    fn failed(&mut self, name: &str, why: &str) -> bool {
        self.send(InputItem::Failed { name: name.to_owned(), why: why.to_owned() })
    }
}
