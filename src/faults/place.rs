//! Where an event happened: names mean the same device in one boot of one host only.

use crate::event::StorageEvent;

/// A boot of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// See [`StorageEvent::boot_id`].
    pub boot_id: String,
    /// See [`StorageEvent::hostname`].
    pub hostname: String,
}

impl Place {
    /// Of an event.
    pub fn of(event: &StorageEvent) -> Self {
        Place { boot_id: event.boot_id.clone(), hostname: event.hostname.clone() }
    }
}
