//! What the kernel, and dmesg for it, write before a message.

use super::syslog::{is_facility, level_of, word_of};
use super::{message, Head};
use crate::offline::text::stamp;

impl<'l> Head<'l> {
    pub(super) fn bracket(&mut self, rest: &'l [u8]) -> Option<&'l [u8]> {
        if rest.first() == Some(&b'(') {
            return self.boot.and(processor(rest));
        }
        let inner = rest.get(1..)?;
        if self.boot.is_some() {
            return caller(inner).or_else(|| self.delta(inner));
        }
        self.kernel_stamp(inner).or_else(|| self.delta(inner)).or_else(|| {
            // dmesg -T, or what a terminal puts before each line.
            let (wall, rest) = stamp::wall(inner.trim_ascii_start())?;
            let rest = message(rest.strip_prefix(b"]")?);
            self.wall.get_or_insert(wall);
            self.ring = true;
            Some(rest)
        })
    }

    /// `  123.456789]`, with what some kernels and dmesg -d add: `[1.000000@0]`, `[1.000000 <    0.000012>]`,
    /// `[1.000000,3]`.
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

    /// dmesg -e and -d: `[Nov24 12:48]`, `[  +0.000123]`, `[<    0.000123>]`.
    fn delta(&mut self, inner: &'l [u8]) -> Option<&'l [u8]> {
        let (text, rest) = inner.split_at_checked(inner.iter().take(24).position(|byte| *byte == b']')?)?;
        let text = text.trim_ascii();
        let delta = text.strip_prefix(b"+").or_else(|| text.strip_prefix(b"<"));
        let is_delta = delta.is_some_and(|text| {
            text.contains(&b'.') && text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'>' | b' '))
        });
        (is_delta || is_short_date(text)).then(|| message(rest.get(1..).unwrap_or_default()))
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
        let level = word_of(rest);
        let number = level_of(level)?;
        let rest = rest.get(level.len()..)?.trim_ascii_start().strip_prefix(b":")?;
        self.level = Some(number);
        Some(message(rest))
    }
}

/// The kernel's caller behind its time stamp: `[    T12]`, `[   C1]`, `[ CPU3]`, `[pid:12,cpu0,name]`.
fn caller(inner: &[u8]) -> Option<&[u8]> {
    let end = inner.iter().take(64).position(|byte| *byte == b']')?;
    let text = inner.get(..end)?.trim_ascii();
    let numbered = |name: &[u8]| {
        text.strip_prefix(name).is_some_and(|rest| !rest.is_empty() && rest.iter().all(u8::is_ascii_digit))
    };
    let is_caller = numbered(b"T") || numbered(b"C") || numbered(b"CPU") || text.starts_with(b"pid:");
    is_caller.then(|| message(inner.get(end + 1..).unwrap_or_default()))
}

/// `(2)[123:kworker/u8:1]`, which vendors' kernels print behind the time stamp.
fn processor(text: &[u8]) -> Option<&[u8]> {
    let (_, rest) = stamp::number(text.get(1..)?, 1, 3)?;
    let inner = rest.strip_prefix(b")[")?;
    let (_, _) = stamp::number(inner, 1, 8)?;
    behind_bracket(inner, 64)
}

fn behind_bracket(text: &[u8], within: usize) -> Option<&[u8]> {
    text.get(text.iter().take(within).position(|byte| *byte == b']')? + 1..)
}

/// `Nov24 12:48` of dmesg -e.
fn is_short_date(text: &[u8]) -> bool {
    text.len() == 11
        && text.iter().take(3).all(u8::is_ascii_alphabetic)
        && text.get(5) == Some(&b' ')
        && text.get(8) == Some(&b':')
}
