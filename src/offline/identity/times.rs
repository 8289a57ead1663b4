//! Boot time, time of collection and time zone of a machine, from the output of tools.

use jiff::tz::{Offset, TimeZone};

use crate::offline::text::{date, stamp, wall::Wall};

/// The known times of a machine.
#[derive(Clone, Debug, Default)]
pub struct Times {
    /// The time of collection, from `date` or timedatectl.
    gathered: Option<Wall>,
    /// µs since boot at that time, and the uncertainty: it may have been longer.
    uptime: Option<(u64, u64)>,
    /// The boot time from the kernel, µs since the epoch.
    btime: Option<u64>,
    /// The boot time from `who -b`.
    boot: Option<(Wall, u64)>,
    /// The machine's zone.
    zone: Option<TimeZone>,
}

/// When a machine was booted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Booted {
    /// µs since the epoch.
    pub at: u64,
    /// How much earlier it may have been, µs: some tools print whole minutes.
    pub slack: u64,
}

const MINUTE: u64 = 60_000_000;
/// Longest line that is examined.
const MAX_LINE_BYTES: usize = 256;

impl Times {
    /// Takes the output of `uptime`, `who -b`, timedatectl, or a file with the output of several commands.
    pub fn take(&mut self, text: &str) {
        let mut after_date = false;
        for line in
            text.lines().map(str::trim).filter(|line| !line.is_empty() && line.len() <= MAX_LINE_BYTES)
        {
            if let Some(command) = line.strip_prefix("# ") {
                let program = command.split_whitespace().next().unwrap_or_default();
                after_date = program == "date" || program.ends_with("/date");
                continue;
            }
            if std::mem::take(&mut after_date) {
                self.take_date(line);
            }
            self.take_line(line);
        }
    }

    /// Takes the output of `date`.
    pub fn take_date(&mut self, text: &str) {
        let first = text.lines().map(str::trim).find(|line| !line.is_empty());
        let wall = first.and_then(|line| date::whole(line.as_bytes())).filter(|wall| wall.year.is_some());
        if self.gathered.is_none() {
            self.gathered = wall;
        }
    }

    /// /proc/uptime.
    pub fn take_proc_uptime(&mut self, text: &str) {
        let seconds = text.split_whitespace().next().and_then(|word| word.parse::<f64>().ok());
        // `as` saturates; a negative or absurd uptime leads to no time.
        self.uptime = seconds.filter(|seconds| *seconds >= 0.0).map(|seconds| ((seconds * 1e6) as u64, 0));
    }

    /// /proc/stat.
    pub fn take_proc_stat(&mut self, text: &str) {
        let seconds = text.lines().find_map(|line| line.strip_prefix("btime "));
        self.btime = seconds.and_then(|text| text.trim().parse::<u64>().ok()?.checked_mul(1_000_000));
    }

    fn take_line(&mut self, line: &str) {
        if let Some((name, value)) = line.split_once(": ") {
            match name.trim() {
                "Local time" | "Universal time" if self.gathered.is_none() => {
                    self.gathered = date::whole(value.trim().as_bytes()).filter(|wall| wall.year.is_some());
                }
                "Time zone" | "Timezone" => self.zone = self.zone.take().or_else(|| zone_of(value.trim())),
                _ => {}
            }
        }
        if self.uptime.is_none() {
            self.uptime = uptime_of(line);
        }
        if let Some(rest) = line.split_once("system boot").map(|(_, rest)| rest) {
            let wall = boot_date(rest.trim());
            self.boot = self.boot.or_else(|| Some((wall?, MINUTE)));
        }
    }

    /// The zone of dates without one; `local` if it is unknown.
    pub fn zone(&self, local: &TimeZone) -> TimeZone {
        let fixed = || Some(TimeZone::fixed(Offset::from_seconds(self.gathered?.offset?).ok()?));
        self.zone.clone().or_else(fixed).unwrap_or_else(|| local.clone())
    }

    /// The time of collection, µs since the epoch.
    pub fn gathered(&self, local: &TimeZone) -> Option<u64> {
        self.gathered?.micros_since_epoch(u64::MAX >> 2, &self.zone(local))
    }

    /// The boot time, from the most exact source.
    pub fn booted(&self, local: &TimeZone) -> Option<Booted> {
        let gathered = self.gathered(local);
        let counted = gathered
            .zip(self.uptime)
            .and_then(|(date, (uptime, slack))| Some(Booted { at: date.checked_sub(uptime)?, slack }));
        let exact = counted.filter(|counted| counted.slack == 0);
        let by_kernel = self.btime.map(|at| Booted { at, slack: 0 });
        let written = || {
            let (wall, slack) = self.boot?;
            let not_after = gathered.unwrap_or(u64::MAX >> 2);
            Some(Booted { at: wall.micros_since_epoch(not_after, &self.zone(local))?, slack })
        };
        exact.or(by_kernel).or_else(written).or(counted)
    }
}

/// `Europe/Berlin (CEST, +0200)`: the zone by its name, otherwise by its offset from UTC.
fn zone_of(text: &str) -> Option<TimeZone> {
    let name = text.split_whitespace().next()?;
    let offset = || {
        let (_, inner) = text.split_once('(')?;
        let word = inner.split([',', ')', ' ']).find(|word| word.starts_with(['+', '-']))?;
        let (offset, _) = stamp::zone_word(word.as_bytes())?;
        Some(TimeZone::fixed(Offset::from_seconds(offset?).ok()?))
    };
    TimeZone::get(name).ok().or_else(offset)
}

