//! The time stamps that syslog, journalctl and dmesg put before a message.

/// English names of months, as C's `%b` in the POSIX locale and rsyslog write them.
pub const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// English names of weekdays, from Monday: `%a` in the POSIX locale.
pub const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// A line with a time stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamped<'l> {
    /// It is the kernel's or dmesg's stamp, in brackets. Otherwise it is a date, which a host name follows.
    pub kernel: bool,
    /// What follows the stamp and one blank.
    pub rest: &'l str,
}

/// Splits off `[  123.456789] `, `<4>[  123.456789][    T1] `, `[Thu May 21 18:17:16 2026] `, `May 21 18:17:16 `,
/// `2026-05-21T18:17:16+0000 ` or `2026-05-21 18:17:16 `. `None` if the line begins with no time stamp.
pub fn split(line: &str) -> Option<Stamped<'_>> {
    let level = line.strip_prefix('<').and_then(|rest| rest.split_once('>'));
    let line = level.filter(|(level, _)| is_number(level)).map_or(line, |(_, rest)| rest);
    let Some(rest) = line.strip_prefix('[') else {
        return Some(Stamped { kernel: false, rest: after_date(line)? });
    };
    let (time, rest) = rest.split_once(']')?;
    if !is_uptime(time.trim()) && after_date(time).is_none() {
        return None;
    }
    // The caller, with CONFIG_PRINTK_CALLER: kernel/printk/printk.c:print_caller().
    let caller = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let rest = caller.map_or(rest, |(_, rest)| rest);
    Some(Stamped { kernel: true, rest: rest.strip_prefix(' ').unwrap_or(rest) })
}

/// `123.456789`.
fn is_uptime(text: &str) -> bool {
    text.split_once('.').is_some_and(|(seconds, fraction)| {
        is_number(seconds) && is_number(fraction) && (3..=9).contains(&fraction.len())
    })
}

/// What follows a date and one blank.
fn after_date(text: &str) -> Option<&str> {
    let (first, rest) = word(text);
    let (day, time) = first.split_once('T').unwrap_or((first, ""));
    if is_iso_day(day) {
        let (time, rest) = if time.is_empty() { word(rest) } else { (time, rest) };
        return is_clock(time).then_some(rest);
    }
    let (month, rest) = if WEEKDAYS.contains(&first) { word(rest) } else { (first, rest) };
    let (day, rest) = word(rest);
    let (time, rest) = word(rest);
    let is_date = MONTHS.contains(&month) && day.len() <= 2 && is_number(day) && is_clock(time);
    is_date.then_some(rest)
}

/// The first word, and what follows it and one blank.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_once(' ').unwrap_or((text, ""))
}

/// `2026-11-24`.
fn is_iso_day(text: &str) -> bool {
    let mut parts = text.split('-');
    let fits =
        [4, 2, 2].iter().all(|length| parts.next().is_some_and(|n| n.len() == *length && is_number(n)));
    fits && parts.next().is_none()
}

/// It begins with `12:48:14`.
fn is_clock(text: &str) -> bool {
    let mut parts = text.get(..8).unwrap_or_default().split(':');
    (0..3).all(|_| parts.next().is_some_and(|n| n.len() == 2 && is_number(n))) && parts.next().is_none()
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_of_logs() {
        let rest = "host kernel: XFS (dm-0): log I/O error -5";
        for (stamp, kernel) in [
            ("[    1.000000] ", true),
            ("<6>[    1.000000] ", true),
            ("[  123.456789][    T1] ", true),
            ("[Mon Jun  3 05:16:06 2024] ", true),
            ("Nov 24 12:48:14 ", false),
            ("Nov  4 12:48:14.123456 ", false),
            ("Mon Nov 24 12:48:14 ", false),
            ("2026-11-24T12:48:14.123+01:00 ", false),
            ("2026-11-24 12:48:14 ", false),
        ] {
            assert_eq!(split(&format!("{stamp}{rest}")), Some(Stamped { kernel, rest }), "{stamp}");
        }
        assert_eq!(split("2026-11-24T12:48:14+01:00"), Some(Stamped { kernel: false, rest: "" }));
    }

    #[test]
    fn other_lines_have_none() {
        for line in [
            "",
            "[2:0:0:1]    disk    LIO-ORG  FILEIO           4.0   /dev/sdb",
            "[root@host ~]# lsscsi",
            "[ not a time ] x",
            "lrwxrwxrwx 1 root root 9 Nov 24 12:00 wwn-0x5000c500a1b2c3d4 -> ../../sdb",
            "May be broken: sdb",
            "2026-05-21 sdb: x",
            "<x>[sdb]",
        ] {
            assert_eq!(split(line), None, "{line}");
        }
    }
}
