//! When a line was logged.

use jiff::tz::TimeZone;

use super::found::TextLine;
use super::identity::Booted;
use super::text::near::Near;
use super::text::wall::Wall;

/// Assumed time between two lines of a log without time stamps, µs.
pub const LINE: u64 = 50_000;

/// When a line was logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// µs since the epoch; since boot if nothing else is known; otherwise [`LINE`] times the number of the line.
    pub timestamp: u64,
    /// µs since boot, if that is known.
    pub boot: Option<u64>,
    /// Its precision, µs.
    pub precision: u64,
    /// The time is known.
    pub known: bool,
    /// It is the line's own, not that of a neighbour.
    pub own: bool,
}

/// What is known about the time stamps of an input.
#[derive(Clone, Debug)]
pub struct Clock {
    /// When the machine was booted.
    pub booted: Option<Booted>,
    /// No line was written later, µs since the epoch.
    pub not_after: u64,
    /// The zone of dates without one.
    pub zone: TimeZone,
}

impl Clock {
    /// When a line of this number was logged. `near`: the time of its neighbour.
    pub fn moment(&self, line: &TextLine, near: Option<Near>, number: u64) -> Moment {
        let own = self.at(line.wall, line.boot, number);
        let Some(near) = near.filter(|_| !own.known) else { return own };
        let near_by = self.at(near.wall.map(|wall| of_day(wall, line.wall)), near.boot, number);
        let plus = if near_by.known { near.plus } else { 0 };
        Moment {
            timestamp: near_by.timestamp.saturating_add(plus),
            boot: near_by.boot.map(|boot| boot.saturating_add(plus)),
            own: false,
            ..near_by
        }
    }

    fn at(&self, wall: Option<Wall>, boot: Option<u64>, number: u64) -> Moment {
        let wall = wall.and_then(|wall| {
            Some((wall.micros_since_epoch(self.not_after, &self.zone)?, u64::from(wall.precision)))
        });
        let since_epoch = boot.and_then(|boot| self.booted?.at.checked_add(boot));
        let is_exact = self.booted.is_some_and(|booted| booted.slack == 0);
        let own = true;
        match (wall, boot) {
            (Some((wall, _)), Some(boot)) => {
                // The kernel's time stamp is exact; the date next to it determines the day.
                Moment {
                    timestamp: since_epoch.filter(|_| is_exact).unwrap_or(wall),
                    boot: Some(boot),
                    precision: 0,
                    known: true,
                    own,
                }
            }
            (Some((timestamp, precision)), None) => {
                let boot = self.booted.and_then(|booted| timestamp.checked_sub(booted.at));
                Moment { timestamp, boot, precision, known: true, own }
            }
            (None, Some(boot)) => Moment {
                timestamp: since_epoch.unwrap_or(boot),
                boot: Some(boot),
                precision: 0,
                known: true,
                own,
            },
            (None, None) => {
                Moment { timestamp: number.saturating_mul(LINE), boot: None, precision: 0, known: false, own }
            }
        }
    }
}

/// The day of a neighbour, with the time of day of a line that has no date.
fn of_day(day: Wall, line: Option<Wall>) -> Wall {
    match line.filter(|wall| !wall.is_dated() && day.month > 0) {
        Some(wall) => Wall { time: wall.time, micros: wall.micros, precision: wall.precision, ..day },
        None => day,
    }
}
