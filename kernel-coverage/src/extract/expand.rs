//! From a call to what it prints: through macros, and through functions that print their caller's format.

use std::collections::HashMap;

use super::conversion::{parts, Part};
use super::printers::{Head, Level, Printer, CONTINUES, DEBUG, FIRST_TEXT};
use super::strings::{level_in, without_marks, Text};
use crate::lines::place;
use crate::source::kernel::{Function, Kernel};
use crate::source::token::{arguments, closing, joined, Kind, Token};

/// Where a call stands.
#[derive(Clone, Copy, Debug)]
pub struct Site<'s> {
    /// The path of the file whose macros count.
    pub path: &'s str,
    /// The function that makes the call.
    pub function: &'s str,
    /// Its line.
    pub line: u32,
}

/// A message that a call prints.
#[derive(Clone, Debug)]
pub struct Printed<'a> {
    /// Its level, 0 to 6.
    pub level: u8,
    /// What stands before the format, with names of devices in braces.
    pub head: String,
    /// The format, without levels.
    pub format: String,
    /// Its arguments.
    pub arguments: Vec<Vec<Token<'a>>>,
    /// What stands behind it.
    pub tail: &'static str,
    /// journald gets the device's name in a field of its own (dev_printk_emit of drivers/base/core.c).
    pub has_device: bool,
}

/// The format of a call is no constant.
#[derive(Debug)]
pub struct Unresolved;

type Arguments<'t, 'a> = [&'t [Token<'a>]];

/// How deep calls may be nested.
const DEEPEST: usize = 9;
/// How many messages of one call count.
const MOST: usize = 2;

