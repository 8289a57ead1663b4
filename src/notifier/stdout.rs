//! `stdout`: prints events, one a line.

use std::io::Write;

use jiff::tz::TimeZone;
use jiff::Timestamp;
use peripety_api::sanitize::visible;
use serde::{Deserialize, Serialize};

use super::{Inbox, Item, Notifier, RunFuture};
use crate::event::StorageEvent;

/// Events printed at a time, at most, when many wait.
const MAX_LINES: usize = 256;

/// It has no settings of its own.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stdout {}

impl Notifier for Stdout {
    fn works_off(&self) -> bool {
        true
    }

    fn run<'a>(&'a self, inbox: &'a mut Inbox) -> RunFuture<'a> {
        Box::pin(print(inbox))
    }
}

async fn print(inbox: &mut Inbox) -> Result<(), String> {
    let zone = TimeZone::system();
    while let Some(item) = inbox.next().await {
        let mut lines = text(&item, &zone);
        for _ in 1..MAX_LINES {
            let Some(item) = inbox.next_waiting().await else { break };
            lines += &text(&item, &zone);
        }
        let written = tokio::task::spawn_blocking(move || {
            let mut out = std::io::stdout().lock();
            out.write_all(lines.as_bytes()).and_then(|()| out.flush())
        });
        if !matches!(written.await, Ok(Ok(()))) {
            return Err("nobody reads the standard output any more".to_owned());
        }
        inbox.delivered().await;
    }
    Ok(())
}

fn text(item: &Item, zone: &TimeZone) -> String {
    match item {
        Item::Event(published) => line(&published.event, zone),
        Item::Lost(count) => format!("-- {count} events not shown: the output is read too slowly --\n"),
    }
}

/// Time, host, severity, sub-system, device, mount point, message.
pub(crate) fn line(event: &StorageEvent, zone: &TimeZone) -> String {
    line_at(event, &time(event.timestamp, zone)) + "\n"
}

/// The same with a time that is text already, without the end of the line.
pub(crate) fn line_at(event: &StorageEvent, time: &str) -> String {
    let device = event.dev_path.as_ref().or(event.kdev.as_ref()).map_or("-", String::as_str);
    let mount_point = event.extension.get("mount_point").map(|point| format!(" [{point}]"));
    let hostname = if event.hostname.is_empty() { "-" } else { &event.hostname };
    let text = format!(
        "{time} {hostname} {} {} {} {device}{} {}",
        event.severity,
        event.sub_system,
        event.event_type,
        mount_point.unwrap_or_default(),
        event.msg
    );
    visible(&text).into_owned()
}

/// A time, µs since the epoch, for people.
pub(crate) fn time(usec: u64, zone: &TimeZone) -> String {
    let time = i64::try_from(usec).ok().and_then(|usec| Timestamp::from_microsecond(usec).ok());
    time.map_or_else(String::new, |time| {
        time.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S%.3f").to_string()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_escapes_are_shown_not_sent() {
        let mut event: StorageEvent =
            serde_json::from_str(include_str!("../../tests/fixtures/event.json")).unwrap();
        event.msg = "a\x1b[31mb\n\u{202e}c\u{200b}".into();
        let line = line(&event, &TimeZone::UTC);
        assert!(line.ends_with(" a\\x1b[31mb\\n\\u{202e}c\\u{200b}\n"), "{line}");
    }
}
