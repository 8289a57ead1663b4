//! Log lines as journalctl and dmesg print them: the message, and who wrote it.

use peripety_blkinfo::archive::log_time;

/// A printed line in its parts.
#[derive(Debug, PartialEq, Eq)]
pub struct PrintedLine<'l> {
    /// The syslog identifier; `None` when the line is a bare message.
    pub identifier: Option<&'l str>,
    /// The message.
    pub message: &'l str,
}

/// Strips what journalctl (short formats) and dmesg print before the message.
pub fn split(line: &str) -> PrintedLine<'_> {
    let bare = PrintedLine { identifier: None, message: line };
    let Some(stamped) = log_time::split(line) else { return bare };
    let found = after_host(stamped.rest);
    match stamped.kernel {
        // journalctl -o short-monotonic; a kernel message may look similar.
        true => found
            .filter(|found| found.identifier == Some("kernel") || stamped.rest.contains("]: "))
            .unwrap_or(PrintedLine { identifier: Some("kernel"), message: stamped.rest }),
        false => found.unwrap_or(bare),
    }
}

/// "HOST IDENTIFIER\[PID\]: MESSAGE" or "HOST IDENTIFIER: MESSAGE".
fn after_host(rest: &str) -> Option<PrintedLine<'_>> {
    let (_host, rest) = rest.split_once(' ')?;
    let (writer, message) = rest.split_once(": ")?;
    let with_pid = writer.strip_suffix(']').and_then(|writer| writer.rsplit_once('['));
    let name = with_pid.filter(|(_, pid)| is_number(pid)).map_or(writer, |(name, _)| name);
    (!name.is_empty() && !name.contains(' ')).then_some(PrintedLine { identifier: Some(name), message })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
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
            ("2026-05-21 18:17:16 host1 lvm[7]: ", Some("lvm")),
        ] {
            let line = format!("{before}{message}");
            assert_eq!(split(&line), PrintedLine { identifier, message }, "{line}");
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
            assert_eq!(split(message), PrintedLine { identifier: None, message }, "{message}");
        }
    }
}
