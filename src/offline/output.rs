//! Prints events.

use std::io::{self, Write};

use jiff::tz::TimeZone;

use super::args::Output;
use super::summary::Summary;
use crate::event::{Severity, StorageEvent};
use crate::notifier::stdout;

/// What is printed of the events.
#[derive(Debug)]
pub struct Filter {
    /// This severity and worse.
    pub severity: Severity,
    /// From this time on, µs since the epoch.
    pub since: u64,
    /// Up to this time.
    pub until: u64,
}

impl Filter {
    fn takes(&self, event: &StorageEvent) -> bool {
        event.severity <= self.severity && (self.since..=self.until).contains(&event.timestamp)
    }
}

/// Prints events as they come, or what they come to at the end.
pub struct Printer<W: Write> {
    out: W,
    format: Output,
    filter: Filter,
    zone: TimeZone,
    summary: Option<Summary>,
}

impl<W: Write> Printer<W> {
    /// Prints to `out`.
    pub fn new(out: W, format: Output, filter: Filter, zone: TimeZone, summary: bool) -> Self {
        Printer { out, format, filter, zone, summary: summary.then(Summary::default) }
    }

    /// Prints events.
    pub fn print(&mut self, events: &[StorageEvent]) -> io::Result<()> {
        for event in events.iter().filter(|event| self.filter.takes(event)) {
            match (&mut self.summary, self.format) {
                (Some(summary), _) => summary.add(event),
                (None, Output::Text) => self.out.write_all(stdout::line(event, &self.zone).as_bytes())?,
                (None, Output::Json) => {
                    serde_json::to_writer(&mut self.out, event)?;
                    self.out.write_all(b"\n")?;
                }
            }
        }
        Ok(())
    }

    /// Nothing waits to be written: for a reader of the output who looks on.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// No other event will come.
    pub fn end(mut self) -> io::Result<()> {
        if let Some(summary) = &self.summary {
            match self.format {
                Output::Text => self.out.write_all(summary.text(&self.zone).as_bytes())?,
                Output::Json => {
                    serde_json::to_writer(&mut self.out, &summary.rows())?;
                    self.out.write_all(b"\n")?;
                }
            }
        }
        self.out.flush()
    }
}
