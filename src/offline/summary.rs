//! The events of each device: how many, first and last time, worst severity.
//!
//! Devices are identified by WWID, otherwise by name and host; a name that only one WWID of that host had is that device. A merged event
//! counts for each of its types. Events without a device are grouped by what else they name.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use serde::Serialize;

use super::when;
use crate::event::{Severity, StorageEvent};

/// Maximum number of rows; further events are counted in shared rows.
const MAX_ROWS: usize = 100_000;

/// Maximum number of devices remembered per name.
const MAX_HOLDERS: usize = 4;

/// One kind of event on one device.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The host that logged it.
    pub hostname: String,
    /// The device: its node, its identity, what the log calls it, or what else the event names.
    pub device: String,
    /// Its identity.
    pub dev_wwid: Option<String>,
    /// What happened.
    pub event_type: String,
    /// Number of occurrences, including repeats.
    pub count: u64,
    /// First occurrence, µs since the epoch, or since boot if the log has no dates.
    pub first: u64,
    /// Last occurrence.
    pub last: u64,
    /// The worst severity.
    pub severity: Severity,
    /// The text of the first event.
    pub msg: String,
    /// The log has times; otherwise these fields are line numbers.
    #[serde(skip)]
    timed: bool,
}

/// The device of an event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Identity(String),
    Name(String),
}

/// Host, device, type.
type RowKey = (String, Who, String);

/// Counts events.
#[derive(Debug, Default)]
pub struct Summary {
    rows: BTreeMap<RowKey, Row>,
    /// The devices that had a name on a host.
    held: BTreeMap<(String, String), BTreeSet<Who>>,
}

/// Keys of `extension` that name the place of an event without a device, the most specific first.
const PLACES: [&str; 27] = [
    "resource",
    "pool",
    "fs_name",
    "volume",
    "brick",
    "array",
    "map",
    "dm_name",
    "osd",
    "server",
    "portal",
    "peer",
    "target",
    "session",
    "connection",
    "rport",
    "pci",
    "guid",
    "controller",
    "hctl",
    "host",
    "port",
    "usb",
    "mount_point",
    "unit",
    "what",
    "task",
];

/// The time of the last occurrence: for a repeated event that of the last repeat.
pub fn last_time(event: &StorageEvent) -> u64 {
    let last = event.extension.get("last_time").and_then(|text| text.parse().ok());
    last.unwrap_or(event.timestamp).max(event.timestamp)
}

impl Summary {
    /// Counts an event. `timed`: the log has times.
    pub fn add(&mut self, event: &StorageEvent, timed: bool) {
        let who = self.who(event);
        let types = event.extension.get("event_types").map_or(event.event_type.as_str(), String::as_str);
        for event_type in types.split_whitespace() {
            let mut key = (event.hostname.clone(), who.clone(), event_type.to_owned());
            if self.rows.len() >= MAX_ROWS && !self.rows.contains_key(&key) {
                key = (String::new(), Who::Name("(others)".into()), key.2);
            }
            self.count(key, event, timed);
        }
    }

    fn count(&mut self, key: RowKey, event: &StorageEvent, timed: bool) {
        let name = match &key.1 {
            Who::Identity(wwid) => wwid.clone(),
            Who::Name(name) => name.clone(),
        };
        let node = event.dev_path.as_ref().filter(|_| name != "(others)");
        let row = self.rows.entry(key.clone()).or_insert_with(|| Row {
            hostname: key.0,
            device: node.cloned().unwrap_or(name),
            dev_wwid: event.dev_wwid.clone(),
            event_type: key.2,
            count: 0,
            first: event.timestamp,
            last: event.timestamp,
            severity: event.severity,
            msg: event.msg.clone(),
            timed,
        });
        row.count += event.repeat_count;
        row.first = row.first.min(event.timestamp);
        row.last = row.last.max(last_time(event));
        row.severity = row.severity.min(event.severity);
        row.timed |= timed;
    }

    /// The device of an event; its names are recorded.
    fn who(&mut self, event: &StorageEvent) -> Who {
        let names = [&event.kdev, &event.dev_path].into_iter().flatten().chain(event.extension.get("hctl"));
        let names: Vec<&str> = names.map(|name| plain(name)).collect();
        let who = match (&event.dev_wwid, event.dev_path.as_ref().or(event.kdev.as_ref())) {
            (Some(wwid), _) => Who::Identity(wwid.clone()),
            (None, Some(name)) => Who::Name(plain(name).to_owned()),
            (None, None) => return Who::Name(place(event)),
        };
        if self.held.len() < MAX_ROWS {
            for name in names {
                let held = self.held.entry((event.hostname.clone(), name.to_owned())).or_default();
                // Two devices with one name are as ambiguous as many.
                if held.len() < MAX_HOLDERS {
                    held.insert(who.clone());
                }
            }
        }
        who
    }

