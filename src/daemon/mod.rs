//! The daemon: its tasks, wired together.
//!
//! `start` starts them, the last stage first; `running` keeps them until the end; `store_switch`
//! switches the store on and off; `reload` applies a new configuration;
//! `heartbeat` watches that everything moves; `memory` gives memory back; `saver` keeps the position, `device_saver` the history of
//! the devices; `signals` listens to the system.

mod device_saver;
mod dump;
mod heartbeat;
mod memory;
mod recent;
mod reload;
mod running;
mod saver;
mod signals;
mod start;
mod store_switch;

use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use crate::collector::state::{StateDirectory, StateError};
use crate::collector::CollectorError;
use crate::config::{ConfigErrors, ConfigSource};
use crate::journal::{self, Location};
use crate::rules::RuleError;
use crate::store::socket;
use crate::varlink::address::Address;
use crate::varlink::listener::{self, ListenError};

pub use crate::sys::keep_little_memory;

/// The options of the command line.
#[derive(Debug)]
pub struct Options {
    /// Journal to read.
    pub location: Location,
    /// Devices to look up; `None`: those of this machine.
    pub device_tree: Option<PathBuf>,
    /// Where the position is kept.
    pub state_directory: PathBuf,
    /// Where to listen, when systemd passes no socket.
    pub varlink: Address,
    /// Where the configuration is.
    pub config: ConfigSource,
    /// Start at this time, µs since the epoch, regardless of what was read before.
    pub since: Option<u64>,
    /// Wait for new entries at the end of the journal.
    pub follow: bool,
}

/// Why the daemon stopped.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// State directory.
    #[error(transparent)]
    State(#[from] StateError),
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// A built-in rule.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// Journal.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// Collector.
    #[error(transparent)]
    Collector(#[from] CollectorError),
    /// Varlink socket.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Device tree.
    #[error("cannot use the device tree {path}: {cause}")]
    DeviceTree {
        /// Directory or file.
        path: String,
        /// Why not.
        cause: peripety_blkinfo::Error,
    },
    /// journald cannot be written to.
    #[error("journald does not listen on {}, so that no event can be stored; start systemd-journald, or set save_to_journald = false", socket::PATH)]
    NoJournald,
    /// A part of the daemon exited.
    #[error("the parser \"{0}\" ended; restart peripetyd and report this as a fault of Peripety")]
    ParserEnded(String),
    /// The system refused something that always works.
    #[error("cannot handle signals: {0}")]
    Signals(std::io::Error),
}

/// To be called first: SIGHUP must not end a process that does not listen to it yet.
pub fn prepare_process() {
    crate::sys::ignore_hangup();
    if let Err(e) = crate::sys::keep_descriptors() {
        tracing::debug!("programs of notifiers inherit what whoever started peripetyd left open: {e}");
    }
}

/// Runs until SIGTERM or SIGINT, or (without `follow`) to the end of the journal.
/// `socket` is the one that systemd passed.
pub async fn run(options: Options, socket: Option<UnixListener>) -> Result<(), DaemonError> {
    let mut signals = signals::Signals::new().map_err(DaemonError::Signals)?;
    let state = StateDirectory::open(&options.state_directory, &options.location)?;
    let config = options.config.load()?;
    let listener = listener::listen(socket, &options.varlink)?;
    let starting = start::start(options, config, listener, &state);
    let running = tokio::select! {
        running = starting => running?,
        () = signals.end() => return Ok(()),
    };
    running.until_end(&mut signals, &state).await
}
