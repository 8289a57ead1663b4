//! When a line was logged.

use jiff::tz::TimeZone;

use super::found::Line;

/// Time between two lines of a log that has none, µs.
pub const LINE: u64 = 50_000;

/// When a line was logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// µs since the epoch; since boot where only that is known; [`LINE`] for every line where nothing is.
    pub timestamp: u64,
    /// µs since boot, if that is known.
    pub boot: Option<u64>,
    /// How exact it is, µs.
    pub precision: u64,
    /// There is a time at all.
    pub known: bool,
}

/// What is known of the times of an input.
#[derive(Clone, Debug)]
pub struct Clock {
    /// When the machine was booted, µs since the epoch.
    pub booted: Option<u64>,
    /// No line was written later, µs since the epoch.
    pub not_after: u64,
    /// Of dates without a zone.
    pub zone: TimeZone,
}

impl Clock {
    /// When a line of this number was logged.
    pub fn moment(&self, line: &Line, number: u64) -> Moment {
        let wall = line.wall.and_then(|wall| {
            Some((wall.micros_since_epoch(self.not_after, &self.zone)?, u64::from(wall.precision)))
        });
        let since_epoch = line.boot.and_then(|boot| self.booted?.checked_add(boot));
        match (wall, line.boot) {
            (Some((wall, _)), Some(boot)) => {
                // The kernel's stamp is exact, the date next to it says which day.
                Moment { timestamp: since_epoch.unwrap_or(wall), boot: Some(boot), precision: 0, known: true }
            }
            (Some((timestamp, precision)), None) => {
                let boot = self.booted.and_then(|booted| timestamp.checked_sub(booted));
                Moment { timestamp, boot, precision, known: true }
            }
            (None, Some(boot)) => {
                Moment { timestamp: since_epoch.unwrap_or(boot), boot: Some(boot), precision: 0, known: true }
            }
            (None, None) => {
                Moment { timestamp: number.saturating_mul(LINE), boot: None, precision: 0, known: false }
            }
        }
    }
}
