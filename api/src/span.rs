//! Time spans as systemd.time(7) writes them: `2h`, `1h 30min`, `1week 2days`, `1.5h`, `90`.

/// Units and their length in microseconds. Upper and lower case differ: `M` is a month, `m` a
/// minute. A month is 30.44 days and a year 365.25 days, as in systemd.time(7).
const UNITS: [(&[&str], i128); 9] = [
    (&["usec", "us", "µs", "μs"], 1),
    (&["msec", "ms"], 1_000),
    (&["seconds", "second", "sec", "s"], 1_000_000),
    (&["minutes", "minute", "min", "m"], 60_000_000),
    (&["hours", "hour", "hr", "h"], 3_600_000_000),
    (&["days", "day", "d"], 86_400_000_000),
    (&["weeks", "week", "w"], 604_800_000_000),
    (&["months", "month", "M"], 2_629_800_000_000),
    (&["years", "year", "y"], 31_557_600_000_000),
];

/// A number without a unit counts seconds.
const DEFAULT_UNIT: i128 = 1_000_000;

/// More digits than these cannot matter and would not fit.
const MAX_DIGITS: usize = 18;

/// The length of a span in microseconds; `None` when the text is no span.
pub fn parse(text: &str) -> Option<i128> {
    let mut rest = text.trim();
    let mut total: i128 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (whole, after) = split_digits(rest);
        let (fraction, after) = match after.strip_prefix('.').map(split_digits) {
            Some(("", _)) => return None,
            Some(split) => split,
            None => ("", after),
        };
        let has_digits = !(whole.is_empty() && fraction.is_empty());
        if !has_digits || whole.len() > MAX_DIGITS || after.starts_with('.') {
            return None;
        }
        let (unit, after) = split_unit(after.trim_start())?;
        total += whole.parse().unwrap_or(0_i128) * unit + part_of(fraction, unit);
        rest = after.trim_start();
    }
    Some(total)
}

/// `0.FRACTION` of a unit, rounded down.
fn part_of(fraction: &str, unit: i128) -> i128 {
    let digits = fraction.get(..MAX_DIGITS.min(fraction.len())).unwrap_or("");
    let scale = digits.chars().fold(1_i128, |scale, _| scale * 10);
    digits.parse().unwrap_or(0_i128) * unit / scale
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

/// The unit at the start of the text and what follows it.
fn split_unit(text: &str) -> Option<(i128, &str)> {
    let end = text.find(|c: char| !c.is_alphabetic()).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    if word.is_empty() {
        return Some((DEFAULT_UNIT, rest));
    }
    let (_, length) = UNITS.iter().find(|(names, _)| names.contains(&word))?;
    Some((*length, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        let table = [
            ("2h", 7_200_000_000),
            ("5min", 300_000_000),
            ("90", 90_000_000),
            ("1.5h", 5_400_000_000),
            (".5s", 500_000),
            ("1h 30min", 5_400_000_000),
            ("1h30min", 5_400_000_000),
            ("1week 2days", 777_600_000_000),
            ("1 week  2 days", 777_600_000_000),
            ("1M", 2_629_800_000_000),
            ("1m", 60_000_000),
            ("1y", 31_557_600_000_000),
            ("250ms 3us", 250_003),
            ("7µs", 7),
            ("0", 0),
            ("0.0000000000000000000000001s", 0),
        ];
        for (text, expected) in table {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn no_spans() {
        for text in [
            "",
            " ",
            "h",
            "2x",
            "2 fortnights",
            "-2h",
            "1..5h",
            "1.5.5h",
            "1.",
            ".",
            "2H",
            "9999999999999999999",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
