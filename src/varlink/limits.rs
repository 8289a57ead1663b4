//! Limits on connections: the table `[varlink]` of the configuration.

use std::time::Duration;

/// The settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Maximum number of connections of all users; the last eighth is reserved for root.
    pub connections: usize,
    /// Connections of one user other than root.
    pub connections_per_user: usize,
    /// Clients that have been idle for this long may be disconnected when a limit is near.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { connections: 512, connections_per_user: 64, idle: Duration::from_secs(600) }
    }
}
