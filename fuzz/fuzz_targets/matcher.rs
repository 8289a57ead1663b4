//! Lines that are made of the built-in rules' examples: the matcher finds what the plain loop finds, and the rule that it finds
//! has captures.
#![no_main]

use std::sync::{Arc, OnceLock};

use libfuzzer_sys::fuzz_target;
use peripety::rules::{builtin, Rule, RuleSet};
use peripety_fuzz::{same_rule, Bytes};

/// Changes to one line.
const MAX_RULES: usize = 8;

struct BuiltIn {
    rules: Vec<Arc<Rule>>,
    set: RuleSet,
}

fn built_in() -> &'static BuiltIn {
    static BUILT_IN: OnceLock<BuiltIn> = OnceLock::new();
    BUILT_IN.get_or_init(|| {
        let rules = builtin::rules().expect("the built-in rules");
        BuiltIn { set: RuleSet::new(rules.iter().cloned()), rules }
    })
}

fuzz_target!(|data: &[u8]| {
    let built_in = built_in();
    let mut bytes = Bytes(data);
    let rule = &built_in.rules[bytes.below(built_in.rules.len())];
    let mut line = example(rule, bytes.byte());
    for _ in 0..MAX_RULES {
        if bytes.0.is_empty() {
            break;
        }
        let kind = bytes.byte();
        let (from, to) = (bytes.below(line.len() + 1), bytes.below(line.len() + 1));
        let (from, to) = (from.min(to), from.max(to));
        match kind % 4 {
            0 => drop(line.drain(from..to)),
            1 => {
                let length = bytes.below(32).min(bytes.0.len());
                let (new, rest) = bytes.0.split_at(length);
                bytes.0 = rest;
                line.splice(from..to, new.iter().copied());
            }
            2 => {
                let other = example(&built_in.rules[bytes.below(built_in.rules.len())], bytes.byte());
                let at = from.min(other.len());
                line.splice(from..to, other[at..].iter().copied());
            }
            _ => line.truncate(to),
        }
    }
    same_rule(&built_in.set, rule.identifier.as_bytes(), &line);
});

fn example(rule: &Rule, number: u8) -> Vec<u8> {
    let lines: Vec<&str> = rule.example_lines().collect();
    lines
        .get(usize::from(number) % lines.len().max(1))
        .map(|line| line.as_bytes().to_vec())
        .unwrap_or_default()
}
