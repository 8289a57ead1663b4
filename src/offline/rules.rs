//! The rules, and what is needed to join lines for them.

use std::collections::HashSet;
use std::sync::Arc;

use crate::rules::rule::Rule;
use crate::rules::{Matched, RuleSet};

/// The rules of a run.
#[derive(Debug)]
pub struct Rules {
    /// All of them.
    pub all: RuleSet,
    /// Those that match messages of several lines.
    several: RuleSet,
    /// Last words of lines after which such messages continue.
    last_words: HashSet<Vec<u8>>,
}

impl Rules {
    /// From the rules in order. A rule matches messages of several lines if one of its examples has several.
    pub fn new(rules: Vec<Arc<Rule>>) -> Self {
        let several = rules.iter().filter(|rule| breaks(rule).next().is_some());
        let last_words = several.clone().flat_map(|rule| breaks(rule)).map(|line| last_word(line).to_vec());
        let last_words = last_words.collect();
        Rules { several: RuleSet::new(several.cloned()), last_words, all: RuleSet::new(rules) }
    }

    /// There are rules for this writer.
    pub fn knows(&self, identifier: &[u8]) -> bool {
        self.all.knows(identifier)
    }

    /// The rule that matches a message.
    pub fn matched(&self, identifier: &[u8], message: &[u8]) -> Option<Matched> {
        self.all.matched(identifier, message)
    }

    /// A rule for messages of several lines matches this kernel message.
    pub fn takes_several(&self, message: &[u8]) -> bool {
        self.several.find(b"kernel", message).is_some()
    }

    /// A message may continue after this line.
    pub fn may_go_on(&self, line: &[u8]) -> bool {
        self.last_words.contains(last_word(line))
    }
}

/// The lines of a rule's examples after which the message continues.
fn breaks(rule: &Rule) -> impl Iterator<Item = &[u8]> {
    let lines = rule.example_lines().filter(|line| line.contains('\n')).map(str::trim_end);
    lines.flat_map(|text| {
        let count = text.split('\n').count();
        text.split('\n').take(count - 1).map(str::as_bytes)
    })
}

fn last_word(line: &[u8]) -> &[u8] {
    let line = line.trim_ascii_end();
    line.rsplit(|byte| byte.is_ascii_whitespace()).next().unwrap_or_default()
}
