//! Log lines as journalctl and dmesg print them: the message, and who wrote it.

/// A printed line in its parts.
#[derive(Debug, PartialEq, Eq)]
pub struct LogLine<'l> {
    /// The syslog identifier; `None` when the line is a bare message.
    pub identifier: Option<&'l str>,
    /// The message.
    pub message: &'l str,
}

/// Strips what journalctl (short formats) and dmesg print before the message.
pub fn split(line: &str) -> LogLine<'_> {
    let bare = LogLine { identifier: None, message: line };
    if let Some(rest) = after_kernel_time(line) {
        return match after_host(rest) {
            // journalctl -o short-monotonic; a kernel message may look similar.
            Some(found) if found.identifier == Some("kernel") || rest.contains("]: ") => found,
            _ => LogLine { identifier: Some("kernel"), message: rest },
        };
    }
    after_date(line).and_then(after_host).unwrap_or(bare)
}

/// What follows "\[  123.456789\] ", "\[Thu May 21 18:17:16 2026\] " or "<4>\[  123.456789\]\[    T1\] ".
fn after_kernel_time(line: &str) -> Option<&str> {
    let level = line.strip_prefix('<').and_then(|rest| rest.split_once('>'));
    let line = level.filter(|(level, _)| is_number(level)).map_or(line, |(_, rest)| rest);
    let (time, rest) = line.strip_prefix('[')?.split_once(']')?;
    let since_boot = time.trim().split_once('.').is_some_and(|(s, us)| is_number(s) && is_number(us));
    if !since_boot && !time.split_whitespace().any(is_time) {
        return None;
    }
    let caller = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let rest = caller.map_or(rest, |(_, rest)| rest);
    Some(rest.strip_prefix(' ').unwrap_or(rest))
}

/// What follows "May 21 18:17:16 " or "2026-05-21T18:17:16+0000 ".
fn after_date(line: &str) -> Option<&str> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (first, rest) = line.split_once(' ')?;
    if let Some((date, time)) = first.split_once('T') {
        return (date.split('-').all(is_number) && is_time(time)).then_some(rest);
    }
    let (day, rest) = rest.trim_start().split_once(' ')?;
    let (time, rest) = rest.split_once(' ')?;
    (MONTHS.contains(&first) && is_number(day) && is_time(time)).then_some(rest)
}

/// "HOST IDENTIFIER\[PID\]: MESSAGE" or "HOST IDENTIFIER: MESSAGE".
fn after_host(rest: &str) -> Option<LogLine<'_>> {
    let (_host, rest) = rest.split_once(' ')?;
    let (writer, message) = rest.split_once(": ")?;
    let with_pid = writer.strip_suffix(']').and_then(|writer| writer.rsplit_once('['));
    let name = with_pid.filter(|(_, pid)| is_number(pid)).map_or(writer, |(name, _)| name);
    (!name.is_empty() && !name.contains(' ')).then_some(LogLine { identifier: Some(name), message })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// It begins with HH:MM:SS.
fn is_time(text: &str) -> bool {
    text.get(..8)
        .is_some_and(|time| time.len() == 8 && time.splitn(3, ':').all(|n| n.len() == 2 && is_number(n)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_before_the_message_is_taken_off() {
        let message = "sd 2:0:0:1: [sdb] tag#3 CDB: Read(10)";
        for (before, identifier) in [
            ("", None),
            ("May 21 18:17:16 host1 kernel: ", Some("kernel")),
            ("May  1 18:17:16.123456 host1 multipathd[412]: ", Some("multipathd")),
            ("2026-05-21T18:17:16+0000 host1 kernel: ", Some("kernel")),
            ("2026-05-21T18:17:16.123456+02:00 host1 lvm[7]: ", Some("lvm")),
            ("[  123.456789] ", Some("kernel")),
            ("[  123.456789] host1 kernel: ", Some("kernel")),
            ("[    1.456789] host1 multipathd[412]: ", Some("multipathd")),
            ("[  123.456789][    T1] ", Some("kernel")),
            ("<4>[  123.456789] ", Some("kernel")),
            ("[Thu May 21 18:17:16 2026] ", Some("kernel")),
        ] {
            let line = format!("{before}{message}");
            assert_eq!(split(&line), LogLine { identifier, message }, "{line}");
        }
    }

    #[test]
    fn a_message_stays_whole() {
        for message in [
            "",
            "[sdb] Attached SCSI disk",
            "[ not a time ] x",
            "May be broken: sdb",
            "device-mapper: multipath: 253:2: Failing path 8:48.",
            "mpatha: remaining active paths: 1",
            "2026-05-21 sdb: x",
            "<x>[sdb]",
        ] {
            assert_eq!(split(message), LogLine { identifier: None, message }, "{message}");
        }
    }
}
