//! Where an event happened: names mean the same device in one boot of one host only.

use crate::event::EventDraft;

/// A boot of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// See [`StorageEvent::boot_id`](crate::event::StorageEvent::boot_id).
    pub boot_id: String,
    /// See [`StorageEvent::hostname`](crate::event::StorageEvent::hostname).
    pub hostname: String,
}

impl Place {
    /// Of an event.
    pub fn of(event: &EventDraft) -> Self {
        Place { boot_id: event.boot_id.clone(), hostname: event.hostname.clone() }
    }
}
