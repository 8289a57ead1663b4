//! Tries many rules on one line.
//!
//! The first two bytes of a line select a few rules of its source (syslog identifier), and one automaton made of their
//! regexes says which of them is the first that matches: see `bucket.rs`. [`RuleSet::find_slowly`] tries all rules
//! of the source: the two must always agree.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use super::bucket::{Buckets, MemoryLimit};
use super::rule::Rule;
use super::several;

/// A rule that matched, and its captures.
#[derive(Debug)]
pub struct Matched {
    /// The rule.
    pub rule: Arc<Rule>,
    /// Its named captures.
    pub captures: BTreeMap<String, String>,
}

impl Rule {
    /// The rule with its captures in a message that it matches, as it is or as one line.
    pub fn matched(self: Arc<Self>, line: &[u8]) -> Option<Matched> {
        let as_one_line = || self.named_captures(&several::joined(line)?);
        let captures = self.named_captures(line).or_else(as_one_line)?;
        Some(Matched { rule: self, captures })
    }
}

/// All rules, ready to be tried. Rules of one source are tried in the order given.
#[derive(Debug)]
pub struct RuleSet {
    sources: HashMap<Vec<u8>, SourceRules>,
    count: usize,
    limit: MemoryLimit,
    /// Bytes that compiled regexes may take beside the automatons.
    regexes: usize,
    /// Number of lines examined.
    lines: AtomicUsize,
}

/// Memory limits for compiled rules in the daemon, where any user's lines may require any rule: automatons, and regexes.
const BOUNDS: (usize, usize) = (16 << 20, 8 << 20);
/// Number of lines with the same beginning before their rules become an automaton, which costs about as much as trying the rules
/// one by one on a hundred lines.
const FEW: usize = 32;
/// Memory that stays in use when no rule has matched for a while.
const KEPT: usize = 2 << 20;
/// Number of lines between checks of the regexes' memory.
const LOOK_EVERY: usize = 256;

impl Default for RuleSet {
    fn default() -> Self {
        RuleSet::new([])
    }
}

impl RuleSet {
    /// The first rule that matches a line wins. Compiled rules take as much memory as the lines require.
    pub fn new(rules: impl IntoIterator<Item = Arc<Rule>>) -> Self {
        RuleSet::within((usize::MAX, usize::MAX), FEW, rules)
    }

    /// The same, with automatons from the first line on: a slow start.
    pub fn eager(rules: impl IntoIterator<Item = Arc<Rule>>) -> Self {
        RuleSet::within((usize::MAX, usize::MAX), 0, rules)
    }

    /// The same with limited memory: rules that exceed it are slower.
    pub fn bounded(rules: impl IntoIterator<Item = Arc<Rule>>) -> Self {
        RuleSet::within(BOUNDS, FEW, rules)
    }

    fn within(
        (automatons, regexes): (usize, usize),
        few: usize,
        rules: impl IntoIterator<Item = Arc<Rule>>,
    ) -> Self {
        let (limit, lines) = (MemoryLimit::new(automatons, few), AtomicUsize::new(0));
        let mut set = RuleSet { sources: HashMap::new(), count: 0, limit, regexes, lines };
        for rule in rules {
            set.count += 1;
            set.sources.entry(rule.identifier.as_bytes().to_vec()).or_default().rules.push(rule);
        }
        set
    }

    /// Drops most compiled data if there is much of it; it is rebuilt when needed.
    pub fn forget(&self) {
        if self.limit.used() + self.compiled() > KEPT {
            self.sources.values().for_each(|source| source.buckets.forget());
            self.limit.empty();
            self.rules().for_each(|rule| rule.forget());
        }
    }

    /// Bytes of compiled regexes, about.
    fn compiled(&self) -> usize {
        self.rules().map(|rule| rule.compiled()).sum()
    }

    /// Keeps the memory of the regexes in its bounds.
    fn tend(&self) {
        let is_due = || self.lines.fetch_add(1, Ordering::Relaxed) % LOOK_EVERY == 0;
        if self.regexes < usize::MAX && is_due() && self.compiled() > self.regexes {
            self.rules().for_each(|rule| rule.forget());
        }
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
        let source = self.sources.get(identifier)?;
        self.tend();
        several::find(line, |line| source.find(line, &self.limit))
    }

    /// The first rule that matches, by trying every rule.
    pub fn find_slowly(&self, identifier: &[u8], line: &[u8]) -> Option<&Arc<Rule>> {
        let rules = &self.sources.get(identifier)?.rules;
        several::find(line, |line| rules.iter().find(|rule| rule.is_match(line)))
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
    fn find(&self, line: &[u8], limit: &MemoryLimit) -> Option<&Arc<Rule>> {
        self.buckets.of(line, &self.rules)?.find(line, limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin;

    /// The first lines with a beginning match the same rules as later ones.
    #[test]
    fn an_automaton_finds_what_single_rules_find() {
        let rules = builtin::rules().unwrap();
        let (eager, patient) = (RuleSet::eager(rules.clone()), RuleSet::new(rules.clone()));
        let mut lines = 0;
        for rule in rules.iter().step_by(2) {
            for line in rule.example_lines().take(2) {
                let found = |set: &RuleSet| set.find(rule.identifier.as_bytes(), line.as_bytes()).cloned();
                let (eager, first, later) = (found(&eager), found(&patient), found(&patient));
                for other in [&first, &later] {
                    assert!(
                        eager.as_ref().zip(other.as_ref()).is_some_and(|(a, b)| Arc::ptr_eq(a, b)),
                        "{line}"
                    );
                }
                lines += 1;
            }
        }
        assert!(lines > 1000 && (1..eager.limit.used()).contains(&patient.limit.used()), "{lines}");
    }

    /// Lines that need nearly all rules match the same ones if there is memory for hardly any.
    #[test]
    fn bounds_change_nothing_but_the_time() {
        let rules = builtin::rules().unwrap();
        let lines = |rule: &Arc<Rule>| rule.example_lines().take(2).map(str::to_owned).collect::<Vec<_>>();
        let unbounded = RuleSet::eager(rules.iter().cloned());
        let bounded = RuleSet::within((2 << 20, 1 << 20), 0, builtin::rules().unwrap());
        for rule in rules.iter().step_by(3) {
            for line in lines(rule) {
                let found = |set: &RuleSet| {
                    let found = set.matched(rule.identifier.as_bytes(), line.as_bytes())?;
                    Some((found.rule.origin.clone(), found.captures))
                };
                assert_eq!(found(&bounded), found(&unbounded), "{line}");
            }
        }
        assert!(bounded.limit.used() <= 2 << 20 && bounded.limit.used() > 0);
        for _ in 0..LOOK_EVERY {
            assert!(bounded.find(b"kernel", b"").is_none());
        }
        assert!(bounded.compiled() <= 1 << 20 && unbounded.compiled() > 2 << 20);
        unbounded.forget();
        assert_eq!((unbounded.limit.used(), unbounded.compiled()), (0, 0));
    }
}
