//! Time stamps in the forms found in logs.

use peripety_blkinfo::archive::log_time::{MONTHS, WEEKDAYS};

use super::date;
pub use super::wall::Wall;

/// A time stamp at the beginning of a text, and what follows it.
pub type Taken<'l> = Option<(Wall, &'l [u8])>;

/// Any form of wall-clock time: `Nov 24 12:48:14`, `Tue Nov 24 12:48:14 2026`, `Tue 2026-11-24 12:48:14 UTC`,
/// `2026-11-24T12:48:14.123+01:00`, `2026/11/24 12:48:14`, `1795524494.123456`, `12:48:14`.
pub fn wall(text: &[u8]) -> Taken<'_> {
    match text.first()? {
        b'0'..=b'9' => iso(text)
            .or_else(|| epoch(text))
            .or_else(|| day_first(text))
            .or_else(|| clock_only(text))
            .or_else(|| date::begin(text)),
        b'A'..=b'Z' | b'a'..=b'z' => named(text).or_else(|| date::begin(text)),
        0x80.. => date::begin(text),
        _ => None,
    }
}

/// A date and time in English or in numbers. Unlike [`wall`], this rejects other texts fast.
pub fn plain(text: &[u8]) -> Taken<'_> {
    let taken = match text.first()? {
        b'0'..=b'9' => iso(text),
        b'A'..=b'Z' => named(text),
        _ => None,
    };
    taken.filter(|(wall, _)| wall.is_dated())
}

/// A date that begins with the name of a day or month.
fn named(text: &[u8]) -> Taken<'_> {
    let name = word3(text)?;
    if let Some(month) = position(&MONTHS, name) {
        return month_first(month, text.get(3..)?);
    }
    let weekday = position(&WEEKDAYS, name)?;
    let rest = text.get(3..)?;
    let rest = blanks(rest.strip_prefix(b",").unwrap_or(rest))?;
    let (mut wall, rest) = match rest.first()? {
        b'0'..=b'9' => iso(rest).or_else(|| day_first(rest))?,
        _ => month_first(position(&MONTHS, word3(rest)?)?, rest.get(3..)?)?,
    };
    wall.weekdays = 1 << weekday;
    Some((wall, rest))
}

/// ` 24 12:48:14`, ` 24 2026 12:48:14`, ` 24 12:48:14 2026`, ` 24 12:48:14 CET 2026`.
fn month_first(month: i8, rest: &[u8]) -> Taken<'_> {
    let (day, rest) = number(blanks(rest)?, 1, 2)?;
    let rest = blanks(rest.strip_prefix(b",").unwrap_or(rest))?;
    let (year, rest) = match number(rest, 4, 4).and_then(|(year, rest)| Some((year, blanks(rest)?))) {
        Some((year, rest)) => (i16::try_from(year).ok(), rest),
        None => (None, rest),
    };
    let (mut wall, rest) = clock(rest, false)?;
    wall.month = month;
    wall.day = i8::try_from(day).ok()?;
    wall.year = year;
    Some(if year.is_none() { zone_and_year(wall, rest, false) } else { (wall, rest) })
}

/// `date` writes the zone before the year; a zone without a year counts only if the year is known.
pub fn zone_and_year(mut wall: Wall, rest: &[u8], has_year: bool) -> (Wall, &[u8]) {
    let zone = rest.strip_prefix(b" ").and_then(zone_word);
    let (offset, behind) = zone.map_or((None, rest), |(offset, behind)| (offset, behind));
    let year = behind.strip_prefix(b" ").and_then(year_of).filter(|_| !has_year);
    let ends = behind.first().is_none_or(|byte| matches!(byte, b' ' | b']'));
    match year {
        Some((year, rest)) => {
            wall.year = Some(year);
            wall.offset = wall.offset.or(offset);
            (wall, rest)
        }
        None if has_year && offset.is_some() && ends => {
            wall.offset = wall.offset.or(offset);
            (wall, behind)
        }
        None => (wall, rest),
    }
}

/// `24 Nov 2026 12:48:14`, `24/Nov/2026:12:48:14`.
fn day_first(text: &[u8]) -> Taken<'_> {
    let separator = |rest: &[u8]| matches!(rest.first(), Some(b' ' | b'/' | b'-'));
    let (day, rest) = number(text, 1, 2)?;
    let rest = rest.get(1..).filter(|_| separator(rest))?;
    let month = position(&MONTHS, word3(rest)?)?;
    let rest = rest.get(3..)?;
    let rest = rest.get(1..).filter(|_| separator(rest))?;
    let (year, rest) = number(rest, 4, 4)?;
    let rest = rest.strip_prefix(b" ").or_else(|| rest.strip_prefix(b":"))?;
    let (mut wall, rest) = clock(rest, false)?;
    (wall.year, wall.month, wall.day) = (i16::try_from(year).ok(), month, i8::try_from(day).ok()?);
    Some(zone_and_year(wall, rest, true))
}

