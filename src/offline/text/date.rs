//! Dates with names of months, in any order and language, as `date`, timedatectl and `dmesg -T` print them in the locales of glibc.
//!
//! `Mon May  6 10:00:00 PM CEST 2024`, `Mo 6. Mai 10:00:00 CEST 2024`, `2024年 5月 6日 月曜日 22:00:00 JST`,
//! `Mon, 06 May 2024 10:00:00 +0200`.

use super::names;
use super::stamp::{self, Taken, Wall};

/// Bytes examined for a date.
const MAX_DATE_BYTES: usize = 96;
/// Bytes before the time of day at the beginning of a line.
const MAX_BYTES_BEFORE_CLOCK: usize = 64;

/// Part of a date.
#[derive(Debug, PartialEq, Eq)]
enum DatePart<'t> {
    /// A number, and how many digits it has.
    Number(u64, usize),
    /// A number immediately followed by letters: `5月`, `06日`.
    Counted(&'t [u8]),
    /// Day and month, or month and day, before a year: `6/5/2024`.
    Slashed(u64, u64, i16),
    /// Day, month and year: `06.05.2024`.
    Dotted(u64, u64, i16),
    Word(&'t [u8]),
}

/// The date and time of day in a text that contains nothing else.
pub fn whole(text: &[u8]) -> Option<Wall> {
    let text = text.get(..MAX_DATE_BYTES).unwrap_or(text).trim_ascii();
    let at = clock_at(text)?;
    let (mut wall, rest) = stamp::clock(text.get(at..)?, true)?;
    let mut date = Date::default();
    parts(text.get(..at)?).for_each(|part| date.take(&part));
    let rest = date.half(rest);
    if let Some((offset, behind)) = stamp::zone_word(rest.trim_ascii_start()) {
        wall.offset = wall.offset.or(offset);
        parts(behind).for_each(|part| date.take(&part));
    } else {
        parts(rest).for_each(|part| date.take(&part));
        wall.offset = wall.offset.or(date.offset);
    }
    date.complete(wall)
}

/// A cell that is a time: a date in any form, or seconds, ms, µs or ns since the epoch.
pub fn cell(cell: &[u8]) -> Option<Wall> {
    if let Some((value, rest)) = stamp::number(cell, 9, 19) {
        let per_second = match cell.len() - rest.len() {
            9 | 10 => 1_000_000,
            13 => 1_000,
            16 => 1,
            19 => 0,
            _ => return None,
        };
        let whole =
            rest.is_empty() || rest.first() == Some(&b'.') && rest.iter().skip(1).all(u8::is_ascii_digit);
        let epoch = if per_second == 0 { Some(value / 1000) } else { value.checked_mul(per_second) };
        let epoch = epoch.filter(|_| whole)?;
        return Some(Wall {
            epoch: Some(epoch),
            precision: u32::try_from(per_second).ok()?,
            ..Wall::default()
        });
    }
    let plain = stamp::wall(cell).filter(|(_, rest)| rest.trim_ascii().is_empty()).map(|(wall, _)| wall);
    plain.or_else(|| whole(cell).filter(|_| cell.len() <= 48)).filter(Wall::is_dated)
}

/// The date at the beginning of a line, and the rest behind its time of day, or behind its year if that comes last.
pub fn begin(text: &[u8]) -> Taken<'_> {
    let at = clock_at(text.get(..MAX_BYTES_BEFORE_CLOCK).unwrap_or(text))?;
    let mut date = Date::default();
    parts(text.get(..at)?).for_each(|part| date.take(&part));
    let (wall, rest) = stamp::clock(text.get(at..)?, true)?;
    if date.strange || !date.word.is_empty() || date.month == 0 || date.day == 0 {
        return None;
    }
    let rest = date.half(rest);
    let (mut wall, rest) = stamp::zone_and_year(wall, rest, date.year.is_some());
    date.year = date.year.or(wall.year);
    wall = date.complete(wall)?;
    Some((wall, rest))
}

/// The position of the time of day.
fn clock_at(text: &[u8]) -> Option<usize> {
    let colon = memchr::memchr_iter(b':', text).find(|at| {
        let digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
        *at > 1 && digit(at - 1) && digit(at + 1) && digit(at + 2) && text.get(at + 3) == Some(&b':')
    })?;
    let digits = text.get(..colon)?.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let at = colon.checked_sub(digits)?;
    let before = text.get(at.checked_sub(1)?)?;
    ((1..=2).contains(&digits) && matches!(before, b' ' | b'\t' | b',')).then_some(at)
}

/// The parts of a date, without blanks and punctuation.
fn parts(text: &[u8]) -> impl Iterator<Item = DatePart<'_>> {
    let separates = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b'(' | b')');
    text.split(move |byte| separates(byte)).filter(|word| !word.is_empty()).flat_map(part_of)
}

