//! The story of an incident as text: at most 80 columns wide.

use jiff::tz::TimeZone;
use jiff::Timestamp;
use peripety_api::sanitize::visible;

use super::state::{ConditionState, Step};
use super::view::{Hurt, View};
use super::FIRST_DATE;
use crate::rules::conditions::Data;

/// Columns of a terminal.
const WIDTH: usize = 80;
/// Columns before the text of a line.
const INDENT: usize = 9;

/// How times are printed.
#[derive(Clone, Debug)]
pub struct Times {
    /// The time zone of dates.
    pub zone: TimeZone,
    /// µs per line in a log without any time, where only the numbers of lines are known.
    pub per_line: Option<u64>,
}

impl Times {
    /// The log has times.
    pub fn of_zone(zone: TimeZone) -> Self {
        Times { zone, per_line: None }
    }

    /// A time, µs since the epoch; since the boot, or as a line number, where that is all that is known.
    pub fn text(&self, usec: u64) -> String {
        if usec < FIRST_DATE {
            return match self.per_line {
                Some(per_line) => format!("line {}", usec / per_line.max(1)),
                None => format!("+{}", clock(usec)),
            };
        }
        let time = i64::try_from(usec).ok().and_then(|usec| Timestamp::from_microsecond(usec).ok());
        time.map_or_else(String::new, |time| {
            time.to_zoned_datetime(self.zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
        })
    }

    /// The same without the date, if that is the date of another time.
    fn short(&self, of: u64, usec: u64) -> String {
        let (first, text) = (self.text(of), self.text(usec));
        match (first.split_once(' '), text.split_once(' ')) {
            (Some((date, _)), Some((other, clock))) if date == other && usec >= FIRST_DATE => {
                clock.to_owned()
            }
            _ => text,
        }
    }

    /// An end, and how long it was after the beginning if that is known.
    fn until(&self, since: u64, until: u64) -> String {
        let end = self.short(since, until);
        match self.per_line {
            Some(_) if until < FIRST_DATE => end,
            _ => format!("{end} ({})", duration(until.saturating_sub(since))),
        }
    }
}

/// The story, several lines. `cause`: the title of the incident that is perhaps its cause.
pub fn story(view: &View, cause: Option<&str>, times: &Times) -> String {
    let mut out = String::new();
    let head = format!("{} {}", view.severity, state_word(view.state));
    wrap(&mut out, "", &format!("{head}: {}", visible(&view.title)), 4);
    line(&mut out, "Since:", &period(view, times));
    if view.root.steps.len() > 1 {
        line(&mut out, "Steps:", &steps(&view.root.steps, times));
    }
    if !view.hurt.is_empty() || !view.mounts.is_empty() {
        line(&mut out, "Hurt:", &hurt(&view.hurt, &view.mounts));
    }
    if let Some(data) = data(view.data) {
        line(&mut out, "Data:", data);
    }
    let causes = causes(view, cause);
    if !causes.is_empty() {
        line(&mut out, "Cause:", &causes);
    }
    // Where the cause is not certain, nothing is thrown away.
    let careful = cause.is_some() || !view.suspects.is_empty();
    let texts = view.advice.iter().enumerate();
    let advice = texts.map(|(number, text)| sentences(text, if number == 0 { 2 } else { 1 }, careful));
    let ends = view.ends_when.as_ref().map(|when| format!("It ends when {when}."));
    let advice: Vec<String> = advice.chain(ends).filter(|text| !text.is_empty()).collect();
    if !advice.is_empty() && view.state != ConditionState::Closed {
        line(&mut out, "Do:", &advice.join(" "));
    }
    out
}

fn state_word(state: ConditionState) -> &'static str {
    match state {
        ConditionState::Open => "open",
        ConditionState::Flapping => "flapping",
        ConditionState::Latent => "latent",
        ConditionState::Unknown => "unknown",
        ConditionState::Closed => "closed",
    }
}

/// Since when, until when, how often.
fn period(view: &View, times: &Times) -> String {
    let mut text = times.text(view.since);
    if let Some(until) = view.until {
        text += &format!(", until {}", times.until(view.since, until));
    } else if view.last > view.since.saturating_add(1_000_000) {
        text += &format!(", last reported {}", times.short(view.since, view.last));
    }
    if view.root.episodes > 1 {
        text += &format!(", {} times", view.root.episodes);
    }
    let (events, lines) = (view.events, view.entries.max(view.events));
    text += &match (events, lines) {
        (1, 1) => "; 1 event".to_owned(),
        (1, lines) => format!("; 1 event, {lines} lines"),
        (events, lines) if lines > events => format!("; {events} events, {lines} lines"),
        (events, _) => format!("; {events} events"),
    };
    if view.state == ConditionState::Latent {
        text += if view.latent == 1 { ". 1 defect is left" } else { ". Defects are left" };
    }
    text + "."
}

fn steps(steps: &[Step], times: &Times) -> String {
    let first = steps.first().map_or(0, |step| step.time);
    let text: Vec<String> = steps
        .iter()
        .map(|step| format!("{} {}", words(&step.event_type), times.short(first, step.time)))
        .collect();
    text.join(" → ")
}

/// An event type as words, without its layer: `NVME_CTRL_NOT_READY` is `ctrl not ready`.
fn words(event_type: &str) -> String {
    let rest = event_type.split_once('_').map_or(event_type, |(_, rest)| rest);
    rest.to_lowercase().replace('_', " ")
}

