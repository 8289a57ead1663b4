//! An event on one line: time, host, severity, sub-system, device, mount point, message.

use std::io::{self, Write};

use peripety_api::sanitize::visible;
use peripety_api::StorageEvent;

use super::text::{severity_style, styled, time};
use super::Style;

/// Widths that keep most lines aligned; a longer word pushes the rest of its line.
const SEVERITY_WIDTH: usize = 9;
const SUB_SYSTEM_WIDTH: usize = 9;
const DEVICE_WIDTH: usize = 18;

/// Writes the event's line.
pub fn write<W: Write>(out: &mut W, event: &StorageEvent, style: &Style) -> io::Result<()> {
    let look = severity_style(event.severity);
    let severity = format!("{:SEVERITY_WIDTH$}", event.severity.name());
    let mount_point = match event.extension.get("mount_point") {
        Some(path) if !path.is_empty() => format!("[{}] ", visible(path)),
        _ => String::new(),
    };
    writeln!(
        out,
        "{} {} {} {:SUB_SYSTEM_WIDTH$} {:DEVICE_WIDTH$} {mount_point}{}",
        time(event.timestamp, &style.zone),
        visible(&event.hostname),
        styled(&severity, look, style.color),
        visible(&event.sub_system),
        visible(device(event)),
        styled(&visible(&event.msg), look, style.color),
    )
}

/// The path; else the device as the log wrote it.
fn device(event: &StorageEvent) -> &str {
    event.dev_path.as_deref().or(event.kdev.as_deref()).unwrap_or("-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::samples;
    use jiff::tz::TimeZone;

    fn line(event: &StorageEvent, color: bool) -> String {
        let mut out = Vec::new();
        write(&mut out, event, &Style { color, zone: TimeZone::UTC }).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_for_people() {
        assert_eq!(
            line(&samples::event(), false),
            "2026-05-21 18:17:16.123 host1 Info      ext4      /dev/mapper/vg-lv  \
             [/mnt/data] Filesystem was mounted\n"
        );
    }

    #[test]
    fn the_device_falls_back_to_what_the_log_said() {
        let mut event = samples::event();
        event.dev_path = None;
        assert_eq!(device(&event), "dm-1");
        event.kdev = None;
        assert_eq!(device(&event), "-");
    }

    #[test]
    fn colour_by_severity_only_when_wanted() {
        let mut event = samples::event();
        event.severity = peripety_api::Severity::Error;
        assert!(line(&event, true).contains("\x1b[31mError    \x1b[0m"));
        assert!(!line(&event, false).contains('\x1b'));
    }

    #[test]
    fn nothing_from_outside_reaches_the_terminal_raw() {
        let mut event = samples::event();
        let evil = "a\x1b[2J\nb\u{202e}c".to_owned();
        event.hostname = evil.clone();
        event.sub_system = evil.clone();
        event.dev_path = Some(evil.clone());
        event.msg = evil.clone();
        event.extension.insert("mount_point".to_owned(), evil);
        let line = line(&event, false);
        assert_eq!(line.matches(r"a\x1b[2J\nb\u{202e}c").count(), 5, "{line}");
        assert!(!line.trim_end_matches('\n').contains(char::is_control), "{line}");
    }
}
