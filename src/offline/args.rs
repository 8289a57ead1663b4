//! The command line of `peripetyd parse`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::chunk::Format;
use crate::event::Severity;

/// Read log files instead of the journal, and print the storage events in them
#[derive(Debug, Args)]
pub struct ParseArgs {
    /// Files, directories or archives (tar, zip) with logs, also compressed; "-" is the standard input, which is read when nothing
    /// is named
    #[arg(value_name = "FILE")]
    pub paths: Vec<PathBuf>,

    /// The form of the input, instead of recognising it
    #[arg(long, value_name = "FORMAT")]
    pub input: Option<Input>,

    /// How events are printed
    #[arg(short = 'o', long, value_name = "FORMAT", default_value = "text")]
    pub output: Output,

    /// Print a summary instead of every event
    #[arg(long, value_name = "BY", num_args = 0..=1, require_equals = true, default_missing_value = "stories")]
    pub summary: Option<SummaryBy>,

    /// Instead of events, print the lines that look like a problem but match no rule
    #[arg(long, conflicts_with = "summary")]
    pub unmatched: bool,

    /// Only events of this severity and worse
    #[arg(long, value_name = "SEVERITY")]
    pub severity: Option<Severity>,

    /// Only events at this time and later; times as journalctl takes them
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub since: Option<String>,

    /// Only events at this time and earlier
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub until: Option<String>,

    /// Look devices up in this recorded device tree, instead of in what the input says of its devices
    #[arg(long, value_name = "PATH")]
    pub device_tree: Option<PathBuf>,

    /// Use the rules and the burst settings of this configuration file, too; none is read otherwise
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Show no progress bar
    #[arg(long)]
    pub no_progress: bool,
}

/// Forms of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Input {
    /// What dmesg prints, in any of its forms but JSON
    Dmesg,
    /// Files of a syslog daemon, old and new format
    Syslog,
    /// journalctl -o short and its relatives
    Short,
    /// journalctl -o cat, or bare messages
    Cat,
    /// journalctl -o json, json-pretty, json-sse, json-seq; dmesg --json
    Json,
    /// journalctl -o export
    Export,
}

impl Input {
    /// How it is read.
    pub fn format(self) -> Format {
        match self {
            // The forms of text are told apart line by line.
            Input::Dmesg | Input::Syslog | Input::Short | Input::Cat => Format::Text,
            Input::Json => Format::Objects,
            Input::Export => Format::Export,
        }
    }
}

/// What a summary is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SummaryBy {
    /// Incidents: what is wrong, since when, what it affects, what to do, the worst first
    Stories,
    /// Per device: what happened, how often, first and last time, worst severity
    Devices,
}

/// How events are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// One line for people
    Text,
    /// JSON, an event a line
    Json,
}