/// `2026-11-24T12:48:14,123456+01:00`, `2026-11-24 12:48:14 UTC`, `2026/11/24 12:48:14`.
fn iso(text: &[u8]) -> Taken<'_> {
    let (year, rest) = number(text, 4, 4)?;
    let separator = *rest.first().filter(|byte| matches!(byte, b'-' | b'/'))?;
    let (month, rest) = number(rest.get(1..)?, 1, 2)?;
    let (day, rest) = number(rest.strip_prefix(&[separator])?, 1, 2)?;
    let rest =
        rest.strip_prefix(b"T").or_else(|| rest.strip_prefix(b"t")).or_else(|| rest.strip_prefix(b" "))?;
    let (mut wall, mut rest) = clock(rest, true)?;
    (wall.year, wall.month, wall.day) =
        (i16::try_from(year).ok(), i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    if let Some((offset, behind)) = rest.strip_prefix(b" ").and_then(zone_word) {
        if wall.offset.is_none() && behind.first() == Some(&b' ') {
            wall.offset = offset;
            rest = behind;
        }
    }
    ((1..=12).contains(&wall.month) && (1..=31).contains(&wall.day)).then_some((wall, rest))
}

/// `1795524494.123456`: seconds since the epoch with six decimal places.
fn epoch(text: &[u8]) -> Taken<'_> {
    let (seconds, rest) = number(text, 9, 10)?;
    let (micros, rest) = number(rest.strip_prefix(b".")?, 6, 6)?;
    let epoch = Some(seconds * 1_000_000 + micros);
    (rest.first() == Some(&b' ')).then_some((Wall { epoch, precision: 1, ..Wall::default() }, rest))
}

fn clock_only(text: &[u8]) -> Taken<'_> {
    clock(text, false).filter(|(_, rest)| rest.first().is_some_and(|byte| matches!(byte, b' ' | b']')))
}

/// `12:48:14`, optionally followed by a fraction and (for `zoned`) a time zone.
pub fn clock(text: &[u8], zoned: bool) -> Taken<'_> {
    let (hour, rest) = number(text, 1, 2)?;
    let (minute, rest) = number(rest.strip_prefix(b":")?, 2, 2)?;
    let (second, rest) = number(rest.strip_prefix(b":")?, 2, 2)?;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let time = [hour, minute, second].map(|part| i8::try_from(part).unwrap_or(0));
    let mut wall = Wall { time, precision: 1_000_000, ..Wall::default() };
    let mut rest = rest;
    if let Some((micros, precision, behind)) = fraction(rest) {
        wall.comma = rest.first() == Some(&b',');
        (wall.micros, wall.precision, rest) = (micros, precision, behind);
    }
    if zoned {
        if let Some((offset, behind)) = offset(rest) {
            (wall.offset, rest) = (Some(offset), behind);
        }
    }
    Some((wall, rest))
}

/// `.123456`, `,123`: µs, precision, and what follows.
fn fraction(text: &[u8]) -> Option<(u32, u32, &[u8])> {
    let digits = text.strip_prefix(b".").or_else(|| text.strip_prefix(b","))?;
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 || count > 9 {
        return None;
    }
    let (mut micros, mut precision) = (0u32, 1_000_000u32);
    for byte in digits.iter().take(count.min(6)) {
        micros = micros * 10 + u32::from(byte - b'0');
        precision /= 10;
    }
    Some((micros * precision, precision, digits.get(count..)?))
}

/// `Z`, `+01:00`, `+0100`, `+01`: seconds east of UTC.
fn offset(text: &[u8]) -> Option<(i32, &[u8])> {
    let sign = match text.first()? {
        b'Z' | b'z' => return Some((0, text.get(1..)?)),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, rest) = two_digits(text.get(1..)?)?;
    let (minutes, rest) = two_digits(rest.strip_prefix(b":").unwrap_or(rest)).unwrap_or((0, rest));
    Some((sign * i32::try_from(hours * 3600 + minutes * 60).ok()?, rest))
}

/// `UTC`, `CET`, `-03`: seconds east of UTC, if that is certain.
pub fn zone_word(text: &[u8]) -> Option<(Option<i32>, &[u8])> {
    if let Some((seconds, rest)) = offset(text).filter(|_| matches!(text.first(), Some(b'+' | b'-'))) {
        return Some((Some(seconds), rest));
    }
    let length = text.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    let word = text.get(..length).filter(|word| (2..=5).contains(&word.len()))?;
    // Of words in capitals, only known ones are zones: not `XFS`, `EXT4`.
    let (_, hours) = ZONES.iter().find(|(name, _)| *name == word)?;
    Some((Some(hours * 3600), text.get(length..)?))
}

