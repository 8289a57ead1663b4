//! Macros: definitions and expansion.

use std::borrow::Cow;
use std::collections::HashMap;

use super::near::{nearest, Defined};
use super::token::{joined, tokens, Kind, Token};

/// A macro with parameters.
#[derive(Debug)]
pub struct Macro<'a> {
    path: &'a str,
    parameters: Vec<&'a str>,
    /// The name of the rest of the arguments.
    rest: Option<&'a str>,
    body: &'a str,
    calls: Vec<&'a str>,
}

/// A macro without parameters.
#[derive(Debug)]
pub struct Constant<'a> {
    path: &'a str,
    body: &'a str,
}

impl Defined for Macro<'_> {
    fn path(&self) -> &str {
        self.path
    }
}

impl Defined for Constant<'_> {
    fn path(&self) -> &str {
        self.path
    }
}

/// All macros of a kernel.
#[derive(Debug, Default)]
pub struct Macros<'a> {
    functions: HashMap<&'a str, Vec<Macro<'a>>>,
    constants: HashMap<&'a str, Vec<Constant<'a>>>,
}

impl<'a> Macros<'a> {
    /// Takes note of a directive `#define`.
    pub fn define(&mut self, path: &'a str, directive: &'a str) {
        let text = directive.trim_start_matches('#').trim_start();
        let Some(text) = text.strip_prefix("define").map(str::trim_start) else { return };
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
        let (Some(name), Some(after)) = (text.get(..end), text.get(end..)) else { return };
        match after.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
            Some((parameters, body)) => {
                let (parameters, rest) = named(parameters);
                self.functions.entry(name).or_default().push(Macro {
                    path,
                    parameters,
                    rest,
                    body,
                    calls: calls(body),
                });
            }
            // Numbers are no text.
            None if after.trim_start().starts_with(|c: char| c.is_ascii_digit()) => {}
            None => self.constants.entry(name).or_default().push(Constant { path, body: after }),
        }
    }

    /// Macros with this name.
    pub fn functions(&self, name: &str) -> impl Iterator<Item = &Macro<'a>> {
        self.functions.get(name).into_iter().flatten()
    }

    /// The names of all macros with parameters.
    pub fn names(&self) -> impl Iterator<Item = (&'a str, &[Macro<'a>])> {
        self.functions.iter().map(|(name, all)| (*name, all.as_slice()))
    }

    /// The macro with this name that a file sees.
    pub fn function(&self, name: &str, path: &str) -> Option<&Macro<'a>> {
        nearest(self.functions(name), path)
    }

    /// What a constant stands for in a file.
    pub fn constant(&self, name: &str, path: &str) -> Option<Vec<Token<'a>>> {
        nearest(self.constants.get(name)?.iter(), path).map(|constant| tokens(constant.body))
    }

    /// What a file itself defines a constant as.
    pub fn own_constant(&self, name: &str, path: &str) -> Option<Vec<Token<'a>>> {
        let mut own = self.constants.get(name)?.iter().filter(|constant| constant.path == path);
        own.next_back().map(|constant| tokens(constant.body))
    }

    /// The last macro of this name that a file itself defines.
    pub fn own_function(&self, name: &str, path: &str) -> Option<&Macro<'a>> {
        self.functions.get(name)?.iter().rfind(|macro_| macro_.path == path)
    }
}

/// The parameters of a macro, and the name of the rest of its arguments.
fn named(parameters: &str) -> (Vec<&str>, Option<&str>) {
    let trimmed = |c: char| c.is_whitespace() || c == '\\';
    let mut names: Vec<&str> = parameters.split(',').map(|name| name.trim_matches(trimmed)).collect();
    let rest = names.last().and_then(|name| name.strip_suffix("..."));
    let rest = rest.map(|name| if name.is_empty() { "__VA_ARGS__" } else { name.trim_end() });
    if rest.is_some() || names == [""] {
        names.pop();
    }
    (names, rest)
}

impl<'a> Macro<'a> {
    /// The path of the file that defines it.
    pub fn path(&self) -> &'a str {
        self.path
    }

    /// Names that its body calls.
    pub fn calls(&self) -> &[&'a str] {
        &self.calls
    }

    /// Its body with the arguments of a call in place.
    pub fn expand(&self, arguments: &[&[Token<'a>]]) -> Vec<Token<'a>> {
        let rest: Vec<Token> = match self.rest {
            Some(_) => list(arguments.get(self.parameters.len()..).unwrap_or_default()),
            None => Vec::new(),
        };
        let mut values: HashMap<&str, &[Token<'a>]> = HashMap::new();
        for (at, name) in self.parameters.iter().enumerate() {
            values.insert(name, arguments.get(at).copied().unwrap_or_default());
        }
        if let Some(name) = self.rest {
            values.insert(name, &rest);
        }
        Expansion { values, rest: self.rest, out: Vec::new() }.run(&tokens(self.body))
    }
}

/// Words before a bracket.
fn calls(body: &str) -> Vec<&str> {
    let body = tokens(body);
    let pairs = body.iter().zip(body.iter().skip(1));
    let called = pairs.filter(|(name, after)| name.kind == Kind::Word && after.is("("));
    called.filter_map(|(name, _)| borrowed(&name.text)).collect()
}

fn borrowed<'a>(text: &Cow<'a, str>) -> Option<&'a str> {
    match text {
        Cow::Borrowed(text) => Some(text),
        Cow::Owned(_) => None,
    }
}

/// Arguments with commas between them.
pub fn list<'a>(arguments: &[&[Token<'a>]]) -> Vec<Token<'a>> {
    let comma = Token { kind: Kind::Sign, text: Cow::Borrowed(","), line: 0, first: false };
    let mut all = Vec::new();
    for (at, argument) in arguments.iter().enumerate() {
        if at > 0 {
            all.push(comma.clone());
        }
        all.extend_from_slice(argument);
    }
    all
}