    /// The only device that had a name, unless it is known by that name.
    fn holder(&self, hostname: &str, name: &str) -> Option<&Who> {
        let held = self.held.get(&(hostname.to_owned(), name.to_owned()))?;
        let mut others = held.iter().filter(|who| **who != Who::Name(name.to_owned()));
        others.next().filter(|_| others.next().is_none())
    }

    /// The worst first, then by time.
    pub fn rows(&self) -> Vec<Row> {
        let mut merged: BTreeMap<RowKey, Row> = BTreeMap::new();
        let mut known: BTreeMap<(&str, &Who), (&str, Option<&String>)> = BTreeMap::new();
        for ((hostname, who, _), row) in &self.rows {
            known.entry((hostname, who)).or_insert((&row.device, row.dev_wwid.as_ref()));
        }
        for ((hostname, who, event_type), row) in &self.rows {
            let holder = match who {
                Who::Name(name) => self.holder(hostname, name).unwrap_or(who),
                Who::Identity(_) => who,
            };
            let key = (hostname.clone(), holder.clone(), event_type.clone());
            let named = || match known.get(&(hostname.as_str(), holder)) {
                Some((device, wwid)) => {
                    Row { device: (*device).to_owned(), dev_wwid: wwid.cloned(), ..row.clone() }
                }
                None => row.clone(),
            };
            merged.entry(key).and_modify(|known| known.merge(row)).or_insert_with(named);
        }
        let mut rows: Vec<Row> = merged.into_values().collect();
        rows.sort_by(|a, b| {
            let key = |row: &Row| (row.severity, row.first, u64::MAX - row.count);
            key(a).cmp(&key(b)).then_with(|| (&a.device, &a.event_type).cmp(&(&b.device, &b.event_type)))
        });
        rows
    }

    /// A table.
    pub fn text(&self, zone: &TimeZone) -> String {
        let rows = self.rows();
        let hosts = rows.iter().any(|row| Some(&row.hostname) != rows.first().map(|first| &first.hostname));
        let line = |host: &str, cells: [String; 6]| {
            let host = hosts.then(|| host.to_owned());
            host.into_iter().chain(cells).collect::<Vec<String>>()
        };
        let head = ["DEVICE", "SEVERITY", "EVENT", "COUNT", "FIRST", "LAST"].map(str::to_owned);
        let mut lines = vec![line("HOST", head)];
        lines.extend(rows.iter().map(|row| {
            let time = |usec| when::short(usec, row.timed, zone);
            let device = match &row.dev_wwid {
                Some(wwid) if *wwid != row.device => format!("{} {wwid}", row.device),
                _ => row.device.clone(),
            };
            let cells = [
                peripety_api::sanitize::visible(&device).into_owned(),
                row.severity.to_string(),
                row.event_type.clone(),
                row.count.to_string(),
                time(row.first),
                time(row.last),
            ];
            line(&peripety_api::sanitize::visible(&row.hostname), cells)
        }));
        table(&lines)
    }
}

impl Row {
    fn merge(&mut self, other: &Row) {
        self.count += other.count;
        if other.first < self.first {
            (self.first, self.msg) = (other.first, other.msg.clone());
        }
        self.last = self.last.max(other.last);
        self.severity = self.severity.min(other.severity);
        self.timed |= other.timed;
    }
}

/// A name without `/dev/`.
fn plain(name: &str) -> &str {
    name.strip_prefix("/dev/").unwrap_or(name)
}

/// What an event without a device is about.
fn place(event: &StorageEvent) -> String {
    let named = PLACES.iter().find_map(|key| Some((*key, event.extension.get(*key)?)));
    match named {
        // A number alone is not enough.
        Some((key, value)) if value.bytes().all(|byte| byte.is_ascii_digit()) => format!("{key}{value}"),
        Some((_, value)) => value.clone(),
        None => "-".into(),
    }
}

fn table(lines: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for line in lines {
        widths.resize(widths.len().max(line.len()), 0);
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let text = lines.iter().map(|line| {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<String>>().join("  ").trim_end().to_owned() + "\n"
    });
    text.collect()
}
