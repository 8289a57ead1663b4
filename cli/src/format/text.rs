//! Pieces that the texts for people share.

use anstyle::{AnsiColor, Effects};
use jiff::tz::TimeZone;
use jiff::Timestamp;
use peripety_api::Severity;

/// Headings and labels.
pub const BOLD: anstyle::Style = anstyle::Style::new().effects(Effects::BOLD);

/// `2026-05-21 18:17:16.123`; `@MICROSECONDS` for a time that no calendar holds.
pub fn time(microseconds: u64, zone: &TimeZone) -> String {
    match i64::try_from(microseconds).map(Timestamp::from_microsecond) {
        Ok(Ok(time)) => time.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S%.3f").to_string(),
        _ => format!("@{microseconds}us"),
    }
}

/// `512B`, `1.5KiB`, `10GiB`: at most one decimal.
pub fn size(bytes: impl Into<i128>) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    // Tenths of the unit, rounded to the nearest; i128 because a tenth more may not fit in i64.
    let bytes: i128 = bytes.into();
    let mut unit = 1_i128;
    let mut shown = format!("{bytes}B");
    for name in UNITS {
        unit *= 1024;
        if bytes < unit {
            break;
        }
        let tenths = (bytes * 10 + unit / 2) / unit;
        shown = match (tenths / 10, tenths % 10) {
            (whole, 0) => format!("{whole}{name}"),
            (whole, tenth) => format!("{whole}.{tenth}{name}"),
        };
    }
    shown
}

/// The colour of a severity; red from Error on, as journalctl does it.
pub fn severity_style(severity: Severity) -> anstyle::Style {
    match severity {
        Severity::Emergency | Severity::Alert | Severity::Critical => {
            AnsiColor::Red.on_default().effects(Effects::BOLD)
        }
        Severity::Error => AnsiColor::Red.on_default(),
        Severity::Warning => AnsiColor::Yellow.on_default(),
        Severity::Notice => BOLD,
        Severity::Info => anstyle::Style::new(),
        Severity::Debug => anstyle::Style::new().effects(Effects::DIMMED),
    }
}

/// The text in a style, if colour is enabled.
pub fn styled(text: &str, style: anstyle::Style, color: bool) -> String {
    if color {
        format!("{style}{text}{style:#}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let table = [
            (0, "0B"),
            (512, "512B"),
            (1023, "1023B"),
            (1024, "1KiB"),
            (1536, "1.5KiB"),
            (8 << 20, "8MiB"),
            (10_737_418_240, "10GiB"),
            (2_000_398_934_016, "1.8TiB"),
            (i64::MAX, "8EiB"),
            (-1, "-1B"),
        ];
        for (bytes, expected) in table {
            assert_eq!(size(bytes), expected, "{bytes}");
        }
    }

    #[test]
    fn times() {
        assert_eq!(time(1_779_387_436_123_999, &TimeZone::UTC), "2026-05-21 18:17:16.123");
        assert_eq!(time(0, &TimeZone::UTC), "1970-01-01 00:00:00.000");
        assert_eq!(time(i64::MAX as u64, &TimeZone::UTC), "@9223372036854775807us");
    }
}
