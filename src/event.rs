//! The vocabulary of `peripety-api`, and what the daemon knows of an event while it works on it.

use std::ops::{Deref, DerefMut};

pub use peripety_api::{
    canonical_sub_system, event_id, message_id, EntryTime, Severity, Source, StorageEvent, ESCALATES,
    EVENT_TYPES, NAMESPACE, SUB_SYSTEMS,
};

/// A storage event that is still worked on, with what is neither stored in it nor sent.
#[derive(Clone, Debug, PartialEq)]
pub struct EventDraft {
    /// The event.
    pub event: StorageEvent,
    /// Who held the names that the event has, as far as known: the device, then what it is built from. It serves to compare
    /// events.
    pub holders: Vec<Holder>,
    /// Marks of the journal entries that the event covers. They are stored in a journal field of their own.
    pub covered: Vec<Covered>,
}

impl From<StorageEvent> for EventDraft {
    fn from(event: StorageEvent) -> Self {
        EventDraft { event, holders: Vec::new(), covered: Vec::new() }
    }
}

impl Deref for EventDraft {
    type Target = StorageEvent;

    fn deref(&self) -> &StorageEvent {
        &self.event
    }
}

impl DerefMut for EventDraft {
    fn deref_mut(&mut self) -> &mut StorageEvent {
        &mut self.event
    }
}

/// Short mark of a journal entry: what stays when the entry is copied to another file, then the file's sequence and the
/// number in it. See `crate::journal::EntryKey`, which makes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Covered {
    /// Hash of boot, times and content.
    pub content: u64,
    /// Hash of the file's sequence.
    pub file: u64,
    /// Number of the entry in it.
    pub number: u64,
}

/// The device that held some names when a line was logged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// Its names, without `/dev/`: the kernel's (`sdb`), the node's (`mapper/…` without its directory), number, SCSI address.
    pub names: Vec<String>,
    /// What distinguishes it from other devices with the same name.
    pub identity: Identity,
    /// It was no longer there when the line was worked on.
    pub gone: bool,
}

/// What tells a device from another one of the same name. `W`: how the world wide id is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Identity<W = String> {
    /// World wide id of the block device; never the UUID of a file system.
    pub wwid: Option<W>,
    /// The kernel's disk sequence number, never used twice in one boot.
    pub diskseq: Option<u64>,
}

impl<W: PartialEq> Identity<W> {
    /// They are certainly two devices. What is not known denies nothing.
    pub fn denies(&self, other: &Self) -> bool {
        let differ = |a: Option<u64>, b: Option<u64>| a.zip(b).is_some_and(|(a, b)| a != b);
        differ(self.diskseq, other.diskseq)
            || self.wwid.as_ref().zip(other.wwid.as_ref()).is_some_and(|(a, b)| a != b)
    }

    /// They are one device, where they have one name.
    pub fn proves(&self, other: &Self) -> bool {
        let seq = self.diskseq.is_some() && self.diskseq == other.diskseq;
        let wwid = self.wwid.is_some() && self.wwid == other.wwid;
        !self.denies(other) && (seq || wwid)
    }
}
