//! String expressions of C: literals beside each other, macros, level marks.

use super::printers::NAMED;
use crate::source::kernel::Kernel;
use crate::source::token::{arguments, closing, joined, split, Kind, Token};

/// A string, and the arguments that macros in it add to the call.
#[derive(Debug, Default)]
pub struct Text<'a> {
    /// The characters; a level stands as U+0001 and a digit (include/linux/kern_levels.h).
    pub text: String,
    /// The arguments.
    pub arguments: Vec<Vec<Token<'a>>>,
}

/// The mark before a level.
pub const MARK: char = '\x01';

/// How deep macros may be nested.
const DEEPEST: usize = 8;

impl<'a> Kernel<'a> {
    /// Evaluates a string expression of a file; `None`: it is no constant.
    pub fn string(&self, tokens: &[Token<'a>], path: &str, depth: usize) -> Option<Text<'a>> {
        if depth > DEEPEST {
            return None;
        }
        let tokens = first_choice(without_brackets(tokens));
        let (mut text, mut at) = (Text::default(), 0);
        while let Some(token) = tokens.get(at) {
            at += 1;
            let part = match token.kind {
                Kind::Text => Text { text: unescaped(&token.text), arguments: Vec::new() },
                Kind::Word if tokens.get(at).is_some_and(|next| next.is("(")) => {
                    let end = closing(tokens, at)?;
                    let inner = tokens.get(at + 1..end)?;
                    at = end + 1;
                    self.call_in_string(&token.text, inner, path, depth)?
                }
                Kind::Word => self.word_in_string(&token.text, path, depth)?,
                Kind::Sign if token.is("(") || token.is(")") => continue,
                _ => return None,
            };
            text.text += &part.text;
            text.arguments.extend(part.arguments);
        }
        (!tokens.is_empty()).then_some(text)
    }

    fn word_in_string(&self, word: &str, path: &str, depth: usize) -> Option<Text<'a>> {
        let plain = |text: String| Some(Text { text, arguments: Vec::new() });
        if let Some((_, level)) = NAMED.iter().find(|(name, _)| *name == word) {
            return plain(format!("{MARK}{level}"));
        }
        match word {
            "KERN_SOH" => plain(MARK.to_string()),
            "KBUILD_MODNAME" => plain(self.files.module_of(path)),
            "KBUILD_BASENAME" => plain(base_name(path).to_owned()),
            "__FILE__" => plain(path.to_owned()),
            _ => self.string(&self.macros.constant(word, path)?, path, depth + 1),
        }
    }

    fn call_in_string(&self, name: &str, inner: &[Token<'a>], path: &str, depth: usize) -> Option<Text<'a>> {
        if matches!(name, "__stringify" | "stringify") {
            let constant = inner.first().and_then(|word| self.macros.constant(&word.text, path));
            let text = constant.map_or_else(|| joined(inner), |constant| joined(&constant));
            return Some(Text { text: text.trim_matches('"').to_owned(), arguments: Vec::new() });
        }
        let expanded = self.macros.function(name, path)?.expand(&arguments(inner));
        let mut parts = arguments(&expanded).into_iter();
        let mut text = self.string(parts.next()?, path, depth + 1)?;
        text.arguments.extend(parts.map(<[Token]>::to_vec));
        Some(text)
    }

    /// The level that an argument names.
    pub fn level(&self, argument: &[Token<'a>], path: &str) -> Option<u8> {
        let marked = self.string(argument, path, 0).and_then(|text| level_in(&text.text));
        let named = || {
            let words = argument.iter().filter(|token| token.kind == Kind::Word);
            words.filter_map(|word| level_named(&word.text)).min()
        };
        marked.or_else(named)
    }
}

/// The level at the first mark of a text.
pub fn level_in(text: &str) -> Option<u8> {
    let digit = text.split_once(MARK)?.1.bytes().next()?;
    digit.is_ascii_digit().then(|| digit - b'0')
}

/// A text without its marks.
pub fn without_marks(text: &str) -> String {
    let mut parts = text.split(MARK);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| {
        all + part.strip_prefix(|c: char| c.is_ascii_digit() || c == 'c').unwrap_or(part)
    })
}

/// The level of a name such as `KERN_ERR`, or of its last part: `err`.
fn level_named(word: &str) -> Option<u8> {
    let is_named =
        |name: &str| name == word || name.strip_prefix("KERN_").is_some_and(|end| end.to_lowercase() == word);
    NAMED.iter().find(|(name, _)| is_named(name)).map(|(_, level)| *level).or((word == "warn").then_some(4))
}

fn base_name(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split('.').next().unwrap_or(name)
}

/// Tokens without brackets around all of them.
pub fn without_brackets<'t, 'a>(mut tokens: &'t [Token<'a>]) -> &'t [Token<'a>] {
    while tokens.first().is_some_and(|first| first.is("(")) && closing(tokens, 0) == Some(tokens.len() - 1) {
        tokens = tokens.get(1..tokens.len() - 1).unwrap_or_default();
    }
    tokens
}

/// The first of two strings between which a condition chooses; all of it if there is no condition.
fn first_choice<'t, 'a>(tokens: &'t [Token<'a>]) -> &'t [Token<'a>] {
    match choices(tokens) {
        Some((first, _)) => first,
        None => tokens,
    }
}

/// What a condition chooses between.
pub fn choices<'t, 'a>(tokens: &'t [Token<'a>]) -> Option<(&'t [Token<'a>], &'t [Token<'a>])> {
    let parts = split(without_brackets(tokens), |token| token.is("?"));
    let [_, parts] = parts.as_slice() else { return None };
    match split(parts, |token| token.is(":")).as_slice() {
        [first, second] => Some((first, second)),
        _ => None,
    }
}

/// The characters of a literal.
pub fn unescaped(literal: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(literal.len()), literal);
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        rest = escape(after, &mut out);
    }
    out + rest
}

/// Puts the character of an escape in place; what follows it.
fn escape<'t>(text: &'t str, out: &mut String) -> &'t str {
    let digits =
        |text: &str, base: u32, most: usize| text.chars().take(most).take_while(|c| c.is_digit(base)).count();
    let coded = |text: &'t str, length: usize, base: u32| {
        let (code, rest) = text.split_at_checked(length)?;
        Some((char::from_u32(u32::from_str_radix(code, base).ok()?)?, rest))
    };
    let number = match text.strip_prefix('x') {
        Some(hexadecimal) => coded(hexadecimal, digits(hexadecimal, 16, 2), 16),
        None => coded(text, digits(text, 8, 3), 8),
    };
    if let Some((sign, rest)) = number {
        if sign != '\0' {
            out.push(sign);
        }
        return rest;
    }
    let mut signs = text.chars();
    match signs.next() {
        Some('n') => out.push('\n'),
        Some('t') => out.push('\t'),
        // A continued line, and signs that no log shows.
        Some('\n' | 'r' | 'a' | 'f' | 'v' | 'b') | None => {}
        Some(other) => out.push(other),
    }
    signs.as_str()
}
