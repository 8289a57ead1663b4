//! Which rule matches a line, and which nearly match: for people who write rules.

use std::cmp::Reverse;
use std::sync::Arc;

use peripety_api::MissReason;

use super::matcher::{Matched, RuleSet};
use super::reach::reach;
use super::rule::{Attempt, Rule};
use super::several;

/// Most misses in an answer.
const MAX_MISSES: usize = 5;
/// Maximum number of rules whose regex is compared with the line, those with most literal text first.
const MAX_COMPARED: usize = 30;

/// A rule that nearly matches a line.
#[derive(Debug)]
pub struct Miss {
    /// The rule.
    pub rule: Arc<Rule>,
    /// Why it does not take the line.
    pub reason: MissReason,
    /// How many bytes of the line, from its beginning, the regex agrees with.
    pub reach: usize,
}

/// What the rules make of a line.
#[derive(Debug)]
pub struct Trial {
    /// The rule that matches it.
    pub matched: Option<Matched>,
    /// Rules that nearly do, the nearest first.
    pub misses: Vec<Miss>,
}

impl RuleSet {
    /// Tries a line that the writer of this syslog identifier logged. Slow: for people. Anybody may have any line tried,
    /// so that regexes are made for the line and dropped.
    pub fn try_line(&self, identifier: &str, line: &[u8]) -> Trial {
        let (mut matched, mut misses) = (None, Vec::new());
        let (mut unlike, mut unmatched) = (Vec::new(), Vec::new());
        for rule in self.rules().filter(|rule| rule.identifier == identifier) {
            match rule.attempt(line) {
                Attempt::Match(captures) if matched.is_none() => {
                    matched = Some(Matched { rule: rule.clone(), captures });
                }
                Attempt::Match(_) => misses.push(miss(rule, MissReason::Later, line.len())),
                Attempt::RegexOnly => unlike.push(miss(rule, MissReason::StartsWith, line.len())),
                Attempt::NoMatch => unmatched.push(rule),
            }
        }
        if matched.is_none() {
            matched = self.as_one_line(identifier, line);
        }
        if matched.is_none() {
            misses = self.elsewhere(identifier, line);
            misses.extend(unlike);
            misses.extend(nearly_matching(&unmatched, line));
        }
        misses.truncate(MAX_MISSES);
        Trial { matched, misses }
    }

    /// The rule that takes a message of several lines as one line.
    fn as_one_line(&self, identifier: &str, message: &[u8]) -> Option<Matched> {
        let line = several::joined(message)?;
        let attempt = |rule: &Arc<Rule>| match rule.attempt(&line) {
            Attempt::Match(captures) => Some(Matched { rule: rule.clone(), captures }),
            Attempt::RegexOnly | Attempt::NoMatch => None,
        };
        self.rules().filter(|rule| rule.identifier == identifier).find_map(attempt)
    }

    /// Rules for another syslog identifier that would take the line.
    fn elsewhere(&self, identifier: &str, line: &[u8]) -> Vec<Miss> {
        let others = self.rules().filter(|rule| rule.identifier != identifier);
        let matching = others.filter(|rule| matches!(rule.attempt(line), Attempt::Match(_)));
        matching.map(|rule| miss(rule, MissReason::OtherIdentifier, line.len())).collect()
    }
}

/// The rules that do not match the line but whose literal text occurs in it.
fn nearly_matching(unmatched: &[&Arc<Rule>], line: &[u8]) -> Vec<Miss> {
    let texts = unmatched.iter().map(|rule| (FixedText::of(rule, line), *rule));
    let mut candidates: Vec<(FixedText, &Arc<Rule>)> = texts.filter(|(text, _)| text.found > 0).collect();
    candidates.sort_by_key(|(text, _)| (Reverse(text.found), text.missing));
    let compared = candidates.into_iter().take(MAX_COMPARED).map(|(text, rule)| {
        let reach = reach(rule.regex_text(), rule.origin.user, line);
        (text, miss(rule, MissReason::Regex, reach))
    });
    let near = |(text, miss): &(FixedText, Miss)| text.missing == 0 || miss.reach * 3 >= line.len();
    let mut near: Vec<_> = compared.filter(near).collect();
    near.sort_by_key(|(text, miss)| (text.missing > 0, Reverse(miss.reach), text.missing));
    near.into_iter().map(|(_, miss)| miss).collect()
}

