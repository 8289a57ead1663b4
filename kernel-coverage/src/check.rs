//! The three faults that let the check fail. Percentages do not.

use std::collections::HashMap;

use crate::judge::{Contradiction, How, Judged};
use crate::known::{version, Entry, Known};
use crate::verdicts::Verdicts;

/// A fault.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What is wrong, with the place in the sources.
    pub text: String,
    /// A message of the format.
    pub line: String,
}

/// Shared words from which on one format counts as another wording of the other.
pub const ALIKE: f64 = 0.6;

/// What is wrong.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// A specific rule knew it, and none does now.
    pub drifted: Vec<Fault>,
    /// A wanted event is not made.
    pub missed: Vec<Fault>,
    /// Severity and level contradict each other, without a verdict.
    pub contradictions: Vec<Fault>,
}

impl Faults {
    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.drifted.is_empty() && self.missed.is_empty() && self.contradictions.is_empty()
    }
}

/// Compares what was judged with verdicts and with what was recognised before.
pub fn check(kernel: &str, all: &[Judged], verdicts: &Verdicts, known: &Known) -> Faults {
    Faults {
        drifted: drifted(kernel, all, verdicts, known),
        missed: all.iter().filter_map(|judged| missed(judged, verdicts)).collect(),
        contradictions: all.iter().filter_map(|judged| contradiction(judged, verdicts)).collect(),
    }
}

fn fault(judged: &Judged, what: String) -> Fault {
    let format = &judged.format;
    let text = format!("{}:{} ({}): {what}", format.file, format.line, format.function);
    Fault { text, line: format.lines.first().cloned().unwrap_or_default() }
}

/// The event that a format makes, for people.
pub fn shown(judged: &Judged) -> String {
    match &judged.event {
        None => "no event".to_owned(),
        Some(event) => format!("{} {} by {}", event.event_type, event.severity, event.rule),
    }
}

fn missed(judged: &Judged, verdicts: &Verdicts) -> Option<Fault> {
    let wanted = verdicts.wanted(judged)?;
    let is_right = judged.event.as_ref().is_some_and(|event| {
        wanted.event_type.as_ref().is_none_or(|name| *name == event.event_type)
            && event.severity <= wanted.severity
    });
    let name = wanted.event_type.as_deref().unwrap_or("an event");
    let what = format!("{name} {} is wanted, and there is {}", wanted.severity, shown(judged));
    (!is_right).then(|| fault(judged, what))
}

fn contradiction(judged: &Judged, verdicts: &Verdicts) -> Option<Fault> {
    let what = match judged.contradiction()? {
        Contradiction::TooMild => "milder than the kernel's level",
        Contradiction::TooSevere => "more severe than the kernel's level",
    };
    let what = format!("level {}, {}: {what}", judged.format.level, shown(judged));
    (!verdicts.allows(judged)).then(|| fault(judged, what))
}

fn drifted(kernel: &str, all: &[Judged], verdicts: &Verdicts, known: &Known) -> Vec<Fault> {
    let Some(reference) = version(kernel).and_then(|version| known.nearest(version)) else {
        return Vec::new();
    };
    let mut by_function: HashMap<&str, Vec<&Judged>> = HashMap::new();
    for judged in all {
        by_function.entry(&judged.format.function).or_default().push(judged);
    }
    let mut found = Vec::new();
    for (entry, event_type) in known.of(reference) {
        let Some(same_name) = by_function.get(entry.function.as_str()) else { continue };
        let same: Vec<&Judged> =
            same_name.iter().filter(|judged| judged.format.file == entry.file).copied().collect();
        // A file may have moved.
        let candidates = if same.is_empty() { same_name } else { &same };
        found.extend(drift(entry, event_type, candidates, verdicts));
    }
    found
}

fn drift(entry: &Entry, event_type: &str, candidates: &[&Judged], verdicts: &Verdicts) -> Option<Fault> {
    let mut same = candidates.iter().filter(|judged| judged.words == entry.words).peekable();
    if same.peek().is_some() {
        let lost = same.clone().next()?;
        let is_specific = same.any(|judged| judged.how == How::Specific);
        let what = format!("was {event_type} by a specific rule, and is now {}", shown(lost));
        return (!is_specific).then(|| fault(lost, what));
    }
    let likeness = |judged: &Judged| judged.words.likeness(&entry.words);
    let nearest = candidates.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    let is_lost = nearest.how != How::Specific && verdicts.left_out(nearest).is_none();
    let what =
        format!("another wording of {event_type}, which a specific rule knew, is now {}", shown(nearest));
    (is_lost && likeness(nearest) >= ALIKE).then(|| fault(nearest, what))
}
