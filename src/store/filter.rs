//! Which events: one filter, the same for stored and live ones.

use crate::event::{canonical_sub_system, Severity, StorageEvent};
use crate::journal::{Error, Reader};

use super::fields;
use super::trust::Trust;

/// Strings that name one block device in events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// Its world wide ids (or the string asked for, when no device has this name).
    pub wwids: Vec<String>,
    /// Its path, when it has no world wide id.
    pub path: Option<String>,
}

/// Which events; what is `None` does not filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Events of this device, or of a device built on it.
    pub device: Option<Device>,
    /// Any of these types.
    pub event_types: Option<Vec<String>>,
    /// Any of these sub-systems.
    pub sub_systems: Option<Vec<String>>,
    /// This severity or worse.
    pub severity: Option<Severity>,
    /// Not before this time, µs since the epoch.
    pub since: Option<u64>,
    /// Not after this time.
    pub until: Option<u64>,
    /// This event.
    pub event_id: Option<String>,
    /// Only events that follow from no other, or are worse than it.
    pub causes_only: bool,
}

impl Filter {
    /// The event is wanted.
    pub fn matches(&self, event: &StorageEvent) -> bool {
        let any = |wanted: &Option<Vec<String>>, name: &str| {
            wanted.as_ref().is_none_or(|list| list.iter().any(|w| w.eq_ignore_ascii_case(name)))
        };
        self.in_time(event.timestamp)
            && self.event_id.as_ref().is_none_or(|id| id.eq_ignore_ascii_case(&event.event_id))
            && self.severity.is_none_or(|least| event.severity <= least)
            && !(self.causes_only && event.is_consequence())
            && event.event_types().any(|name| any(&self.event_types, name))
            && self.sub_systems.as_ref().is_none_or(|list| {
                let wanted: Vec<String> = list.iter().map(|name| canonical_sub_system(name)).collect();
                event.sub_systems().any(|name| wanted.iter().any(|w| w.eq_ignore_ascii_case(name)))
            })
            && self.device.as_ref().is_none_or(|device| device.matches(event))
    }

    /// An event of this time is wanted.
    pub fn in_time(&self, timestamp: u64) -> bool {
        self.since.is_none_or(|since| timestamp >= since) && self.until.is_none_or(|until| timestamp <= until)
    }

    /// Nearly all candidates that the index finds are wanted.
    pub fn is_indexed(&self) -> bool {
        !self.causes_only && self.device.as_ref().is_none_or(|device| device.path.is_none())
    }

    /// Has journald's index find the candidates among the events of trusted writers: all events
    /// wanted, and few others.
    pub fn add_matches(&self, reader: &mut Reader, trust: &Trust) -> Result<(), Error> {
        trust.add_matches(reader)?;
        reader.match_and()?;
        if let Some(id) = &self.event_id {
            reader.match_add(fields::EVENT_ID, &id.to_ascii_lowercase())?;
        }
        for name in self.event_types.iter().flatten() {
            reader.match_add(fields::EVENT_TYPE, &name.to_ascii_uppercase())?;
        }
        for name in self.sub_systems.iter().flatten() {
            reader.match_add(fields::SUB_SYSTEM, &canonical_sub_system(name))?;
        }
        if let Some(least) = self.severity {
            for severity in Severity::ALL.iter().filter(|severity| **severity <= least) {
                reader.match_add(fields::SEVERITY, severity.name())?;
            }
        }
        match &self.device {
            Some(device) => device.add_matches(reader),
            None => Ok(()),
        }
    }
}

impl Device {
    fn matches(&self, event: &StorageEvent) -> bool {
        let wanted = |wwid: &String| self.wwids.contains(wwid);
        event.dev_wwid.as_ref().is_some_and(wanted)
            || event.owners_wwids.iter().any(wanted)
            || self.path.as_ref().is_some_and(|path| {
                event.dev_path.as_ref() == Some(path) || event.owners_paths.contains(path)
            })
    }

    /// Only a device that has a world wide id can be looked up in the index; of an event with very
    /// many owners not all are there.
    fn add_matches(&self, reader: &mut Reader) -> Result<(), Error> {
        if self.path.is_some() {
            return Ok(());
        }
        reader.match_and()?;
        for wwid in &self.wwids {
            reader.match_add(fields::DEV_WWID, wwid)?;
        }
        reader.match_or()?;
        for wwid in &self.wwids {
            reader.match_add(fields::OWNERS_WWID, wwid)?;
        }
        reader.match_or()?;
        reader.match_add(fields::OWNERS_TRUNCATED, "1")
    }
}
