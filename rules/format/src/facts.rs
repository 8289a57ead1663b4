//! Properties of a regex that are known without compiling it.

use std::borrow::Cow;

use regex_syntax::hir::Hir;

use super::begin::{self, Begin};
use super::literal;
use super::packed::{PackedReader, PackedWriter};
use super::regex::names_of;

/// Names of the captures, how a match begins, and which text it contains. Those of built-in rules are part of the program and take no
/// memory.
#[derive(Clone, Debug)]
pub struct Facts(Cow<'static, [u8]>);

impl Facts {
    /// Of a parsed regex.
    pub fn of(pattern: &Hir) -> Self {
        let mut facts = PackedWriter::default();
        facts.bytes(&begin::of(pattern));
        facts.list(names_of(pattern));
        for set in literal::required(pattern) {
            facts.number(set.len());
            set.iter().for_each(|literal| facts.bytes(literal));
        }
        Facts(facts.into_bytes().into())
    }

    /// From the bytes of [`Facts::as_bytes`].
    pub fn from_bytes(bytes: &'static [u8]) -> Self {
        Facts(bytes.into())
    }

    /// Encoded.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// How a match can begin.
    pub fn begin(&self) -> Begin<'_> {
        Begin::new(PackedReader(&self.0).bytes().unwrap_or_default())
    }

    /// Names of the captures, in order.
    pub fn names(&self) -> Vec<&str> {
        let mut facts = PackedReader(&self.0);
        facts.bytes().and_then(|_| facts.list()).unwrap_or_default()
    }

    /// Sets of literals: a match contains at least one of each set.
    pub fn literals(&self) -> impl Iterator<Item = Vec<&[u8]>> {
        let mut facts = PackedReader(&self.0);
        let is_read = facts.bytes().and_then(|_| facts.list()).is_some();
        std::iter::from_fn(move || (0..facts.number()?).map(|_| facts.bytes()).collect())
            .take_while(move |_| is_read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regex::parse;

    #[test]
    fn what_a_regex_tells() {
        let facts = |regex: &str| Facts::of(&parse(regex, false).unwrap());
        let several = facts("^(?P<kdev>sd(?P<x>[a-z])+)|(?P<y>.)$");
        assert_eq!((several.names(), several.literals().count()), (vec!["kdev", "x", "y"], 0));
        let facts = facts("^ (?P<kdev>sd[a-z]): (?:lost|broken) page");
        assert_eq!(facts.names(), ["kdev"]);
        let sets: Vec<Vec<&[u8]>> = facts.literals().collect();
        assert_eq!(sets, [vec![b"lost".as_slice(), b"broken"], vec![b" page".as_slice()]]);
        assert!(facts.begin().fits(b" sdb: lost page") && !facts.begin().fits(b"sdb"));
    }
}
