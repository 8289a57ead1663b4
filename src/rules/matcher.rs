//! Tries many rules on one line.
//!
//! For each source (syslog identifier) the literals that its rules cannot match without go into
//! one Aho-Corasick automaton; only the rules whose literal occurs in the line are tried, in
//! order. [`RuleSet::find_slowly`] tries all of them: the two must always agree.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, BuildError, MatchKind};

use super::literal::{shortest, LiteralSet};
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

/// Too many or too long literals for one automaton.
#[derive(Debug, thiserror::Error)]
#[error(
    "the literals of the rules for \"{identifier}\" do not fit into one automaton: {cause}; use fewer rules"
)]
pub struct TooManyRules {
    identifier: String,
    cause: BuildError,
}

impl RuleSet {
    /// Compiles the automatons. The first rule that matches a line wins.
    pub fn new(rules: impl IntoIterator<Item = Arc<Rule>>) -> Result<Self, TooManyRules> {
        let mut by_source: BTreeMap<String, Vec<Arc<Rule>>> = BTreeMap::new();
        for rule in rules {
            by_source.entry(rule.identifier.clone()).or_default().push(rule);
        }
        let mut set = RuleSet::default();
        for (identifier, rules) in by_source {
            set.count += rules.len();
            let source = SourceRules::new(rules)
                .map_err(|cause| TooManyRules { identifier: identifier.clone(), cause })?;
            set.sources.insert(identifier.into_bytes(), source);
        }
        Ok(set)
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

    /// Rules without a literal to look for: tried on every line of their source.
    pub fn tried_on_every_line(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.sources.values().flat_map(|source| source.always.iter().filter_map(|i| source.rules.get(*i)))
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
#[derive(Debug)]
struct SourceRules {
    rules: Vec<Arc<Rule>>,
    automaton: AhoCorasick,
    /// Indexes of the rules that need the literal of this pattern.
    by_pattern: Vec<Vec<usize>>,
    /// Indexes of the rules without a literal.
    always: Vec<usize>,
    /// For the first two bytes of a line (the first is the high one; a missing one is 0): a rule may take it.
    begins: Vec<bool>,
}

impl SourceRules {
    fn new(rules: Vec<Arc<Rule>>) -> Result<Self, BuildError> {
        let required: Vec<Vec<LiteralSet>> = rules.iter().map(|rule| rule.required_literals()).collect();
        let mut use_count: HashMap<&[u8], usize> = HashMap::new();
        for literal in required.iter().flatten().flatten() {
            *use_count.entry(literal).or_default() += 1;
        }
        let mut patterns: Vec<&[u8]> = Vec::new();
        let mut number: HashMap<&[u8], usize> = HashMap::new();
        let mut by_pattern: Vec<Vec<usize>> = Vec::new();
        let mut always = Vec::new();
        for (index, sets) in required.iter().enumerate() {
            let Some(best) = sets.iter().min_by_key(|set| cost(set, &use_count)) else {
                always.push(index);
                continue;
            };
            for literal in best {
                let pattern = *number.entry(literal).or_insert_with(|| {
                    patterns.push(literal);
                    by_pattern.push(Vec::new());
                    patterns.len() - 1
                });
                if let Some(users) = by_pattern.get_mut(pattern) {
                    users.push(index);
                }
            }
        }
        let automaton = AhoCorasickBuilder::new().match_kind(MatchKind::Standard).build(&patterns)?;
        let mut begins = vec![false; 1 << 16];
        rules.iter().for_each(|rule| rule.mark_beginnings(&mut begins));
        Ok(SourceRules { rules, automaton, by_pattern, always, begins })
    }

    fn find(&self, line: &[u8]) -> Option<&Arc<Rule>> {
        if !self.begins(line) {
            return None;
        }
        let mut candidates = Candidates::new(self.rules.len());
        self.always.iter().for_each(|index| candidates.add(*index));
        for hit in self.automaton.find_overlapping_iter(line) {
            if let Some(users) = self.by_pattern.get(hit.pattern().as_usize()) {
                users.iter().for_each(|index| candidates.add(*index));
            }
        }
        #[allow(clippy::let_and_return)] // The iterator borrows the candidates.
        let found =
            candidates.iter().filter_map(|index| self.rules.get(index)).find(|rule| rule.is_match(line));
        found
    }

    /// Some rule takes lines that begin with these two bytes.
    fn begins(&self, line: &[u8]) -> bool {
        let [first, second] = [0, 1].map(|at| line.get(at).copied().unwrap_or_default());
        self.begins.get(usize::from(first) << 8 | usize::from(second)).copied().unwrap_or(true)
    }
}

/// Numbers of rules that may take a line, each once, in rising order.
struct Candidates(Vec<u64>);

impl Candidates {
    fn new(rules: usize) -> Self {
        Candidates(vec![0; rules.div_ceil(64)])
    }

    fn add(&mut self, rule: usize) {
        if let Some(word) = self.0.get_mut(rule / 64) {
            *word |= 1 << (rule % 64);
        }
    }

    fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(at, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros() as usize)?;
                left &= left - 1;
                Some(at * 64 + bit)
            })
        })
    }
}

/// A set is the better the fewer rules share its literals, then the longer they are.
fn cost(set: &LiteralSet, use_count: &HashMap<&[u8], usize>) -> (usize, std::cmp::Reverse<usize>) {
    let shared = set.iter().map(|literal| use_count.get(literal.as_slice()).copied().unwrap_or(0));
    (shared.max().unwrap_or(0), std::cmp::Reverse(shortest(set)))
}
