//! One kernel: its files, what they define, and which names print.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::conditions::Conditions;
use super::files::{File, Files};
use super::macros::{Macro, Macros};
use super::near::{nearest, Defined};
use super::token::{arguments, closing, joined, Kind, Lexer, Piece, Token};
use crate::extract::printers::{is_debugging, printers, Printer};

/// A function that prints its caller's format: it passes a `struct va_format` on to `%pV`.
#[derive(Debug)]
pub struct Function<'a> {
    path: &'a str,
    /// Names of its parameters; the last is the format.
    pub parameters: Vec<String>,
    /// Its calls with `%pV`: name, bracket, arguments, bracket.
    pub calls: Vec<Vec<Token<'a>>>,
}

impl Function<'_> {
    /// The path of its file.
    pub fn path(&self) -> &str {
        self.path
    }
}

impl Defined for Function<'_> {
    fn path(&self) -> &str {
        self.path
    }
}

/// The sources of a kernel, read.
#[derive(Debug)]
pub struct Kernel<'a> {
    /// Its files.
    pub files: &'a Files,
    /// Its macros.
    pub macros: Macros<'a>,
    includes: HashMap<&'a str, Vec<(bool, &'a str)>>,
    functions: HashMap<&'a str, Vec<Function<'a>>>,
    printers: HashMap<String, Printer>,
    known: HashSet<String>,
    /// For each file of storage code, the file whose `pr_fmt` it sees.
    pr_fmts: HashMap<&'a str, &'a str>,
}

/// How many headers lie between a file and the one that defines its `pr_fmt`.
const MOST_INCLUDES: usize = 3;
/// Defines `pr_fmt` for files that do not.
const DEFAULT_PR_FMT: &str = "include/linux/printk.h";

impl<'a> Kernel<'a> {
    /// Reads all definitions.
    pub fn new(files: &'a Files) -> Self {
        let mut kernel = Kernel {
            files,
            macros: Macros::default(),
            includes: HashMap::new(),
            functions: HashMap::new(),
            printers: printers(),
            known: HashSet::new(),
            pr_fmts: HashMap::new(),
        };
        for file in &files.files {
            let (code, includes) = kernel.define(file);
            kernel.includes.insert(&file.path, includes);
            if file.is_storage {
                kernel.note_functions(&file.path, &code);
            }
        }
        kernel.known = kernel.printing();
        kernel.pr_fmts = kernel.all_pr_fmts();
        kernel
    }

    fn all_pr_fmts(&self) -> HashMap<&'a str, &'a str> {
        let all = self.macros.functions("pr_fmt").map(Macro::path);
        let defining: HashSet<&str> = all.filter(|path| *path != DEFAULT_PR_FMT).collect();
        let storage = self.files.files.iter().filter(|file| file.is_storage);
        let found =
            storage.filter_map(|file| Some((&*file.path, self.file_with_pr_fmt(&file.path, &defining)?)));
        found.collect()
    }

    /// Takes note of a file's macros; its code, and what it includes.
    fn define(&mut self, file: &'a File) -> (Vec<Token<'a>>, Vec<(bool, &'a str)>) {
        let (mut code, mut includes) = (Vec::new(), Vec::new());
        read(&file.text, |piece| match piece {
            Piece::Token(token) if file.is_storage => code.push(token),
            Piece::Token(_) => {}
            Piece::Directive(text) => match include(text) {
                Some(include) => includes.push(include),
                None => self.macros.define(&file.path, text),
            },
        });
        (code, includes)
    }

    fn note_functions(&mut self, path: &'a str, code: &[Token<'a>]) {
        for at in 0..code.len() {
            let Some(body) = body_after(code, at) else { continue };
            let Some(open) = opening(code, at) else { continue };
            let name = open.checked_sub(1).and_then(|before| code.get(before));
            let Some(name) = name.and_then(word) else { continue };
            let end = closing(code, body).unwrap_or(code.len());
            let calls = calls_with_format(code.get(body..end).unwrap_or_default());
            if calls.is_empty() || self.printers.contains_key(name) {
                continue;
            }
            let parameters = arguments(code.get(open + 1..at).unwrap_or_default());
            let parameters = parameters.iter().filter(|parameter| !parameter.is_empty());
            let parameters = parameters.map(|parameter| name_of(parameter)).collect();
            self.functions.entry(name).or_default().push(Function { path, parameters, calls });
        }
    }

    /// All names that print: functions, and macros that end in one of them, over any number of others.
    fn printing(&self) -> HashSet<String> {
        let mut known: HashSet<String> = self.printers.keys().cloned().collect();
        known.extend(self.functions.keys().map(|name| (*name).to_owned()));
        let mut open: Vec<(&str, HashSet<&str>)> = Vec::new();
        for (name, all) in self.macros.names() {
            if !is_control(name) && !is_debugging(name) && !known.contains(name) {
                open.push((name, all.iter().flat_map(Macro::calls).copied().collect()));
            }
        }
        loop {
            let before = known.len();
            open.retain(|(name, calls)| {
                let prints = calls.iter().any(|call| known.contains(*call));
                if prints {
                    known.insert((*name).to_owned());
                }
                !prints
            });
            if known.len() == before {
                return known;
            }
        }
    }

    /// The name prints.
    pub fn prints(&self, name: &str) -> bool {
        self.known.contains(name) && (self.printers.contains_key(name) || !is_debugging(name))
    }

    /// A function whose text is known without its definition.
    pub fn printer(&self, name: &str) -> Option<&Printer> {
        self.printers.get(name)
    }

