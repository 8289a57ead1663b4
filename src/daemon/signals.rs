//! The signals that the daemon listens to.

use tokio::signal::unix::{signal, Signal, SignalKind};

/// SIGTERM and SIGINT end the daemon, SIGHUP has it read its configuration again.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

/// What a signal asks for.
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
        })
    }

    /// The next signal. May be cancelled.
    pub async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::End,
            _ = self.interrupt.recv() => Asked::End,
            _ = self.hangup.recv() => Asked::Reload,
        }
    }

    /// Waits for a signal to end; one to reload has no effect while the daemon starts or ends.
    pub async fn end(&mut self) {
        while self.next().await != Asked::End {}
    }
}
