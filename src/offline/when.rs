//! Human-readable times: a date, the time since boot, or a line number.

use jiff::tz::TimeZone;

use super::clock::LINE;
use crate::notifier::stdout;

/// 20 years in µs: smaller times are since boot, larger ones are dates.
const MAX_UPTIME: u64 = 20 * 365 * DAY;
const DAY: u64 = 86_400_000_000;

/// The time of an event. `timed`: the log has times; otherwise its lines are counted.
pub fn text(usec: u64, timed: bool, zone: &TimeZone) -> String {
    if usec >= MAX_UPTIME {
        return stdout::time(usec, zone);
    }
    if !timed {
        return format!("line {}", usec / LINE);
    }
    let (seconds, millis) = (usec / 1_000_000, usec / 1000 % 1000);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    format!("+{days}d {hours:02}:{minutes:02}:{:02}.{millis:03}", seconds % 60)
}

/// The same in whole seconds.
pub fn short(usec: u64, timed: bool, zone: &TimeZone) -> String {
    let text = text(usec, timed, zone);
    text.split('.').next().unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_uptime_is_no_date_of_1970() {
        assert_eq!(text(1_064_807_500_000, true, &TimeZone::UTC), "+12d 07:46:47.500");
        assert_eq!(short(1_064_807_500_000, true, &TimeZone::UTC), "+12d 07:46:47");
        assert_eq!(short(1_795_524_494_000_000, true, &TimeZone::UTC), "2026-11-24 12:48:14");
        assert_eq!(text(7 * LINE, false, &TimeZone::UTC), "line 7");
    }
}
