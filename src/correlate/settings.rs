//! How repetitions are counted.

use serde::{Deserialize, Serialize};

/// The table `[burst]` of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Whether repeated events are counted at all.
    pub enabled: bool,
    /// Seconds from one counting event to the next.
    pub interval_seconds: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { enabled: true, interval_seconds: 60 }
    }
}

impl Settings {
    /// The interval in µs.
    pub fn interval(self) -> u64 {
        self.interval_seconds.saturating_mul(1_000_000)
    }
}
