//! The command line: one definition for parsing, `--help` and usage errors.

pub mod rules;

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::LazyLock;

use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand, ValueEnum};
use jiff::ZonedDateTime;
use peripety_api::{time, Filter, Severity};

use crate::connection::Address;
use crate::device;

/// Reference for relative times, the same for `--since` and `--until`.
static NOW: LazyLock<ZonedDateTime> = LazyLock::new(ZonedDateTime::now);

const EXIT_CODES: &str = "\
Exit codes:
  0  success, also if no event was found or standard output was closed early
  1  error: the daemon cannot be reached, refused the request, or found no such device
  2  usage error";

const EXAMPLES: &str = "\
Examples:
  prpt query --since today --severity warning
  prpt query --blk /dev/mapper/mpatha -o json-pretty
  prpt monitor --sub-system multipath,scsi
  prpt info sdb";

const QUERY_EXAMPLES: &str = "\
Examples:
  prpt query --since yesterday --until today
  prpt query --blk /srv/data --severity error -r --limit 20
  prpt query --event-type DM_MPATH_PATH_FAILED,DM_MPATH_PATH_REINSTATED -J
  prpt query --since \"2026-05-21 18:17\" --sub-system ext4 --sub-system xfs";

const MONITOR_EXAMPLES: &str = "\
Examples:
  prpt monitor
  prpt monitor --severity warning --since -1h
  prpt monitor --event-type FS_MOUNTED --limit 1 -J";

const INFO_EXAMPLES: &str = "\
Examples:
  prpt info sdb
  prpt info 253:3
  prpt info /srv/data
  prpt info mpath-333333330000007d0 -J
  prpt info --from sosreport-host1.tar.xz sdq";

const TIME_HELP: &str = "\
Accepted: \"2026-05-21 18:17:16\", 2026-05-21, 18:17, today, yesterday, tomorrow, now, -2h, \
+5min, \"1week 2days ago\", @1716312345, 2026-05-21T18:17:16Z. Times are local unless a time zone \
(UTC, Europe/Berlin, +02:00) follows. See systemd.time(7)";

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "prpt",
    version,
    about = "Query and follow the storage events of this machine",
    long_about = "Query and follow the storage events of this machine: what happened, to which \
                  block device, how severe it is and where that is mounted. prpt queries the daemon \
                  peripetyd over Varlink.",
    after_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"),
    disable_help_subcommand = true,
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// Reads the command line; ends the process with exit code 2 when it is wrong, and with 0 after
    /// `--help` and `--version`.
    pub fn read() -> Self {
        let cli = Self::parse();
        if let Err(message) = cli.command.check() {
            Self::command().error(clap::error::ErrorKind::ArgumentConflict, message).exit();
        }
        cli
    }
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// Address of peripetyd: unix:PATH, a path, unix:@NAME or tcp:HOST:PORT
    #[arg(long, global = true, value_name = "ADDR", env = "PERIPETY_ADDRESS", default_value_t)]
    pub address: Address,

    /// Output: Short, Json (one object per line), JsonPretty or JsonSeq (RFC 7464); case, hyphens and
    /// underscores are ignored
    #[arg(
        short = 'o',
        long,
        global = true,
        value_name = "FMT",
        default_value = "Short",
        conflicts_with = "json"
    )]
    pub format: Format,

    /// Short for --format Json
    #[arg(short = 'J', global = true)]
    pub json: bool,

    /// Colour the output; auto: on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value = "auto")]
    pub color: Color,
}

