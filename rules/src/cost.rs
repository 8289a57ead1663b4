//! What a rule costs in memory, counted and not measured: the same on every machine.

use regex_automata::nfa::thompson::{State, NFA};

/// Bytes of a rule beside its text and its regexes.
pub const RULE: usize = 2048;
/// Bytes of one state of an automaton beside its transitions.
const STATE: usize = 32;
/// Bytes of one transition, of all transitions of a dense state, and of one alternative.
const TRANSITION: usize = 8;
const DENSE: usize = 1024;
const ALTERNATIVE: usize = 4;

/// Bytes of a compiled regex, and as many for its share of an automaton of several.
pub fn of_regex(nfa: &NFA) -> usize {
    let size = |state: &State| match state {
        State::Sparse(sparse) => STATE + TRANSITION * sparse.transitions.len(),
        State::Dense(_) => STATE + DENSE,
        State::Union { alternates } => STATE + ALTERNATIVE * alternates.len(),
        _ => STATE,
    };
    2 * nfa.states().iter().map(size).sum::<usize>()
}
