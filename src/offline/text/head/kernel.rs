//! Heads written by the kernel and by dmesg.

use super::syslog::{is_facility, level_of, level_word, word_of};
use super::{message, Head};
use crate::offline::text::stamp::{self, Wall};
use crate::offline::text::{date, names};

impl<'l> Head<'l> {
    pub(super) fn bracket(&mut self, rest: &'l [u8]) -> Option<&'l [u8]> {
        if rest.first() == Some(&b'(') {
            return self.boot.and(processor(rest));
        }
        let inner = rest.get(1..)?;
        if self.boot.is_some() {
            return caller(inner)
                .or_else(|| self.delta(inner))
                .or_else(|| self.ring_date(inner))
                .or_else(|| self.status(rest));
        }
        self.kernel_stamp(inner)
            .or_else(|| self.delta(inner))
            .or_else(|| self.ring_date(inner))
            .or_else(|| self.status(rest))
            .or_else(|| self.wall.and(caller(inner)))
            .or_else(|| self.selected(inner))
            .or_else(|| self.process_first(rest))
    }

    /// The date of dmesg -T, also with -d (`<    0.000012>` after the date), of a terminal that dates each line, or of a program.
    fn ring_date(&mut self, inner: &'l [u8]) -> Option<&'l [u8]> {
        let end = inner.iter().take(MAX_DATE_BYTES).position(|byte| *byte == b']')?;
        let (text, rest) = (inner.get(..end)?, inner.get(end + 1..)?);
        let mut text = text.trim_ascii();
        if let Some((date, delta)) = text.strip_suffix(b">").and_then(|text| split_at(text, b'<')) {
            self.delta = micros_of(delta);
            text = date.trim_ascii();
        }
        let whole = |taken: stamp::Taken<'_>| taken.filter(|(_, rest)| ends_date(rest)).map(|(wall, _)| wall);
        let wall = whole(stamp::wall(text))
            .or_else(|| date::whole(text).filter(|wall| wall.year.is_some()))
            .or_else(|| self.logger(text))?;
        // Of several dates, one with the year is the more exact.
        if self.wall.is_none_or(|known| known.year.is_none() && wall.year.is_some()) {
            self.wall = Some(wall);
        }
        self.ring = true;
        // Talos adds a colon.
        let rest = if rest.starts_with(b": ") { rest.get(1..)? } else { rest };
        Some(message(rest))
    }

    /// `2026-11-24T12:48:14.123456Z ERROR console`: date, level and part of a program, as virtual machine monitors and others written in
    /// Rust have it before what a guest's kernel prints (env_logger).
    fn logger(&mut self, text: &[u8]) -> Option<Wall> {
        let (wall, rest) = stamp::plain(text)?;
        let (level, part) = level_word(rest.strip_prefix(b" ")?)?;
        if part.contains(&b' ') {
            return None;
        }
        self.level = Some(level);
        Some(wall)
    }

    /// `kern.warning]` behind a date without a host; `kernel]`: metalog.
    fn selected(&mut self, inner: &'l [u8]) -> Option<&'l [u8]> {
        self.wall.filter(|_| self.host.is_none() && self.level.is_none())?;
        if let Some(rest) = inner.strip_prefix(b"kernel]") {
            self.kernel = true;
            return Some(message(rest));
        }
        let end = inner.iter().take(MAX_SELECTOR_BYTES).position(|byte| *byte == b']')?;
        let (facility, level) = split_at(inner.get(..end)?, b'.')?;
        self.level = Some(level_of(level).filter(|_| is_facility(facility))?);
        self.kernel |= facility == b"kern";
        Some(message(inner.get(end + 1..)?))
    }

    /// `  123.456789]`, with the additions of some kernels and of dmesg -d: `[1.000000@0]`, `[1.000000 <    0.000012>]`, `[1.000000,3]`.
    fn kernel_stamp(&mut self, inner: &'l [u8]) -> Option<&'l [u8]> {
        let (seconds, rest) = stamp::number(inner.trim_ascii_start(), 1, 10)?;
        let rest = rest.strip_prefix(b".")?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (fraction, rest) = stamp::number(rest, 3, 9)?;
        let micros = match digits {
            0..=6 => fraction * 10u64.pow(6 - u32::try_from(digits).ok()?),
            _ => fraction / 10u64.pow(u32::try_from(digits).ok()? - 6),
        };
        let rest = match rest.first()? {
            b']' => rest.get(1..)?,
            b'@' | b',' | b' ' => behind_bracket(rest, 24)?,
            _ => return None,
        };
        self.boot = Some(seconds * 1_000_000 + micros);
        Some(message(rest))
    }

    /// dmesg -e and -d: `[Nov24 12:48]`, `[  +0.000123]`, `[<    0.000123>]`, with a comma in some languages.
    fn delta(&mut self, inner: &'l [u8]) -> Option<&'l [u8]> {
        let end = inner.iter().take(MAX_DELTA_BYTES).position(|byte| *byte == b']')?;
        let (text, rest) = (inner.get(..end)?.trim_ascii(), inner.get(end + 1..)?);
        let delta = text.strip_prefix(b"+").or_else(|| text.strip_prefix(b"<"));
        if let Some(delta) = delta {
            let micros = micros_of(delta.strip_suffix(b">").unwrap_or(delta))?;
            self.delta.get_or_insert(micros);
            return Some(message(rest));
        }
        let wall = minute(text)?;
        self.wall.get_or_insert(wall);
        self.ring = true;
        Some(message(rest))
    }

    /// The date that `dmesg --time-format=iso` adds to another time stamp.
    pub(super) fn wall_of(&mut self, rest: &'l [u8]) -> Option<&'l [u8]> {
        if !self.timed() || !rest.first().is_some_and(u8::is_ascii_digit) || self.host.is_some() {
            return None;
        }
        let (wall, behind) = stamp::plain(rest).filter(|(wall, _)| wall.comma && wall.offset.is_some())?;
        self.wall = Some(wall);
        self.ring = true;
        behind.strip_prefix(b" ")
    }

    /// /dev/kmsg and netconsole's extended form: `6,1234,123456789,-;text`.
    pub(super) fn kmsg_record(&mut self, rest: &'l [u8]) -> Option<&'l [u8]> {
        let (priority, rest) = stamp::number(rest, 1, 4)?;
        let (_, rest) = stamp::number(rest.strip_prefix(b",")?, 1, 20)?;
        let (micros, rest) = stamp::number(rest.strip_prefix(b",")?, 1, 19)?;
        let rest = rest.strip_prefix(b",")?;
        let body = rest.get(rest.iter().take(80).position(|byte| *byte == b';')? + 1..)?;
        self.level = u8::try_from(priority & 7).ok();
        self.boot = Some(micros);
        self.kmsg = true;
        Some(body)
    }

    /// dmesg -x: `kern  :err   : `.
    pub(super) fn decoded(&mut self, rest: &'l [u8]) -> Option<&'l [u8]> {
        let facility = word_of(rest);
        if !is_facility(facility) {
            return None;
        }
        let rest = rest.get(facility.len()..)?.trim_ascii_start().strip_prefix(b":")?;
        // Talos adds a blank.
        let rest = rest.trim_ascii_start();
        let level = word_of(rest);
        let number = level_of(level)?;
        let rest = rest.get(level.len()..)?.trim_ascii_start().strip_prefix(b":")?;
        self.level = Some(number);
        self.kernel |= facility == b"kern";
        Some(message(rest))
    }
}

/// The caller after the kernel's time stamp: `[    T12]`, `[   C1]`, `[ CPU3]`, `[pid:12,cpu0,name]`.
fn caller(inner: &[u8]) -> Option<&[u8]> {
    let end = inner.iter().take(64).position(|byte| *byte == b']')?;
    let text = inner.get(..end)?.trim_ascii();
    let numbered = |name: &[u8]| {
        // Android writes both: `T1234@C3`.
        let is_part = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'@' | b'C');
        text.strip_prefix(name)
            .is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_digit) && rest.iter().all(is_part))
    };
    let is_caller = numbered(b"T") || numbered(b"C") || numbered(b"CPU") || text.starts_with(b"pid:");
    is_caller.then(|| message(inner.get(end + 1..).unwrap_or_default()))
}

/// `(2)[123:kworker/u8:1]`, which kernels of some vendors print after the time stamp.
fn processor(text: &[u8]) -> Option<&[u8]> {
    let (_, rest) = stamp::number(text.get(1..)?, 1, 3)?;
    let inner = rest.strip_prefix(b")[")?;
    let (_, _) = stamp::number(inner, 1, 8)?;
    behind_bracket(inner, 64)
}

fn behind_bracket(text: &[u8], within: usize) -> Option<&[u8]> {
    text.get(text.iter().take(within).position(|byte| *byte == b']')? + 1..)
}

/// Longest date in brackets, with the time since the previous line.
const MAX_DATE_BYTES: usize = 96;
const MAX_DELTA_BYTES: usize = 40;
/// Bytes of facility and level in brackets.
const MAX_SELECTOR_BYTES: usize = 24;

/// Whether this may follow a date in brackets: nothing, or an unknown time zone.
fn ends_date(rest: &[u8]) -> bool {
    rest.len() <= 6 && rest.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b' ')
}

fn split_at(text: &[u8], mark: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| *byte == mark)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// `0.000123` or `0,000123` seconds in µs. If the clock was set back, it counts as 0.
fn micros_of(text: &[u8]) -> Option<u64> {
    let text = text.trim_ascii();
    let (text, back) = text.strip_prefix(b"-").map_or((text, false), |text| (text, true));
    let (seconds, rest) = stamp::number(text, 1, 10)?;
    let fraction = rest.strip_prefix(b".").or_else(|| rest.strip_prefix(b","))?;
    let (micros, rest) = stamp::number(fraction, 6, 6)?;
    rest.is_empty().then_some(if back { 0 } else { seconds * 1_000_000 + micros })
}

/// `Nov24 12:48`, `Okt 9 05:16` of dmesg -e: the minute.
fn minute(text: &[u8]) -> Option<Wall> {
    let (date, clock) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let (hour, rest) = stamp::number(clock.strip_prefix(b" ")?, 2, 2)?;
    let (minute, _) = stamp::number(rest.strip_prefix(b":")?, 2, 2)?;
    let digits = date.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (name, day) = date.split_at_checked(date.len().checked_sub(digits.min(2))?)?;
    let found = names::meaning(name.trim_ascii()).filter(|found| found.month > 0)?;
    let (day, _) = stamp::number(day, 1, 2).filter(|(day, _)| (1..=31).contains(day))?;
    let months = if found.months.count_ones() > 1 { found.months } else { 0 };
    (hour < 24 && minute < 60).then_some(Wall {
        month: found.month,
        months,
        day: i8::try_from(day).ok()?,
        time: [i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0],
        precision: 1_000_000,
        ..Wall::default()
    })
}
