//! The command line of `peripetyd`.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use peripety::offline::args::ParseArgs;
use peripety::varlink::address::Address;

/// Storage event daemon: reads the journal, tells what happened to which block device, stores
/// the events in journald and serves them over Varlink.
#[derive(Debug, Parser)]
#[command(name = "peripetyd", version, about, args_conflicts_with_subcommands = true)]
pub struct Args {
    /// What to do instead of running as a daemon
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Configuration file, with its own drop-in directory FILE.d; default: /etc/peripetyd.conf and
    /// the drop-ins of /etc, /run and /usr/lib, all of which may be missing
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Look for the configuration below this directory
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub root: PathBuf,

    /// Only check the configuration and the examples of its rules, and say what is wrong. Exit
    /// status 0: nothing (but perhaps warnings); 1: errors
    #[arg(long)]
    pub check_config: bool,

    /// Only print the configuration that would be in force, and the files it comes from
    #[arg(long, conflicts_with = "check_config")]
    pub dump_config: bool,

    /// Print the findings of --check-config as JSON
    #[arg(short = 'J', long = "json", requires = "check_config")]
    pub json: bool,

    /// Read the journal files of this directory instead of the machine's journal
    #[arg(long, value_name = "DIR", conflicts_with_all = ["journal_file", "namespace"])]
    pub journal_directory: Option<PathBuf>,

    /// Read these journal files instead of the machine's journal
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "namespace")]
    pub journal_file: Vec<PathBuf>,

    /// Read this journal namespace
    #[arg(long, value_name = "NAME")]
    pub namespace: Option<String>,

    /// Begin at this time instead of where the last run ended (at first: the start of this boot);
    /// times as journalctl takes them
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub since: Option<String>,

    /// End when everything in the journal is read and stored
    #[arg(long)]
    pub no_follow: bool,

    /// Look devices up in this recorded device tree (a directory with a copy of /sys, /run/udev …, or
    /// a text file) instead of the running machine
    #[arg(long, value_name = "PATH")]
    pub device_tree: Option<PathBuf>,

    /// Keep the position in the journal here
    #[arg(long, value_name = "DIR", env = "STATE_DIRECTORY", default_value = "/var/lib/peripety")]
    pub state_directory: PathBuf,

    /// Listen on this Varlink address, unless systemd passes a socket
    #[arg(long, value_name = "ADDRESS", default_value = "unix:/run/peripety/io.peripety")]
    pub varlink: Address,

    /// Store no event, as save_to_journald = false
    #[arg(long)]
    pub no_store: bool,

    /// Print events, as notify_stdout = true
    #[arg(long)]
    pub stdout: bool,

    /// Only tell whether the journal holds storage events of this boot. Exit status 0: it does
    /// (their number is printed); 3: it does not; 4: it cannot be read (the reason is printed)
    #[arg(long)]
    pub probe: bool,
}

/// What to do instead of running as a daemon.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read log files instead of the journal, and print the storage events in them
    Parse(ParseArgs),
}