/// Abbreviations of zones that `date` and journalctl print, hours east of UTC.
const ZONES: [(&[u8], i32); 30] = [
    (b"UTC", 0),
    (b"GMT", 0),
    (b"WET", 0),
    (b"WEST", 1),
    (b"BST", 1),
    (b"CET", 1),
    (b"CEST", 2),
    (b"EET", 2),
    (b"EEST", 3),
    (b"MSK", 3),
    (b"EST", -5),
    (b"EDT", -4),
    (b"CST", -6),
    (b"CDT", -5),
    (b"MST", -7),
    (b"MDT", -6),
    (b"PST", -8),
    (b"PDT", -7),
    (b"JST", 9),
    (b"AEST", 10),
    (b"AEDT", 11),
    (b"KST", 9),
    (b"HKT", 8),
    (b"SGT", 8),
    (b"PKT", 5),
    (b"SAST", 2),
    (b"BRT", -3),
    (b"HST", -10),
    (b"NZST", 12),
    (b"NZDT", 13),
];

fn year_of(text: &[u8]) -> Option<(i16, &[u8])> {
    let (year, rest) = number(text, 4, 4)?;
    let ends = rest.first().is_none_or(|byte| matches!(byte, b' ' | b']' | b':'));
    (ends && (1990..2200).contains(&year)).then_some((i16::try_from(year).ok()?, rest))
}

/// A decimal number of `least` to `most` digits, and what follows.
pub fn number(text: &[u8], least: usize, most: usize) -> Option<(u64, &[u8])> {
    let mut value = 0u64;
    let mut count = 0;
    for byte in text.iter().take_while(|byte| byte.is_ascii_digit()).take(most + 1) {
        value = value.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
        count += 1;
    }
    (least..=most).contains(&count).then(|| Some((value, text.get(count..)?))).flatten()
}

fn two_digits(text: &[u8]) -> Option<(u64, &[u8])> {
    let (digits, rest) = text.split_at_checked(2)?;
    number(digits, 2, 2).map(|(value, _)| (value, rest))
}

/// Skips blanks; there must be at least one.
fn blanks(text: &[u8]) -> Option<&[u8]> {
    let rest = text.trim_ascii_start();
    (rest.len() < text.len()).then_some(rest)
}

fn word3(text: &[u8]) -> Option<&[u8]> {
    let word = text.get(..3)?;
    let ends = text.get(3).is_some_and(|byte| matches!(byte, b' ' | b',' | b'/' | b'-'));
    // `[Nov24 12:48]` of dmesg -e is another form.
    ends.then_some(word)
}

/// The number of a name, from 1.
fn position(names: &[&str], name: &[u8]) -> Option<i8> {
    names
        .iter()
        .position(|known| known.as_bytes().eq_ignore_ascii_case(name))
        .and_then(|index| i8::try_from(index + 1).ok())
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    /// 2026-11-24 12:48:14 UTC.
    const T: u64 = 1_795_524_494_000_000;

    fn utc(text: &str) -> (Option<u64>, String) {
        let (wall, rest) = wall(text.as_bytes()).unwrap_or_else(|| panic!("no time: {text}"));
        (wall.micros_since_epoch(T + 1_000_000, &TimeZone::UTC), String::from_utf8_lossy(rest).into_owned())
    }

    #[test]
    fn all_forms_of_one_moment() {
        for text in [
            "Nov 24 12:48:14 x",
            "Nov 24 2026 12:48:14 x",
            "Tue Nov 24 12:48:14 2026 x",
            "Tue Nov 24 13:48:14 CET 2026 x",
            "Tue 2026-11-24 12:48:14 UTC x",
            "2026-11-24T12:48:14Z x",
            "2026-11-24T13:48:14+01:00 x",
            "2026-11-24T13:48:14+0100 x",
            "2026-11-24 12:48:14 x",
            "2026/11/24 12:48:14 x",
            "24 Nov 2026 12:48:14 x",
            "1795524494.000000 x",
            "2026 Nov 24 12:48:14 x",
            "Di 24. Nov 13:48:14 CET 2026 x",
            "mar. 24 nov. 2026 12:48:14 x",
            "Di Nov 24 12:48:14 2026 x",
            "24 ноя 2026 12:48:14 x",
            "11月 24 12:48:14 2026 x",
            "Thg 11 24 12:48:14 2026 x",
            "Tue, 24 Nov 2026 12:48:14 +0000 x",
        ] {
            assert_eq!(utc(text), (Some(T), " x".to_owned()), "{text}");
        }
        assert_eq!(utc("2026-11-24T12:48:14,123456+00:00 x").0, Some(T + 123_456));
        assert_eq!(utc("Nov 24 12:48:14.5 x").0, Some(T + 500_000));
    }

    #[test]
    fn a_missing_year_is_the_latest_that_has_come() {
        assert_eq!(utc("Dec 31 23:59:59 x").0, Some(1_767_225_599_000_000), "2025");
        assert_eq!(utc("Feb 29 00:00:00 x").0, Some(1_709_164_800_000_000), "2024");
    }

    #[test]
    fn what_is_no_time() {
        for text in ["Nov 99", "XFS (sda1): x", "sd 0:0:0:0: x", "12:99:00 x", "2026", "1:2:3 x", "Mon"] {
            assert!(wall(text.as_bytes()).is_none(), "{text}");
        }
        // The driver's name after the time is not a zone.
        assert_eq!(utc("2026-11-24 12:48:14 XFS (dm-0): x").1, " XFS (dm-0): x");
    }
}
