//! Several regexes as one automaton, which finds the first of them that matches while it reads a line once.

use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson::{self, WhichCaptures, NFA};
use regex_automata::util::pool::Pool;
use regex_automata::{Anchored, Input, MatchError, MatchKind};
use regex_syntax::hir::{Dot, Hir, Look, Repetition};

/// Maximum size of the states of one automaton per thread, in bytes; beyond that they are discarded and rebuilt.
const STATES: usize = 1 << 20;
/// Bytes that the regexes of one automaton may take. The built-in ones take up to 3 MiB.
const REGEXES: usize = 16 << 20;

type NewCache = Box<dyn Fn() -> Cache + Send + Sync + UnwindSafe + RefUnwindSafe>;

/// A deterministic automaton whose states are made when a line first needs them.
#[derive(Debug)]
pub struct Automaton {
    dfa: Arc<DFA>,
    /// The states: each thread has its own.
    states: Pool<Cache, NewCache>,
}

impl Automaton {
    /// Of some regexes; which comes first counts. `None`: they are too large for one.
    pub fn new(patterns: &[Hir]) -> Option<Self> {
        let searched: Vec<Hir> = patterns.iter().map(from_the_start).collect();
        let dfa = Arc::new(DFA::builder().configure(dfa_config()).build_from_nfa(nfa(&searched)?).ok()?);
        let new_cache: NewCache = Box::new({
            let dfa = dfa.clone();
            move || dfa.create_cache()
        });
        Some(Automaton { dfa, states: Pool::new(new_cache) })
    }

    /// Bytes that it takes when one thread uses it.
    pub fn size(&self) -> usize {
        self.dfa.get_nfa().memory_usage() + STATES
    }

    /// The number of the first regex that matches.
    ///
    /// # Errors
    /// Undecided: a regex has a Unicode word boundary, and the line is not ASCII.
    pub fn first(&self, line: &[u8]) -> Result<Option<usize>, MatchError> {
        let input = Input::new(line).anchored(Anchored::Yes);
        let found = self.dfa.try_search_fwd(&mut self.states.get(), &input)?;
        Ok(found.map(|found| found.pattern().as_usize()))
    }
}

fn nfa(patterns: &[Hir]) -> Option<NFA> {
    let config =
        thompson::Config::new().utf8(false).which_captures(WhichCaptures::None).nfa_size_limit(Some(REGEXES));
    thompson::Compiler::new().configure(config).build_many_from_hir(patterns).ok()
}

/// Among all that match at the start of the line, the leftmost-first match is that of the first pattern.
fn dfa_config() -> regex_automata::hybrid::dfa::Config {
    DFA::config()
        .match_kind(MatchKind::LeftmostFirst)
        .unicode_word_boundary(true)
        .cache_capacity(STATES)
        .skip_cache_capacity_check(true)
}

/// A pattern that is searched for anywhere begins with anything.
fn from_the_start(pattern: &Hir) -> Hir {
    if pattern.properties().look_set_prefix().contains(Look::Start) {
        return pattern.clone();
    }
    let anything = Repetition { min: 0, max: None, greedy: false, sub: Box::new(Hir::dot(Dot::AnyByte)) };
    Hir::concat(vec![Hir::repetition(anything), pattern.clone()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use peripety_rules_format::regex::parse;

    fn first(patterns: &[(&str, bool)], line: &str) -> Result<Option<usize>, MatchError> {
        let hirs: Vec<Hir> =
            patterns.iter().map(|(pattern, unicode)| parse(pattern, *unicode).unwrap()).collect();
        Automaton::new(&hirs).unwrap().first(line.as_bytes())
    }

    #[test]
    fn the_first_one_counts_wherever_and_however_long_it_matches() {
        let patterns = [("later$", false), ("^ab", false), ("^a.*z$", false), ("^a", false)];
        for (line, number) in
            [("abz", Some(1)), ("ab later", Some(0)), ("a z", Some(2)), ("ax", Some(3)), ("b", None)]
        {
            assert_eq!(first(&patterns, line).unwrap(), number, "{line}");
        }
    }

    #[test]
    fn what_it_cannot_tell_it_says() {
        let patterns = [(r"\bdisk\b", true)];
        assert_eq!(first(&patterns, "a disk"), Ok(Some(0)));
        assert!(first(&patterns, "größer disk").is_err());
    }
}
