//! Limits on the cost of a configuration. Measured in bytes, never in time, so that all machines accept the same configurations.

use crate::rules::{Located, Rule};

/// Most rules in all files together.
const MAX_RULES: usize = 10_000;
/// Maximum size of all rules: their text and the compiled regexes, in bytes.
const MAX_BYTES: usize = 64 << 20;
/// Most bytes of one file.
pub const MAX_FILE: u64 = 16 << 20;

/// Rules so far.
#[derive(Debug, Default)]
pub struct Cost {
    rules: usize,
    bytes: usize,
}

impl Cost {
    /// Adds a rule of a file whose text is `text`.
    ///
    /// # Errors
    /// With this rule it is too much. Said once: the rules behind it are not counted.
    pub fn add(&mut self, rule: &Rule, text: &str) -> Result<(), Located> {
        let was_fine = self.rules <= MAX_RULES && self.bytes <= MAX_BYTES;
        self.rules += 1;
        self.bytes = self.bytes.saturating_add(rule.cost());
        let place = Some(rule.spec().regex.span());
        let error = |message: &str, remedy: &str| {
            Located::at(&rule.origin.file, text, place.clone(), message, remedy)
        };
        match was_fine {
            true if self.rules > MAX_RULES => {
                let message = format!("this is rule {}; {MAX_RULES} are the most in all files", self.rules);
                Err(error(&message, "join rules with alternatives, (?:this|that), or remove some"))
            }
            true if self.bytes > MAX_BYTES => {
                let mib = |bytes: usize| bytes.div_ceil(1 << 20);
                let (own, most) = (mib(rule.cost()), mib(MAX_BYTES));
                let message = format!(
                    "with this rule, which takes {own} MiB, the rules of all files take {} MiB; {most} are the most",
                    mib(self.bytes)
                );
                let remedy = "large are counted repetitions such as {1000}, and classes of Unicode such as \\w: (?-u:\\w) is small";
                Err(error(&message, remedy))
            }
            _ => Ok(()),
        }
    }
}
