//! The reader thread: steps through a journal, matches, and passes on raw events.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::carried::{Carried, Ended};
use super::damage::DamageWatch;
use super::early::FirstStarts;
use super::raw_event::Happened;
use super::wake::{Stop, Waker, Woken};
use super::watch::Watch;
use super::{duplicates::DuplicateCounter, provenance, raw_event, AlreadyStored};
use crate::bus::ticket::Resume;
use crate::bus::{Frontier, RawEvent, RawItem, Ticket, Watermark};
use crate::counters::Counters;
use crate::event::canonical_sub_system;
use crate::journal::{self, Entry, Error, Location, Position};
use crate::rules::rule::Rule;
use crate::rules::{Matched, RuleSet};

/// Entries between two notes of the position.
const NOTE_EVERY: u64 = 1024;
/// Pause after a journal could not be read.
pub(super) const RETRY: Duration = Duration::from_secs(1);

/// Where reading begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// Where the previous run ended.
    Resume(Box<Resume>),
    /// At the first entry; of the local journal, the first of the present boot.
    Beginning,
    /// At the first entry received at or after this time, µs since the epoch.
    Since(u64),
}

/// What a reader needs.
pub struct Settings {
    /// The journal.
    pub location: Location,
    /// Where to begin.
    pub start: Start,
    /// Wait for new entries at the end instead of ending.
    pub follow: bool,
    /// The rules; new rules take effect between two entries.
    pub rules: watch::Receiver<Arc<RuleSet>>,
    /// Entries to pass over.
    pub already_stored: AlreadyStored,
    /// Takes tickets and positions.
    pub watermark: Watermark,
    /// What is counted.
    pub counters: Arc<Counters>,
    /// Learns how far the reader is.
    pub frontier: Frontier,
}

/// Reads one journal.
pub struct Reader {
    pub(super) settings: Settings,
    pub(super) rules: Arc<RuleSet>,
    pub(super) journal: journal::Reader,
    pub(super) waker: Waker,
    pub(super) stop: Stop,
    pub(super) out: mpsc::Sender<RawItem>,
    pub(super) entry: Entry,
    pub(super) duplicates: DuplicateCounter,
    early: FirstStarts,
    /// Raw events made so far.
    pub(super) made: u64,
    pub(super) last: Option<Position>,
    /// Nothing was found after this entry: entries between it and the next one may have been removed unread.
    pub(super) gap: Option<Position>,
    pub(super) unnoted: u64,
    /// Cursors of the entries matched since the position was noted.
    pub(super) matched: Vec<String>,
    /// The newest time stamp of the kernel that was read, µs since the boot.
    kernel_time: u64,
    /// The journal's files changed.
    pub(super) changed: bool,
    /// The journal must be opened again.
    pub(super) stale: bool,
    /// Since when reading fails, µs since the epoch.
    pub(super) failing: Option<u64>,
    pub(super) watch: Watch,
}

/// How long before its end, µs, the last run may have read what was damaged and not have reported that.
const REPORTED_LATE: u64 = 120_000_000;

/// From when on entries are to be read, or may have been read in vain.
fn read_since(settings: &Settings) -> u64 {
    match &settings.start {
        Start::Resume(resume) => resume.position.realtime.saturating_sub(REPORTED_LATE),
        Start::Since(usec) => *usec,
        Start::Beginning if settings.location.is_local() => journal::boot_began(),
        Start::Beginning => 0,
    }
}

impl Reader {
    /// Opens the journal and moves to the start.
    pub fn open(settings: Settings, stop: Stop, out: mpsc::Sender<RawItem>) -> Result<Self, Error> {
        let damage = DamageWatch::start(settings.location.clone(), read_since(&settings), stop.stopper());
        let watch = Watch::new(&settings.location, damage);
        let journal = journal::Reader::open(&settings.location, journal::LOG_VALUE)?;
        let carried = Carried { settings, stop, out, made: 0, last: None, watch };
        let mut reader = Reader::new(carried, journal)?;
        match reader.seek_start() {
            Ok(()) => Ok(reader),
            // A file may be damaged at this moment. Ending, and being started again and again, would not help.
            Err(e) if reader.settings.follow => {
                reader.reading_fails(&e);
                Ok(reader)
            }
            Err(e) => Err(e),
        }
    }

