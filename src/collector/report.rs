//! Events about the collector itself. Built-in rules make them, under an identifier that no journal entry is
//! trusted with.

use std::sync::Arc;

use super::hearing::Deafness;
use super::raw_event;
use super::reader::Reader;
use crate::bus::{RawItem, Ticket};
use crate::journal::{self, Damage, Damaged, Entry, Error, Position};

/// The identifier.
const IDENTIFIER: &[u8] = b"peripetyd";

impl Reader {
    /// Reports a gap: entries that were removed (vacuumed) before they were read.
    pub(super) fn report_gap(&mut self, wanted: &Position, found: &Position) -> Result<(), Error> {
        let message = format!(
            "Journal entries between {} and {} (microseconds since the epoch) may have been removed unread",
            wanted.realtime, found.realtime
        );
        tracing::warn!("{message}");
        // Of the host of the journal, and at the time of the entry found.
        self.entry.read(&mut self.journal);
        // Until it is stored, a restart begins before the gap again.
        let ticket = self.settings.watermark.open_gap(wanted.clone());
        self.report(message, found, ticket);
        Ok(())
    }

    /// Reports a period of deafness.
    pub(super) fn report_deafness(&mut self, deafness: &Deafness) {
        let Deafness { since, until, behind } = deafness;
        self.report_now(format!(
            "Journal not read from {since} until {until} (microseconds since the epoch): {behind}"
        ));
    }

    /// Reports a damaged file.
    pub(super) fn report_damage(&mut self, Damaged { path, damage, .. }: &Damaged) {
        let path = path.display();
        tracing::error!("the journal file {path} {damage}");
        let counters = &self.settings.counters;
        counters.journal_files_damaged.increment();
        counters.journal_entries_damaged.add(damage.lost());
        let what = match damage {
            Damage::Whole { entries: Some(entries), .. } => {
                format!("{entries} of its {} entries cannot", entries.number())
            }
            Damage::Whole { entries: None, .. } => "none of its entries can".to_owned(),
            Damage::Entries { lost, of } => format!("at least {lost} of its {of} entries cannot"),
        };
        self.report_now(format!("Journal file {path} is damaged: {what} be read"));
    }

    /// Makes an event of this moment and machine. Nothing of the journal has to be read again for it.
    fn report_now(&mut self, message: String) {
        let position = Position {
            cursor: String::new(),
            boot_id: journal::boot_id().unwrap_or_default(),
            monotonic: journal::monotonic_now(),
            realtime: journal::now(),
        };
        let hostname = rustix::system::uname().nodename().to_bytes().to_vec();
        self.entry = Entry { hostname, ..Entry::default() };
        self.report(message, &position, Ticket::detached());
    }

    fn report(&mut self, message: String, position: &Position, ticket: Arc<Ticket>) {
        let Some(matched) = self.rules.matched(IDENTIFIER, message.as_bytes()) else {
            return ticket.done();
        };
        self.entry.identifier = IDENTIFIER.to_vec();
        self.entry.message = message.into_bytes();
        let happened = raw_event::happened(&self.entry, position);
        let event_id = self.duplicates.event_id(&position.boot_id, happened.identity, &self.entry.message);
        if self.settings.already_stored.has_event(&event_id) {
            return ticket.done();
        }
        let mut event = self.raw_event(matched, event_id, position, happened, ticket);
        // It covers no entry.
        event.entry.cursor = String::new();
        event.entry.kernel_device = None;
        event.entry.udev_devnode = None;
        self.send(RawItem::Event(Arc::new(event)));
    }
}
