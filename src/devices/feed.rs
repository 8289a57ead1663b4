//! Sources of uevents, the mount table and the time for a watch: this machine, or a recording.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use super::mount_table::MountTable;
use super::uevents::{Received, Socket};
use crate::journal::monotonic_now;

/// µs of CLOCK_MONOTONIC.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// This machine's.
    #[default]
    Machine,
    /// That of a recording: it keeps the value that was set.
    Recorded(Arc<AtomicU64>),
}

impl Clock {
    /// The time.
    pub fn now(&self) -> u64 {
        match self {
            Clock::Machine => monotonic_now(),
            Clock::Recorded(time) => time.load(Ordering::Relaxed),
        }
    }
}

/// The inputs of a watch besides the device tree.
pub trait Feed: fmt::Debug + Send {
    /// The next uevent; does not wait.
    ///
    /// # Errors
    /// The socket cannot be read.
    fn receive(&mut self) -> io::Result<Received>;

    /// Whether the mount table changed since the last call. The first answer is yes; `None` if it cannot be watched.
    fn mounts_changed(&mut self) -> Option<bool>;
}

/// The feed of this machine.
#[derive(Debug)]
pub struct Kernel {
    socket: Socket,
    mounts: Option<MountTable>,
}

impl Kernel {
    /// Begins to listen.
    pub fn open() -> io::Result<Self> {
        let mounts = MountTable::open();
        let mounts = mounts.inspect_err(|e| tracing::warn!("cannot watch the mount table: {e}"));
        Ok(Kernel { socket: Socket::open()?, mounts: mounts.ok() })
    }

    /// Readable when a uevent waits.
    pub fn fd(&self) -> std::os::fd::RawFd {
        self.socket.fd()
    }
}

impl Feed for Kernel {
    fn receive(&mut self) -> io::Result<Received> {
        self.socket.receive()
    }

    fn mounts_changed(&mut self) -> Option<bool> {
        self.mounts.as_mut().map(MountTable::changed)
    }
}