fn hurt(all: &[Hurt], mounts: &[String]) -> String {
    let text = all.iter().map(|hurt| {
        let more = if hurt.count > hurt.devices.len() { " …" } else { "" };
        let over = if hurt.is_open { "" } else { ", over" };
        match hurt.count {
            1 => format!("{}{over}", hurt.title),
            _ => format!("{} ({}{more}{over})", hurt.title, hurt.devices.join(", ")),
        }
    });
    let mounted = (!mounts.is_empty()).then(|| format!("mounted at {}", mounts.join(", ")));
    visible(&text.chain(mounted).collect::<Vec<_>>().join("; ")).into_owned()
}

fn data(data: Data) -> Option<&'static str> {
    match data {
        Data::Safe => None,
        Data::AtRisk => Some("at risk: redundancy is lost, or damage was found."),
        Data::Lost => Some("lost: writes or data did not reach the disk."),
    }
}

fn causes(view: &View, cause: Option<&str>) -> String {
    let mut all = Vec::new();
    if let Some(suspect) = view.suspects.first() {
        all.push(format!(
            "not certain: {} of them are behind {}, which reported nothing itself.",
            suspect.count, suspect.device
        ));
    }
    if let Some(cause) = cause {
        all.push(format!("perhaps \"{cause}\", which began just before; nothing but the time ties them."));
    }
    visible(&all.join(" ")).into_owned()
}

/// The first sentences of an advice; `careful`: without those that replace something.
fn sentences(text: &str, count: usize, careful: bool) -> String {
    let all = text.split_inclusive(". ").map(str::trim);
    let fitting = all.filter(|sentence| !careful || !sentence.to_lowercase().contains("replace"));
    fitting.take(count).collect::<Vec<_>>().join(" ")
}

/// `7:46:47`, after a day with `1d `.
fn clock(usec: u64) -> String {
    let seconds = usec / 1_000_000;
    let days = seconds / 86_400;
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    if days > 0 {
        format!("{days}d {clock}")
    } else {
        clock
    }
}

/// A span of time in at most two units.
fn duration(usec: u64) -> String {
    let seconds = usec / 1_000_000;
    let two = |a: u64, unit: &str, b: u64, smaller: &str| match b {
        0 => format!("{a} {unit}"),
        _ => format!("{a} {unit} {b} {smaller}"),
    };
    match seconds {
        0 => format!("{} ms", usec / 1_000),
        1..=59 => format!("{seconds} s"),
        60..=3_599 => two(seconds / 60, "min", seconds % 60, "s"),
        3_600..=86_399 => two(seconds / 3_600, "h", seconds / 60 % 60, "min"),
        _ => two(seconds / 86_400, "d", seconds / 3_600 % 24, "h"),
    }
}

fn line(out: &mut String, label: &str, text: &str) {
    wrap(out, &format!("  {label:<7}"), text, INDENT);
}

/// A text behind a label, in lines of at most 80 columns where the words allow it.
fn wrap(out: &mut String, label: &str, text: &str, indent: usize) {
    let mut line = label.to_owned();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        let length = line.chars().count() + usize::from(!is_empty) + word.chars().count();
        if !is_empty && length > WIDTH {
            *out += line.trim_end();
            out.push('\n');
            line = " ".repeat(indent);
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line += word;
        is_empty = false;
    }
    *out += line.trim_end();
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_no_wider_than_a_terminal() {
        let mut out = String::new();
        line(&mut out, "Do:", &"word ".repeat(60));
        assert!(out.lines().count() > 3 && out.lines().all(|line| line.chars().count() <= WIDTH), "{out}");
        assert!(
            out.starts_with("  Do:    word")
                && out.lines().skip(1).all(|line| line.starts_with("         word"))
        );
    }

    #[test]
    fn times_and_spans() {
        let utc = Times::of_zone(TimeZone::UTC);
        assert_eq!(utc.text(1_795_998_672_490_000), "2026-11-30 00:31:12");
        assert_eq!(utc.text(90_061_000_000), "+1d 01:01:01");
        assert_eq!(utc.short(1_795_998_672_490_000, 1_795_998_680_000_000), "00:31:20");
        assert_eq!(utc.until(1_795_998_672_490_000, 1_795_998_680_490_000), "00:31:20 (8 s)");
        let lines = Times { per_line: Some(50_000), ..utc };
        assert_eq!(
            (lines.short(50_000, 350_000), lines.until(50_000, 350_000)),
            ("line 7".into(), "line 7".into())
        );
        let spans = [
            (5_000, "5 ms"),
            (14_200_000, "14 s"),
            (158_000_000, "2 min 38 s"),
            (7_800_000_000, "2 h 10 min"),
            (90_000_000_000, "1 d 1 h"),
        ];
        spans.into_iter().for_each(|(usec, text)| assert_eq!(duration(usec), text));
        assert_eq!(words("NVME_CTRL_NOT_READY"), "ctrl not ready");
        assert_eq!(sentences("One. Two. Three.", 2, false), "One. Two.");
        assert_eq!(sentences("Look. Replace it. Wait.", 2, true), "Look. Wait.");
        assert_eq!(sentences("One.", 2, false), "One.");
    }
}
