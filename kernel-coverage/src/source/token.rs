//! Tokens of C, as far as calls of printing functions need them: comments and white space are dropped, operators are single signs.

use std::borrow::Cow;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An identifier or a keyword.
    Word,
    /// A number.
    Number,
    /// A string literal; the text is what stands between the quotation marks, with its escapes.
    Text,
    /// A character literal.
    Char,
    /// Anything else: one sign, or `...`, `##`.
    Sign,
}

/// A token and where it stands.
#[derive(Clone, Debug)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its text.
    pub text: Cow<'a, str>,
    /// Its line in the file, from 1.
    pub line: u32,
    /// It stands in the first column.
    pub first: bool,
}

impl Token<'_> {
    /// It is this word.
    pub fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }

    /// It is this sign.
    pub fn is(&self, sign: &str) -> bool {
        self.kind == Kind::Sign && self.text == sign
    }

    /// It opens a bracket of any kind.
    pub fn opens(&self) -> bool {
        self.kind == Kind::Sign && matches!(&*self.text, "(" | "[" | "{")
    }

    /// It closes a bracket of any kind.
    pub fn closes(&self) -> bool {
        self.kind == Kind::Sign && matches!(&*self.text, ")" | "]" | "}")
    }
}

/// A piece of a file.
#[derive(Debug)]
pub enum Piece<'a> {
    /// A token of code.
    Token(Token<'a>),
    /// A directive of the preprocessor, from its `#` to the end of the line, with continued lines and comments.
    Directive(&'a str),
}

/// Reads tokens from a text.
#[derive(Debug)]
pub struct Lexer<'a> {
    source: &'a str,
    at: usize,
    line: u32,
    /// Only white space stands before `at` on this line.
    is_fresh: bool,
    has_directives: bool,
}

/// The tokens of a macro's body, where `#` is an operator.
pub fn tokens(body: &str) -> Vec<Token<'_>> {
    let pieces = Lexer { has_directives: false, ..Lexer::new(body) };
    let token = |piece| match piece {
        Piece::Token(token) => Some(token),
        Piece::Directive(_) => None,
    };
    pieces.filter_map(token).collect()
}

impl<'a> Lexer<'a> {
    /// The pieces of a file.
    pub fn new(source: &'a str) -> Self {
        Lexer { source, at: 0, line: 1, is_fresh: true, has_directives: true }
    }

    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    /// Moves on by this many bytes, and returns them.
    fn take(&mut self, length: usize) -> &'a str {
        let rest = self.rest();
        let text = rest.get(..length).unwrap_or(rest);
        self.at += text.len();
        self.line += text.bytes().filter(|byte| *byte == b'\n').count() as u32;
        text
    }

    fn token(&mut self, kind: Kind, length: usize) -> Option<Piece<'a>> {
        let first = self.at == 0 || self.source.as_bytes().get(self.at - 1) == Some(&b'\n');
        let line = self.line;
        self.is_fresh = false;
        let text = self.take(length);
        let text = match kind {
            Kind::Text => text.strip_prefix('"').map_or(text, |text| text.strip_suffix('"').unwrap_or(text)),
            _ => text,
        };
        Some(Piece::Token(Token { kind, text: Cow::Borrowed(text), line, first }))
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest = self.rest();
            let sign = rest.chars().next()?;
            match sign {
                '\n' => {
                    self.take(1);
                    self.is_fresh = true;
                }
                ' ' | '\t' | '\r' | '\x0c' => {
                    self.take(1);
                }
                '\\' if rest.starts_with("\\\n") => {
                    self.take(2);
                }
                '/' if rest.starts_with("//") => {
                    self.take(rest.find('\n').unwrap_or(rest.len()));
                }
                '/' if rest.starts_with("/*") => {
                    self.take(comment(rest));
                }
                '#' if self.has_directives && self.is_fresh => {
                    let text = self.take(directive(rest));
                    return Some(Piece::Directive(text));
                }
                '"' => return self.token(Kind::Text, quoted(rest, b'"')),
                '\'' => return self.token(Kind::Char, quoted(rest, b'\'')),
                'a'..='z' | 'A'..='Z' | '_' => {
                    let is_in_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
                    return self.token(Kind::Word, length(rest, is_in_word));
                }
                '0'..='9' => {
                    let is_in_number = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'.';
                    return self.token(Kind::Number, length(rest, is_in_number));
                }
                '.' if rest.starts_with("...") => return self.token(Kind::Sign, 3),
                '#' if rest.starts_with("##") => return self.token(Kind::Sign, 2),
                other => return self.token(Kind::Sign, other.len_utf8()),
            }
        }
    }
}

fn length(text: &str, is_in: impl Fn(&u8) -> bool) -> usize {
    text.bytes().take_while(|byte| is_in(byte)).count()
}

/// Length of the comment at the beginning of a text.
fn comment(text: &str) -> usize {
    let end = text.get(2..).and_then(|text| text.find("*/"));
    end.map_or(text.len(), |end| end + 4)
}

/// Length of the literal at the beginning of a text. One that is not closed ends with its line.
fn quoted(text: &str, mark: u8) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1 + bytes.get(at + 1).map_or(0, |_| text.get(at + 1..).map_or(1, first_length)),
            b'\n' => return at,
            byte if *byte == mark => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

fn first_length(text: &str) -> usize {
    text.chars().next().map_or(1, char::len_utf8)
}

/// Length of the directive at the beginning of a text, without the end of its last line.
fn directive(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let rest = text.get(at..).unwrap_or_default();
        at += match byte {
            b'\n' => return at,
            b'\\' if rest.starts_with("\\\n") => 2,
            b'/' if rest.starts_with("/*") => comment(rest),
            b'/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            b'"' => quoted(rest, b'"'),
            _ => 1,
        };
    }
    text.len()
}

/// Tokens as text again, with a blank only where two words would run together.
pub fn joined(tokens: &[Token]) -> String {
    let mut text = String::new();
    let mut was_word = false;
    for token in tokens {
        let is_word = matches!(token.kind, Kind::Word | Kind::Number);
        if was_word && is_word {
            text.push(' ');
        }
        match token.kind {
            Kind::Text => text.extend(["\"", &token.text, "\""]),
            _ => text.push_str(&token.text),
        }
        was_word = is_word;
    }
    text
}

/// The end of the bracket that opens at `open`: the index of the token that closes it.
pub fn closing(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if token.opens() {
            depth += 1;
        } else if token.closes() {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}

/// The parts of tokens between commas that stand in no bracket.
pub fn arguments<'t, 'a>(tokens: &'t [Token<'a>]) -> Vec<&'t [Token<'a>]> {
    split(tokens, |token| token.is(","))
}

/// The parts of tokens between marks that stand in no bracket.
pub fn split<'t, 'a>(tokens: &'t [Token<'a>], is_mark: impl Fn(&Token) -> bool) -> Vec<&'t [Token<'a>]> {
    let (mut found, mut depth, mut start) = (Vec::new(), 0_i32, 0);
    for (at, token) in tokens.iter().enumerate() {
        depth += i32::from(token.opens()) - i32::from(token.closes());
        if depth == 0 && is_mark(token) {
            found.push(tokens.get(start..at).unwrap_or_default());
            start = at + 1;
        }
    }
    let last = tokens.get(start..).unwrap_or_default();
    if !last.is_empty() || !found.is_empty() {
        found.push(last);
    }
    found
}
