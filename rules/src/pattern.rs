//! A regular expression of a rule, compiled when it is first needed.
//!
//! Most of the built-in rules are never needed on a machine. Compiling one costs a hundred times what reading it costs,
//! and tens of kilobytes.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use peripety_rules_format::facts::Facts;
use peripety_rules_format::regex::{last_line, parse};
use regex_automata::meta::{BuildError, Config, Regex};
use regex_automata::nfa::thompson;
use regex_automata::util::syntax;
use regex_syntax::hir::Hir;

use super::cost;
use super::rule::Text;

/// Bytes that one compiled pattern may take.
const MAX_COMPILED: usize = 10 << 20;
/// Bytes of a pattern's one-pass automaton, which finds captures fastest; larger patterns do without.
const MAX_ONE_PASS: usize = 100 << 10;

/// A pattern that is known to be well formed.
#[derive(Debug)]
pub struct Pattern {
    text: Text,
    unicode: bool,
    facts: Facts,
    compiled: RwLock<Option<Arc<Regex>>>,
}

impl Pattern {
    /// Checks a pattern. `unicode`: `\d`, `\w` and `\s` know more than ASCII.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub fn new(text: &str, unicode: bool) -> Result<Self, String> {
        let facts = Facts::of(&parse(text, unicode)?);
        Ok(Pattern { text: text.to_owned().into(), unicode, facts, compiled: RwLock::default() })
    }

    /// A built-in pattern, which was checked when it was packed.
    pub fn built_in(text: &'static str, facts: Facts) -> Self {
        Pattern { text: text.into(), unicode: false, facts, compiled: RwLock::default() }
    }

    /// Compiles it now.
    ///
    /// # Errors
    /// It is too large, or uses a feature that the engine does not support.
    pub fn compile(&self) -> Result<(), String> {
        self.get().map(drop).map_err(|e| too_large(&e))
    }

    /// The compiled pattern; `None` when it cannot be compiled, which [`Pattern::compile`] explains.
    fn regex(&self) -> Option<Arc<Regex>> {
        self.get().ok()
    }

    fn get(&self) -> Result<Arc<Regex>, Box<BuildError>> {
        if let Some(regex) = &*self.compiled.read().unwrap_or_else(PoisonError::into_inner) {
            return Ok(regex.clone());
        }
        let regex = Arc::new(self.build()?);
        *self.compiled.write().unwrap_or_else(PoisonError::into_inner) = Some(regex.clone());
        Ok(regex)
    }

    /// Bytes that the pattern costs when it is compiled: see [`cost`]. Takes as long as compiling it.
    pub fn cost(&self) -> usize {
        let nfa = self.parsed().and_then(|hir| {
            let config = thompson::Config::new().utf8(false).nfa_size_limit(Some(MAX_COMPILED));
            thompson::Compiler::new().configure(config).build_from_hir(&hir).ok()
        });
        nfa.map_or(0, |nfa| cost::of_regex(&nfa))
    }

    /// Bytes of the compiled pattern, about; 0 when it is not compiled now.
    pub fn compiled(&self) -> usize {
        // A search needs about as much again.
        let compiled = self.compiled.read().unwrap_or_else(PoisonError::into_inner);
        compiled.as_ref().map_or(0, |regex| 2 * regex.memory_usage())
    }

    /// Drops the compiled pattern: it is compiled again when it is needed.
    pub fn forget(&self) {
        *self.compiled.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The regex as text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is known of it without compiling it.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// A line that lacks what every match has does not match.
    pub fn may_match(&self, line: &[u8]) -> bool {
        let occurs = |literal: &&[u8]| memchr::memmem::find(line, literal).is_some();
        self.facts.begin().fits(line) && self.facts.literals().all(|set| set.iter().any(occurs))
    }

    /// The line matches.
    pub fn is_match(&self, line: &[u8]) -> bool {
        self.facts.begin().fits(line) && self.regex().is_some_and(|regex| regex.is_match(line))
    }

    /// The line matches. Costs much time and keeps nothing in memory: the regex is made for this line and dropped, unless the
    /// line lacks what every match has.
    pub fn is_match_once(&self, line: &[u8]) -> bool {
        self.once(line).is_some_and(|regex| regex.is_match(line))
    }

    /// The named captures of a line that matches, in the same way.
    pub fn captures_once(&self, line: &[u8]) -> Option<BTreeMap<String, String>> {
        self.named(&self.once(line)?, line)
    }

    fn once(&self, line: &[u8]) -> Option<Regex> {
        self.may_match(line).then(|| self.build().ok()).flatten()
    }

    /// The named captures of a line that matches.
    pub fn captures(&self, line: &[u8]) -> Option<BTreeMap<String, String>> {
        self.named(&*self.regex()?, line)
    }

    /// Bytes that are not UTF-8 become U+FFFD.
    fn named(&self, regex: &Regex, line: &[u8]) -> Option<BTreeMap<String, String>> {
        let mut captures = regex.create_captures();
        regex.captures(line, &mut captures);
        let named = |name: &str| {
            let value = line.get(captures.get_group_by_name(name)?.range())?;
            Some((name.to_owned(), String::from_utf8_lossy(value).into_owned()))
        };
        captures.is_match().then(|| self.facts.names().into_iter().filter_map(named).collect())
    }

    /// Its parsed form, which is large and therefore not kept.
    pub fn parsed(&self) -> Option<Hir> {
        parse(&self.text, self.unicode).ok()
    }

    /// Without lazy automata: which rule matches is found by that of its bucket, and for the captures of one line they
    /// cost more time and memory than they save.
    fn build(&self) -> Result<Regex, Box<BuildError>> {
        let config = Config::new().utf8_empty(false).hybrid(false).dfa(false);
        let config = config.nfa_size_limit(Some(MAX_COMPILED)).onepass_size_limit(Some(MAX_ONE_PASS));
        let syntax = syntax::Config::new().unicode(self.unicode).utf8(false);
        Regex::builder().configure(config).syntax(syntax).build(&self.text).map_err(Box::new)
    }
}

fn too_large(error: &BuildError) -> String {
    match error.size_limit() {
        Some(limit) => format!("it is too large: compiled it has more than {} MiB", limit >> 20),
        None => last_line(&error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_known_before_it_is_compiled() {
        assert!(Pattern::new("(unclosed", false).unwrap_err().contains("unclosed"));
        let pattern = Pattern::new("^(?P<kdev>sd(?P<x>[a-z])+)|(?P<y>.)$", false).unwrap();
        assert_eq!(pattern.facts().names(), ["kdev", "x", "y"]);
        assert!(pattern.compile().is_ok() && pattern.is_match(b"sdb"));
    }

    #[test]
    fn what_is_too_large_matches_nothing() {
        let pattern = Pattern::new(r"\pL{2000}", true).unwrap();
        assert!(pattern.compile().is_err() && !pattern.is_match(b"x"));
    }
}
