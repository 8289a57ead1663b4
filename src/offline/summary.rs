//! What happened to each device: how often, from when to when, how bad.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde::Serialize;

use crate::event::{Severity, StorageEvent};
use crate::notifier::stdout;

/// Devices and kinds of events that are told apart; what is beyond is counted together.
const MAX_ROWS: usize = 100_000;

/// One kind of event on one device.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The device: its node, its identity or what the log calls it.
    pub device: String,
    /// Its identity.
    pub dev_wwid: Option<String>,
    /// What happened.
    pub event_type: String,
    /// How often, repetitions counted.
    pub count: u64,
    /// When first, µs since the epoch.
    pub first: u64,
    /// When last.
    pub last: u64,
    /// The worst.
    pub severity: Severity,
    /// The text of the first.
    pub msg: String,
}

/// Counts events.
#[derive(Debug, Default)]
pub struct Summary {
    rows: BTreeMap<(String, String), Row>,
}

impl Summary {
    /// Counts an event.
    pub fn add(&mut self, event: &StorageEvent) {
        let known = event.dev_path.as_ref().or(event.dev_wwid.as_ref()).or(event.kdev.as_ref());
        let mut key = (known.cloned().unwrap_or_else(|| "-".into()), event.event_type.clone());
        if self.rows.len() >= MAX_ROWS && !self.rows.contains_key(&key) {
            key.0 = "(others)".into();
        }
        let row = self.rows.entry(key.clone()).or_insert_with(|| Row {
            device: key.0,
            dev_wwid: event.dev_wwid.clone(),
            event_type: key.1,
            count: 0,
            first: event.timestamp,
            last: event.timestamp,
            severity: event.severity,
            msg: event.msg.clone(),
        });
        row.count += event.repeat_count;
        row.first = row.first.min(event.timestamp);
        row.last = row.last.max(event.timestamp);
        row.severity = row.severity.min(event.severity);
    }

    /// By device, the worst first, then by number.
    pub fn rows(&self) -> Vec<&Row> {
        let mut worst: BTreeMap<&str, Severity> = BTreeMap::new();
        for row in self.rows.values() {
            let known = worst.entry(&row.device).or_insert(row.severity);
            *known = row.severity.min(*known);
        }
        let mut rows: Vec<&Row> = self.rows.values().collect();
        rows.sort_by_key(|row| {
            (worst.get(row.device.as_str()).copied(), &row.device, row.severity, u64::MAX - row.count)
        });
        rows
    }

    /// A table.
    pub fn text(&self, zone: &TimeZone) -> String {
        let head = ["DEVICE", "SEVERITY", "EVENT", "COUNT", "FIRST", "LAST"].map(str::to_owned);
        let mut lines = vec![head];
        lines.extend(self.rows().into_iter().map(|row| {
            let time = |usec| {
                stdout::time(usec, zone).trim_end_matches(|c: char| c != '.').trim_end_matches('.').to_owned()
            };
            let device = match &row.dev_wwid {
                Some(wwid) if *wwid != row.device => format!("{} {wwid}", row.device),
                _ => row.device.clone(),
            };
            [
                peripety_api::sanitize::visible(&device).into_owned(),
                row.severity.to_string(),
                row.event_type.clone(),
                row.count.to_string(),
                time(row.first),
                time(row.last),
            ]
        }));
        table(&lines)
    }
}

fn table<const N: usize>(lines: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for line in lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let text = lines.iter().map(|line| {
        let cells: Vec<String> =
            line.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        cells.join("  ").trim_end().to_owned() + "\n"
    });
    text.collect()
}
