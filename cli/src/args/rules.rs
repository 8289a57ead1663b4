//! The command line of `prpt rules`.

use clap::{ArgAction, Args, Subcommand};

use super::{list_item, non_empty, EXIT_CODES};

const TEST_EXAMPLES: &str = "\
Examples:
  prpt rules test \"device-mapper: multipath: 253:2: Failing path 8:48.\"
  prpt rules test --identifier multipathd \"mpatha: remaining active paths: 1\"
  journalctl -k -b | prpt rules test -
  dmesg | prpt rules test -J -";

const TEST_EXIT_CODE: &str = "  3  no rule matches the line (or one of the lines)";

/// The commands of `prpt rules`.
#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// List the rules in force, per identifier in the order in which they are tried
    #[command(after_help = EXIT_CODES)]
    List(ListArgs),
    /// Show which rule matches a log line and what it captures, or why none does
    #[command(after_help = format!("{TEST_EXAMPLES}\n\n{EXIT_CODES}\n{TEST_EXIT_CODE}"))]
    Test(TestArgs),
    /// Show the rules that make events of a type, and example lines
    #[command(after_help = EXIT_CODES)]
    Explain(ExplainArgs),
}

#[derive(Debug, Args)]
pub struct ListArgs {
    /// Rules of any of these event types; repeatable, or a comma-separated list
    #[arg(long, value_name = "TYPE", value_delimiter = ',', action = ArgAction::Append, value_parser = list_item)]
    pub event_type: Vec<String>,

    /// Rules of any of these sub-systems, such as multipath or ext4; repeatable, or a
    /// comma-separated list
    #[arg(long, value_name = "NAME", value_delimiter = ',', action = ArgAction::Append, value_parser = list_item)]
    pub sub_system: Vec<String>,

    /// Rules for lines of any of these syslog identifiers, such as kernel; repeatable, or a
    /// comma-separated list
    #[arg(long, value_name = "NAME", value_delimiter = ',', action = ArgAction::Append, value_parser = list_item)]
    pub identifier: Vec<String>,

    /// Use the rules built into this program, without peripetyd (also the fallback if it does not answer)
    #[arg(long)]
    pub local: bool,
}

#[derive(Debug, Args)]
pub struct TestArgs {
    /// The log line, with or without what journalctl and dmesg print before the message; "-" reads
    /// lines from standard input
    #[arg(value_name = "LINE", value_parser = non_empty)]
    pub line: String,

    /// Syslog identifier of the line. Default: the one that journalctl printed before the message,
    /// else kernel
    #[arg(long, value_name = "NAME", value_parser = non_empty)]
    pub identifier: Option<String>,

    /// Use the rules built into this program, without peripetyd (also the fallback if it does not answer)
    #[arg(long)]
    pub local: bool,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The event type, in upper or lower case
    #[arg(value_name = "EVENT_TYPE", value_parser = list_item)]
    pub event_type: String,

    /// Use the rules built into this program, without peripetyd (also the fallback if it does not answer)
    #[arg(long)]
    pub local: bool,
}
