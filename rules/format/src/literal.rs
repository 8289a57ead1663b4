//! Literals that a regex cannot match without.

use regex_syntax::hir::literal::{ExtractKind, Extractor};
use regex_syntax::hir::{Hir, HirKind, Look};

use super::regex::parse;

/// Alternatives: a match contains at least one of them.
pub type LiteralSet = Vec<Vec<u8>>;

/// Shorter literals occur everywhere and select nothing.
const MIN_LENGTH: usize = 3;
/// A set of more alternatives than this is not selective.
const MAX_ALTERNATIVES: usize = 32;

/// All sets of literals that every match of a pattern contains one of.
pub fn required(pattern: &Hir) -> Vec<LiteralSet> {
    let mut sets = Vec::new();
    collect(pattern, &mut sets);
    sets
}

/// What a match at the start of the line begins with, if the regex is anchored there and begins
/// with fixed text.
pub fn prefixes(pattern: &str, unicode: bool) -> Option<LiteralSet> {
    let hir = parse(pattern, unicode).ok()?;
    if !hir.properties().look_set_prefix().contains(Look::Start) {
        return None;
    }
    let found = Extractor::new().kind(ExtractKind::Prefix).extract(&hir);
    let literals = found.literals()?;
    Some(literals.iter().map(|literal| literal.as_bytes().to_vec()).collect())
}

fn collect(hir: &Hir, sets: &mut Vec<LiteralSet>) {
    match hir.kind() {
        HirKind::Literal(literal) if literal.0.len() >= MIN_LENGTH => {
            sets.push(vec![literal.0.to_vec()]);
        }
        HirKind::Capture(capture) => collect(&capture.sub, sets),
        HirKind::Repetition(repetition) if repetition.min >= 1 => collect(&repetition.sub, sets),
        HirKind::Concat(parts) => parts.iter().for_each(|part| collect(part, sets)),
        HirKind::Alternation(branches) => sets.extend(alternatives(branches)),
        _ => {}
    }
}

/// One literal of each branch, if every branch has one.
fn alternatives(branches: &[Hir]) -> Option<LiteralSet> {
    let mut all = LiteralSet::new();
    for branch in branches {
        let mut sets = Vec::new();
        collect(branch, &mut sets);
        all.extend(sets.into_iter().max_by_key(shortest)?);
    }
    (all.len() <= MAX_ALTERNATIVES).then_some(all)
}

/// Length of the shortest literal of a set.
pub fn shortest(set: &LiteralSet) -> usize {
    set.iter().map(Vec::len).min().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(pattern: &str) -> Vec<Vec<String>> {
        let show = |l: Vec<u8>| String::from_utf8_lossy(&l).into_owned();
        let found = parse(pattern, false).map(|hir| required(&hir)).unwrap_or_default();
        found.into_iter().map(|s| s.into_iter().map(show).collect()).collect()
    }

    #[test]
    fn finds_what_no_match_is_without() {
        assert_eq!(text(r"^Failing path (?P<k>\d+)\.$"), [["Failing path "]]);
        assert_eq!(text(r"(?:foo|barbaz) end"), [vec!["foo", "barbaz"], vec![" end"]]);
        assert_eq!(text(r"(?x) ^ device-mapper:\s mul $"), [["device-mapper:"], ["mul"]]);
        assert_eq!(text(r"(?:optional)?x+(?:twice){2}"), [["twice"]]);
    }

    #[test]
    fn promises_nothing_when_a_branch_has_no_literal() {
        assert!(text(r"abc|\d+").is_empty());
        assert!(text(r"(?i)case").is_empty());
        assert!(text("(").is_empty());
    }
}
