//! Named parts of regexes: `{trouble}` in a regex refers to the entry in `[phrases]`.
//!
//! A brace that opens before a letter is an error in the syntax of regexes, so that no regex has another meaning by this.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use toml::Spanned;

use super::builtin;
use super::error::{Located, RuleError};
use super::spec::RuleSpec;
use super::surface::{self, Sign};

/// Phrases by name, as written.
pub type Phrases = BTreeMap<String, String>;

/// A phrase may contain others, this deep.
const MAX_DEPTH: usize = 8;
/// Bytes of a regex with all its phrases.
const MAX_TEXT: usize = 64 << 10;

/// The phrases of all built-in rules, which any rule may use.
pub fn shared() -> &'static Phrases {
    static SHARED: OnceLock<Phrases> = OnceLock::new();
    SHARED.get_or_init(builtin::phrases)
}

/// Puts the phrases of its file, and the shared ones, in place in a rule.
///
/// # Errors
/// There is no phrase of a name, or it contains itself, or the regex becomes too long.
pub fn put_in_place(rule: &mut RuleSpec, own: &Phrases, file: &str, source: &str) -> Result<(), RuleError> {
    for regex in std::iter::once(&mut rule.regex).chain(&mut rule.unless) {
        if !regex.get_ref().contains('{') {
            continue;
        }
        let span = regex.span();
        let expanded = expand(regex.get_ref(), own).map_err(|Wrong { message, remedy }| {
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

fn expand(regex: &str, own: &Phrases) -> Result<String, Wrong> {
    let mut expanded = String::with_capacity(regex.len());
    append(&mut expanded, regex, own, 0)?;
    Ok(expanded)
}

fn append(to: &mut String, regex: &str, own: &Phrases, depth: usize) -> Result<(), Wrong> {
    let mut rest = regex;
    while let Some((before, name, after)) = next(rest) {
        to.push_str(before);
        let phrase = own.get(name).or_else(|| shared().get(name)).ok_or_else(|| Wrong {
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
        append(to, phrase, own, depth + 1)?;
        to.push(')');
        rest = after;
    }
    to.push_str(rest);
    Ok(())
}

/// The next phrase in a regex: the text before it, its name, and the text after it.
fn next(regex: &str) -> Option<(&str, &str, &str)> {
    let mut braces = surface::signs(regex).filter(|(sign, _)| *sign == Sign::Brace);
    braces.find_map(|(_, inner)| {
        let (name, after) = inner.split_once('}').filter(|(name, _)| is_name(name))?;
        let before = regex.get(..regex.len() - inner.len() - 1)?;
        Some((before, name, after))
    })
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin::parse;

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
            assert_eq!(expand(regex, &own).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let rule = |regex: &str| format!("[[collector_regexs]]\nregex = '''{regex}'''\ndevice = \"none\"\n");
        let error = |text: &str| parse("x.conf", text, true).unwrap_err().to_string();
        let unknown = error(&rule("^{nobody_knows}"));
        assert!(unknown.starts_with("x.conf:2:9: there is no phrase {nobody_knows}"), "{unknown}");
        let itself = error(&(rule("^{a}") + "[phrases]\na = \"{b}\"\nb = \"{a}\"\n"));
        assert!(itself.contains("contains itself"), "{itself}");
        let doubled: String = (1..8).map(|n| format!("p{n} = \"{{p{}}}{{p{0}}}\"\n", n + 1)).collect();
        let long =
            error(&(rule("^{p1}") + "[phrases]\n" + &doubled + "p8 = '''" + &"x".repeat(2000) + "'''\n"));
        assert!(long.contains("too long"), "{long}");
        let inside = error(&(rule("^{a}") + "[phrases]\na = \"(\"\n"));
        assert!(inside.contains("does not compile") && inside.contains("^(?:()"), "{inside}");
    }

    #[test]
    fn any_rule_may_use_the_shared_phrases() {
        assert!(
            shared().len() >= 5 && shared().values().all(|phrase| expand(phrase, &Phrases::new()).is_ok())
        );
        let text = "[[collector_regexs]]\nregex = '^mydrv: {trouble}'\ndevice = \"none\"\n";
        let rule = parse("x.conf", text, true).unwrap().remove(0);
        assert!(rule.is_match(b"mydrv: timed out") && !rule.is_match(b"mydrv: fine"));
    }
}
