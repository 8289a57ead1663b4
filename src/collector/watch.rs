//! Checks periodically whether the journal is still the one that was opened, is being read, and is undamaged.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::damage::{processor_time, DamageWatch};
use super::files::Files;
use super::hearing::{Behind, Deafness, Hearing, Verdict};
use super::reader::Reader;
use crate::journal::{self, Error, Layout, Location, Tail, Tails};

/// Interval between checks.
const PAUSE: Duration = Duration::from_secs(1);
/// An interval is at least this many times as long as the processor time of the check before it: a directory may have thousands of
/// files. On a busy machine a check that waited for a processor would otherwise delay the next one by a minute.
const SHARE: u32 = 50;
/// A failure of reading is also an event when it lasted so many seconds.
const REPORTED_AFTER: u64 = 10;
/// For tests: a reader that never opens its journal again must at least notice that it is deaf.
const WITHOUT_REPAIR: &str = "PERIPETY_TEST_WITHOUT_REOPEN";

/// The state of the journal apart from its entries.
#[derive(Debug)]
pub(super) struct Watch {
    /// Its directories when it was opened.
    layout: Layout,
    hearing: Hearing,
    damage: DamageWatch,
    next: Instant,
    /// The last entries of the files that were read: sequence, and number in it.
    read: Option<HashSet<(String, u64)>>,
    files: Files,
    /// Number of files that could not be read at all.
    unreadable: usize,
    /// The journal may be opened again.
    repairs: bool,
    /// When the journal was opened first, µs since the epoch.
    began: u64,
    /// A given file was removed, and none has its name.
    removed: bool,
}

impl Watch {
    /// To be made before the journal is opened.
    pub fn new(location: &Location, damage: DamageWatch) -> Self {
        Watch {
            layout: Layout::of(location),
            hearing: Hearing::default(),
            damage,
            next: Instant::now(),
            read: None,
            files: Files::default(),
            unreadable: 0,
            repairs: std::env::var_os(WITHOUT_REPAIR).is_none(),
            began: journal::now(),
            removed: false,
        }
    }

    /// The journal was opened, on directories that were these just before.
    pub fn opened(&mut self, layout: Layout) {
        self.layout = layout;
    }

    /// The journal is written and was not read for too long.
    pub fn is_deaf(&self) -> bool {
        self.hearing.is_deaf()
    }
}

impl Reader {
    /// At the end of the journal: runs the checks if they are due, and reopens the journal where that helps.
    pub(super) fn look_around(&mut self) {
        if self.journal.take_damage() {
            self.watch.damage.look_now();
        }
        self.report_found();
        if self.watch.next > Instant::now() {
            return;
        }
        let began = processor_time();
        self.notice_vanished();
        self.notice_layout();
        self.listen();
        self.watch.next = Instant::now() + PAUSE.max(processor_time().saturating_sub(began) * SHARE);
    }

    /// Waits for checks in progress, at the end of a journal that is not followed.
    pub(super) fn finish_watch(&mut self) {
        self.watch.damage.finish();
        self.report_found();
    }

    /// Reports damage.
    fn report_found(&mut self) {
        while let Some(mut found) = self.watch.damage.found() {
            match self.watch.files.damaged(&mut found) {
                true => self.report_damage(&found),
                false => tracing::debug!("{} was reported", found.path.display()),
            }
        }
    }

    /// Reading failed: the journal must be opened again.
    pub(super) fn reading_fails(&mut self, error: &Error) {
        self.stale = true;
        if self.failing.is_none() {
            self.failing = Some(journal::now());
            tracing::error!("{error}; trying again every second, nothing is passed over");
            self.settings.counters.deaf.set(error.to_string());
        }
    }

    /// Reading had failed since then, and works.
    pub(super) fn reading_works(&mut self, since: u64) {
        tracing::info!("the {} can be read again", self.settings.location);
        self.settings.counters.deaf.clear();
        let deafness = Deafness { since, until: journal::now(), behind: Behind::Unreadable };
        if deafness.seconds() >= REPORTED_AFTER {
            self.settings.counters.times_deaf.increment();
            self.report_deafness(&deafness);
        }
    }

    /// A handle that lost pages keeps reading zeros there, or skips the whole file.
    fn notice_vanished(&mut self) {
        if self.journal.has_vanished() && !self.stale {
            let location = &self.settings.location;
            tracing::warn!("a file of the {location} became shorter, or its disk failed, while it was read; looking for damaged files");
            for lost in self.watch.files.lost(&journal::tails(location).tails) {
                self.report_damage(&lost);
            }
            self.watch.damage.look_now();
            self.reopen();
        }
    }