    pub(super) fn new(carried: Carried, journal: journal::Reader) -> Result<Self, Error> {
        let Carried { settings, stop, out, made, last, watch } = carried;
        let waker = Waker::new(journal.wake_fd()?, settings.location == Location::Local);
        let rules = settings.rules.borrow().clone();
        let early = FirstStarts::new(settings.location.clone());
        Ok(Reader {
            settings,
            early,
            rules,
            journal,
            waker,
            stop,
            out,
            entry: Entry::default(),
            duplicates: DuplicateCounter::default(),
            made,
            last,
            gap: None,
            unnoted: 0,
            matched: Vec::new(),
            kernel_time: 0,
            changed: false,
            stale: false,
            failing: None,
            watch,
        })
    }

    /// Reads until stopped, until nothing consumes the events, or (without `follow`) to the end.
    pub(super) fn run(mut self) -> Result<Ended, Error> {
        loop {
            if self.stale && journal::machine_id_changed() {
                return Ok(Ended::Elsewhere(self.carry()));
            }
            match self.read_to_end() {
                Ok(true) => {}
                Ok(false) => return Ok(Ended::Done),
                Err(e) if self.settings.follow => {
                    self.reading_fails(&e);
                    self.stop.pause(RETRY);
                    if self.stop.is_set() || !self.check_control() {
                        return Ok(Ended::Done);
                    }
                    continue;
                }
                Err(e) => return Err(e),
            }
            if let Some(since) = self.failing.take() {
                self.reading_works(since);
            }
            self.settings.frontier.set_caught_up(!self.waker.kernel_is_ahead(self.kernel_time));
            // Without a position, what was covered may have to be read again.
            if self.note_end() {
                self.settings.already_stored = AlreadyStored::default();
                self.settings.watermark.past_already_stored();
            }
            if !self.settings.follow {
                self.settings.counters.set_caught_up(true);
                self.finish_watch();
                return Ok(Ended::Done);
            }
            self.look_around();
            self.settings.counters.set_caught_up(!self.watch.is_deaf());
            if self.stale {
                continue;
            }
            match self.waker.wait(&self.stop) {
                Ok(Woken::Stopped) => return Ok(Ended::Done),
                Ok(Woken::Changed) => self.changed = true,
                Ok(Woken::Entries) => {}
                Err(e) => tracing::warn!("cannot wait for the journal ({e}); looking again at once"),
            }
        }
    }

    /// Reads what there is. False: the reader shall end.
    fn read_to_end(&mut self) -> Result<bool, Error> {
        if self.stale {
            self.open_again()?;
            self.stale = false;
        }
        // What is in the open files first: taking note of changes closes those that were removed.
        if !self.step_to_end()? {
            return Ok(false);
        }
        if std::mem::take(&mut self.changed) {
            self.journal.process()?;
            if !self.step_to_end()? {
                return Ok(false);
            }
        }
        if !self.check_control() {
            return Ok(false);
        }
        Ok(true)
    }

