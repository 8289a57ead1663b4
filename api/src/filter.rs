//! Which events: one filter, the same for stored and live ones.

use crate::{canonical_sub_system, Filter, StorageEvent};

/// Strings that name one block device in events: the resolved [`Filter::blk`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// Its WWIDs (or the given string, if no device has this name).
    pub wwids: Vec<String>,
    /// Its path, when it has no world wide id.
    pub path: Option<String>,
}

impl Filter {
    /// Whether the event passes the filter. `device` is the resolved [`Filter::blk`], which requires a device lookup.
    pub fn matches(&self, event: &StorageEvent, device: Option<&Device>) -> bool {
        let any = |wanted: &Option<Vec<String>>, name: &str| {
            wanted.as_ref().is_none_or(|list| list.iter().any(|w| w.eq_ignore_ascii_case(name)))
        };
        self.in_time(event.timestamp)
            && self.event_id.as_ref().is_none_or(|id| id.eq_ignore_ascii_case(&event.event_id))
            && self.severity.is_none_or(|least| event.severity <= least)
            && !(self.wants_causes() && event.is_consequence())
            && event.event_types().any(|name| any(&self.event_types, name))
            && self.sub_systems.as_ref().is_none_or(|list| {
                let wanted: Vec<String> = list.iter().map(|name| canonical_sub_system(name)).collect();
                event.sub_systems().any(|name| wanted.iter().any(|w| w.eq_ignore_ascii_case(name)))
            })
            && device.is_none_or(|device| device.is_in(event))
    }

    /// Whether events of this time pass.
    pub fn in_time(&self, timestamp: u64) -> bool {
        self.since.is_none_or(|since| timestamp >= since) && self.until.is_none_or(|until| timestamp <= until)
    }

    /// Only root causes pass.
    pub fn wants_causes(&self) -> bool {
        self.causes_only == Some(true)
    }
}

impl Device {
    /// The event is of this device, or of one built on it.
    fn is_in(&self, event: &StorageEvent) -> bool {
        let wanted = |wwid: &String| self.wwids.contains(wwid);
        event.dev_wwid.as_ref().is_some_and(wanted)
            || event.owners_wwids.iter().any(wanted)
            || self.path.as_ref().is_some_and(|path| {
                event.dev_path.as_ref() == Some(path) || event.owners_paths.contains(path)
            })
    }
}
