//! A regular expression of a rule, compiled when it is first needed.
//!
//! Most of the built-in rules are never needed on a machine. Compiling one costs a hundred times what reading it costs,
//! and tens of kilobytes.

use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::hir::Hir;
use regex_syntax::ParserBuilder;

use super::begin::Begin;
use super::literal::{self, LiteralSet};

/// A pattern that is known to be well formed.
#[derive(Debug)]
pub struct Pattern {
    text: String,
    unicode: bool,
    names: Vec<String>,
    /// Asked for only when people ask why a rule takes a line or does not.
    literals: OnceLock<Vec<LiteralSet>>,
    begin: Begin,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Checks a pattern. `unicode`: `\d`, `\w` and `\s` know more than ASCII.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub fn new(text: &str, unicode: bool) -> Result<Self, String> {
        let hir = parse(text, unicode)?;
        let mut names = Vec::new();
        collect_names(&hir, &mut names);
        let begin = Begin::of(&hir);
        let (literals, compiled) = (OnceLock::new(), OnceLock::new());
        Ok(Pattern { text: text.to_owned(), unicode, names, literals, begin, compiled })
    }

    /// Compiles it now.
    ///
    /// # Errors
    /// It is too large, or uses what the engine cannot do.
    pub fn compile(&self) -> Result<(), String> {
        match self.compiled.get_or_init(|| self.build().ok()) {
            Some(_) => Ok(()),
            None => self.build().map(drop).map_err(|e| last_line(&e.to_string())),
        }
    }

    /// The compiled pattern; `None` when it cannot be compiled, which [`Pattern::compile`] explains.
    pub fn regex(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| self.build().ok()).as_ref()
    }

    /// Names of its captures, in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How a line that matches can begin.
    pub fn begin(&self) -> &Begin {
        &self.begin
    }

    /// Sets of literals: a match contains at least one of each set.
    pub fn literals(&self) -> &[LiteralSet] {
        let required = || self.parsed().map(|hir| literal::required(&hir)).unwrap_or_default();
        self.literals.get_or_init(required)
    }

    /// The line matches.
    pub fn is_match(&self, line: &[u8]) -> bool {
        self.begin.fits(line) && self.regex().is_some_and(|regex| regex.is_match(line))
    }

    /// Its parsed form. It takes much memory, so that it is not kept.
    pub fn parsed(&self) -> Option<Hir> {
        parse(&self.text, self.unicode).ok()
    }

    fn build(&self) -> Result<Regex, regex::Error> {
        RegexBuilder::new(&self.text).unicode(self.unicode).build()
    }
}

/// The parsed form of a pattern as the engine reads it.
pub fn parse(text: &str, unicode: bool) -> Result<Hir, String> {
    let parsed = ParserBuilder::new().unicode(unicode).utf8(false).build().parse(text);
    parsed.map_err(|e| last_line(&e.to_string()))
}

fn collect_names(hir: &Hir, names: &mut Vec<String>) {
    use regex_syntax::hir::HirKind;
    match hir.kind() {
        HirKind::Capture(capture) => {
            names.extend(capture.name.as_ref().map(|name| name.to_string()));
            collect_names(&capture.sub, names);
        }
        HirKind::Repetition(repetition) => collect_names(&repetition.sub, names),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().for_each(|part| collect_names(part, names))
        }
        _ => {}
    }
}

fn last_line(text: &str) -> String {
    text.lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_known_before_it_is_compiled() {
        assert!(Pattern::new("(unclosed", false).unwrap_err().contains("unclosed"));
        let pattern = Pattern::new("^(?P<kdev>sd(?P<x>[a-z])+)|(?P<y>.)$", false).unwrap();
        assert_eq!(pattern.names(), ["kdev", "x", "y"]);
        assert!(pattern.compile().is_ok() && pattern.is_match(b"sdb"));
    }

    #[test]
    fn what_is_too_large_matches_nothing() {
        let pattern = Pattern::new(r"\pL{2000}", true).unwrap();
        assert!(pattern.compile().is_err() && !pattern.is_match(b"x"));
    }
}