/// ` 10:00:00  up   2:00,  1 user,  load average: …`, `up 12 days,  7:46, …`, `up 3 min`: µs, and the uncertainty.
fn uptime_of(line: &str) -> Option<(u64, u64)> {
    let rest = line.split_once("up ").filter(|(before, _)| before.is_empty() || before.ends_with(' '))?.1;
    let is_uptime = line.contains("load average") || line.starts_with("up ");
    let mut minutes = 0;
    let mut any = false;
    for part in rest.split(',').map(str::trim).take(6).filter(|_| is_uptime) {
        let mut words = part.split_whitespace();
        let (number, unit) = (words.next()?, words.next().unwrap_or_default());
        let value = match number.split_once(':') {
            Some((hours, minutes)) => {
                hours.parse::<u64>().ok().zip(minutes.parse::<u64>().ok()).map(|(h, m)| h * 60 + m)
            }
            None => number.parse::<u64>().ok().and_then(|value| Some(value * minutes_of(unit)?)),
        };
        let Some(value) = value else { break };
        minutes += value;
        any = true;
    }
    any.then_some((minutes.checked_mul(MINUTE)?, MINUTE))
}

/// Minutes of a unit of `uptime`, also in the words of `uptime -p`.
fn minutes_of(unit: &str) -> Option<u64> {
    Some(match unit {
        "min" | "minute" | "minutes" => 1,
        "hour" | "hours" => 60,
        "day" | "days" => 24 * 60,
        "week" | "weeks" => 7 * 24 * 60,
        _ => return None,
    })
}

/// `2024-05-06 08:00`, `May  6 08:00`: the date of `who -b`, which has no seconds.
fn boot_date(text: &str) -> Option<Wall> {
    let mut words: Vec<&str> = text.split_whitespace().take(4).collect();
    let clock = words.iter().position(|word| word.contains(':'))?;
    words.truncate(clock + 1);
    let seconds = if words.last()?.matches(':').count() == 1 { ":00" } else { "" };
    date::whole(format!("{}{seconds}", words.join(" ")).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2024-05-06 08:00:00 UTC.
    const BOOT: u64 = 1_714_982_400_000_000;

    fn booted(texts: &[&str]) -> Option<(u64, u64)> {
        let mut times = Times::default();
        texts.iter().for_each(|text| times.take(text));
        times.booted(&TimeZone::UTC).map(|booted| (booted.at, booted.slack))
    }

    #[test]
    fn sections_of_a_supportconfig() {
        let text = "#==[ Command ]======================================#\n# /usr/bin/date\nMon May  6 12:00:00 CEST 2024\n\n\
            #==[ Command ]======================================#\n# /usr/bin/uptime\n 12:00:00  up   2:00,  1 user,  load average: 0,00, 0,01, 0,05\n";
        assert_eq!(booted(&[text]), Some((BOOT, MINUTE)));
    }

    #[test]
    fn uptimes_of_all_lengths() {
        let minutes = |line: &str| uptime_of(line).map(|(usec, _)| usec / MINUTE);
        for (line, expected) in [
            (" 10:00:00 up 2:00,  1 user,  load average: 0.00, 0.01, 0.05", Some(120)),
            (" 10:00:00 up 12 days,  7:46,  3 users,  load average: 0.00, 0.01, 0.05", Some(12 * 1440 + 466)),
            (" 10:00:00 up 1 day, 3 min,  load average: 0.00, 0.01, 0.05", Some(1443)),
            (" 10:00:00 up 5 min,  0 users,  load average: 0.00, 0.01, 0.05", Some(5)),
            ("up 1 week, 2 hours, 3 minutes", Some(7 * 1440 + 123)),
            ("link is up again, load average: x", None),
            ("setup 3 min", None),
        ] {
            assert_eq!(minutes(line), expected, "{line}");
        }
    }

    #[test]
    fn boot_times_that_tools_print() {
        assert_eq!(booted(&["         system boot  2024-05-06 08:00\n"]), Some((BOOT, MINUTE)));
        let dated = "# date\nMon May  6 10:00:00 UTC 2024\n";
        assert_eq!(booted(&[dated, "         system boot  May  6 08:00\n"]), Some((BOOT, MINUTE)));
        let timedatectl = "               Local time: Mon 2024-05-06 12:00:00 CEST\n           Universal time: Mon 2024-05-06 10:00:00 UTC\n                Time zone: Europe/Berlin (CEST, +0200)\n";
        assert_eq!(
            booted(&[timedatectl, " 12:00:00 up 2:00,  1 user,  load average: 0.00, 0.01, 0.05\n"]),
            Some((BOOT, MINUTE))
        );
        // The zone applies to dates without one.
        assert_eq!(booted(&[timedatectl, "         system boot  2024-05-06 10:00\n"]), Some((BOOT, MINUTE)));
    }

    #[test]
    fn what_the_kernel_counts_is_exact() {
        let mut times = Times::default();
        times.take_date("Mon 06 May 2024 10:00:00 AM UTC\n");
        times.take_proc_uptime("7200.00 100.00\n");
        assert_eq!(times.booted(&TimeZone::UTC), Some(Booted { at: BOOT, slack: 0 }));
        let mut times = Times::default();
        times.take_proc_stat("cpu 1 2 3\nbtime 1714982400\n");
        assert_eq!(times.booted(&TimeZone::UTC), Some(Booted { at: BOOT, slack: 0 }));
    }
}
