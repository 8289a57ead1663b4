//! Messages on standard error: what could not be read, and how much of the input was understood if there is no event.

use serde::Serialize;

use super::args::Output;
use super::progress::Progress;
use super::text::count::{Counts, Shown};
use super::Outcome;

/// The statistics of a run.
pub struct Report {
    progress: Progress,
    output: Output,
    /// The input that is being read.
    name: String,
    read: u64,
    skipped: u64,
    failed: u64,
    /// There was at least one event.
    pub events: bool,
    counts: Counts,
    /// The first line without a known head, and its file.
    first: Option<(String, Shown)>,
}

/// Why there is no event, for programs.
#[derive(Debug, Serialize)]
struct NoEvent<'r> {
    /// Lines and entries read.
    lines: u64,
    /// Those with a known time stamp.
    timed: u64,
    /// Those of the kernel.
    kernel: u64,
    /// Those that look like a problem but match no rule.
    unmatched: u64,
    /// The first line without a known head.
    first_not_understood: Option<FirstLine<'r>>,
    /// Files that are not logs.
    skipped: u64,
    /// Files that could not be read completely.
    failed: u64,
}

#[derive(Debug, Serialize)]
struct FirstLine<'r> {
    file: &'r str,
    line: u64,
    text: &'r str,
}

impl Report {
    /// Nothing has been read yet.
    pub fn new(progress: Progress, output: Output) -> Self {
        let (name, counts) = (String::new(), Counts::default());
        Report { progress, output, name, read: 0, skipped: 0, failed: 0, events: false, counts, first: None }
    }

    /// Begins an input.
    pub fn begin(&mut self, name: &str) {
        self.read += 1;
        name.clone_into(&mut self.name);
    }

    /// The input that is being read.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Adds what was read.
    pub fn count(&mut self, counts: &Counts) {
        self.counts.extend(counts);
        if self.first.is_none() {
            self.first = counts.first.clone().map(|first| (self.name.clone(), first));
        }
    }

    /// Counts a file that is not a log.
    pub fn skip(&mut self, name: &str, named: bool) {
        self.skipped += 1;
        if named {
            let name = peripety_api::sanitize::visible(name);
            self.progress.suspend(|| eprintln!("peripetyd: {name}: not a log"));
        }
    }

    /// Reports something that cannot be read.
    pub fn fail(&mut self, name: &str, why: &str) {
        self.failed += 1;
        let name = peripety_api::sanitize::visible(name);
        self.progress.suspend(|| eprintln!("peripetyd: {name}: {why}"));
    }

    /// Ends the run.
    pub fn end(&self) -> Outcome {
        if self.skipped > 0 && (self.events || self.output == Output::Text) {
            let files = if self.skipped == 1 { "file that is not a log" } else { "files that are not logs" };
            eprintln!("skipped: {} {files}", self.skipped);
        }
        if self.events {
            return Outcome::Events;
        }
        match self.output {
            Output::Text => eprintln!("peripetyd: {}", self.text()),
            Output::Json => eprintln!("{}", serde_json::to_string(&self.object()).unwrap_or_default()),
        }
        if self.read == 0 && self.failed > 0 {
            Outcome::Unreadable
        } else {
            Outcome::NoEvent
        }
    }

    fn text(&self) -> String {
        let Counts { lines, timed, kernel, unmatched, .. } = self.counts;
        let ending = if lines == 1 { "" } else { "s" };
        let mut text = format!(
            "no storage event: {lines} line{ending}, {timed} with a known time stamp, {kernel} of the kernel, {unmatched} that \
             look like a problem but match no rule"
        );
        if unmatched > 0 {
            text += " (see --unmatched)";
        }
        if let Some((file, first)) = &self.first {
            let shown = format!("{file}:{}: {}", first.line, first.text);
            text = format!(
                "{text}; first line without a known header: {}",
                peripety_api::sanitize::visible(&shown)
            );
        }
        text
    }

    fn object(&self) -> NoEvent<'_> {
        let Counts { lines, timed, kernel, unmatched, .. } = self.counts;
        let first = self.first.as_ref();
        let first = first.map(|(file, first)| FirstLine { file, line: first.line, text: &first.text });
        let (skipped, failed) = (self.skipped, self.failed);
        NoEvent { lines, timed, kernel, unmatched, first_not_understood: first, skipped, failed }
    }
}
