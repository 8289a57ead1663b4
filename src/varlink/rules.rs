//! `ListRules` and `TestRule`. They hold no event data, so that anyone may call them.

use std::sync::Arc;

use peripety_api::{ErrorReply, ListRulesParameters, RuleMatch, RuleMiss, RuleWriter};

use super::api::invalid;
use super::frame::{FrameWriter, Gone};
use super::peer::Peer;
use crate::event::canonical_sub_system;
use crate::journal::LOG_VALUE;
use crate::rules::spec::RuleSpec;
use crate::rules::trial::{Miss, Trial};
use crate::rules::{builtin, Matched, Rule, RuleSet};

/// Who writes a line when the client does not say.
const DEFAULT_IDENTIFIER: &str = "kernel";
/// Longest line of a client that may not read events. Others may try what the collector looks at.
const LONGEST_OF_STRANGERS: usize = 8 * 1024;

/// A client wants the rule.
fn is_wanted(rule: &Rule, wanted: &ListRulesParameters) -> bool {
    let any = |names: &Option<Vec<String>>, fits: &dyn Fn(&String) -> bool| {
        names.as_ref().is_none_or(|names| names.iter().any(fits))
    };
    any(&wanted.event_types, &|name| name.eq_ignore_ascii_case(&rule.event_type))
        && any(&wanted.sub_systems, &|name| canonical_sub_system(name) == rule.sub_system)
        && any(&wanted.identifiers, &|name| *name == rule.identifier)
}

/// Replies with the rules in force, sorted by identifier, then in the order in which they are tried. Each is encoded when
/// the client is about to take it.
pub async fn list(rules: &RuleSet, wanted: &ListRulesParameters, writer: &FrameWriter) -> Result<(), Gone> {
    let mut found: Vec<&Arc<Rule>> = rules.rules().filter(|rule| is_wanted(rule, wanted)).collect();
    found.sort_by(|a, b| a.identifier.cmp(&b.identifier));
    let mut reply = writer.list("rules");
    for rule in found {
        reply.item(&peripety_api::Rule::from(rule.as_ref())).await?;
    }
    reply.end::<()>(&[]).await
}

/// Refuses a line that is too long to be tried.
pub fn check_length(line: &str, peer: Peer) -> Result<(), ErrorReply> {
    let longest = if peer.may_read { LOG_VALUE } else { LONGEST_OF_STRANGERS };
    match line.len() <= longest {
        true => Ok(()),
        false => Err(invalid("line", &format!("{} bytes; at most {longest} can be tried", line.len()))),
    }
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
            sub_system: said.map_or(matched.rule.sub_system.clone(), |name| canonical_sub_system(name)),
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
        peripety_api::Rule {
            event_type: rule.event_type.clone(),
            sub_system: rule.sub_system.clone(),
            severity: rule.severity,
            identifier: rule.identifier.clone(),
            writer: rule.writer.is_some().then(|| writer(&rule.spec)),
            starts_with: rule.spec.starts_with.clone(),
            regex: rule.spec.regex.get_ref().clone(),
            device: rule.device,
            closes: rule.closes.clone(),
            file: rule.origin.file.clone(),
            line: rule.origin.line as u64,
            user: rule.origin.user,
            catch_all: rule.spec.catch_all,
            group: rule.spec.group.clone(),
            follows: rule.spec.follows.clone(),
            meaning: text.map(|text| text.meaning.clone()),
            advice: text.and_then(|text| text.advice.clone()),
            examples: rule.spec.examples.iter().map(|example| example.line.clone()).collect(),
        }
    }
}