    /// The function of this name that a file calls, which prints its caller's format.
    pub fn function(&self, name: &str, path: &str) -> Option<&Function<'a>> {
        nearest(self.functions.get(name)?.iter(), path)
    }

    /// The function is one that prints for others.
    pub fn is_function(&self, name: &str) -> bool {
        self.functions.contains_key(name) || self.printers.contains_key(name)
    }

    /// The macro of this name that a file sees and that prints.
    pub fn printing_macro(&self, name: &str, path: &str) -> Option<&Macro<'a>> {
        let prints = |macro_: &&Macro| macro_.calls().iter().any(|call| self.known.contains(*call));
        nearest(self.macros.functions(name).filter(prints), path)
    }

    /// The macro `pr_fmt` that a file sees: its own, or one of the headers that it includes.
    pub fn pr_fmt(&self, path: &str) -> Option<&Macro<'a>> {
        self.macros.own_function("pr_fmt", self.pr_fmts.get(path)?)
    }

    /// The nearest file that defines `pr_fmt`, over a few includes.
    fn file_with_pr_fmt(&self, path: &'a str, defining: &HashSet<&str>) -> Option<&'a str> {
        let (mut level, mut seen) = (vec![path], HashSet::from([path]));
        for _ in 0..=MOST_INCLUDES {
            if let Some(found) = level.iter().find(|path| defining.contains(**path)) {
                return Some(found);
            }
            let includes = level.iter().flat_map(|path| {
                let includes = self.includes.get(path).into_iter().flatten();
                includes.filter_map(|(is_quoted, name)| self.header(path, *is_quoted, name))
            });
            level = includes.filter(|path| seen.insert(path)).collect();
        }
        None
    }

    /// The path of an included header, if it was read.
    fn header(&self, path: &str, is_quoted: bool, name: &str) -> Option<&'a str> {
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        let beside = is_quoted.then(|| normalised(&format!("{directory}/{name}")));
        let candidates = beside.into_iter().chain([format!("include/{name}")]);
        let found = candidates.filter_map(|path| self.includes.get_key_value(&*path)).next();
        let elsewhere = || {
            // The Makefile adds another directory to those that are searched.
            let ending = format!("/{}", name.trim_start_matches("../"));
            let top: Vec<&str> = path.split('/').take(3).collect();
            let top = top.join("/");
            let mut paths =
                self.includes.keys().filter(|path| path.starts_with(&top) && path.ends_with(&ending));
            is_quoted.then(|| paths.next().copied()).flatten()
        };
        found.map(|(path, _)| *path).or_else(elsewhere)
    }
}

/// The parts of a file that are compiled: code, and directives other than conditions.
pub fn read<'a>(text: &'a str, mut take: impl FnMut(Piece<'a>)) {
    let mut conditions = Conditions::default();
    for piece in Lexer::new(text) {
        let is_condition = matches!(&piece, Piece::Directive(text) if conditions.note(text));
        if !is_condition && !conditions.is_dead() {
            take(piece);
        }
    }
}

/// Macros with code around the calls of others, whose texts say nothing about a fault.
fn is_control(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    ["warn_on", "list_for", "spin", "mutex", "wait_event", "min", "max", "container", "pr_fmt", "dev_fmt"]
        .iter()
        .any(|word| lower.starts_with(word))
}

/// What a directive includes: between quotation marks or not, and its name.
fn include(directive: &str) -> Option<(bool, &str)> {
    let text = directive.trim_start_matches('#').trim_start().strip_prefix("include")?.trim();
    match text.strip_prefix('"') {
        Some(name) => Some((true, name.split('"').next()?)),
        None => Some((false, text.strip_prefix('<')?.split('>').next()?)),
    }
}

/// A name as it stands in a file.
fn word<'a>(token: &Token<'a>) -> Option<&'a str> {
    match (token.kind, &token.text) {
        (Kind::Word, Cow::Borrowed(word)) => Some(word),
        _ => None,
    }
}

/// A path without `..`.
fn normalised(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            ".." => {
                parts.pop();
            }
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The body of the function whose parameters end with `...` at a place: attributes may stand before it.
fn body_after(code: &[Token], dots: usize) -> Option<usize> {
    let is = |at: usize, sign| code.get(at).is_some_and(|token: &Token| token.is(sign));
    if !is(dots, "...") || !is(dots + 1, ")") {
        return None;
    }
    let mut at = dots + 2;
    while code.get(at)?.kind == Kind::Word {
        at = if is(at + 1, "(") { closing(code, at + 1)? + 1 } else { at + 1 };
    }
    is(at, "{").then_some(at)
}

/// The bracket that is open at a place.
fn opening(code: &[Token], at: usize) -> Option<usize> {
    let mut depth = 0;
    for (index, token) in code.iter().enumerate().take(at).rev() {
        if token.closes() {
            depth += 1;
        } else if token.opens() {
            if depth == 0 {
                return token.is("(").then_some(index);
            }
            depth -= 1;
        }
    }
    None
}

/// The name of a declared parameter.
fn name_of(parameter: &[Token]) -> String {
    let words = parameter.iter().rev().filter(|token| token.kind == Kind::Word);
    words.map(|token| token.text.to_string()).next().unwrap_or_default()
}

/// Calls with a string that contains `%pV`.
fn calls_with_format<'a>(body: &[Token<'a>]) -> Vec<Vec<Token<'a>>> {
    let mut found = Vec::new();
    for (at, pair) in body.windows(2).enumerate() {
        let [name, open] = pair else { continue };
        if name.kind != Kind::Word || !open.is("(") || is_debugging(&name.text) {
            continue;
        }
        let Some(call) = closing(body, at + 1).and_then(|end| body.get(at..=end)) else { continue };
        if joined(call).contains("%pV") {
            found.push(call.to_vec());
        }
    }
    found
}
