//! All messages of a kernel: one for each format of a function.

use std::collections::{HashMap, HashSet};

use super::conversion::words;
use super::expand::Site;
use crate::lines::render::{self, Line};
use crate::source::files::File;
use crate::source::kernel::{read, Kernel};
use crate::source::token::{arguments, closing, Kind, Piece, Token};

/// A format that storage code prints.
#[derive(Clone, Debug)]
pub struct Format {
    /// The path of its file.
    pub file: String,
    /// The function that prints it.
    pub function: String,
    /// The line of the call.
    pub line: u32,
    /// The level, 0 (emergency) to 6 (info).
    pub level: u8,
    /// What is printed, with the conversions; the device that the kernel adds as `{…}`.
    pub text: String,
    /// Messages made of it, for one device and for another.
    pub lines: Vec<Line>,
    /// journald gets the device in a field of its own.
    pub has_device: bool,
}

/// What was found in a kernel.
#[derive(Debug, Default)]
pub struct Found {
    /// The formats, in the order of files and lines.
    pub formats: Vec<Format>,
    /// Calls whose format is no constant, by function.
    pub unresolved: HashMap<String, usize>,
}

/// Milder messages of these functions are printed only while somebody is debugging (lpfc_log_verbose).
const ERRORS_ONLY: &str = "lpfc_printf_";

/// Finds all formats.
pub fn formats(kernel: &Kernel) -> Found {
    let mut found = Found::default();
    for file in kernel.files.files.iter().filter(|file| file.is_storage) {
        in_file(kernel, file, &mut found);
    }
    found
}

fn in_file(kernel: &Kernel, file: &File, found: &mut Found) {
    let mut code: Vec<Token> = Vec::new();
    read(&file.text, |piece| {
        if let Piece::Token(token) = piece {
            code.push(token);
        }
    });
    let (mut known, mut scope) = (HashSet::new(), Scope::default());
    for (at, token) in code.iter().enumerate() {
        scope.note(token, code.get(at + 1));
        let is_call = token.kind == Kind::Word && code.get(at + 1).is_some_and(|next| next.is("("));
        let is_member =
            at.checked_sub(1).and_then(|before| code.get(before)).is_some_and(|t| t.is(".") || t.is(">"));
        if !is_call
            || is_member
            || scope.depth == 0
            || !kernel.prints(&token.text)
            || kernel.is_function(&scope.function)
        {
            continue;
        }
        let Some(inner) = closing(&code, at + 1).and_then(|end| code.get(at + 2..end)) else { continue };
        let site = Site { path: &file.path, function: &scope.function, line: token.line };
        let Ok(messages) = kernel.printed(&token.text, &arguments(inner), site, 0) else {
            *found.unresolved.entry(token.text.to_string()).or_default() += 1;
            continue;
        };
        for printed in messages {
            let is_verbose = token.text.starts_with(ERRORS_ONLY) && printed.level > 3;
            let text = format!("{}{}", printed.head, printed.format.trim_end());
            if is_verbose
                || !says_something(&printed.format)
                || !known.insert((scope.function.clone(), text.clone()))
            {
                continue;
            }
            found.formats.push(Format {
                lines: render::lines(&printed, site, kernel),
                file: file.path.clone(),
                function: scope.function.clone(),
                line: token.line,
                level: printed.level,
                text,
                has_device: printed.has_device,
            });
        }
    }
}

/// A format has a word of its own.
fn says_something(format: &str) -> bool {
    words(format).split(|c: char| !c.is_ascii_alphabetic()).any(|word| word.len() >= 3)
}

/// Which function a place is in.
#[derive(Debug, Default)]
struct Scope {
    depth: usize,
    brackets: usize,
    /// The function whose body, or head, this is.
    function: String,
    is_named: bool,
}

/// Not the names of functions, although a bracket follows.
const ATTRIBUTES: [&str; 9] = [
    "__printf",
    "__attribute__",
    "__acquires",
    "__releases",
    "__must_hold",
    "__aligned",
    "__section",
    "__scanf",
    "__format_arg",
];

impl Scope {
    fn note(&mut self, token: &Token, next: Option<&Token>) {
        // A bracket in the first column belongs to a function, whatever conditions did to those before it.
        match &*token.text {
            "{" if token.kind == Kind::Sign => self.depth = if token.first { 1 } else { self.depth + 1 },
            "}" if token.kind == Kind::Sign => {
                self.depth = if token.first { 0 } else { self.depth.saturating_sub(1) };
                if self.depth == 0 {
                    self.end();
                }
            }
            _ if self.depth > 0 => {}
            "(" if token.kind == Kind::Sign => self.brackets += 1,
            ")" if token.kind == Kind::Sign => self.brackets = self.brackets.saturating_sub(1),
            ";" if token.kind == Kind::Sign => self.end(),
            name => {
                let is_name = token.kind == Kind::Word && next.is_some_and(|next| next.is("("));
                if is_name && self.brackets == 0 && !self.is_named && !ATTRIBUTES.contains(&name) {
                    self.function = name.to_owned();
                    self.is_named = true;
                }
            }
        }
    }

    fn end(&mut self) {
        self.brackets = 0;
        self.is_named = false;
    }
}