fn miss(rule: &Arc<Rule>, reason: MissReason, reach: usize) -> Miss {
    Miss { rule: rule.clone(), reason, reach }
}

/// Fixed text of a rule, in bytes: found in a line, and not found there.
struct FixedText {
    found: usize,
    missing: usize,
}

impl FixedText {
    fn of(rule: &Rule, line: &[u8]) -> Self {
        let mut text = FixedText { found: 0, missing: 0 };
        for set in rule.required_literals() {
            let occurs = |literal: &&&[u8]| memchr::memmem::find(line, literal).is_some();
            match set.iter().filter(occurs).map(|literal| literal.len()).max() {
                Some(length) => text.found += length,
                None => text.missing += set.iter().map(|literal| literal.len()).min().unwrap_or(0),
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin::parse;

    const RULES: &str = r#"
[[collector_regexs]]
regex = '^drv (?P<kdev>sd[a-z]+): worn by (?P<percent>\d+)%$'
event_type = "WORN"
[[collector_regexs]]
regex = '^drv (?P<kdev>sd[a-z]+): worn'
event_type = "WORN_SOMEHOW"
[[collector_regexs]]
starts_with = "EXT4-fs "
regex = '(?P<kdev>sd[a-z]+): lost'
event_type = "LOST"
[[collector_regexs]]
identifier = "drvd"
regex = '^(?P<kdev>sd[a-z]+): asleep$'
event_type = "ASLEEP"
"#;

    fn tried(identifier: &str, line: &str) -> (Option<String>, Vec<(String, MissReason, usize)>) {
        let set = RuleSet::new(parse("x", RULES, true).unwrap());
        let trial = set.try_line(identifier, line.as_bytes());
        let misses =
            trial.misses.iter().map(|m| (m.rule.event_type.to_string(), m.reason, m.reach)).collect();
        (trial.matched.map(|m| m.rule.event_type.to_string()), misses)
    }

    #[test]
    fn the_first_rule_takes_the_line_and_later_ones_are_named() {
        let (matched, misses) = tried("kernel", "drv sdb: worn by 90%");
        assert_eq!(matched.unwrap(), "WORN");
        assert_eq!(misses, [("WORN_SOMEHOW".to_owned(), MissReason::Later, 20)]);
    }

    #[test]
    fn why_no_rule_takes_a_line() {
        let (matched, misses) = tried("kernel", "drv sdb, worn by 90%");
        assert!(matched.is_none());
        // Both regexes fail at the comma; the second one misses less text.
        let names = ["WORN_SOMEHOW", "WORN"].map(|name| (name.to_owned(), MissReason::Regex, 7));
        assert_eq!(misses, names);
        let cases = [
            ("kernel", "sdb: asleep", "ASLEEP", MissReason::OtherIdentifier, 11),
            ("kernel", "drv sdb: lost", "LOST", MissReason::StartsWith, 13),
            ("drvd", "sdb: asleep now", "ASLEEP", MissReason::Regex, 11),
        ];
        for (identifier, line, event_type, reason, reach) in cases {
            let (matched, misses) = tried(identifier, line);
            assert!(matched.is_none());
            assert_eq!(misses[0], (event_type.to_owned(), reason, reach), "{line}");
        }
    }

    #[test]
    fn what_has_nothing_in_common_is_no_miss() {
        for line in ["", "usb 1-1: new device found", "sdb"] {
            let (matched, misses) = tried("kernel", line);
            assert!(matched.is_none() && misses.is_empty(), "{line}: {misses:?}");
        }
        assert!(tried("unknown", "drv sdb: worn").1.iter().all(|m| m.1 == MissReason::OtherIdentifier));
    }
}
