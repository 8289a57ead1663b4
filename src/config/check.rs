//! A closer look at the configuration, for `peripetyd --check-config`.

use serde::Serialize;

use super::tree::Places;
use super::Config;
use crate::rules::{Located, RuleError};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The configuration cannot be used.
    Error,
    /// It can, but hardly does what was meant.
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
            warnings.chain(examples(&config)).collect()
        }
        Err(errors) => errors.0.iter().map(error).collect(),
    }
}

/// The examples of the rules: each must be matched, each `not` line must not.
fn examples(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in &config.rules {
        let mut add = |message: String| {
            findings.push(Finding {
                level: Level::Error,
                file: rule.origin.file.clone(),
                line: Some(rule.origin.line),
                column: None,
                text: format!("{}:{}: {message}", rule.origin.file, rule.origin.line),
            });
        };
        for example in &rule.spec.examples {
            match rule.named_captures(example.line.as_bytes()) {
                None => add(format!("the rule does not match its example {:?}", example.line)),
                Some(captures) if !example.captures.is_empty() && captures != example.captures => {
                    add(format!(
                        "the example {:?} gives the captures {captures:?}, not {:?}",
                        example.line, example.captures
                    ))
                }
                Some(_) => {}
            }
        }
        for line in rule.spec.not.iter().filter(|line| rule.is_match(line.as_bytes())) {
            add(format!("the rule matches {line:?}, which its \"not\" says it must not"));
        }
    }
    findings
}

fn error(error: &RuleError) -> Finding {
    match error {
        RuleError::Invalid(place) => located(Level::Error, place),
        RuleError::Read { file, .. } | RuleError::NotUtf8 { file, .. } => Finding {
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
