//! Tries many rules on one line.
//!
//! The first two bytes of a line select a few rules of its source (syslog identifier), and one automaton made of their
//! regexes says which of them is the first that matches: see `bucket.rs`. [`RuleSet::find_slowly`] tries all rules
//! of the source: the two must always agree.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::bucket::Buckets;
use super::rule::Rule;

/// A rule that matched, and what it captured.
#[derive(Debug)]
pub struct Matched {
    /// The rule.
    pub rule: Arc<Rule>,
    /// Its named captures.
    pub captures: BTreeMap<String, String>,
}

impl Rule {
    /// The rule with what it captures of a line that it matches.
    pub fn matched(self: Arc<Self>, line: &[u8]) -> Option<Matched> {
        let captures = self.named_captures(line)?;
        Some(Matched { rule: self, captures })
    }
}

/// All rules, ready to be tried. Rules of one source are tried in the order given.
#[derive(Debug, Default)]
pub struct RuleSet {
    sources: HashMap<Vec<u8>, SourceRules>,
    count: usize,
}

impl RuleSet {
    /// The first rule that matches a line wins.
    pub fn new(rules: impl IntoIterator<Item = Arc<Rule>>) -> Self {
        let mut set = RuleSet::default();
        for rule in rules {
            set.count += 1;
            set.sources.entry(rule.identifier.clone().into_bytes()).or_default().rules.push(rule);
        }
        set
    }

    /// Number of rules.
    pub fn len(&self) -> usize {
        self.count
    }

    /// There is no rule at all.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Some rule is for lines of this syslog identifier.
    pub fn knows(&self, identifier: &[u8]) -> bool {
        self.sources.contains_key(identifier)
    }

    /// All rules, by source and in order.
    pub fn rules(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.sources.values().flat_map(|source| &source.rules)
    }

    /// The first rule that matches.
    pub fn find(&self, identifier: &[u8], line: &[u8]) -> Option<&Arc<Rule>> {
        self.sources.get(identifier)?.find(line)
    }

    /// The first rule that matches, by trying every rule.
    pub fn find_slowly(&self, identifier: &[u8], line: &[u8]) -> Option<&Arc<Rule>> {
        self.sources.get(identifier)?.rules.iter().find(|rule| rule.is_match(line))
    }

    /// The first rule that matches, with its captures.
    pub fn matched(&self, identifier: &[u8], line: &[u8]) -> Option<Matched> {
        self.find(identifier, line)?.clone().matched(line)
    }
}

/// The rules of one source.
#[derive(Debug, Default)]
struct SourceRules {
    rules: Vec<Arc<Rule>>,
    buckets: Buckets,
}

impl SourceRules {
    fn find(&self, line: &[u8]) -> Option<&Arc<Rule>> {
        self.buckets.of(line, &self.rules)?.find(line)
    }
}
