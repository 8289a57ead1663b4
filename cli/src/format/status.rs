//! The state of the daemon: a label and a value a line.

use std::io::{self, Write};

use peripety_api::sanitize::visible;
use peripety_api::{NotifierStatus, Status};

use super::text::{styled, time, BOLD};
use super::Style;

const LABEL_WIDTH: usize = 19;

/// Writes the state.
pub fn write<W: Write>(out: &mut W, status: &Status, style: &Style) -> io::Result<()> {
    for (label, value) in rows(status, style) {
        let label = format!("{:LABEL_WIDTH$}", format!("{label}:"));
        writeln!(out, "{} {}", styled(&label, BOLD, style.color), visible(&value))?;
    }
    Ok(())
}

fn rows(status: &Status, style: &Style) -> Vec<(&'static str, String)> {
    let yes_no = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let mut rows = vec![
        ("Version", status.version.clone()),
        ("Started", time(status.started, &style.zone)),
        ("Journal", status.journal.clone()),
        ("Caught up", yes_no(status.caught_up)),
        ("Trouble", status.trouble.clone().unwrap_or_else(|| "-".to_owned())),
        ("Saves to journald", yes_no(status.save_to_journald)),
        ("Rules", status.rules.to_string()),
        ("Configuration", config_files(status)),
        ("Read", time(status.config_loaded, &style.zone)),
        ("Not in force", status.config_error.clone().unwrap_or_else(|| "-".to_owned())),
        ("Monitors", status.monitors.to_string()),
        ("Entries read", status.entries_read.to_string()),
        ("Entries matched", status.entries_matched.to_string()),
        ("Entries untrusted", status.entries_untrusted.to_string()),
        ("Entries covered", status.entries_covered.to_string()),
        ("In flight", status.in_flight.to_string()),
        ("Events", status.events.to_string()),
        ("Events stored", status.events_stored.to_string()),
        ("Events not stored", status.events_not_stored.to_string()),
        ("Times deaf", status.times_deaf.to_string()),
        ("Damaged files", status.journal_files_damaged.to_string()),
        ("Damaged entries", status.journal_entries_damaged.to_string()),
        ("Damaged events", status.events_damaged.to_string()),
    ];
    rows.extend(status.notifiers.iter().map(|notifier| ("Notifier", self::notifier(notifier, style))));
    rows
}

fn notifier(notifier: &NotifierStatus, style: &Style) -> String {
    let NotifierStatus { name, kind, delivered, failed, lost, backlog, .. } = notifier;
    let counts =
        format!("{name} ({kind}): {delivered} delivered, {failed} failed, {lost} lost, {backlog} waiting");
    match (&notifier.last_error, notifier.last_error_at) {
        (Some(error), Some(at)) => format!("{counts}; last error {}: {error}", time(at, &style.zone)),
        (None, Some(at)) => format!("{counts}; last error {}", time(at, &style.zone)),
        _ => counts,
    }
}

fn config_files(status: &Status) -> String {
    match status.config_files.is_empty() {
        true => "defaults".to_owned(),
        false => status.config_files.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::samples;
    use jiff::tz::TimeZone;

    #[test]
    fn aligned_and_complete() {
        let mut out = Vec::new();
        let style = Style { color: false, zone: TimeZone::UTC };
        write(&mut out, &samples::status(), &style).unwrap();
        let expected = "\
Version:            0.1.0
Started:            2026-05-21 18:17:16.123
Journal:            local journal
Caught up:          yes
Trouble:            the local journal is written and not read
Saves to journald:  no
Rules:              7
Configuration:      /etc/peripetyd.conf
Read:               2026-05-21 18:17:16.123
Not in force:       /etc/peripetyd.conf:1:1: bad
Monitors:           15
Entries read:       8
Entries matched:    9
Entries untrusted:  10
Entries covered:    11
In flight:          14
Events:             12
Events stored:      13
Events not stored:  1
Times deaf:         2
Damaged files:      3
Damaged entries:    4
Damaged events:     5
Notifier:           page (exec): 5 delivered, 6 failed, 7 lost, 8 waiting; last error 2026-05-21 18:17:16.123: exit 1
";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
