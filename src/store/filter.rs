//! Which events: a filter as journald's index understands it.

use peripety_api::{Device, Filter};

use crate::event::{canonical_sub_system, Severity, StorageEvent};
use crate::journal::{Error, Reader};

use super::fields;
use super::stored::Stored;
use super::trust::Trust;

/// A filter with its resolved device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// The filter.
    pub filter: Filter,
    /// What its `blk` names: events of this device, or of a device built on it.
    pub device: Option<Device>,
}

impl From<Filter> for Selection {
    /// A filter that names no device.
    fn from(filter: Filter) -> Self {
        Selection { filter, device: None }
    }
}

impl Selection {
    /// Whether the event passes the filter.
    pub fn matches(&self, event: &StorageEvent) -> bool {
        self.filter.matches(event, self.device.as_ref())
    }

    /// Nearly all candidates from the index match.
    pub fn is_indexed(&self) -> bool {
        !self.filter.wants_causes() && self.device.as_ref().is_none_or(|device| device.path.is_none())
    }

    /// Whether a candidate from the index matches. Mostly the index and the time have decided that already.
    pub fn takes(&self, candidate: &Stored) -> bool {
        let is_decided = self.is_indexed() && (self.device.is_none() || !candidate.owners_truncated);
        self.filter.in_time(candidate.timestamp)
            && (is_decided || candidate.event().is_some_and(|event| self.matches(&event)))
    }

    /// Has journald's index find the candidates among the events of trusted writers: all events
    /// wanted, and few others.
    pub fn add_matches(&self, reader: &mut Reader, trust: &Trust) -> Result<(), Error> {
        let filter = &self.filter;
        trust.add_matches(reader)?;
        reader.match_and()?;
        if let Some(id) = &filter.event_id {
            reader.match_add(fields::EVENT_ID, &id.to_ascii_lowercase())?;
        }
        for name in filter.event_types.iter().flatten() {
            reader.match_add(fields::EVENT_TYPE, &name.to_ascii_uppercase())?;
        }
        for name in filter.sub_systems.iter().flatten() {
            reader.match_add(fields::SUB_SYSTEM, &canonical_sub_system(name))?;
        }
        if let Some(least) = filter.severity {
            for severity in Severity::ALL.iter().filter(|severity| **severity <= least) {
                reader.match_add(fields::SEVERITY, severity.name())?;
            }
        }
        match &self.device {
            Some(device) => add_device(device, reader),
            None => Ok(()),
        }
    }
}

/// Only a device that has a world wide id can be looked up in the index; of an event with very
/// many owners not all are there.
fn add_device(device: &Device, reader: &mut Reader) -> Result<(), Error> {
    if device.path.is_some() {
        return Ok(());
    }
    reader.match_and()?;
    for wwid in &device.wwids {
        reader.match_add(fields::DEV_WWID, wwid)?;
    }
    reader.match_or()?;
    for wwid in &device.wwids {
        reader.match_add(fields::OWNERS_WWID, wwid)?;
    }
    reader.match_or()?;
    reader.match_add(fields::OWNERS_TRUNCATED, "1")
}
