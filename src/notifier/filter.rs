//! The table `filter` in a notifier's settings.

use peripety_api::Filter as EventFilter;
use serde::{Deserialize, Deserializer, Serialize};

use crate::event::{Severity, StorageEvent};

/// Selects events. Missing keys do not filter; an event must satisfy all others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Filter {
    /// This severity or worse.
    #[serde(deserialize_with = "severity", skip_serializing_if = "Option::is_none")]
    severity: Option<Severity>,
    /// Any of these event types.
    #[serde(skip_serializing_if = "Option::is_none")]
    event_types: Option<Vec<String>>,
    /// Any of these sub-systems.
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_systems: Option<Vec<String>>,
    /// Any of these devices, or one built on it: WWIDs, paths and names as they appear in events.
    #[serde(skip_serializing_if = "Option::is_none")]
    devices: Option<Vec<String>>,
    /// Only events that follow from no other.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    causes_only: bool,
}

fn severity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Severity>, D::Error> {
    String::deserialize(deserializer)?.parse().map(Some).map_err(serde::de::Error::custom)
}

impl Filter {
    /// The filter lets everything pass.
    pub fn is_empty(&self) -> bool {
        *self == Filter::default()
    }

    /// The filter in the form in which events are tested.
    pub fn compile(&self) -> Compiled {
        let events = EventFilter {
            event_types: self.event_types.clone(),
            sub_systems: self.sub_systems.clone(),
            severity: self.severity,
            causes_only: Some(self.causes_only),
            ..EventFilter::default()
        };
        Compiled { events, devices: self.devices.clone() }
    }
}

/// A filter, ready to be used.
#[derive(Clone, Debug)]
pub struct Compiled {
    events: EventFilter,
    devices: Option<Vec<String>>,
}

impl Compiled {
    /// Whether the event passes the filter.
    pub fn matches(&self, event: &StorageEvent) -> bool {
        self.events.matches(event, None)
            && self.devices.as_ref().is_none_or(|all| all.iter().any(|device| is_about(event, device)))
    }
}

/// The event names this device, as its own or as one below it. Names are compared as text: they are those of the time of the
/// event, when a present device may have another name.
fn is_about(event: &StorageEvent, device: &str) -> bool {
    let is = |name: &String| name == device;
    event.dev_wwid.as_ref().is_some_and(is)
        || event.dev_path.as_ref().is_some_and(is)
        || event.kdev.as_ref().is_some_and(is)
        || event.owners_wwids.iter().any(is)
        || event.owners_paths.iter().any(is)
        || event.extension.get("mount_point").is_some_and(is)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_filters_and_all_must_agree() {
        let event: StorageEvent =
            serde_json::from_str(include_str!("../../tests/fixtures/event.json")).unwrap();
        let owner = event.owners_wwids.first().unwrap().clone();
        let table = [
            ("".to_owned(), true),
            (format!("severity = \"{}\"", event.severity.name().to_lowercase()), true),
            ("severity = \"emerg\"".to_owned(), false),
            (format!("event_types = [\"OTHER\", \"{}\"]", event.event_type.to_lowercase()), true),
            ("event_types = [\"OTHER\"]".to_owned(), false),
            (format!("sub_systems = [\"{}\"]", event.sub_system), true),
            ("sub_systems = [\"other\"]".to_owned(), false),
            (format!("devices = [\"{owner}\"]"), true),
            (format!("devices = [\"{}\"]", event.dev_path.as_ref().unwrap()), true),
            ("devices = [\"/dev/other\"]".to_owned(), false),
            ("devices = []".to_owned(), false),
            (format!("devices = [\"{owner}\"]\nsub_systems = [\"other\"]"), false),
        ];
        for (text, expected) in table {
            let filter: Filter = toml::from_str(&text).unwrap();
            assert_eq!(filter.compile().matches(&event), expected, "{text}");
            let again: Filter = toml::from_str(&toml::to_string(&filter).unwrap()).unwrap();
            assert_eq!(again, filter);
        }
        let mut consequence = event;
        consequence.root_cause_event_id = Some("x".into());
        let causes: Filter = toml::from_str("causes_only = true").unwrap();
        assert!(!causes.compile().matches(&consequence));
    }
}
