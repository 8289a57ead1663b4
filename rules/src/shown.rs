//! Rules as the interface shows them: `ListRules` and `TestRule` of the daemon, and `prpt` without one.

use std::sync::Arc;

use peripety_api::{canonical_sub_system, ListRulesParameters, RuleMatch, RuleMiss, RuleWriter};

use crate::spec::RuleSpec;
use crate::trial::{Miss, Trial};
use crate::{builtin, Matched, Rule, RuleSet};

/// The default identifier of a line.
pub const DEFAULT_IDENTIFIER: &str = "kernel";

/// The selected rules, sorted by identifier, then in the order in which they are tried.
pub fn list<'r>(rules: &'r RuleSet, wanted: &ListRulesParameters) -> Vec<&'r Arc<Rule>> {
    let mut found: Vec<&Arc<Rule>> = rules.rules().filter(|rule| is_wanted(rule, wanted)).collect();
    found.sort_by(|a, b| a.identifier.cmp(&b.identifier));
    found
}

fn is_wanted(rule: &Rule, wanted: &ListRulesParameters) -> bool {
    let any = |names: &Option<Vec<String>>, fits: &dyn Fn(&String) -> bool| {
        names.as_ref().is_none_or(|names| names.iter().any(fits))
    };
    any(&wanted.event_types, &|name| name.eq_ignore_ascii_case(&rule.event_type))
        && any(&wanted.sub_systems, &|name| canonical_sub_system(name) == rule.sub_system)
        && any(&wanted.identifiers, &|name| *name == rule.identifier)
}

/// What the rules make of a line.
pub fn test(rules: &RuleSet, line: &str, identifier: Option<&str>) -> (Option<RuleMatch>, Vec<RuleMiss>) {
    let bytes = line.as_bytes();
    let Trial { matched, misses } = rules.try_line(identifier.unwrap_or(DEFAULT_IDENTIFIER), bytes);
    let misses = misses.into_iter().map(|miss| near(miss, bytes)).collect();
    (matched.map(Into::into), misses)
}

fn near(miss: Miss, line: &[u8]) -> RuleMiss {
    let agreed = String::from_utf8_lossy(line.get(..miss.reach).unwrap_or(line));
    RuleMiss { rule: miss.rule.as_ref().into(), reason: miss.reason, reach: agreed.chars().count() as u64 }
}

impl From<Matched> for RuleMatch {
    fn from(matched: Matched) -> Self {
        let said = matched.captures.get("sub_system");
        RuleMatch {
            sub_system: said
                .map_or_else(|| matched.rule.sub_system.to_string(), |name| canonical_sub_system(name)),
            rule: matched.rule.as_ref().into(),
            captures: matched.captures,
        }
    }
}

fn writer(spec: &RuleSpec) -> RuleWriter {
    RuleWriter {
        user: spec.user.as_ref().map(|user| user.get_ref().clone()),
        programs: spec.programs.clone(),
        units: spec.units.clone(),
    }
}

impl From<&Rule> for peripety_api::Rule {
    fn from(rule: &Rule) -> Self {
        let text = builtin::text_of(&rule.event_type);
        let (meaning, advice) = text.map(|text| (text.meaning, text.advice)).unzip();
        peripety_api::Rule {
            event_type: rule.event_type.to_string(),
            sub_system: rule.sub_system.to_string(),
            severity: rule.severity,
            storage_severity: rule.storage_severity,
            by_level: rule.takes_level(),
            identifier: rule.identifier.to_string(),
            writer: rule.writer.is_some().then(|| writer(&rule.spec())),
            starts_with: rule.starts_with().map(str::to_owned),
            regex: rule.regex_text().to_owned(),
            device: rule.device,
            closes: rule.closes.clone(),
            file: rule.origin.file.to_string(),
            line: rule.origin.line as u64,
            user: rule.origin.user,
            catch_all: rule.catch_all,
            group: rule.group.as_ref().map(ToString::to_string),
            follows: rule.follows.clone(),
            meaning,
            advice: advice.flatten(),
            examples: rule.example_lines().map(str::to_owned).collect(),
        }
    }
}
