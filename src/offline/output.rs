//! Prints events.

use std::io::{self, Write};
use std::sync::Arc;

use jiff::tz::TimeZone;
use peripety_api::sanitize::visible;
use serde::Serialize;

use super::args::{Output, ParseArgs, SummaryBy};
use super::sorted::Sorted;
use super::stage::Made;
use super::stories::{Stories, Wanted};
use super::summary::Summary;
use super::text::count::Shown;
use super::when;
use crate::event::{Severity, StorageEvent};
use crate::notifier::stdout;
use crate::rules::conditions::Kinds;

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

/// What is printed, and in which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Events, a line each, in the order of their times.
    Text,
    /// Events as JSON, in the order in which they are known.
    Json,
    /// A table at the end.
    Summary(Output),
    /// Incidents at the end.
    Stories(Output),
    /// Lines that no rule takes, no events.
    Unmatched(Output),
}

impl Shape {
    /// As the command line wants it.
    pub fn of(args: &ParseArgs) -> Self {
        match (args.unmatched, args.summary, args.output) {
            (true, _, output) => Shape::Unmatched(output),
            (_, Some(SummaryBy::Devices), output) => Shape::Summary(output),
            (_, Some(SummaryBy::Stories), output) => Shape::Stories(output),
            (_, None, Output::Text) => Shape::Text,
            (_, None, Output::Json) => Shape::Json,
        }
    }
}

/// Prints events as they come, or what they come to at the end.
pub struct Printer<W: Write> {
    out: W,
    shape: Shape,
    filter: Filter,
    zone: TimeZone,
    summary: Summary,
    stories: Option<Box<Stories>>,
    sorted: Sorted,
}

/// A line that no rule takes, for programs.
#[derive(Debug, Serialize)]
struct Unmatched<'l> {
    file: &'l str,
    line: u64,
    text: &'l str,
}

impl<W: Write> Printer<W> {
    /// Prints to `out`. `kinds`: the conditions of incidents.
    pub fn new(out: W, shape: Shape, filter: Filter, zone: TimeZone, kinds: Arc<Kinds>) -> Self {
        let stories = matches!(shape, Shape::Stories(_)).then(|| Box::new(Stories::new(kinds)));
        Printer { out, shape, filter, zone, summary: Summary::default(), stories, sorted: Sorted::default() }
    }

    /// Prints events, or keeps them for later.
    pub fn print(&mut self, all: Vec<Made>) -> io::Result<()> {
        for made in all {
            if let Some(stories) = &mut self.stories {
                // The filter is for incidents: an event that it would drop may belong to one that is printed.
                stories.add(made.event, made.timed);
                continue;
            }
            if !self.filter.takes(&made.event) {
                continue;
            }
            match self.shape {
                Shape::Summary(_) => self.summary.add(&made.event, made.timed),
                Shape::Text => {
                    for due in self.sorted.add(made) {
                        self.line(&due)?;
                    }
                }
                Shape::Json => {
                    serde_json::to_writer(&mut self.out, &made.event.event)?;
                    self.out.write_all(b"\n")?;
                }
                Shape::Stories(_) | Shape::Unmatched(_) => {}
            }
        }
        Ok(())
    }

    /// Prints lines that no rule takes.
    pub fn lines(&mut self, file: &str, lines: &[Shown]) -> io::Result<()> {
        let Shape::Unmatched(output) = self.shape else { return Ok(()) };
        for Shown { line, text } in lines {
            match output {
                Output::Text => writeln!(self.out, "{}", visible(&format!("{file}:{line}: {text}")))?,
                Output::Json => {
                    serde_json::to_writer(&mut self.out, &Unmatched { file, line: *line, text })?;
                    self.out.write_all(b"\n")?;
                }
            }
        }
        Ok(())
    }

    /// An input ended: nothing of it waits to be written, for a reader of the output who looks on.
    pub fn end_of_input(&mut self) -> io::Result<()> {
        for due in self.sorted.end() {
            self.line(&due)?;
        }
        self.out.flush()
    }

    /// No other event will come.
    pub fn end(mut self) -> io::Result<()> {
        self.end_of_input()?;
        match self.shape {
            Shape::Summary(Output::Text) => self.out.write_all(self.summary.text(&self.zone).as_bytes())?,
            Shape::Summary(Output::Json) => {
                serde_json::to_writer(&mut self.out, &self.summary.rows())?;
                self.out.write_all(b"\n")?;
            }
            Shape::Stories(output) => self.stories(output)?,
            Shape::Text | Shape::Json | Shape::Unmatched(_) => {}
        }
        self.out.flush()
    }

    /// The incidents that are wanted.
    fn stories(&mut self, output: Output) -> io::Result<()> {
        let Some(stories) = &mut self.stories else { return Ok(()) };
        stories.end();
        let wanted =
            Wanted { severity: self.filter.severity, since: self.filter.since, until: self.filter.until };
        let text = match output {
            Output::Text => stories.text(wanted, &self.zone),
            Output::Json => stories.json(wanted)? + "\n",
        };
        self.out.write_all(text.as_bytes())
    }

    /// An event for people: when, what, and of several how many and until when.
    fn line(&mut self, made: &Made) -> io::Result<()> {
        let event = &made.event;
        let text = stdout::line_at(event, &when::text(event.timestamp, made.timed, &self.zone));
        self.out.write_all(text.as_bytes())?;
        if event.repeat_count > 1 {
            let last = super::summary::last_time(event);
            let last = when::text(last, made.timed, &self.zone);
            write!(self.out, " ({} times, last {last})", event.repeat_count)?;
        }
        self.out.write_all(b"\n")
    }
}
