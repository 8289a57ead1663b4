//! The reader's thread: steps a journal, matches, hands on raw events.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::early::FirstStarts;
use super::raw_event::Happened;
use super::wake::{Stop, Waker, Woken};
use super::{provenance, raw_event, twins::Twins, Coverage};
use crate::bus::ticket::Resume;
use crate::bus::{Frontier, RawEvent, RawItem, Watermark};
use crate::counters::Counters;
use crate::event::{canonical_sub_system, Source};
use crate::journal::{self, Entry, Error, Location, Position};
use crate::rules::rule::Rule;
use crate::rules::{Matched, RuleSet};

/// Entries between two notes of the position.
const NOTE_EVERY: u64 = 1024;
/// Entries read again before the resumed one, to number equal entries as before.
const LOOK_BACK: usize = 2048;
/// Pause after a journal could not be read.
const RETRY: Duration = Duration::from_secs(1);

/// Where reading begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// Where the last run ended.
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
    /// The rules; new ones are taken between two entries.
    pub rules: watch::Receiver<Arc<RuleSet>>,
    /// Entries to pass over.
    pub coverage: Coverage,
    /// Takes tickets and positions.
    pub watermark: Watermark,
    /// What is counted.
    pub counters: Arc<Counters>,
    /// Learns how far the reader is.
    pub frontier: Frontier,
}

/// Reads one journal.
pub struct Reader {
    settings: Settings,
    rules: Arc<RuleSet>,
    journal: journal::Reader,
    waker: Waker,
    stop: Stop,
    out: mpsc::Sender<RawItem>,
    entry: Entry,
    twins: Twins,
    early: FirstStarts,
    /// Raw events made so far.
    made: u64,
    last: Option<Position>,
    unnoted: u64,
    /// Cursors of the entries matched since the position was noted.
    matched: Vec<String>,
    /// The newest time stamp of the kernel that was read, µs since the boot.
    kernel_time: u64,
    /// The journal's files changed.
    changed: bool,
    /// Reading failed, and that was said.
    failing: bool,
    /// Looks for damaged files meanwhile.
    check: Option<JoinHandle<()>>,
}

/// Says which of the files to be read are damaged, on a thread of its own: there may be gigabytes of them.
fn spawn_check(settings: &Settings) -> Option<JoinHandle<()>> {
    let since = match &settings.start {
        Start::Resume(resume) => resume.position.realtime,
        Start::Since(usec) => *usec,
        Start::Beginning if settings.location.is_local() => journal::boot_began(),
        Start::Beginning => 0,
    };
    let location = settings.location.clone();
    let check = move || {
        for (file, damage) in journal::damaged(&location, since) {
            tracing::error!("the journal file {} {damage}", file.display());
        }
    };
    match std::thread::Builder::new().name("journal-check".into()).spawn(check) {
        Ok(thread) => Some(thread),
        Err(e) => {
            tracing::warn!("cannot look for damaged journal files: {e}");
            None
        }
    }
}

impl Reader {
    /// Opens the journal and moves to the start.
    pub fn open(settings: Settings, stop: Stop, out: mpsc::Sender<RawItem>) -> Result<Self, Error> {
        let check = spawn_check(&settings);
        let journal = journal::Reader::open(&settings.location, journal::LOG_VALUE)?;
        let waker = Waker::new(journal.wake_fd()?, settings.location == Location::Local);
        let rules = settings.rules.borrow().clone();
        let early = FirstStarts::new(settings.location.clone());
        let mut reader = Reader {
            settings,
            early,
            rules,
            journal,
            waker,
            stop,
            out,
            entry: Entry::default(),
            twins: Twins::default(),
            made: 0,
            last: None,
            unnoted: 0,
            matched: Vec::new(),
            kernel_time: 0,
            changed: false,
            failing: false,
            check,
        };
        reader.seek_start()?;
        Ok(reader)
    }

    fn seek_start(&mut self) -> Result<(), Error> {
        match self.settings.start.clone() {
            Start::Resume(resume) => self.resume(&resume),
            Start::Beginning => self.begin(),
            Start::Since(usec) => self.journal.seek_realtime(usec),
        }
    }

