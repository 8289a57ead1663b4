//! Properties of a well-formed pattern that are visible without parsing it: parsing all built-in patterns is most of what a start
//! of the daemon would cost.

/// Names of the captures, in order.
pub fn names(pattern: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (sign, rest) in signs(pattern) {
        let named =
            rest.strip_prefix("?P<").or_else(|| rest.strip_prefix("?<")).filter(|_| sign == Sign::Open);
        let name = named.and_then(|rest| rest.split_once('>')).map(|(name, _)| name);
        names.extend(name.filter(|name| !name.starts_with(['=', '!'])).map(str::to_owned));
    }
    names
}

/// The first two bytes of every line that matches; `None` if they vary or are not visible.
pub fn first_two(pattern: &str) -> Option<[u8; 2]> {
    let text = pattern.strip_prefix('^')?;
    // Flags hold for what follows them only, which is not looked at.
    if has_alternatives(text) {
        return None;
    }
    let (first, rest) = literal(text)?;
    // Repeated, it may be followed by itself.
    if rest.starts_with('+') {
        return None;
    }
    let (second, _) = literal(rest)?;
    Some([first, second])
}

/// A character that stands for itself, at least once, and what follows.
fn literal(text: &str) -> Option<(u8, &str)> {
    let escaped = text.strip_prefix('\\');
    let text = escaped.unwrap_or(text);
    let byte = *text.as_bytes().first()?;
    let rest = text.get(1..)?;
    let is_itself = match escaped {
        Some(_) => byte.is_ascii_punctuation() && byte != b'<' && byte != b'>',
        None => byte.is_ascii_alphanumeric() || b" !\"#%&',-/:;<=>@_`~".contains(&byte),
    };
    (is_itself && !rest.starts_with(['?', '*', '{'])).then_some((byte, rest))
}

/// Whether there is a `|` outside of all groups.
fn has_alternatives(pattern: &str) -> bool {
    let mut depth = 0_usize;
    for (sign, _) in signs(pattern) {
        match sign {
            Sign::Open => depth += 1,
            Sign::Close => depth = depth.saturating_sub(1),
            Sign::Or if depth == 0 => return true,
            Sign::Or | Sign::Brace => {}
        }
    }
    false
}

/// A sign of the pattern's structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// `(`
    Open,
    /// `)`
    Close,
    /// `|`
    Or,
    /// `{`, but for that of an escape.
    Brace,
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

/// The signs outside of classes, each with what follows.
pub fn signs(pattern: &str) -> impl Iterator<Item = (Sign, &str)> {
    let mut rest = pattern;
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
            '(' if in_class == 0 => return Some((Sign::Open, rest)),
            ')' if in_class == 0 => return Some((Sign::Close, rest)),
            '|' if in_class == 0 => return Some((Sign::Or, rest)),
            '{' if in_class == 0 => return Some((Sign::Brace, rest)),
            _ => {}
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::begin::Begin;
    use crate::builtin;
    use crate::pattern::{names_of, parse};

    #[test]
    fn beginnings_that_the_text_tells() {
        for (pattern, expected) in [
            ("^ab", Some(*b"ab")),
            (r"^\[x", Some(*b"[x")),
            ("^ab?c", None),
            ("^a+b", None),
            ("^ab|cd", None),
            ("^ab(?:c|d)[|]e", Some(*b"ab")),
            ("^(?i)ab", None),
            ("ab", None),
            (r"^\d", None),
            ("^é", None),
            ("^a", None),
        ] {
            assert_eq!(first_two(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn the_text_of_every_built_in_rule_tells_the_truth() {
        let mut told = 0;
        for rule in builtin::rules().unwrap() {
            for pattern in std::iter::once(&rule.spec.regex).chain(&rule.spec.unless) {
                let pattern = pattern.get_ref();
                let hir = parse(pattern, false).unwrap();
                assert_eq!(names(pattern), names_of(&hir), "{pattern}");
                let Some([first, second]) = first_two(pattern) else { continue };
                told += 1;
                let begin = Begin::of(&hir);
                let all = (0..=u16::MAX).map(u16::to_be_bytes);
                // Of some patterns the parsed form tells less.
                let possible: Vec<[u8; 2]> = all.filter(|two| begin.possible(*two)).collect();
                assert!(possible.contains(&[first, second]), "{pattern}");
                assert!(possible.len() == 1 || possible.len() > 200, "{pattern}");
            }
        }
        assert!(told > 700, "{told}");
    }
}
