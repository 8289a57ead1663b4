//! Named parts of regexes: `{trouble}` in a regex refers to the entry in `[phrases]`.
//!
//! A brace that opens before a letter is an error in the syntax of regexes, so that no regex has another meaning by this.

use std::collections::BTreeMap;

use toml::Spanned;

use super::error::{Located, RuleError};
use super::spec::RuleSpec;

/// Phrases by name, as written.
pub type Phrases = BTreeMap<String, String>;

/// A phrase may contain others, this deep.
const MAX_DEPTH: usize = 8;
/// Bytes of a regex with all its phrases.
const MAX_TEXT: usize = 64 << 10;

/// The phrases available to the rules of a file.
#[derive(Clone, Copy, Debug)]
pub struct PhraseScope<'p> {
    /// Those of the file.
    pub own: &'p Phrases,
    /// Shared ones, for names that the file does not define.
    pub shared: &'p Phrases,
}

impl<'p> PhraseScope<'p> {
    fn get(self, name: &str) -> Option<&'p String> {
        self.own.get(name).or_else(|| self.shared.get(name))
    }
}

/// Expands the phrases in a rule of `file`, whose text is `source`.
///
/// # Errors
/// There is no phrase of a name, or it contains itself, or the regex becomes too long.
pub fn put_in_place(
    rule: &mut RuleSpec,
    phrases: PhraseScope<'_>,
    file: &str,
    source: &str,
) -> Result<(), RuleError> {
    for regex in std::iter::once(&mut rule.regex).chain(&mut rule.unless) {
        if !regex.get_ref().contains('{') {
            continue;
        }
        let span = regex.span();
        let expanded = expand(regex.get_ref(), phrases).map_err(|Wrong { message, remedy }| {
            RuleError::from(Located::at(file, source, Some(span.clone()), &message, remedy))
        })?;
        *regex = Spanned::new(span, expanded);
    }
    Ok(())
}

/// The text of a regex uses phrases.
pub fn are_used(regex: &str) -> bool {
    next(regex).is_some()
}

/// What is wrong with a phrase.
#[derive(Debug, PartialEq, Eq)]
struct Wrong {
    message: String,
    remedy: &'static str,
}

fn expand(regex: &str, phrases: PhraseScope<'_>) -> Result<String, Wrong> {
    let mut expanded = String::with_capacity(regex.len());
    append(&mut expanded, regex, phrases, 0)?;
    Ok(expanded)
}

fn append(to: &mut String, regex: &str, phrases: PhraseScope<'_>, depth: usize) -> Result<(), Wrong> {
    let mut rest = regex;
    while let Some((before, name, after)) = next(rest) {
        to.push_str(before);
        let phrase = phrases.get(name).ok_or_else(|| Wrong {
            message: format!("there is no phrase {{{name}}}"),
            remedy: "define it in the table [phrases] of this file, or write \\{ for a brace",
        })?;
        if depth >= MAX_DEPTH || to.len() + phrase.len() > MAX_TEXT {
            return Err(Wrong {
                message: format!("the phrase {{{name}}} contains itself, or makes the regex too long"),
                remedy: "phrases may contain others 8 deep, and a regex may have 64 KiB with all its phrases",
            });
        }
        to.push_str("(?:");
        append(to, phrase, phrases, depth + 1)?;
        to.push(')');
        rest = after;
    }
    to.push_str(rest);
    Ok(())
}

/// The next phrase in a regex: the text before it, its name, and the text after it.
fn next(regex: &str) -> Option<(&str, &str, &str)> {
    braces(regex).find_map(|inner| {
        let (name, after) = inner.split_once('}').filter(|(name, _)| is_name(name))?;
        let before = regex.get(..regex.len() - inner.len() - 1)?;
        Some((before, name, after))
    })
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Escapes with braces of their own: `\p{greek}`, `\x{7f}`, `\b{start}`.
const BRACED: [&str; 9] =
    ["p{", "P{", "x{", "u{", "U{", "b{start}", "b{end}", "b{start-half}", "b{end-half}"];

/// What follows an escape, behind its backslash.
fn behind_escape(text: &str) -> Option<&str> {
    let braced = BRACED.iter().any(|begin| text.starts_with(begin));
    match text.find('}').filter(|_| braced) {
        Some(end) => text.get(end + 1..),
        None => text.get(text.chars().next()?.len_utf8()..),
    }
}

/// What follows each opening brace that belongs neither to an escape nor to a class.
fn braces(regex: &str) -> impl Iterator<Item = &str> {
    let mut rest = regex;
    let mut in_class = 0_usize;
    std::iter::from_fn(move || loop {
        let sign = rest.chars().next()?;
        rest = rest.get(sign.len_utf8()..)?;
        match sign {
            '\\' => rest = behind_escape(rest)?,
            '[' => {
                in_class += 1;
                // A bracket that closes stands for itself at the beginning.
                let inner = rest.strip_prefix('^').unwrap_or(rest);
                rest = inner.strip_prefix(']').unwrap_or(inner);
            }
            ']' => in_class = in_class.saturating_sub(1),
            '{' if in_class == 0 => return Some(rest),
            _ => {}
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(phrases: &[(&str, &str)]) -> Phrases {
        phrases.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn phrases_are_put_in_place() {
        let own = own(&[("disk", "sd[a-z]+|{nvme}"), ("nvme", r"nvme[0-9]+n[0-9]+")]);
        let cases = [
            ("^{disk}: x{2}", "^(?:sd[a-z]+|(?:nvme[0-9]+n[0-9]+)): x{2}"),
            (r"\{disk} [{disk}] \p{greek} \x{7f}", r"\{disk} [{disk}] \p{greek} \x{7f}"),
            ("[[:alpha:]{disk}]", "[[:alpha:]{disk}]"),
            ("[]{disk}]{disk}", "[]{disk}](?:sd[a-z]+|(?:nvme[0-9]+n[0-9]+))"),
            ("x{1,3}{Disk}{", "x{1,3}{Disk}{"),
            (r"\b{start}x\b{nvme}\b", r"\b{start}x\b(?:nvme[0-9]+n[0-9]+)\b"),
        ];
        for (regex, expected) in cases {
            let known = PhraseScope { own: &own, shared: &Phrases::new() };
            assert_eq!(expand(regex, known).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_wrong_is_known() {
        let own = own(&[("a", "{b}"), ("b", "{a}")]);
        let shared =
            Phrases::from([("b".to_owned(), "shared".to_owned()), ("c".to_owned(), "{b}".to_owned())]);
        let error = |regex| expand(regex, PhraseScope { own: &own, shared: &shared }).unwrap_err().message;
        assert_eq!(error("^{nobody_knows}"), "there is no phrase {nobody_knows}");
        // A file's own phrases go before those that all share.
        assert!(error("{a}").contains("contains itself") && error("{c}").contains("contains itself"));
    }
}
