//! How a line that a rule matches can begin: a test of a few bytes before the regex is tried.

use regex_syntax::hir::literal::{ExtractKind, Extractor};
use regex_syntax::hir::{Hir, Look};

/// Number of bytes at the beginning that are examined.
const MAX_BYTES: usize = 12;
/// Maximum number of beginnings of a pattern that are distinguished.
const MAX_BEGINNINGS: usize = 2048;

/// For each of the first bytes of a line, which ones are possible. Empty: anything is.
#[derive(Clone, Debug, Default)]
pub struct Begin(Vec<[u64; 4]>);

impl Begin {
    /// Of a pattern that is anchored at the start; of any other one nothing is known.
    pub fn of(pattern: &Hir) -> Self {
        if !pattern.properties().look_set_prefix().contains(Look::Start) {
            return Begin::default();
        }
        let mut extractor = Extractor::new();
        extractor.kind(ExtractKind::Prefix).limit_class(96).limit_repeat(4).limit_literal_len(MAX_BYTES);
        let found = extractor.limit_total(MAX_BEGINNINGS).extract(pattern);
        let Some(literals) = found.literals() else { return Begin::default() };
        let shortest = literals.iter().map(|literal| literal.len()).min().unwrap_or_default();
        let mut places = vec![[0; 4]; shortest.min(MAX_BYTES)];
        for literal in literals {
            for (place, byte) in places.iter_mut().zip(literal.as_bytes()) {
                set(place, *byte);
            }
        }
        Begin(places)
    }

    /// A line with these first two bytes is possible. It may be shorter: 0 stands for a byte that is missing.
    pub fn possible(&self, beginning: [u8; 2]) -> bool {
        self.0.iter().zip(beginning).all(|(place, byte)| has(place, byte))
    }

    /// The line may begin so.
    pub fn fits(&self, line: &[u8]) -> bool {
        line.len() >= self.0.len() && self.0.iter().zip(line).all(|(place, byte)| has(place, *byte))
    }
}

fn set(place: &mut [u64; 4], byte: u8) {
    if let Some(word) = place.get_mut(usize::from(byte >> 6)) {
        *word |= 1 << (byte & 63);
    }
}

fn has(place: &[u64; 4], byte: u8) -> bool {
    place.get(usize::from(byte >> 6)).is_some_and(|word| word >> (byte & 63) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::parse;

    fn fits(pattern: &str, line: &str) -> bool {
        Begin::of(&parse(pattern, false).unwrap()).fits(line.as_bytes())
    }

    #[test]
    fn other_beginnings_are_ruled_out_and_no_right_one() {
        for (pattern, right, wrong) in [
            (r"^ata[0-9]+(?:\.[0-9]+)?: x", "ata12.00: x", "atax: x"),
            (r"^(?:EXT4|EXT3)-fs error", "EXT3-fs error", "EXT2-fs error"),
            (r"^sd[a-z]+: y", "sdaa: y", "hda: y"),
            (r"^ ?connection[0-9]", "connection1", "xonnection1"),
        ] {
            assert!(fits(pattern, right), "{pattern}");
            assert!(!fits(pattern, wrong), "{pattern}");
        }
        for pattern in [r"^.*x", "x", r"^(?:a|.*)", "^", r"^x?"] {
            assert!(fits(pattern, "anything") && fits(pattern, ""), "{pattern}");
        }
    }
}
