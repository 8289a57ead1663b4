//! Limits on connections: the table `[varlink]` of the configuration.

use std::time::Duration;

/// The settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections of all users together, of which only root may have the last eighth.
    pub connections: usize,
    /// Connections of one user other than root.
    pub connections_per_user: usize,
    /// Who has taken no reply and sent no call for so long may be disconnected when a limit is near.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { connections: 512, connections_per_user: 64, idle: Duration::from_secs(600) }
    }
}