impl<'a> Kernel<'a> {
    /// The messages of a call.
    ///
    /// # Errors
    /// Its format is no constant.
    pub fn printed(
        &self,
        name: &str,
        arguments: &Arguments<'_, 'a>,
        site: Site,
        depth: usize,
    ) -> Result<Vec<Printed<'a>>, Unresolved> {
        if depth > DEEPEST {
            return Err(Unresolved);
        }
        if let Some(printer) = self.printer(name) {
            return Ok(self.by_printer(printer, arguments, site)?.into_iter().collect());
        }
        if let Some(function) = self.function(name, site.path) {
            return self.by_function(function, arguments, site, depth);
        }
        self.by_macro(name, arguments, site, depth)
    }

    fn by_macro(
        &self,
        name: &str,
        values: &Arguments<'_, 'a>,
        site: Site,
        depth: usize,
    ) -> Result<Vec<Printed<'a>>, Unresolved> {
        let Some(found) = self.printing_macro(name, site.path) else { return Ok(Vec::new()) };
        let body = found.expand(values);
        for (at, pair) in body.windows(2).enumerate() {
            let [called, open] = pair else { continue };
            if called.kind != Kind::Word || !open.is("(") || called.text == name || !self.prints(&called.text)
            {
                continue;
            }
            let Some(inner) = closing(&body, at + 1).and_then(|end| body.get(at + 2..end)) else { continue };
            let printed = self.printed(&called.text, &arguments(inner), site, depth + 1)?;
            if !printed.is_empty() {
                return Ok(printed);
            }
        }
        Ok(Vec::new())
    }

    fn by_function(
        &self,
        function: &Function<'a>,
        values: &Arguments<'_, 'a>,
        site: Site,
        depth: usize,
    ) -> Result<Vec<Printed<'a>>, Unresolved> {
        let format_at = function.parameters.len().saturating_sub(1);
        let mut text =
            self.string(values.get(format_at).ok_or(Unresolved)?, site.path, 0).ok_or(Unresolved)?;
        text.arguments.extend(values.iter().skip(format_at + 1).map(|value| value.to_vec()));
        let given: HashMap<&str, &[Token<'a>]> = function
            .parameters
            .iter()
            .zip(values)
            .take(format_at)
            .map(|(name, value)| (name.as_str(), *value))
            .collect();
        let inner_site = Site { path: function.path(), ..site };
        let mut found = Vec::new();
        for call in chosen(function, values) {
            let call = crate::source::macros::replaced(call, &given);
            let inner = call.get(2..call.len().saturating_sub(1)).unwrap_or_default();
            let name = call.first().map(|name| name.text.to_string()).unwrap_or_default();
            if !self.prints(&name) {
                continue;
            }
            for mut printed in self.printed(&name, &arguments(inner), inner_site, depth + 1)? {
                if printed.put_in(&text) && found.len() < MOST {
                    found.push(printed);
                }
            }
        }
        Ok(found)
    }

    fn by_printer(
        &self,
        printer: &Printer,
        values: &Arguments<'_, 'a>,
        site: Site,
    ) -> Result<Option<Printed<'a>>, Unresolved> {
        let mut level = match printer.level {
            Level::Is(level) => Some(level),
            Level::InFormat => {
                values.first().filter(|_| printer.format > 0).and_then(|_| level_of_words(values))
            }
            Level::Argument(at) => values.get(at).and_then(|value| self.level(value, site.path)),
            Level::Word(at, words) => match values.get(at).and_then(|value| level_of(value, words)) {
                Some(level) => Some(level),
                None => return Ok(None),
            },
        };
        let is_text = |value: &&[Token]| value.iter().any(|token| token.kind == Kind::Text);
        let at = match printer.format {
            FIRST_TEXT => values.iter().position(is_text).ok_or(Unresolved)?,
            at => at,
        };
        let Text { mut text, arguments: mut rest } =
            self.string(values.get(at).ok_or(Unresolved)?, site.path, 0).ok_or(Unresolved)?;
        rest.extend(values.iter().skip(at + 1).map(|value| value.to_vec()));
        if let (Head::Pr, Some(head)) = (printer.head, self.pr_fmt_text(site.path)) {
            text.insert_str(0, &head.text);
            rest.splice(0..0, head.arguments);
        }
        self.take_level(&mut text, &mut rest, &mut level, site.path);
        let is_loose = matches!(printer.level, Level::InFormat) && level.is_none();
        let level = level.unwrap_or(4);
        if level >= DEBUG || is_loose && continues(&text) {
            return Ok(None);
        }
        let has_device = matches!(printer.head, Head::Device(_) | Head::Probe(_) | Head::ScsiDisk(_))
            || matches!(printer.head, Head::Text(text) if text.starts_with("{command}"));
        let head = self.head(printer.head, values, level, site);
        let tail = if text.contains("%pV") { "" } else { self.tail(printer) };
        Ok(Some(Printed { level, head, format: text, arguments: rest, tail, has_device }))
    }

    /// Takes the level out of a format, or out of its first argument.
    fn take_level(
        &self,
        text: &mut String,
        rest: &mut Vec<Vec<Token<'a>>>,
        level: &mut Option<u8>,
        path: &str,
    ) {
        *level = level_in(text).or(*level);
        let has_mark = text.starts_with("\x01%d") || text.starts_with("\x01%c");
        *text = without_marks(text);
        if text.starts_with("%c%c") && rest.len() >= 2 {
            *text = text.split_off(4);
            *level = rest.get(1).and_then(|value| self.level(value, path)).or(*level);
            rest.drain(..2);
        } else if has_mark && !rest.is_empty() {
            *text = text.split_off(2);
            *level = rest.first().and_then(|value| self.level(value, path)).or(*level);
            rest.remove(0);
        } else if text.starts_with("%s") && rest.first().is_some_and(|value| is_level(value)) {
            *text = text.split_off(2);
            *level = rest.first().and_then(|value| self.level(value, path)).or(*level);
            rest.remove(0);
        }
    }

    fn pr_fmt_text(&self, path: &str) -> Option<Text<'a>> {
        let empty = [Token { kind: Kind::Text, text: "".into(), line: 0, first: false }];
        self.format_macro(self.pr_fmt(path)?.expand(&[&empty]), path)
    }

    fn format_macro(&self, expanded: Vec<Token<'a>>, path: &str) -> Option<Text<'a>> {
        let mut parts = arguments(&expanded).into_iter();
        let mut text = self.string(parts.next()?, path, 0)?;
        text.arguments.extend(parts.map(<[Token]>::to_vec));
        Some(text)
    }

    /// What `dev_fmt` adds behind the name of a device.
    fn dev_fmt(&self, path: &str) -> Option<String> {
        if self.macros.own_constant("dev_fmt", path).is_some() {
            return self.pr_fmt_text(path).map(|text| text.text);
        }
        let empty = [Token { kind: Kind::Text, text: "".into(), line: 0, first: false }];
        let expanded = self.macros.own_function("dev_fmt", path)?.expand(&[&empty]);
        self.format_macro(expanded, path).map(|text| text.text)
    }

    fn head(&self, head: Head, values: &Arguments<'_, 'a>, level: u8, site: Site) -> String {
        let text = |at: usize| values.get(at).map_or_else(String::new, |value| joined(value));
        let device = |at: usize| {
            let device = place::device(site.path, &text(at), &self.files.module_of(site.path));
            device + &self.dev_fmt(site.path).unwrap_or_default()
        };
        match head {
            Head::None | Head::Pr => String::new(),
            Head::Device(at) => device(at),
            Head::Probe(at) => device(at) + "error -EIO: ",
            Head::ScsiDisk(at) => place::scsi_device(site.path, text(at) != "NULL"),
            Head::Text(text) => text.replace("{mark}", if level <= 3 { "ERROR: " } else { "" }),
            Head::Unless(at, none, some) => if text(at) == "NULL" { none } else { some }.to_owned(),
            Head::Numbered(at, text_) => {
                let number = text(at);
                let digits = number.strip_prefix("0x").unwrap_or("00af");
                text_.replace("{id}", &format!("{digits:0>4}"))
            }
            Head::Btrfs => {
                const NAMES: [&str; 7] =
                    ["emergency", "alert", "critical", "error", "warning", "notice", "info"];
                let name = NAMES.get(usize::from(level)).unwrap_or(&"info");
                match text(0) == "NULL" {
                    true => format!("BTRFS {name}: "),
                    false => format!("BTRFS {name} (device {{part}}): "),
                }
            }
            Head::Drbd => {
                if text(0).contains("device") { "block drbd{number}: " } else { "drbd r{number}: " }
                    .to_owned()
            }
        }
    }

    fn tail(&self, printer: &Printer) -> &'static str {
        match printer.format {
            // drivers/md/dm-vdo/logger.c, vdo_log_strerror: the text of the status follows.
            3 if matches!(printer.level, Level::Word(0, words) if words.first().is_some_and(|(w, _)| w.starts_with("VDO"))) => {
                ": VDO Status: out of space (5)"
            }
            _ => "",
        }
    }
}

