//! The table `[varlink]`: limits on connections.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use crate::rules::{Located, RuleError};
use crate::varlink::limits::Limits;

/// Connections that can be set. A client, a monitor and root's reserve must have room.
const CONNECTIONS: RangeInclusive<u64> = 16..=65_536;
/// Connections of one user that can be set.
const PER_USER: RangeInclusive<u64> = 1..=65_536;
/// Seconds that can be set, up to a day.
const IDLE: RangeInclusive<u64> = 1..=86_400;

/// The table as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawVarlink {
    max_connections: Option<Spanned<u64>>,
    max_connections_per_user: Option<Spanned<u64>>,
    idle_seconds: Option<Spanned<u64>>,
}

/// The table of one file; what is missing is left to other files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VarlinkTable {
    connections: Option<u64>,
    connections_per_user: Option<u64>,
    idle_seconds: Option<u64>,
}

impl RawVarlink {
    /// Checks the numbers of a file whose text is `text`.
    ///
    /// # Errors
    /// One of them is out of its range.
    pub fn check(self, file: &str, text: &str) -> Result<VarlinkTable, RuleError> {
        let number = |name: &str, number: Option<Spanned<u64>>, range: RangeInclusive<u64>| match number {
            Some(number) if !range.contains(number.get_ref()) => {
                let message = format!("{name} is {}", number.get_ref());
                let remedy = format!("write a number from {} to {}", range.start(), range.end());
                Err(Located::at(file, text, Some(number.span()), &message, &remedy))
            }
            number => Ok(number.map(Spanned::into_inner)),
        };
        Ok(VarlinkTable {
            connections: number("max_connections", self.max_connections, CONNECTIONS)?,
            connections_per_user: number(
                "max_connections_per_user",
                self.max_connections_per_user,
                PER_USER,
            )?,
            idle_seconds: number("idle_seconds", self.idle_seconds, IDLE)?,
        })
    }
}

impl VarlinkTable {
    /// Overrides the values of the table.
    pub fn apply(&self, limits: &mut Limits) {
        let set = |value: &mut usize, new: Option<u64>| {
            *value = new.and_then(|new| usize::try_from(new).ok()).unwrap_or(*value);
        };
        set(&mut limits.connections, self.connections);
        set(&mut limits.connections_per_user, self.connections_per_user);
        limits.idle = self.idle_seconds.map_or(limits.idle, Duration::from_secs);
    }
}

/// The equivalent table.
pub fn to_toml(limits: &Limits) -> String {
    let Limits { connections, connections_per_user, idle } = limits;
    format!(
        "\n[varlink]\nmax_connections = {connections}\nmax_connections_per_user = {connections_per_user}\nidle_seconds = {}\n",
        idle.as_secs()
    )
}