    /// Reads until stopped, until nobody takes the events, or (without `follow`) to the end.
    pub fn run(mut self) -> Result<(), Error> {
        loop {
            match self.read_to_end() {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(e) if self.settings.follow => {
                    if !std::mem::replace(&mut self.failing, true) {
                        tracing::error!("{e}; trying again every second, nothing is passed over");
                    }
                    if !self.reopen() {
                        return Ok(());
                    }
                    continue;
                }
                Err(e) => return Err(e),
            }
            if std::mem::replace(&mut self.failing, false) {
                tracing::info!("the {} can be read again", self.settings.location);
            }
            self.note_position();
            self.settings.frontier.set_caught_up(!self.waker.kernel_is_ahead(self.kernel_time));
            self.settings.counters.set_caught_up(true);
            self.settings.coverage = Coverage::default();
            self.settings.watermark.past_coverage();
            if !self.settings.follow {
                let _ = self.check.take().map(JoinHandle::join);
                return Ok(());
            }
            match self.waker.wait(&self.stop) {
                Ok(Woken::Stopped) => return Ok(()),
                Ok(Woken::Changed) => self.changed = true,
                Ok(Woken::Entries) => {}
                Err(e) => tracing::warn!("cannot wait for the journal ({e}); looking again at once"),
            }
        }
    }