impl Global {
    /// The output format, `-J` taken into account.
    pub fn format(&self) -> Format {
        if self.json {
            Format::Json
        } else {
            self.format
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print stored events
    #[command(after_help = format!("{QUERY_EXAMPLES}\n\n{EXIT_CODES}"))]
    Query(QueryArgs),
    /// Print events as they happen
    #[command(after_help = format!("{MONITOR_EXAMPLES}\n\n{EXIT_CODES}"))]
    Monitor(MonitorArgs),
    /// Show what a block device is, what it is built from and where it is mounted
    #[command(after_help = format!("{INFO_EXAMPLES}\n\n{EXIT_CODES}"))]
    Info(InfoArgs),
    /// List all block devices of this machine
    #[command(after_help = EXIT_CODES)]
    List(ListArgs),
    /// Show the state of the daemon
    #[command(after_help = EXIT_CODES)]
    Status,
    /// Explain an event type: what it means, what to do about it, and which log lines produce it
    #[command(after_help = EXIT_CODES)]
    Explain(rules::ExplainArgs),
    /// List the rules, or try them on a log line
    #[command(subcommand)]
    Rules(rules::RulesCommand),
}

impl Command {
    fn check(&self) -> Result<(), String> {
        match self {
            Self::Query(args) => args.events.check(),
            Self::Monitor(args) => args.events.check(),
            Self::Info(_) | Self::List(_) | Self::Status | Self::Explain(_) | Self::Rules(_) => Ok(()),
        }
    }
}

#[derive(Debug, Args)]
pub struct QueryArgs {
    #[command(flatten)]
    pub events: EventArgs,

    /// Only the event with this event_id
    #[arg(long, value_name = "ID", value_parser = non_empty)]
    pub event_id: Option<String>,

    /// Newest event first
    #[arg(short, long)]
    pub reverse: bool,
}

#[derive(Debug, Args)]
pub struct MonitorArgs {
    #[command(flatten)]
    pub events: EventArgs,
}

#[derive(Debug, Args)]
pub struct InfoArgs {
    /// Any string that names a block device: sdb, 8:16, /dev/mapper/x, 2:0:0:1, a mount point, a
    /// file system UUID, a wwid
    #[arg(value_name = "BLK", value_parser = non_empty)]
    pub blk: String,

    #[command(flatten)]
    pub devices: DevicesArgs,
}

#[derive(Debug, Args)]
pub struct ListArgs {
    /// Show all details of every device, like info
    #[arg(short = 'D', long)]
    pub detail: bool,

    #[command(flatten)]
    pub devices: DevicesArgs,
}

/// Where devices are looked up: by the daemon, unless one of these is given.
#[derive(Debug, Args)]
pub struct DevicesArgs {
    /// Look up devices directly, without the daemon
    #[arg(long)]
    pub local: bool,

    /// Look up devices of another machine in its support archive: a sosreport, a supportconfig, a directory or a
    /// file with the output of lsblk, multipath -ll and similar tools
    #[arg(long, value_name = "ARCHIVE", conflicts_with = "local")]
    pub from: Option<PathBuf>,

    /// The machine in an archive of several machines: its host name, or its directory in the archive
    #[arg(long, value_name = "NAME", requires = "from", value_parser = non_empty)]
    pub host: Option<String>,
}

/// Which events. An event must satisfy all the options given.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which events")]
pub struct EventArgs {
    /// Events of this block device and of all devices built on it: sdb, 8:16, /dev/mapper/x,
    /// 2:0:0:1, a mount point, a file system UUID, a wwid
    #[arg(long, value_name = "BLK", value_parser = non_empty)]
    pub blk: Option<String>,

    /// Any of these event types; repeatable, or a comma-separated list
    #[arg(long, value_name = "TYPE", value_delimiter = ',', action = ArgAction::Append, value_parser = list_item)]
    pub event_type: Vec<String>,

    /// This severity or worse: emergency, alert, critical, error, warning, notice, info, debug, or
    /// 0 to 7
    #[arg(long, value_name = "SEVERITY", value_parser = parse_severity)]
    pub severity: Option<Severity>,

    /// Any of these sub-systems, such as multipath or ext4; repeatable, or a comma-separated list
    #[arg(long, value_name = "NAME", value_delimiter = ',', action = ArgAction::Append, value_parser = list_item)]
    pub sub_system: Vec<String>,

    /// Events at or after this time (monitor: first print the stored events since then)
    #[arg(short = 'S', long, value_name = "TIME", allow_hyphen_values = true, value_parser = parse_time, long_help = format!("Events at or after this time; monitor first prints the stored events since then. {TIME_HELP}"))]
    pub since: Option<u64>,

    /// Events at or before this time
    #[arg(short = 'U', long, value_name = "TIME", allow_hyphen_values = true, value_parser = parse_time, long_help = "Events at or before this time, in the format of --since")]
    pub until: Option<u64>,

    /// Only root causes, and events that are more severe than the fault so far
    #[arg(long)]
    pub causes: bool,

    /// Exit after this many events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=i64::MAX as u64))]
    pub limit: Option<u64>,
}

impl EventArgs {
    /// What no single option shows to be wrong.
    fn check(&self) -> Result<(), String> {
        match (self.since, self.until) {
            (Some(since), Some(until)) if since > until => {
                Err("--since is later than --until: no event can be between them; exchange them".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// The filter of a Query or Monitor call; `None` selects all events.
    pub fn filter(&self, event_id: Option<String>, address: &Address) -> Option<Filter> {
        let filter = Filter {
            blk: self.blk.as_deref().map(|blk| device::resolve(blk, address)),
            event_types: some_list(&self.event_type),
            sub_systems: some_list(&self.sub_system),
            severity: self.severity,
            since: self.since,
            until: self.until,
            event_id,
            causes_only: self.causes.then_some(true),
        };
        (filter != Filter::default()).then_some(filter)
    }
}

/// A list for a call; `None` if it is empty.
pub fn some_list(words: &[String]) -> Option<Vec<String>> {
    (!words.is_empty()).then(|| words.to_vec())
}

/// How answers are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Short,
    /// One JSON object a line.
    Json,
    /// Indented JSON.
    JsonPretty,
    /// JSON text sequence, RFC 7464: each object between a record separator and a line feed.
    JsonSeq,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.replace(['-', '_'], "").to_ascii_lowercase().as_str() {
            "short" => Ok(Self::Short),
            "json" => Ok(Self::Json),
            "jsonpretty" => Ok(Self::JsonPretty),
            "jsonseq" => Ok(Self::JsonSeq),
            _ => Err("use Short, Json, JsonPretty or JsonSeq".to_owned()),
        }
    }
}

/// When to colour the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

fn non_empty(text: &str) -> Result<String, &'static str> {
    match text {
        "" => Err("it is empty: leave the option out, or name something"),
        text => Ok(text.to_owned()),
    }
}

/// One item of a list: the blank of `A, B` does not belong to it.
fn list_item(text: &str) -> Result<String, &'static str> {
    non_empty(text.trim())
}

fn parse_time(text: &str) -> Result<u64, time::TimeError> {
    time::parse(text, &NOW)
}

/// A severity by its name, its short name in syslog(3), or its number.
fn parse_severity(text: &str) -> Result<Severity, &'static str> {
    let level = || text.parse().ok().filter(|_| text.len() == 1).and_then(Severity::from_level);
    let severity = text.parse().ok().or_else(level);
    severity.ok_or("use emergency, alert, critical, error, warning, notice, info or debug")
}

#[cfg(test)]
#[path = "args_tests.rs"]
mod tests;
