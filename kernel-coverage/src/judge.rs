//! What the built-in rules make of formats.

use peripety_api::Severity;
use peripety_rules::error::RuleError;
use peripety_rules::rule::DEVICE_CAPTURES;
use peripety_rules::{builtin, RuleSet};

use crate::extract::calls::Format;
use crate::lines::forms::{self, Form};
use crate::words::Words;

/// How well a message is recognised, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// No rule takes it.
    None,
    /// A rule for unknown wordings takes it.
    CatchAll,
    /// A rule for this message takes it.
    Specific,
}

/// The event of a message.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its type.
    pub event_type: String,
    /// How bad it is; if there is storage behind the device, for rules that ask that.
    pub severity: Severity,
    /// The rule: file and line.
    pub rule: String,
    is_catch_all: bool,
    has_device: bool,
}

/// A format, and what the rules make of it.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The format.
    pub format: Format,
    /// Its words.
    pub words: Words,
    /// How it is recognised as a record, on the machine where it is recognised worst.
    pub how: How,
    /// The event, on that machine.
    pub event: Option<Event>,
    /// Another device changes how it is recognised.
    pub depends_on_device: bool,
    /// It is recognised worse if each of its lines is an entry.
    pub lost_when_split: bool,
}

/// Severity and level of a message are far apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contradiction {
    /// An error of the kernel makes an event below Warning.
    TooMild,
    /// A notice of the kernel makes an event of Error or worse.
    TooSevere,
}

impl Judged {
    /// The level of the format is warning or worse.
    pub fn is_warning(&self) -> bool {
        self.format.level <= Severity::Warning.level()
    }

    /// The event names no device, and journald knows none.
    pub fn lacks_device(&self) -> bool {
        self.event.as_ref().is_some_and(|event| !event.has_device && !self.format.has_device)
    }

    /// Whether severity and level contradict each other.
    pub fn contradiction(&self) -> Option<Contradiction> {
        let severity = self.event.as_ref()?.severity;
        match self.format.level {
            0..=3 if severity > Severity::Warning => Some(Contradiction::TooMild),
            5.. if severity <= Severity::Error => Some(Contradiction::TooSevere),
            _ => None,
        }
    }
}

/// Judges formats.
///
/// # Errors
/// The built-in rules are damaged.
pub fn judge(formats: Vec<Format>) -> Result<Vec<Judged>, RuleError> {
    let rules = RuleSet::new(builtin::rules()?);
    Ok(formats.into_iter().map(|format| judged(&rules, format)).collect())
}

fn judged(rules: &RuleSet, format: Format) -> Judged {
    let as_form = |form| -> Vec<Option<Event>> {
        format.lines.iter().map(|message| event(rules, message, format.level, form)).collect()
    };
    let records = as_form(Form::Record);
    // A message of one line is the same in all forms, except for its level.
    let texts = match format.lines.iter().any(|message| message.contains('\n')) {
        true => as_form(Form::Text),
        false => records.clone(),
    };
    let how = |event: &Option<Event>| match event {
        None => How::None,
        Some(event) if event.is_catch_all => How::CatchAll,
        Some(_) => How::Specific,
    };
    let worst = records.iter().min_by_key(|event| how(event)).cloned().flatten();
    Judged {
        how: how(&worst),
        depends_on_device: records.iter().map(how).min() != records.iter().map(how).max(),
        lost_when_split: records.iter().zip(&texts).any(|(record, text)| how(text) < how(record)),
        words: Words::of(&format.text),
        event: worst,
        format,
    }
}

/// The event of a message, the best of its lines.
fn event(rules: &RuleSet, message: &str, level: u8, form: Form) -> Option<Event> {
    // Text has no level: the daemon takes it for Info.
    let level = match form {
        Form::Record => Severity::from_level(level).unwrap_or_default(),
        Form::Text => Severity::Info,
    };
    let one = |line: &str| {
        let matched = rules.matched(b"kernel", line.as_bytes())?;
        let rule = &matched.rule;
        let severity = rule.severity_at(level);
        Some(Event {
            event_type: rule.event_type.to_string(),
            severity: rule.storage_severity.map_or(severity, |other| other.min(severity)),
            rule: format!("{}:{}", rule.origin.file, rule.origin.line),
            is_catch_all: rule.catch_all,
            has_device: DEVICE_CAPTURES.iter().any(|name| matched.captures.contains_key(*name)),
        })
    };
    let events = forms::lines(message, form).into_iter().filter_map(one);
    events.min_by_key(|event| (event.is_catch_all, event.severity))
}