impl<'a> Printed<'a> {
    /// Puts a caller's format in the place of `%pV`; `false`: it is printed only while somebody is debugging.
    fn put_in(&mut self, inner: &Text<'a>) -> bool {
        let (mut argument, mut before) = (0, 0);
        for part in parts(&self.format) {
            match part {
                Part::Conversion(found) if found.text == "%pV" => break,
                Part::Conversion(found) => {
                    argument += found.arguments();
                    before += found.text.len();
                }
                Part::Text("%") => before += 2,
                Part::Text(text) => before += text.len(),
            }
        }
        let Some(after) = self.format.get(before..).and_then(|rest| rest.strip_prefix("%pV")) else {
            return true;
        };
        let after = after.to_owned();
        let text = without_marks(&inner.text);
        let text = text.trim_end_matches('\n');
        self.format.truncate(before);
        self.format = format!("{}{text}{after}", self.format);
        let end = (argument + 1).min(self.arguments.len());
        self.arguments.splice(argument.min(end)..end, inner.arguments.iter().cloned());
        self.level = level_in(&inner.text).filter(|level| *level < CONTINUES).unwrap_or(self.level);
        self.level < DEBUG
    }
}

/// The level that one of these words in an argument means.
fn level_of(value: &[Token], words: &[(&str, u8)]) -> Option<u8> {
    let has = |word: &str| value.iter().any(|token| token.is_word(word));
    words.iter().filter(|(word, _)| has(word)).map(|(_, level)| *level).min()
}

/// The level that one of a call's first arguments names.
fn level_of_words(values: &Arguments<'_, '_>) -> Option<u8> {
    let named = |value: &&[Token]| level_of(value, super::printers::NAMED);
    values.iter().take(2).filter_map(named).min()
}

/// An argument is a level: it has the name of one.
fn is_level(value: &[Token]) -> bool {
    let text = joined(value);
    ["KERN_", "lvl", "level", "loglvl", "prefix", "kern_level"].iter().any(|word| text.contains(word))
        && !text.contains('(')
        && !text.contains('.')
}

/// A text without a level that goes on behind another one.
fn continues(text: &str) -> bool {
    let is_short = text.len() <= 3 && text.chars().all(|c| c.is_ascii_lowercase());
    is_short || text.starts_with(|c: char| c.is_whitespace() || ",;:.()]}=/".contains(c))
}

/// The calls of a function that count: those that name the device, unless the caller has none.
fn chosen<'f, 'a>(function: &'f Function<'a>, values: &Arguments<'_, 'a>) -> Vec<&'f [Token<'a>]> {
    const NAMES: [&str; 5] = ["s_id", "disk_name", "ubi_num", "dev_name", "%pg"];
    let has_name = |call: &&[Token]| NAMES.iter().any(|name| joined(call).contains(name));
    let calls = function.calls.iter().map(Vec::as_slice);
    let (named, nameless): (Vec<_>, Vec<_>) = calls.partition(has_name);
    let is_null = values.first().is_some_and(|value| joined(value) == "NULL");
    match (named.is_empty(), nameless.is_empty()) {
        (true, _) => nameless,
        (_, true) => named,
        _ if is_null => nameless,
        _ => named,
    }
}