    /// Reads what there is. False: the reader shall end.
    fn read_to_end(&mut self) -> Result<bool, Error> {
        if std::mem::take(&mut self.changed) {
            self.journal.process()?;
        }
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
            if self.stop.is_set() || !self.attend() {
                return Ok(false);
            }
        }
        if !self.attend() {
            return Ok(false);
        }
        if self.unnoted > 0 {
            self.last = self.last_position()?;
        }
        Ok(true)
    }

    /// Between two entries: takes new rules, hands on a sign of life. False: nobody takes events
    /// any more.
    fn attend(&mut self) -> bool {
        if self.settings.rules.has_changed().unwrap_or(false) {
            self.rules = self.settings.rules.borrow_and_update().clone();
        }
        match self.stop.take_beat() {
            Some(beat) => self.send(RawItem::Beat(beat)),
            None => true,
        }
    }

    fn send(&self, item: RawItem) -> bool {
        self.out.blocking_send(item).is_ok()
    }

    /// Position of the last entry read: at the end of a journal the handle still stands on it.
    fn last_position(&self) -> Result<Option<Position>, Error> {
        self.journal.position().map(Some).or_else(|e| match &self.last {
            Some(last) => Ok(Some(last.clone())),
            None => Err(e),
        })
    }

    fn note_position(&mut self) {
        self.unnoted = 0;
        self.matched.clear();
        if let Some(position) = &self.last {
            self.settings.watermark.read_up_to(position.clone());
        }
    }

    /// Works on the current entry. False: nobody takes events any more.
    fn take_entry(&mut self) -> Result<bool, Error> {
        self.settings.counters.entries_read.increment();
        let rules = &self.rules;
        if !self.entry.read_if(&mut self.journal, |identifier| rules.knows(identifier)) {
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
    fn wanted_by(&mut self) -> Option<Arc<Rule>> {
        let entry = &self.entry;
        if !self.rules.knows(&entry.identifier) {
            return None;
        }
        let trusted = provenance::is_trusted(entry);
        // Of what anybody can write, no more is looked at than the kernel would write.
        let line = if trusted { &entry.message } else { entry.message.get(..1024).unwrap_or(&entry.message) };
        let rule = self.rules.find(&entry.identifier, line)?.clone();
        if provenance::is_trusted_for(entry, &rule) || rule.writer.is_none() && self.is_early() {
            return Some(rule);
        }
        self.settings.counters.entries_untrusted.increment();
        None
    }

    /// A tool wrote the current entry before journald ran. When the journal cannot say, it is not believed.
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
        let Some(matched) = self.wanted_by().and_then(|rule| rule.matched(&self.entry.message)) else {
            return Ok(None);
        };
        self.settings.counters.entries_matched.increment();
        let position = self.journal.position()?;
        let happened = raw_event::happened(&self.entry, &position);
        let event_id = self.twins.event_id(&position.boot_id, happened.identity, &self.entry.message);
        if self.settings.coverage.covers(&position.cursor) {
            self.settings.counters.entries_covered.increment();
            return Ok(None);
        }
        self.matched.push(position.cursor.clone());
        Ok(Some(self.raw_event(matched, event_id, position, happened)))
    }

    fn raw_event(
        &mut self,
        matched: Matched,
        event_id: String,
        position: Position,
        happened: Happened,
    ) -> RawEvent {
        let rule = matched.rule;
        let sub_system = match matched.captures.get("sub_system") {
            Some(captured) => canonical_sub_system(captured),
            None => rule.sub_system.clone(),
        };
        let number = self.made;
        self.made += 1;
        self.settings.frontier.made(self.made);
        RawEvent {
            number,
            sub_system,
            severity: rule.severity.unwrap_or_else(|| raw_event::fallback_severity(&self.entry)),
            captures: matched.captures,
            event_id,
            entry: raw_event::info(&self.entry, &position, happened),
            ticket: self.settings.watermark.open(position),
            rule,
        }
    }

    /// Moves before the first entry: of this boot, in the journal of this machine.
    fn begin(&mut self) -> Result<(), Error> {
        if !self.settings.location.is_local() {
            return self.journal.seek_head();
        }
        match journal::first_of_boot(&self.settings.location)? {
            Some(cursor) => {
                self.journal.seek_cursor(&cursor)?;
                self.journal.step()?;
                if !self.journal.step_back()? {
                    self.journal.seek_head()?;
                }
                Ok(())
            }
            None => self.journal.seek_realtime(journal::now()),
        }
    }

    /// Moves to where the last run ended, numbering equal entries as it did.
    fn resume(&mut self, resume: &Resume) -> Result<(), Error> {
        self.journal.seek_cursor(&resume.position.cursor)?;
        if !self.journal.step()? {
            return Ok(());
        }
        let found = self.journal.position()?;
        let wanted = &resume.position;
        let same = (&found.boot_id, found.monotonic, found.realtime)
            == (&wanted.boot_id, wanted.monotonic, wanted.realtime);
        if !same {
            self.report_gap(wanted, &found)?;
        }
        self.look_back()?;
        if same && resume.done {
            self.last = Some(found);
            return Ok(());
        }
        if !self.journal.step_back()? {
            self.journal.seek_head()?;
        }
        Ok(())
    }

    /// Makes an event of a gap: entries that were removed (vacuumed) before they were read.
    fn report_gap(&mut self, wanted: &Position, found: &Position) -> Result<(), Error> {
        let message = format!(
            "Journal entries between {} and {} (microseconds since the epoch) may have been removed unread",
            wanted.realtime, found.realtime
        );
        tracing::warn!("{message}");
        let identifier = b"peripetyd";
        let Some(matched) = self.rules.matched(identifier, message.as_bytes()) else {
            return Ok(());
        };
        self.entry.read(&mut self.journal);
        self.entry.identifier = identifier.to_vec();
        self.entry.message = message.into_bytes();
        let happened = raw_event::happened(&self.entry, found);
        let event_id = self.twins.event_id(&found.boot_id, happened.identity, &self.entry.message);
        if self.settings.coverage.has_event(&event_id) {
            return Ok(());
        }
        let mut event = self.raw_event(matched, event_id, found.clone(), happened);
        // It covers no entry: the one found is still to be looked at.
        event.entry.cursor = String::new();
        event.entry.kernel_device = None;
        event.entry.udev_devnode = None;
        self.send(RawItem::Event(Arc::new(event)));
        Ok(())
    }

    /// Numbers the matched entries before the current one, and comes back to it. At the very
    /// beginning of a journal there is nothing to number.
    fn look_back(&mut self) -> Result<(), Error> {
        let mut steps = 0;
        while steps < LOOK_BACK && self.journal.step_back()? {
            steps += 1;
        }
        for _ in 0..steps {
            self.entry.read(&mut self.journal);
            if self.wanted_by().is_some() {
                let position = self.journal.position()?;
                let happened = raw_event::happened(&self.entry, &position);
                self.twins.event_id(&position.boot_id, happened.identity, &self.entry.message);
            }
            self.journal.step()?;
        }
        Ok(())
    }

    /// Opens the journal again where reading failed. False: the reader shall end.
    fn reopen(&mut self) -> bool {
        let [stopped] = crate::sys::poll_readable([self.stop.fd()], RETRY).unwrap_or([true]);
        if stopped {
            return false;
        }
        if let Err(e) = self.open_again() {
            tracing::debug!("{e}");
        }
        true
    }

    fn open_again(&mut self) -> Result<(), Error> {
        self.twins = Twins::default();
        for cursor in std::mem::take(&mut self.matched) {
            let source = Source { first: Some(cursor), ..Source::default() };
            self.settings.coverage.add("", &source);
        }
        let journal = journal::Reader::open(&self.settings.location, journal::LOG_VALUE)?;
        self.waker = Waker::new(journal.wake_fd()?, self.settings.location == Location::Local);
        self.journal = journal;
        match self.last.clone() {
            Some(position) => self.resume(&Resume { position, done: true, stored: None }),
            None => self.seek_start(),
        }
    }
}