fn part_of(word: &[u8]) -> Vec<DatePart<'_>> {
    let bare = word.strip_suffix(b".").unwrap_or(word);
    if bare.first().is_some_and(u8::is_ascii_digit) {
        let numbers = bare.split(|byte| matches!(byte, b'-' | b'.' | b'/'));
        let numbers: Option<Vec<DatePart<'_>>> = numbers.map(number).collect();
        if let Some(
            [DatePart::Number(first, 1 | 2), DatePart::Number(second, 1 | 2), DatePart::Number(year, 4)],
        ) = numbers.as_deref()
        {
            let year = i16::try_from(*year).unwrap_or(0);
            match bare.iter().find(|byte| !byte.is_ascii_digit()) {
                Some(b'/') => return vec![DatePart::Slashed(*first, *second, year)],
                Some(b'.') => return vec![DatePart::Dotted(*first, *second, year)],
                _ => {}
            }
        }
        return numbers.unwrap_or_else(|| vec![DatePart::Counted(word)]);
    }
    vec![DatePart::Word(word)]
}

fn number(text: &[u8]) -> Option<DatePart<'_>> {
    let (value, rest) = stamp::number(text, 1, 4)?;
    rest.is_empty().then_some(DatePart::Number(value, text.len()))
}

/// A date under construction.
#[derive(Debug, Default)]
struct Date {
    year: Option<i16>,
    month: i8,
    months: u16,
    weekdays: u8,
    /// The weekdays with the same name as the month: `mar` is March and Tuesday.
    perhaps: u8,
    day: i8,
    /// The first word of a month's name of two words: `Thg 6`.
    word: Vec<u8>,
    /// Two numbers of which one is the month, and the year.
    slashed: Option<(u64, u64, i16)>,
    /// Afternoon: twelve hours are added.
    afternoon: Option<bool>,
    offset: Option<i32>,
    /// The text has a part that does not belong to a date.
    strange: bool,
}

impl Date {
    fn take(&mut self, part: &DatePart<'_>) {
        match part {
            DatePart::Number(value, digits) => self.take_number(*value, *digits),
            DatePart::Counted(word) => self.take_counted(word),
            DatePart::Slashed(first, second, year) => self.slashed = Some((*first, *second, *year)),
            DatePart::Dotted(day, month, year) => self.take_numbers(*day, *month, *year),
            DatePart::Word(word) => self.take_word(word),
        }
    }

    fn take_number(&mut self, value: u64, digits: usize) {
        let word = std::mem::take(&mut self.word);
        if !word.is_empty() {
            let name = [word.as_slice(), b" ", value.to_string().as_bytes()].concat();
            match names::meaning(&name) {
                Some(found) => return self.name(found),
                None => self.strange = true,
            }
        }
        let small = i8::try_from(value).unwrap_or(0);
        match digits {
            4 if (1990..2200).contains(&value) => self.year = i16::try_from(value).ok(),
            // The month follows the year: 2024-05-06.
            1 | 2 if self.year.is_some() && self.month == 0 && (1..=12).contains(&value) => {
                self.month = small
            }
            1 | 2 if self.day == 0 && (1..=31).contains(&value) => self.day = small,
            _ => self.strange = true,
        }
    }

    fn take_numbers(&mut self, day: u64, month: u64, year: i16) {
        let fits = (1..=31).contains(&day) && (1..=12).contains(&month) && (1990..2200).contains(&year);
        self.strange |= !fits;
        if fits {
            self.year = Some(year);
            self.day = i8::try_from(day).unwrap_or(0);
            self.month = i8::try_from(month).unwrap_or(0);
        }
    }

    /// With AM or PM the month comes first; otherwise a number over 12 is the day.
    fn resolve_slashed(&mut self) {
        match self.slashed.take() {
            Some((month, day, year)) if day > 12 || self.afternoon.is_some() => {
                self.take_numbers(day, month, year)
            }
            Some((day, month, year)) if day > 12 => self.take_numbers(day, month, year),
            Some(_) => self.strange = true,
            None => {}
        }
    }

    /// `2024年`, `5月`, `06日`, `6.`, `3rd`.
    fn take_counted(&mut self, word: &[u8]) {
        let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let without_zero = word.strip_prefix(b"0").unwrap_or(word);
        match (names::meaning(without_zero), stamp::number(word, 1, 4)) {
            (Some(found), _) if found.month > 0 => self.name(found),
            (_, Some((value, rest))) if rest.len() <= 6 => {
                if matches!(rest, b"\xe6\x9c\x88" | b"\xec\x9b\x94") {
                    self.month = i8::try_from(value).unwrap_or(0);
                } else {
                    self.take_number(value, digits);
                }
            }
            _ => self.strange = true,
        }
    }

    fn take_word(&mut self, word: &[u8]) {
        if let Some(found) = names::meaning(word) {
            self.name(found);
        } else if let Some(afternoon) = half_of(word) {
            self.afternoon = Some(afternoon);
        } else if let Some((offset, _)) = stamp::zone_word(word) {
            self.offset = offset;
        } else if self.word.is_empty() && word.len() <= 12 && !word.is_ascii()
            || word.eq_ignore_ascii_case(b"thg")
        {
            self.word = word.to_vec();
        } else {
            self.strange = true;
        }
    }

