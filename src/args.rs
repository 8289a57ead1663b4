//! The command line of `peripetyd`.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use peripety::offline::args::ParseArgs;
use peripety::varlink::address::Address;

/// Storage event daemon: reads the journal, determines what happened to which block device, stores
/// events in the journal and serves them over Varlink.
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

    /// Check the configuration and the examples of its rules, report errors and warnings, and exit.
    /// Exit status 0: no errors; 1: errors
    #[arg(long)]
    pub check_config: bool,

    /// Print the resulting configuration and the files it comes from, and exit
    #[arg(long, conflicts_with = "check_config")]
    pub dump_config: bool,

    /// Print the findings of --check-config as JSON
    #[arg(short = 'J', long = "json", requires = "check_config")]
    pub json: bool,

    /// Read the journal files in this directory instead of the machine's journal
    #[arg(long, value_name = "DIR", conflicts_with_all = ["journal_file", "namespace"])]
    pub journal_directory: Option<PathBuf>,

    /// Read these journal files instead of the machine's journal
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "namespace")]
    pub journal_file: Vec<PathBuf>,

    /// Read this journal namespace
    #[arg(long, value_name = "NAME")]
    pub namespace: Option<String>,

    /// Start at this time instead of where the previous run ended (first run: at the start of this boot);
    /// the format is that of journalctl
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub since: Option<String>,

    /// Exit when everything in the journal has been read and stored
    #[arg(long)]
    pub no_follow: bool,

    /// Look up devices in this recorded device tree (a directory with a copy of /sys, /run/udev …, or
    /// a text file) instead of the running machine
    #[arg(long, value_name = "PATH")]
    pub device_tree: Option<PathBuf>,

    /// Keep the position in the journal here
    #[arg(long, value_name = "DIR", env = "STATE_DIRECTORY", default_value = "/var/lib/peripety")]
    pub state_directory: PathBuf,

    /// Listen on this Varlink address, unless systemd passes a socket
    #[arg(long, value_name = "ADDRESS", default_value = "unix:/run/peripety/io.peripety")]
    pub varlink: Address,

    /// Do not store events; the same as save_to_journald = false
    #[arg(long)]
    pub no_store: bool,

    /// Print events; the same as notify_stdout = true
    #[arg(long)]
    pub stdout: bool,

    /// Report whether the journal has storage events of this boot, and exit. Exit status 0: it has
    /// (prints how many); 3: it has none; 4: it cannot be read (prints why)
    #[arg(long)]
    pub probe: bool,
}

/// What to do instead of running as a daemon.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the storage events found in log files
    Parse(ParseArgs),
}
