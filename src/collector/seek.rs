//! Where reading begins, and where it continues after the journal was reopened.

use super::duplicates::DuplicateCounter;
use super::raw_event;
use super::reader::{Reader, Start};
use crate::bus::ticket::Resume;
use crate::event::Source;
use crate::journal::{self, Error, Position};

/// Entries read again before the resumed one, to number equal entries as before.
const LOOK_BACK: usize = 2048;

impl Reader {
    pub(super) fn seek_start(&mut self) -> Result<(), Error> {
        match self.settings.start.clone() {
            Start::Resume(resume) => self.resume(&resume),
            Start::Beginning => self.begin(),
            Start::Since(usec) => self.journal.seek_realtime(usec),
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

    /// Seeks to where the previous run ended, numbering equal entries as it did.
    fn resume(&mut self, resume: &Resume) -> Result<(), Error> {
        let wanted = &resume.position;
        let found = self.seek(wanted)?;
        let Some(mut found) = found else {
            // The gap ends where reading continues.
            self.gap = Some(wanted.clone());
            return Ok(());
        };
        if let Err(e) = self.look_back(&found) {
            tracing::debug!("{e}: equal entries before the end of the last run are not numbered");
        }
        // In a damaged file, as many steps back and forth lead elsewhere, or libsystemd ignores the file from then on.
        match self.seek(&found) {
            Ok(Some(again)) if again.is_same(&found) => {}
            _ => {
                self.replace_handle()?;
                match self.seek(&found)? {
                    Some(again) => found = again,
                    None => {
                        self.gap = Some(wanted.clone());
                        return Ok(());
                    }
                }
            }
        }
        let same = found.is_same(wanted);
        if !same {
            self.report_gap(wanted, &found)?;
        }
        if same && resume.done {
            self.last = Some(found);
            return Ok(());
        }
        // The next step leads to the entry itself.
        self.journal.seek_cursor(&found.cursor)
    }

    /// Moves to an entry, or to the first that is still there behind it: its position.
    fn seek(&mut self, position: &Position) -> Result<Option<Position>, Error> {
        self.journal.seek_cursor(&position.cursor)?;
        match self.journal.step()? {
            true => self.journal.position().map(Some),
            false => Ok(None),
        }
    }

    /// Numbers the matched entries before the current one, `end`. At the very beginning of a journal there is nothing to number.
    fn look_back(&mut self, end: &Position) -> Result<(), Error> {
        let mut steps = 0;
        while steps < LOOK_BACK && self.journal.step_back()? {
            steps += 1;
        }
        for _ in 0..steps {
            let position = self.journal.position()?;
            let beyond = position.boot_id == end.boot_id && position.monotonic > end.monotonic;
            if beyond || position.cursor == end.cursor {
                break;
            }
            self.entry.read(&mut self.journal);
            if self.matching_trusted_rule().is_some() {
                let happened = raw_event::happened(&self.entry, &position);
                self.duplicates.event_id(&position.boot_id, happened.identity, &self.entry.message);
            }
            self.journal.step()?;
        }
        Ok(())
    }

    /// Reopens the journal, and continues after the last entry read.
    pub(super) fn open_again(&mut self) -> Result<(), Error> {
        self.duplicates = DuplicateCounter::default();
        self.cover_matched();
        self.replace_handle()?;
        self.unnoted = 0;
        match self.last.clone() {
            Some(position) => self.resume(&Resume { position, done: true, stored: None }),
            None => self.seek_start(),
        }
    }

    /// Opens the journal again, without a place in it.
    fn replace_handle(&mut self) -> Result<(), Error> {
        // Noted before: what changes while it is opened is another layout.
        let layout = journal::Layout::of(&self.settings.location);
        let journal = journal::Reader::open(&self.settings.location, journal::LOG_VALUE)?;
        self.waker.wait_on(journal.wake_fd()?);
        self.journal = journal;
        self.changed = false;
        self.watch.opened(layout);
        Ok(())
    }

    /// Entries that were matched since the position was recorded are skipped.
    pub(super) fn cover_matched(&mut self) {
        for cursor in std::mem::take(&mut self.matched) {
            let source = Source { first: Some(cursor), ..Source::default() };
            self.settings.already_stored.add("", &source, &[]);
        }
    }
}