/// Tokens with some words replaced by others.
pub fn replaced<'a>(body: &[Token<'a>], values: &HashMap<&str, &[Token<'a>]>) -> Vec<Token<'a>> {
    Expansion { values: values.clone(), rest: None, out: Vec::new() }.run(body)
}

struct Expansion<'v, 'a> {
    values: HashMap<&'v str, &'v [Token<'a>]>,
    rest: Option<&'v str>,
    out: Vec<Token<'a>>,
}

impl<'a> Expansion<'_, 'a> {
    fn run(mut self, body: &[Token<'a>]) -> Vec<Token<'a>> {
        let mut at = 0;
        while let Some(token) = body.get(at) {
            let next = body.get(at + 1);
            at += 1;
            if token.is("##") {
                at += usize::from(next.is_some_and(|next| self.paste(next)));
            } else if token.is("#") && next.is_some_and(|next| self.value(next).is_some()) {
                next.into_iter().for_each(|next| self.quote(next));
                at += 1;
            } else if token.is_word("__VA_OPT__") {
                // Only a comma is ever put in.
                let is_empty =
                    self.rest.and_then(|rest| self.values.get(rest)).is_none_or(|rest| rest.is_empty());
                if let Some(comma) = body.get(at + 1).filter(|comma| comma.is(",") && !is_empty) {
                    self.out.push(comma.clone());
                }
                at += 3;
            } else {
                self.put(token);
            }
        }
        self.out
    }

    fn value(&self, token: &Token) -> Option<&[Token<'a>]> {
        if token.kind != Kind::Word {
            return None;
        }
        self.values.get(&*token.text).copied()
    }

    fn put(&mut self, token: &Token<'a>) {
        let is_rest = token.kind == Kind::Word && self.rest == Some(&*token.text);
        match self.value(token).map(<[Token]>::to_vec) {
            Some(value) if value.is_empty() && is_rest => {
                // Without further arguments, the comma before them goes.
                if self.out.last().is_some_and(|last| last.is(",")) {
                    self.out.pop();
                }
            }
            Some(value) => self.out.extend(value),
            None => self.out.push(token.clone()),
        }
    }

    /// Joins the last token and the next one; `false`: the next one stands for itself.
    fn paste(&mut self, next: &Token<'a>) -> bool {
        let value = self.value(next).map_or_else(|| vec![next.clone()], <[Token]>::to_vec);
        let mut value = value.into_iter();
        let (Some(last), Some(first)) = (self.out.last_mut(), value.next()) else {
            self.put(next);
            return true;
        };
        let is_word = |token: &Token| matches!(token.kind, Kind::Word | Kind::Number);
        match last.kind == Kind::Word && is_word(&first) {
            true => last.text = Cow::Owned(format!("{}{}", last.text, first.text)),
            false => self.out.push(first),
        }
        self.out.extend(value);
        true
    }

    fn quote(&mut self, token: &Token<'a>) {
        let text = joined(self.value(token).unwrap_or_default());
        let text = Cow::Owned(text.replace('\\', "\\\\").replace('"', "\\\""));
        self.out.push(Token { kind: Kind::Text, text, line: token.line, first: false });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::token::arguments;

    fn expanded(definition: &str, call: &str) -> String {
        let mut macros = Macros::default();
        macros.define("x.h", definition);
        let call = tokens(call);
        joined(&macros.function("m", "x.h").unwrap().expand(&arguments(&call)))
    }

    #[test]
    fn arguments_take_the_places_of_parameters() {
        assert_eq!(
            expanded("#define m(a, fmt, ...) p(a->x, \"m: \" fmt, ##__VA_ARGS__)", "b, \"y\""),
            "p(b->x,\"m: \"\"y\")"
        );
        assert_eq!(
            expanded("#define m(fmt, args...) p(fmt, args)", "\"%d %d\", f(1, 2), 3"),
            "p(\"%d %d\",f(1,2),3)"
        );
        assert_eq!(expanded("#define m(level, fmt) pr_##level(fmt)", "err, \"x\""), "pr_err(\"x\")");
        assert_eq!(expanded("#define m(x) p(#x \"=%d\", x)", "a->b"), "p(\"a->b\"\"=%d\",a->b)");
        assert_eq!(expanded("#define m(fmt, ...) p(fmt __VA_OPT__(,) __VA_ARGS__)", "\"x\""), "p(\"x\")");
    }
}