    fn name(&mut self, found: names::Meaning) {
        let weekday = found.months == 0 || self.month > 0 && found.weekdays != 0 && self.weekdays == 0;
        if weekday {
            self.weekdays = found.weekdays;
            return;
        }
        // The previous month was the weekday: `mar. 3 juin`.
        if self.month > 0 {
            self.weekdays = self.perhaps;
        }
        (self.month, self.months, self.perhaps) = (found.month, found.months, found.weekdays);
    }

    /// Removes `AM`, `PM` and their equivalents.
    fn half<'t>(&mut self, rest: &'t [u8]) -> &'t [u8] {
        let behind = rest.trim_ascii_start();
        let length = behind.iter().position(|byte| *byte == b' ').unwrap_or(behind.len());
        let Some(afternoon) = behind.get(..length).and_then(half_of) else { return rest };
        self.afternoon = Some(afternoon);
        behind.get(length..).unwrap_or_default()
    }

    fn complete(mut self, clock: Wall) -> Option<Wall> {
        self.resolve_slashed();
        if self.month == 0 || self.day == 0 {
            return None;
        }
        let mut wall = Wall { year: self.year.or(clock.year), month: self.month, day: self.day, ..clock };
        wall.weekdays = self.weekdays;
        wall.months = if self.months.count_ones() > 1 { self.months } else { 0 };
        if let (Some(afternoon), [hour, minute, second]) = (self.afternoon, wall.time) {
            let hour = hour % 12 + if afternoon { 12 } else { 0 };
            wall.time = [hour, minute, second];
        }
        Some(wall)
    }
}

/// Half of the day: false before noon, true after.
fn half_of(word: &[u8]) -> Option<bool> {
    let text = std::str::from_utf8(word).ok()?;
    match text.to_ascii_lowercase().trim_end_matches('.') {
        "am" | "a.m" | "午前" | "上午" | "오전" => Some(false),
        "pm" | "p.m" | "午後" | "下午" | "오후" => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn time(text: &str) -> Option<String> {
        let us = whole(text.as_bytes())?.micros_since_epoch(u64::MAX >> 2, &TimeZone::UTC)?;
        Some(jiff::Timestamp::from_microsecond(i64::try_from(us).unwrap()).unwrap().to_string())
    }

    /// What `date` prints under the locales of glibc, all of one moment.
    #[test]
    fn dates_in_words() {
        for text in [
            "Mon May  6 10:00:00 CEST 2024",
            "Mon May  6 10:00:00 AM CEST 2024",
            "Mon, 06 May 2024 10:00:00 +0200",
            "Mo 6. Mai 10:00:00 CEST 2024",
            "lun. 06 mai 2024 10:00:00 CEST",
            "Monday 06 May 2024 10:00:00 AM CEST",
            "пн 06 мая 2024 10:00:00 CEST",
            "2024年 05月 06日 月曜日 10:00:00 CEST",
            "2024. 05. 06. (월) 10:00:00 CEST",
            "pon, 6 maj 2024, 10:00:00 CEST",
            "Mon 2024-05-06 10:00:00 CEST",
            "2024-05-06 10:00:00+02:00",
            "lun 06 may 2024 10:00:00 CEST",
            "06.05.2024 10:00:00 CEST",
            "5/6/2024, 10:00:00 AM CEST",
        ] {
            assert_eq!(time(text).as_deref(), Some("2024-05-06T08:00:00Z"), "{text}");
        }
        assert_eq!(time("Mon 06 May 2024 10:00:00 PM CEST").as_deref(), Some("2024-05-06T20:00:00Z"));
        assert_eq!(time("Mon May  6 12:00:00 AM UTC 2024").as_deref(), Some("2024-05-06T00:00:00Z"));
        assert_eq!(time("2024年 5月 6日 午後 10:00:00 UTC").as_deref(), Some("2024-05-06T22:00:00Z"));
        assert_eq!(time("up 10:00:00 hours"), None);
    }

    /// `lip` is June in Croatian and July in Polish, `mar` is March and Tuesday: the weekday and the other words decide.
    #[test]
    fn a_name_that_means_two_things() {
        assert_eq!(
            time("pon lip  1 10:00:00 2024").as_deref(),
            Some("2024-07-01T10:00:00Z"),
            "a Monday in July"
        );
        assert_eq!(
            time("sub lip  1 10:00:00 2024").as_deref(),
            Some("2024-06-01T10:00:00Z"),
            "a Saturday in June"
        );
        assert_eq!(time("mar mar  5 10:00:00 2024").as_deref(), Some("2024-03-05T10:00:00Z"));
        assert_eq!(time("mar  5 mar 2024 10:00:00").as_deref(), Some("2024-03-05T10:00:00Z"));
        assert_eq!(time("mar. 4 juin 2024 10:00:00").as_deref(), Some("2024-06-04T10:00:00Z"));
    }
}
