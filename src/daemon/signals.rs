//! The signals that the daemon listens to.

use tokio::signal::unix::{signal, Signal, SignalKind};

/// SIGTERM and SIGINT end the daemon, SIGHUP has it read its configuration again.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    /// A reload signal arrived before reloading was possible.
    reload: bool,
}

/// The request of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To end.
    End,
    /// To read the configuration again.
    Reload,
}

impl Signals {
    /// Listens from now on.
    pub fn new() -> std::io::Result<Self> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            reload: false,
        })
    }

    /// The next signal. May be cancelled.
    pub async fn next(&mut self) -> Asked {
        if std::mem::take(&mut self.reload) {
            return Asked::Reload;
        }
        tokio::select! {
            _ = self.terminate.recv() => Asked::End,
            _ = self.interrupt.recv() => Asked::End,
            _ = self.hangup.recv() => Asked::Reload,
        }
    }

    /// Waits for a signal to end. One to reload is kept for [`Signals::next`]: while the daemon starts, the
    /// configuration may have been read already. May be cancelled.
    pub async fn end(&mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hangup.recv() => self.reload = true,
            }
        }
    }
}
