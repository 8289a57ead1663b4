//! Date and time of a line, and their conversion to a time stamp.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::{Offset, TimeZone};

/// Date and time as written in a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wall {
    /// The year; RFC 3164 has none.
    pub year: Option<i16>,
    /// Month, from 1; 0 if the line has a time of day only.
    pub month: i8,
    /// The months that the name means in different languages, bit 1 is January; 0 if there is only `month`.
    pub months: u16,
    /// The weekdays that the name means, bit 1 is Monday; 0 if there is none.
    pub weekdays: u8,
    /// Day of the month, from 1.
    pub day: i8,
    /// Hour, minute and second.
    pub time: [i8; 3],
    /// µs within the second.
    pub micros: u32,
    /// Its precision, µs.
    pub precision: u32,
    /// Seconds east of UTC, if given.
    pub offset: Option<i32>,
    /// The fraction follows a comma, as in the output of dmesg.
    pub comma: bool,
    /// µs since the epoch, if the line has such a time; the fields above are then unused.
    pub epoch: Option<u64>,
}

const DAY: u64 = 86_400_000_000;
/// Years that are tried if the line has none: neither February 29 nor a weekday on a date exists in every year.
const MAX_YEARS_BACK: i16 = 12;

impl Wall {
    /// It has a date, not only a time of day.
    pub fn is_dated(&self) -> bool {
        self.month > 0 || self.epoch.is_some()
    }

    /// µs since the epoch. A missing year is the latest with which the time is at most a day later than `not_after` (µs since the epoch).
    /// If a name means several months, the weekday decides, otherwise it is the latest one. Times without an offset are in `zone`.
    pub fn micros_since_epoch(&self, not_after: u64, zone: &TimeZone) -> Option<u64> {
        if self.epoch.is_some() {
            return self.epoch;
        }
        if self.month == 0 {
            return None;
        }
        match self.year {
            Some(year) if self.months == 0 => self.at(year, self.month, zone),
            Some(year) => self.latest([year].into_iter(), not_after, zone),
            None => {
                let limit = i64::try_from(not_after)
                    .ok()
                    .and_then(|us| jiff::Timestamp::from_microsecond(us).ok())?;
                let year = limit.to_zoned_datetime(zone.clone()).year();
                self.latest((0..MAX_YEARS_BACK).map(|back| year - back), not_after, zone)
            }
        }
    }

    fn latest(&self, years: impl Iterator<Item = i16>, not_after: u64, zone: &TimeZone) -> Option<u64> {
        let dates = years.flat_map(|year| self.all_months().map(move |month| (year, month)));
        let mut best: Option<(bool, u64)> = None;
        for (year, month) in dates {
            let Some(time) = self.at(year, month, zone) else { continue };
            if self.year.is_none() && time > not_after.saturating_add(DAY) {
                continue;
            }
            let found = (self.fits(year, month), time);
            best = Some(best.map_or(found, |best| best.max(found)));
            // Earlier years matter only for the weekday.
            if self.weekdays == 0 && self.months == 0 {
                break;
            }
        }
        best.map(|(_, time)| time)
    }

    fn all_months(&self) -> impl Iterator<Item = i8> + use<> {
        let months = if self.months == 0 { 1 << self.month } else { self.months };
        (1..=12).filter(move |month| months & 1 << month != 0)
    }

    /// Whether the weekday of the line is right for this date.
    fn fits(&self, year: i16, month: i8) -> bool {
        let weekday = Date::new(year, month, self.day).map(Date::weekday).map(Weekday::to_monday_one_offset);
        weekday.is_ok_and(|weekday| self.weekdays & 1 << weekday != 0)
    }

    fn at(&self, year: i16, month: i8, zone: &TimeZone) -> Option<u64> {
        let [hour, minute, second] = self.time;
        let nanos = i32::try_from(self.micros * 1000).ok()?;
        let civil = DateTime::new(year, month, self.day, hour, minute, second.min(59), nanos).ok()?;
        let zone = match self.offset {
            Some(seconds) => TimeZone::fixed(Offset::from_seconds(seconds).ok()?),
            None => zone.clone(),
        };
        u64::try_from(civil.to_zoned_datetime(zone).ok()?.timestamp().as_microsecond()).ok()
    }
}