    fn notice_layout(&mut self) {
        let location = &self.settings.location;
        let now = Layout::of(location);
        if !self.watch.repairs || !self.watch.layout.is_outdated(&now) {
            return self.notice_removed(&now);
        }
        if std::mem::take(&mut self.watch.removed) {
            self.settings.counters.deaf.clear();
        }
        let what = if matches!(location, Location::Files(_)) { "files" } else { "directories" };
        tracing::info!("{what} of the {location} came, went or were replaced: opening it again");
        self.read_rest();
        self.reopen();
    }

    /// A given file that was removed while it is open may still be written. libsystemd drops it as soon as it hears of the removal, so
    /// what comes then cannot be read.
    fn notice_removed(&mut self, now: &Layout) {
        if self.watch.removed || !self.watch.layout.has_lost(now) {
            return;
        }
        self.watch.removed = true;
        self.read_rest();
        let text =
            format!("the {} was removed: what is still written to it cannot be read", self.settings.location);
        tracing::error!("{text}; waiting for a file of that name");
        self.settings.counters.deaf.set(text);
    }

    /// Reads the last entries of open files that have been replaced.
    fn read_rest(&mut self) {
        if self.stale {
            return;
        }
        match self.step_to_end() {
            Ok(_) => drop(self.note_end()),
            // The journal is reopened after the last entry read.
            Err(e) => tracing::debug!("{e}"),
        }
    }

    fn reopen(&mut self) {
        self.stale |= self.watch.repairs;
    }

    /// Compares the last write with the last entry read.
    fn listen(&mut self) {
        let (behind, now) = (self.behind(), journal::now());
        match self.watch.hearing.looked(behind, Instant::now(), now) {
            Verdict::Fine => {}
            Verdict::Reopen(deafness) => {
                if let Some(deafness) = deafness {
                    self.became_deaf(&deafness);
                }
                self.reopen();
            }
            Verdict::StillDeaf(deafness) => self.report_deafness(&deafness),
            Verdict::Over(deafness) => {
                let seconds = deafness.seconds();
                tracing::info!("the {} is read again, after {seconds} s", self.settings.location);
                self.settings.counters.deaf.clear();
                self.report_deafness(&deafness);
            }
        }
    }

    fn became_deaf(&mut self, deafness: &Deafness) {
        let location = &self.settings.location;
        let text = format!("the {location} is written and not read: {}", deafness.behind);
        tracing::error!("{text}; opening it again, PERIPETY_DEAF reports since when");
        self.settings.counters.times_deaf.increment();
        self.settings.counters.deaf.set(text);
        // Damage may be the reason.
        self.watch.damage.look_now();
    }

    /// What has been written after the last entry read.
    fn behind(&mut self) -> Option<Behind> {
        let location = &self.settings.location;
        let Tails { tails, unreadable } = journal::tails(location);
        self.watch.files.note(&tails);
        if std::mem::replace(&mut self.watch.unreadable, unreadable) < unreadable {
            self.watch.damage.look_now();
        }
        if self.last.is_some() && !self.watch.layout.has_files() && !Layout::of(location).has_files() {
            return Some(Behind::NoFiles(location.unit()));
        }
        if let Some(waited_for) = self.watch.hearing.waits_for().filter(|tail| self.is_unread(tail)) {
            return Some(Behind::Unread(waited_for.clone()));
        }
        // At the first end everything that libsystemd found was read. Later, what counted as read goes on to: when clocks
        // were set back, the order of entries in several sequences is none.
        let sequences = || tails.iter().map(|tail| tail.sequence.clone()).collect();
        let read = self.watch.read.get_or_insert_with(sequences).clone();
        let new = tails.iter().filter(|tail| !read.contains(&tail.sequence));
        let unread = new.filter(|tail| self.is_unread(tail)).max_by_key(|tail| tail.realtime).cloned();
        if unread.is_none() {
            self.watch.read = Some(sequences());
        }
        unread.map(Behind::Unread)
    }

    fn is_unread(&self, tail: &Tail) -> bool {
        match &self.last {
            Some(last) => tail.is_after(last),
            None => tail.realtime > self.watch.began,
        }
    }
}
