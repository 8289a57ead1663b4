//! Any text as a file of rules. What is accepted can be used: the matcher finds what the plain loop finds, on the rules' own
//! examples and on any other line.
#![no_main]

use libfuzzer_sys::fuzz_target;
use peripety::rules::{builtin, RuleSet};
use peripety_fuzz::same_rule;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match builtin::parse("fuzz.toml", text, true) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(rules) => {
            let sets = [RuleSet::new(rules.iter().cloned()), RuleSet::eager(rules.iter().cloned())];
            for rule in &rules {
                let spec = rule.spec();
                let lines = spec.examples.iter().map(|example| &example.line).chain(&spec.not);
                for line in lines {
                    sets.iter().for_each(|set| same_rule(set, rule.identifier.as_bytes(), line.as_bytes()));
                    let _ = (rule.reach(line.as_bytes()), rule.never_matches(), rule.has_literal());
                }
                sets.iter().for_each(|set| same_rule(set, rule.identifier.as_bytes(), data));
            }
        }
    }
});
