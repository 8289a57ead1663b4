//! Rules: a table, one in full, and the result of a test.

use std::io::{self, Write};

use peripety_api::sanitize::visible;
use peripety_api::{DeviceWay, MissReason, Rule, RuleMatch, RuleMiss, RuleWriter, Severity};
use serde_derive::Serialize;

use super::table::{self, or_dash};
use super::text::{severity_style, styled, BOLD};
use super::Style;

const COLUMNS: usize = 5;
const HEADER: [&str; COLUMNS] = ["EVENT TYPE", "SEVERITY", "SUB-SYSTEM", "IDENTIFIER", "PLACE"];
const LABEL_WIDTH: usize = 13;

/// What the rules make of a line.
#[derive(Debug, Serialize)]
pub struct Tried<'a> {
    /// The message.
    pub line: &'a str,
    /// Syslog identifier of who logs it.
    pub identifier: &'a str,
    /// The rule that matches it.
    pub matched: Option<RuleMatch>,
    /// Rules that nearly do.
    pub misses: Vec<RuleMiss>,
}

/// The rules of an event type.
#[derive(Debug)]
pub struct Explanation<'a> {
    /// The type.
    pub event_type: &'a str,
    /// Its rules.
    pub rules: Vec<&'a Rule>,
    /// Event types that end its condition.
    pub cleared_by: Vec<&'a str>,
}

/// Writes a heading and one line a rule.
pub fn list<W: Write>(out: &mut W, rules: &[Rule], style: &Style) -> io::Result<()> {
    let rows: Vec<_> = rules.iter().map(row).collect();
    table::write(out, HEADER, &rows, style)
}

fn row(rule: &Rule) -> [String; COLUMNS] {
    [
        rule.event_type.clone(),
        or_dash(rule.severity.map(Severity::name)),
        rule.sub_system.clone(),
        rule.identifier.clone(),
        place(rule),
    ]
}

/// Writes the rules of a type, each with a label and a value a line.
pub fn explain<W: Write>(out: &mut W, explained: &Explanation<'_>, style: &Style) -> io::Result<()> {
    writeln!(out, "{}", styled(&visible(explained.event_type), BOLD, style.color))?;
    if let Some(text) = explained.rules.iter().find_map(|rule| rule.meaning.as_ref()) {
        writeln!(out, "{}", visible(text))?;
    }
    if let Some(text) = explained.rules.iter().find_map(|rule| rule.advice.as_ref()) {
        text.trim().lines().try_for_each(|line| writeln!(out, "  {}", visible(line)))?;
    }
    if !explained.cleared_by.is_empty() {
        writeln!(out, "ended by {}", visible(&explained.cleared_by.join(", ")))?;
    }
    for rule in &explained.rules {
        let origin = if rule.user { "configuration" } else { "built in" };
        writeln!(out, "\n{} ({origin})", visible(&place(rule)))?;
        for (label, values) in details(rule) {
            let mut label = format!("{label}:");
            for value in values {
                writeln!(out, "  {label:LABEL_WIDTH$} {}", visible(&value))?;
                label.clear();
            }
        }
    }
    Ok(())
}

fn details(rule: &Rule) -> [(&'static str, Vec<String>); 14] {
    let one = |value: &str| vec![value.to_owned()];
    let maybe = |value: &Option<String>| value.iter().cloned().collect();
    let written_by =
        |list: fn(&RuleWriter) -> &[String]| rule.writer.as_ref().map(list).unwrap_or_default().to_vec();
    let user = rule.writer.iter().map(|writer| writer.user.clone().unwrap_or_else(|| "root".to_owned()));
    let device = match rule.device {
        DeviceWay::Capture => "a capture names it",
        DeviceWay::Entry => "journald's fields of the entry name it",
        DeviceWay::None => "none",
    };
    [
        ("Severity", severities(rule)),
        ("Sub-system", one(&rule.sub_system)),
        ("Identifier", one(&rule.identifier)),
        ("User", user.collect()),
        ("Programs", written_by(|writer| &writer.programs)),
        ("Units", written_by(|writer| &writer.units)),
        ("Begins with", maybe(&rule.starts_with)),
        ("Regex", one(&rule.regex)),
        ("Device", one(device)),
        ("Ends", rule.closes.clone()),
        ("Group", maybe(&rule.group)),
        ("Follows", rule.follows.clone()),
        (
            "Matches",
            rule.catch_all.then(|| "messages that no other rule matches".to_owned()).into_iter().collect(),
        ),
        ("Examples", rule.examples.clone()),
    ]
}

/// The severity, and what it depends on.
fn severities(rule: &Rule) -> Vec<String> {
    let storage =
        rule.storage_severity.map(|severity| format!("{severity} if there is storage behind the device"));
    let level = rule.by_level.then(|| "the kernel's level if that is worse, up to Critical".to_owned());
    [Some(severity(rule).to_owned()), storage, level].into_iter().flatten().collect()
}

/// Writes the line, the rule that matches it with its captures, and rules that nearly match.
pub fn tried<W: Write>(out: &mut W, tried: &Tried<'_>, style: &Style) -> io::Result<()> {
    writeln!(out, "{}", styled(&visible(tried.line), BOLD, style.color))?;
    match &tried.matched {
        Some(matched) => taken(out, matched, style)?,
        None => writeln!(out, "  no rule for \"{}\" matches this line", visible(tried.identifier))?,
    }
    tried.misses.iter().try_for_each(|miss| nearly(out, miss, tried.line))
}

fn taken<W: Write>(out: &mut W, matched: &RuleMatch, style: &Style) -> io::Result<()> {
    let rule = &matched.rule;
    let color = rule.severity.map_or_else(anstyle::Style::new, severity_style);
    let event_type = styled(&visible(&rule.event_type), color, style.color);
    let (sub_system, place) = (visible(&matched.sub_system), place(rule));
    writeln!(out, "  {event_type}, {}, {sub_system}, by {}", severity(rule), visible(&place))?;
    for (name, value) in &matched.captures {
        writeln!(out, "    {}: {}", visible(name), visible(value))?;
    }
    Ok(())
}

fn nearly<W: Write>(out: &mut W, miss: &RuleMiss, line: &str) -> io::Result<()> {
    let rule = &miss.rule;
    let why = match miss.reason {
        MissReason::Later => "matches too, but is tried later".to_owned(),
        MissReason::OtherIdentifier => format!("would match, but is for --identifier {}", rule.identifier),
        MissReason::StartsWith => {
            let start = rule.starts_with.as_deref().unwrap_or_default();
            format!("its regex matches, but the line does not begin with its starts_with {start:?}")
        }
        MissReason::Regex => "its regex matches the line up to the mark".to_owned(),
    };
    writeln!(out, "  {} ({}): {}", visible(&rule.event_type), visible(&place(rule)), visible(&why))?;
    if miss.reason != MissReason::Regex {
        return Ok(());
    }
    let agreed: String = line.chars().take(usize::try_from(miss.reach).unwrap_or(0)).collect();
    writeln!(out, "    {}", visible(line))?;
    writeln!(out, "    {}^", " ".repeat(visible(&agreed).chars().count()))
}

fn severity(rule: &Rule) -> &'static str {
    rule.severity.map_or("severity from the entry's priority", Severity::name)
}

fn place(rule: &Rule) -> String {
    format!("{}:{}", rule.file, rule.line)
}
