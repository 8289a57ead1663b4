//! Times on the command line, in the format of journalctl: systemd.time(7), "Parsing timestamps".

use jiff::civil::{self, Date, DateTime, Weekday};
use jiff::tz::{Offset, TimeZone};
use jiff::{ToSpan, ZonedDateTime};

use crate::span;

/// Why a text is not a time. Every message contains valid examples.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not in any supported format.
    #[error("not a time: {ACCEPTED}")]
    NotATime,
    /// A date and time in a zone that is not known here.
    #[error(
        "\"{0}\" is not a time zone: use UTC, a name such as Europe/Berlin, or an offset such as +02:00"
    )]
    Zone(String),
    /// `Mon 2026-05-21`, which is a Thursday.
    #[error("{date} is a {actual:?}: correct the day of the week or leave it out")]
    Weekday {
        /// The date as written.
        date: Date,
        /// Its real day of the week.
        actual: Weekday,
    },
    /// Out of range.
    #[error("too far away: use a time between the years 1970 and 9999")]
    OutOfRange,
}

/// The formats that [`parse`] accepts, for messages and the help text.
pub const ACCEPTED: &str = "use \"2026-05-21 18:17:16\", \"2026-05-21\", \"18:17\", \
    \"2026-05-21T18:17:16Z\", \"today\", \"yesterday\", \"tomorrow\", \"now\", \"-2h\", \"+5min\", \
    \"1week 2days ago\" or \"@1716312345\"; a time zone such as UTC may follow a date or time";

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

/// Reads a time; `now` gives the present moment and the local time zone.
///
/// Answers microseconds since the epoch, never less than 0: nothing was logged before.
pub fn parse(text: &str, now: &ZonedDateTime) -> Result<u64, TimeError> {
    let text = text.trim();
    let present = i128::from(now.timestamp().as_microsecond());
    let microseconds = if text == "now" {
        present
    } else if let Some(span) = text.strip_prefix('-') {
        present - parse_span(span)?
    } else if let Some(span) = text.strip_prefix('+') {
        present + parse_span(span)?
    } else if let Some(span) = text.strip_suffix(" ago") {
        present - parse_span(span)?
    } else if let Some(span) = text.strip_suffix(" left") {
        present + parse_span(span)?
    } else if let Some(seconds) = text.strip_prefix('@') {
        parse_epoch(seconds)?
    } else {
        i128::from(parse_calendar(text, now)?.timestamp().as_microsecond())
    };
    let representable = i64::try_from(microseconds.max(0)).ok();
    representable.and_then(|time| u64::try_from(time).ok()).ok_or(TimeError::OutOfRange)
}

fn parse_span(text: &str) -> Result<i128, TimeError> {
    span::parse(text).ok_or(TimeError::NotATime)
}

/// `@1716312345`, `@1716312345.25`: seconds since the epoch, in the syntax of a span without unit.
fn parse_epoch(text: &str) -> Result<i128, TimeError> {
    if text.chars().all(|c| c.is_ascii_digit() || c == '.') {
        parse_span(text)
    } else {
        Err(TimeError::NotATime)
    }
}

/// `[WEEKDAY] DATE|TIME|DATE TIME|WORD [ZONE]`
fn parse_calendar(text: &str, now: &ZonedDateTime) -> Result<ZonedDateTime, TimeError> {
    let (weekday, text) = split_weekday(text);
    let (text, zone) = split_zone(text);
    // "today UTC" is the day that it is in UTC.
    let today = match zone.map(|name| named_zone(name, now)).transpose()? {
        Some(zone) => now.with_time_zone(zone).date(),
        None => now.date(),
    };
    let moment = parse_civil(text, today).ok_or(TimeError::NotATime)?;
    let actual = moment.weekday();
    if weekday.is_some_and(|said| said != actual) {
        return Err(TimeError::Weekday { date: moment.date(), actual });
    }
    in_zone(moment, zone, now)
}

fn split_weekday(text: &str) -> (Option<Weekday>, &str) {
    let Some((word, rest)) = text.split_once(' ') else {
        return (None, text);
    };
    let word = word.trim_end_matches(',').to_ascii_lowercase();
    let day = WEEKDAYS.iter().find(|(name, _)| *name == word || name.get(..3) == Some(word.as_str()));
    match day {
        Some((_, day)) => (Some(*day), rest.trim_start()),
        None => (None, text),
    }
}

/// Cuts the zone off: a last word that is one, `Z`, or an offset right behind the time of day.
fn split_zone(text: &str) -> (&str, Option<&str>) {
    if let Some((rest, word)) = text.rsplit_once(' ') {
        if word.starts_with(|c: char| c.is_alphabetic() || c == '+' || c == '-') {
            return (rest.trim_end(), Some(word));
        }
    }
    let Some(colon) = text.find(':') else {
        return (text, None);
    };
    let (date, time) = text.split_at(colon);
    match time.find(['Z', 'z', '+', '-']) {
        Some(at) => {
            let end = date.len() + at;
            (text.get(..end).unwrap_or(text), text.get(end..))
        }
        None => (text, None),
    }
}

