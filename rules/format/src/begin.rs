//! How a line that a rule matches can begin: a test of a few bytes before the regex is tried.

use regex_syntax::hir::literal::{ExtractKind, Extractor};
use regex_syntax::hir::{Hir, HirKind, Look};

/// Number of bytes at the beginning that are examined.
const MAX_BYTES: usize = 12;
/// Maximum number of beginnings of a pattern that are distinguished.
const MAX_BEGINNINGS: usize = 2048;

/// For each of the first bytes of a line, the possible values: the number of ranges, then the first and the last byte of each range.
/// Empty: no restriction.
#[derive(Clone, Copy, Debug, Default)]
pub struct Begin<'b>(&'b [u8]);

/// The encoded [`Begin`] of a pattern; empty if the pattern is not anchored at the start.
pub fn of(pattern: &Hir) -> Vec<u8> {
    if !pattern.properties().look_set_prefix().contains(Look::Start) {
        return Vec::new();
    }
    let mut extractor = Extractor::new();
    extractor.kind(ExtractKind::Prefix).limit_class(96).limit_repeat(4).limit_literal_len(MAX_BYTES);
    let found = extractor.limit_total(MAX_BEGINNINGS).extract(pattern);
    let literals =
        found.literals().map(|literals| literals.iter().map(|literal| literal.as_bytes()).collect());
    packed(&literals.unwrap_or_else(|| vec![fixed(pattern)]))
}

/// The literal text at the beginning of the pattern, for one with too many beginnings to list.
fn fixed(pattern: &Hir) -> &[u8] {
    match pattern.kind() {
        HirKind::Literal(literal) => &literal.0,
        HirKind::Capture(capture) => fixed(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => fixed(&repetition.sub),
        HirKind::Concat(parts) => {
            let mut parts = parts.iter().skip_while(|part| matches!(part.kind(), HirKind::Look(_)));
            parts.next().map(fixed).unwrap_or_default()
        }
        _ => &[],
    }
}

fn packed(literals: &[&[u8]]) -> Vec<u8> {
    let shortest = literals.iter().map(|literal| literal.len()).min().unwrap_or_default();
    let place = |at: usize| {
        let mut bytes: Vec<u8> = literals.iter().filter_map(|literal| literal.get(at).copied()).collect();
        bytes.sort_unstable();
        bytes.dedup();
        let ranges: Vec<(u8, u8)> = bytes
            .chunk_by(|a, b| a + 1 == *b)
            .filter_map(|run| Some((*run.first()?, *run.last()?)))
            .collect();
        // No two ranges touch: there are 128 at most.
        let count = ranges.len() as u8;
        std::iter::once(count).chain(ranges.into_iter().flat_map(|(first, last)| [first, last]))
    };
    (0..shortest.min(MAX_BYTES)).flat_map(place).collect()
}

impl<'b> Begin<'b> {
    /// Decodes what [`of`] returned.
    pub fn new(bytes: &'b [u8]) -> Self {
        Begin(bytes)
    }

    /// For each place, the ranges of its bytes.
    fn places(self) -> impl Iterator<Item = &'b [u8]> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (count, behind) = rest.split_first()?;
            let (ranges, next) = behind.split_at_checked(2 * usize::from(*count))?;
            rest = next;
            Some(ranges)
        })
    }

    /// Whether a matching line can have these first two bytes; 0 stands for a missing byte.
    pub fn possible(self, beginning: [u8; 2]) -> bool {
        self.places().zip(beginning).all(|(ranges, byte)| has(ranges, byte))
    }

    /// Whether the line has a possible beginning.
    pub fn fits(self, line: &[u8]) -> bool {
        let mut bytes = line.iter();
        self.places().all(|ranges| bytes.next().is_some_and(|byte| has(ranges, *byte)))
    }
}

fn has(ranges: &[u8], byte: u8) -> bool {
    ranges.chunks_exact(2).any(|range| range.first() <= Some(&byte) && Some(&byte) <= range.last())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regex::parse;

    fn fits(pattern: &str, line: &str) -> bool {
        Begin::new(&of(&parse(pattern, false).unwrap())).fits(line.as_bytes())
    }

    #[test]
    fn other_beginnings_are_ruled_out_and_no_right_one() {
        for (pattern, right, wrong) in [
            (r"^ata[0-9]+(?:\.[0-9]+)?: x", "ata12.00: x", "atax: x"),
            (r"^(?:EXT4|EXT3)-fs error", "EXT3-fs error", "EXT2-fs error"),
            (r"^sd[a-z]+: y", "sdaa: y", "hda: y"),
            (r"^ ?connection[0-9]", "connection1", "xonnection1"),
            (r"^(?P<x>ab(?:[a-z][a-z][a-z]|c*)+)", "abc", "acb"),
        ] {
            assert!(fits(pattern, right), "{pattern}");
            assert!(!fits(pattern, wrong), "{pattern}");
        }
        for pattern in [r"^.*x", "x", r"^(?:a|.*)", "^", r"^x?", r"^(?:ab)?[^x]*[^y]*"] {
            assert!(fits(pattern, "anything") && fits(pattern, ""), "{pattern}");
        }
    }

    #[test]
    fn the_first_two_bytes_are_tested_as_the_line_is() {
        for pattern in [r"^[a-cx]\d", "^ab", "^a", r"^(?:ab|[x-z]é)", "^.b", "ab"] {
            let bytes = of(&parse(pattern, false).unwrap());
            let begin = Begin::new(&bytes);
            for two in (0..=u16::MAX).map(u16::to_be_bytes) {
                let rest = "é, and more than anything asks for".as_bytes();
                let line = [two.as_slice(), rest].concat();
                assert!(!begin.fits(&line) || begin.possible(two), "{pattern} {two:?}");
            }
        }
    }
}
