//! Lines of logs: they distinguish a log that quotes a tool from the output of the tool.

/// Lines looked at.
const MAX_LINES: usize = 400;

/// Some line is one of a log.
pub fn is_in(text: &str) -> bool {
    text.lines().take(MAX_LINES).any(is_log_line)
}

/// The line begins as those of logs do: with the kernel's time stamp, a date, or as an entry in JSON. multipath and multipathd begin lines
/// with a date, too, and put ` | ` behind it.
fn is_log_line(line: &str) -> bool {
    let line = line.trim_start();
    let line =
        line.split_once('>').filter(|(priority, _)| is_priority(priority)).map_or(line, |(_, rest)| rest);
    let inside =
        line.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(inside, _)| inside.trim());
    if let Some(inside) = inside {
        return is_uptime(inside) || is_date(inside);
    }
    let entry = line.starts_with('{') && ["\"MESSAGE\"", "\"__CURSOR\""].iter().any(|key| line.contains(key));
    entry || is_date(line) && !line.contains(" | ")
}

/// `<3`.
fn is_priority(text: &str) -> bool {
    text.strip_prefix('<').is_some_and(is_digits)
}

/// `123.456789`.
fn is_uptime(text: &str) -> bool {
    text.split_once('.')
        .is_some_and(|(seconds, rest)| is_digits(seconds) && (3..=9).contains(&rest.len()) && is_digits(rest))
}

/// It begins with `Nov 24 12:48:14`, `Mon Nov 24 12:48:14`, `2026-11-24T12:48:14` or `2026-11-24 12:48:14`.
fn is_date(text: &str) -> bool {
    let mut words = text.split_ascii_whitespace();
    let Some(first) = words.next() else { return false };
    let (day, time) = first.split_once('T').unwrap_or((first, ""));
    if is_iso_day(day) {
        return is_clock(if time.is_empty() { words.next().unwrap_or_default() } else { time });
    }
    let mut words = text.split_ascii_whitespace();
    if WEEKDAYS.contains(&first) {
        words.next();
    }
    let month = words.next().is_some_and(|word| MONTHS.contains(&word));
    let day = words.next().is_some_and(|word| word.len() <= 2 && is_digits(word));
    month && day && words.next().is_some_and(is_clock)
}

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `2026-11-24`.
fn is_iso_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    matches!(parts.as_slice(), [year, month, day] if [(year, 4), (month, 2), (day, 2)].iter().all(|(part, length)| part.len() == *length && is_digits(part)))
}

/// It begins with `12:48:14`.
fn is_clock(text: &str) -> bool {
    let parts: Vec<&str> = text.get(..8).unwrap_or_default().split(':').collect();
    parts.len() == 3 && parts.iter().all(|part| part.len() == 2 && is_digits(part))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_logs_and_of_tools() {
        for line in [
            "[    1.000000] sd 2:0:0:1: [sdb] Attached SCSI disk",
            "<6>[    1.000000] x",
            "[Mon Jun  3 05:16:06 2024] x",
            "Nov 24 12:48:14 host kernel: XFS (dm-0): log I/O error -5",
            "2026-11-24T12:48:14.123+01:00 host kernel: x",
            "2026-11-24 12:48:14 x",
            r#"{"__CURSOR":"s=1","MESSAGE":"x"}"#,
        ] {
            assert!(is_log_line(line), "{line}");
        }
        for line in [
            "Nov 24 12:00:00 | loading /lib/multipath/libchecktur.so checker",
            "[2:0:0:1]    disk    LIO-ORG  FILEIO           4.0   /dev/sdb",
            "[root@host ~]# lsscsi",
            "lrwxrwxrwx 1 root root 9 Nov 24 12:00 wwn-0x5000c500a1b2c3d4 -> ../../sdb",
            r#"{"blockdevices": ["#,
            "",
        ] {
            assert!(!is_log_line(line), "{line}");
        }
    }
}
