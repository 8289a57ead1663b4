//! Further checks of the configuration, for `peripetyd --check-config`.

use serde::Serialize;

use super::tree::Places;
use super::Config;
use crate::notifier::Configured;
use crate::rules::{event_type, Located, Rule, RuleError};

/// Severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The configuration cannot be used.
    Error,
    /// It can be used, but this is probably a mistake.
    Warning,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// File.
    pub file: String,
    /// Line, from 1; `None` when it is about the whole file.
    pub line: Option<usize>,
    /// Column in characters, from 1.
    pub column: Option<usize>,
    /// What is wrong, and what to do about it, as text for a terminal.
    pub text: String,
}

/// All findings, files in order.
pub fn check(places: &Places) -> Vec<Finding> {
    match Config::load(places) {
        Ok(config) => {
            let warnings = config.warnings.iter().map(|w| located(Level::Warning, w));
            warnings.chain(examples(&config)).chain(notifiers(&config)).chain(filters(&config)).collect()
        }
        Err(errors) => errors.0.iter().map(error).collect(),
    }
}

/// The examples of the rules: each must be matched, each `not` line must not.
fn examples(config: &Config) -> Vec<Finding> {
    config.rules.iter().flat_map(|rule| examples_of(rule)).collect()
}

/// What would keep a notifier from working.
fn notifiers(config: &Config) -> Vec<Finding> {
    config.notifiers.values().flat_map(Configured::check).map(|place| located(Level::Error, &place)).collect()
}

/// Filters that name an event type that cannot occur.
fn filters(config: &Config) -> Vec<Finding> {
    let known = event_type::known(config.rules.iter().map(AsRef::as_ref));
    let unknown = config.notifiers.values().flat_map(|notifier| notifier.unknown_event_types(&known));
    unknown.map(|place| located(Level::Warning, place)).collect()
}

fn examples_of(rule: &Rule) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |line: &str, offset: usize, message: &str, remedy: &str| {
        findings.push(located(Level::Error, &place(rule, line, offset, message, remedy)));
    };
    let spec = rule.spec();
    for example in &spec.examples {
        let line = example.line.as_bytes();
        match rule.named_captures(line) {
            None => {
                let remedy = "the rule matches the line up to the mark: correct one of them";
                add(&example.line, rule.reach(line), "the rule does not match its example", remedy);
            }
            Some(captures) if !example.captures.is_empty() && captures != example.captures.map() => {
                let message = format!("the captures of this example are {captures:?}");
                add(&example.line, 0, &message, "list all of them, or none");
            }
            Some(_) => {}
        }
    }
    for line in spec.not.iter().filter(|line| rule.is_match(line.as_bytes())) {
        let message = "the rule matches this line, which is listed in its \"not\"";
        add(line, 0, message, "make the regex stricter, or move the line to the examples");
    }
    findings
}

/// The place of a byte of an example in the file; of the rule, when TOML spells the line otherwise.
fn place(rule: &Rule, line: &str, offset: usize, message: &str, remedy: &str) -> Located {
    let file = &rule.origin.file;
    let text = std::fs::read_to_string(&**file).unwrap_or_default();
    let table: usize =
        text.split_inclusive('\n').take(rule.origin.line.saturating_sub(1)).map(str::len).sum();
    // The example itself, not a comment or a longer line: it is between quotation marks.
    let quoted = ['"', '\''].iter().filter_map(|quote| {
        let found = text.get(table..)?.find(&format!("{quote}{line}{quote}"))?;
        Some(table + found + quote.len_utf8() + offset)
    });
    let at = quoted.min().unwrap_or(table);
    Located::at(file, &text, Some(at..at), message, remedy)
}

fn error(error: &RuleError) -> Finding {
    match error {
        RuleError::Invalid(place) => located(Level::Error, place),
        RuleError::Damaged => Finding {
            level: Level::Error,
            file: String::new(),
            line: None,
            column: None,
            text: error.to_string(),
        },
        RuleError::Read { file, .. } => Finding {
            level: Level::Error,
            file: file.clone(),
            line: None,
            column: None,
            text: error.to_string(),
        },
    }
}

fn located(level: Level, place: &Located) -> Finding {
    Finding {
        level,
        file: place.file.clone(),
        line: Some(place.line),
        column: Some(place.column),
        text: place.to_string(),
    }
}
