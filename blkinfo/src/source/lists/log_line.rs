//! Lines of logs: they distinguish a log that quotes a tool from the output of the tool.

use crate::archive::log_time;

/// Number of lines that are examined.
const MAX_LINES: usize = 400;

/// Some line is one of a log.
pub fn is_in(text: &str) -> bool {
    text.lines().take(MAX_LINES).any(is_log_line)
}

/// The line begins as those of logs do: with a time stamp, or as an entry in JSON. multipath and multipathd begin lines with a date, too,
/// and put ` | ` behind it.
fn is_log_line(line: &str) -> bool {
    let line = line.trim_start();
    let entry = line.starts_with('{') && ["\"MESSAGE\"", "\"__CURSOR\""].iter().any(|key| line.contains(key));
    entry || log_time::split(line).is_some_and(|stamped| stamped.kernel || !line.contains(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_logs_and_of_tools() {
        for line in [
            "[    1.000000] sd 2:0:0:1: [sdb] Attached SCSI disk",
            "  Nov 24 12:48:14 host kernel: XFS (dm-0): log I/O error -5",
            r#"{"__CURSOR":"s=1","MESSAGE":"x"}"#,
        ] {
            assert!(is_log_line(line), "{line}");
        }
        for line in [
            "Nov 24 12:00:00 | loading /lib/multipath/libchecktur.so checker",
            "[2:0:0:1]    disk    LIO-ORG  FILEIO           4.0   /dev/sdb",
            r#"{"blockdevices": ["#,
        ] {
            assert!(!is_log_line(line), "{line}");
        }
    }
}