/// `2026-05-21 18:17:16.5`, with a `T` too, `2026-05-21`, `18:17`, `today` …
fn parse_civil(text: &str, today: Date) -> Option<DateTime> {
    match text {
        "today" => return Some(today.to_datetime(civil::Time::midnight())),
        "yesterday" => return Some(today.yesterday().ok()?.to_datetime(civil::Time::midnight())),
        "tomorrow" => return Some(today.tomorrow().ok()?.to_datetime(civil::Time::midnight())),
        _ => {}
    }
    match text.split_once([' ', 'T', 't']) {
        Some((date, time)) => Some(parse_date(date)?.to_datetime(parse_time(time.trim_start())?)),
        None if text.contains(':') => Some(today.to_datetime(parse_time(text)?)),
        None => Some(parse_date(text)?.to_datetime(civil::Time::midnight())),
    }
}

/// `2026-05-21`, or `26-05-21`: two digits mean 1969 to 2068, as in strptime(3).
fn parse_date(text: &str) -> Option<Date> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let full_year = match (year.len(), number(year)?) {
        (4, year) => year,
        (2, year) if year >= 69 => 1900 + year,
        (2, year) => 2000 + year,
        _ => return None,
    };
    let small = |text: &str| number(text).and_then(|n| i8::try_from(n).ok());
    Date::new(full_year, small(month)?, small(day)?).ok()
}

/// `18:17`, `18:17:16`, `18:17:16.123456`
fn parse_time(text: &str) -> Option<civil::Time> {
    let (text, fraction) = text.split_once('.').map_or((text, None), |(t, f)| (t, Some(f)));
    let mut parts = text.split(':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next());
    if parts.next().is_some() || (fraction.is_some() && second.is_none()) {
        return None;
    }
    let small = |text: &str| number(text).and_then(|n| i8::try_from(n).ok());
    let nanoseconds = fraction.map_or(Some(0), parse_fraction)?;
    civil::Time::new(small(hour)?, small(minute)?, small(second.unwrap_or("0"))?, nanoseconds).ok()
}

/// Digits behind the decimal point, as nanoseconds.
fn parse_fraction(digits: &str) -> Option<i32> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let nine = digits.bytes().chain(std::iter::repeat(b'0')).take(9);
    Some(nine.fold(0, |n, digit| n * 10 + i32::from(digit - b'0')))
}

/// One to four decimal digits.
fn number(text: &str) -> Option<i16> {
    let fits = (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

/// The moment at which clocks of the zone show this date and time; without a zone, local clocks.
fn in_zone(moment: DateTime, zone: Option<&str>, now: &ZonedDateTime) -> Result<ZonedDateTime, TimeError> {
    let resolved = match zone {
        None => moment.to_zoned_datetime(now.time_zone().clone()),
        Some(name) => match in_local_abbreviation(moment, name, now) {
            Some(zoned) => return Ok(zoned),
            None => moment.to_zoned_datetime(named_zone(name, now)?),
        },
    };
    resolved.map_err(|_| TimeError::OutOfRange)
}

/// The moment when the name is what local clocks are called then: `CEST` tells the first of the
/// two 02:30 of an autumn night from the second, `CET`.
fn in_local_abbreviation(moment: DateTime, name: &str, now: &ZonedDateTime) -> Option<ZonedDateTime> {
    let candidates = || now.time_zone().to_ambiguous_zoned_datetime(moment);
    [candidates().earlier(), candidates().later()]
        .into_iter()
        .flatten()
        .find(|zoned| has_abbreviation(zoned, name))
}

fn has_abbreviation(zoned: &ZonedDateTime, name: &str) -> bool {
    let info = zoned.time_zone().to_offset_info(zoned.timestamp());
    info.abbreviation().eq_ignore_ascii_case(name)
}

/// `UTC`, `Z`, `Europe/Berlin`, `+02:00`, `+0200`, `+02`, or the local zone's `CET` or `CEST`.
fn named_zone(name: &str, now: &ZonedDateTime) -> Result<TimeZone, TimeError> {
    if name.eq_ignore_ascii_case("utc") || name.eq_ignore_ascii_case("z") {
        return Ok(TimeZone::UTC);
    }
    if name.starts_with(['+', '-']) {
        return parse_offset(name).ok_or_else(|| TimeError::Zone(name.to_owned()));
    }
    // Both of a year's abbreviations are known half a year apart.
    let other_half = now.checked_add(26.weeks()).unwrap_or_else(|_| now.clone());
    if let Some(zoned) = [now, &other_half].into_iter().find(|z| has_abbreviation(z, name)) {
        return Ok(TimeZone::fixed(zoned.offset()));
    }
    TimeZone::get(name).map_err(|_| TimeError::Zone(name.to_owned()))
}

fn parse_offset(text: &str) -> Option<TimeZone> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+')?),
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "00"),
    };
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = sign * (i32::from(hours) * 3600 + i32::from(minutes) * 60);
    Some(TimeZone::fixed(Offset::from_seconds(seconds).ok()?))
}

#[cfg(test)]
#[path = "time_tests.rs"]
mod tests;