    pub(super) fn step_to_end(&mut self) -> Result<bool, Error> {
        while self.journal.step()? {
            self.waker.found();
            self.settings.frontier.set_caught_up(false);
            if !self.take_entry()? {
                return Ok(false);
            }
            self.unnoted += 1;
            if self.unnoted >= NOTE_EVERY {
                self.settings.counters.set_caught_up(false);
                self.last = Some(self.journal.position()?);
                self.note_position();
            }
            if self.stop.is_set() || !self.check_control() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Between two entries: adopts new rules, passes on the heartbeat. Returns false if nothing consumes events
    /// any more.
    fn check_control(&mut self) -> bool {
        if self.settings.rules.has_changed().unwrap_or(false) {
            self.rules = self.settings.rules.borrow_and_update().clone();
        }
        match self.stop.take_beat() {
            Some(beat) => self.send(RawItem::Beat(beat)),
            None => true,
        }
    }

    pub(super) fn send(&self, item: RawItem) -> bool {
        self.out.blocking_send(item).is_ok()
    }

    /// At the end of the journal: notes the position of the last entry read. The handle still stands on it, unless libsystemd
    /// ignores its file from then on, because it is damaged. Then nothing is noted before the next entry, and the answer is false.
    pub(super) fn note_end(&mut self) -> bool {
        if self.unnoted > 0 {
            match self.journal.position() {
                Ok(position) => self.last = Some(position),
                Err(e) => {
                    tracing::debug!("{e}: the position is noted with the next entry");
                    return false;
                }
            }
        }
        self.note_position();
        true
    }

    fn note_position(&mut self) {
        self.unnoted = 0;
        self.matched.clear();
        if let Some(position) = &self.last {
            self.settings.watermark.read_up_to(position.clone());
        }
    }

    /// Processes the current entry. Returns false if nothing consumes events any more.
    fn take_entry(&mut self) -> Result<bool, Error> {
        if let Some(wanted) = self.gap.take() {
            let found = self.journal.position()?;
            self.report_gap(&wanted, &found)?;
        }
        self.settings.counters.entries_read.increment();
        let rules = &self.rules;
        let known = self.entry.read_if(&mut self.journal, |identifier| rules.knows(identifier));
        if self.journal.is_spoiled() || !known {
            return Ok(true);
        }
        if self.entry.identifier == b"kernel" {
            let time = Entry::number(&self.entry.source_monotonic).unwrap_or_default();
            self.kernel_time = self.kernel_time.max(time);
        }
        match self.match_entry()? {
            Some(event) => Ok(self.send(RawItem::Event(Arc::new(event)))),
            None => Ok(true),
        }
    }

    /// The rule that matches the entry, if that was written by whom it names.
    pub(super) fn matching_trusted_rule(&mut self) -> Option<Arc<Rule>> {
        let entry = &self.entry;
        if !self.rules.knows(&entry.identifier) {
            return None;
        }
        let trusted = provenance::is_trusted(entry);
        // Lines that anyone can log are examined up to the length that the kernel would log.
        let line = if trusted { &entry.message } else { entry.message.get(..1024).unwrap_or(&entry.message) };
        let rule = self.rules.find(&entry.identifier, line)?.clone();
        if provenance::is_trusted_for(entry, &rule) || rule.writer.is_none() && self.is_early() {
            return Some(rule);
        }
        self.settings.counters.entries_untrusted.increment();
        None
    }

    /// Whether a tool logged the current entry before journald started. If the journal cannot tell, the entry is not trusted.
    fn is_early(&mut self) -> bool {
        let early = self.journal.position().and_then(|at| self.early.is_early(&self.entry, &at));
        early.unwrap_or_else(|e| {
            tracing::warn!(
                "cannot find out when journald first started ({e}): the line of {:?} is ignored",
                String::from_utf8_lossy(&self.entry.identifier)
            );
            false
        })
    }

    /// The raw event of the current entry, if it is one and no stored event covers it.
    fn match_entry(&mut self) -> Result<Option<RawEvent>, Error> {
        let Some(matched) = self.matching_trusted_rule().and_then(|rule| rule.matched(&self.entry.message))
        else {
            return Ok(None);
        };
        self.settings.counters.entries_matched.increment();
        let position = self.journal.position()?;
        if self.journal.is_spoiled() {
            return Ok(None);
        }
        let happened = raw_event::happened(&self.entry, &position);
        let event_id = self.duplicates.event_id(&position.boot_id, happened.identity, &self.entry.message);
        if self.settings.already_stored.covers(&position.cursor) {
            self.settings.counters.entries_covered.increment();
            return Ok(None);
        }
        if !self.journal.is_intact(&position.cursor) {
            self.journal.note_damage("that were altered after they were written");
            return Ok(None);
        }
        self.matched.push(position.cursor.clone());
        let ticket = self.settings.watermark.open(position.clone());
        Ok(Some(self.raw_event(matched, event_id, &position, happened, ticket)))
    }

    pub(super) fn raw_event(
        &mut self,
        matched: Matched,
        event_id: String,
        position: &Position,
        happened: Happened,
        ticket: Arc<Ticket>,
    ) -> RawEvent {
        let rule = matched.rule;
        let sub_system = match matched.captures.get("sub_system") {
            Some(captured) => canonical_sub_system(captured),
            None => rule.sub_system.to_string(),
        };
        let number = self.made;
        self.made += 1;
        self.settings.frontier.made(self.made);
        RawEvent {
            number,
            sub_system,
            severity: rule.severity_at(raw_event::level(&self.entry)),
            captures: matched.captures,
            event_id,
            entry: raw_event::info(&self.entry, position, happened),
            ticket,
            rule,
        }
    }
}
