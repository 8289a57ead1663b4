//! One checked and compiled rule.

use std::collections::BTreeMap;

use peripety_api::DeviceWay;
use regex_syntax::hir::Hir;
use toml::Spanned;

use super::cost;
use super::error::{Located, RuleError};
use super::literal::{self, LiteralSet};
use super::names;
use super::pattern::Pattern;
use super::phrases;
use super::reach::reach;
use super::spec::RuleSpec;
use super::writer::Writer;
use peripety_api::{canonical_sub_system, Severity};

/// Captures that lead to a device.
pub const DEVICE_CAPTURES: [&str; 10] =
    ["kdev", "mount_point", "dm_name", "fs_uuid", "connection", "session", "pci", "host", "unit", "map"];

/// The location of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// File, as the user named it; "rules/…" for a built-in one.
    pub file: String,
    /// Line of its table, from 1.
    pub line: usize,
    /// Not shipped with Peripety.
    pub user: bool,
}

/// What a rule makes of a line.
#[derive(Debug)]
pub enum Attempt {
    /// Its regex does not match.
    NoMatch,
    /// Its regex matches, but the rule leaves the line to others (`starts_with`, `unless`).
    RegexOnly,
    /// It matches the line; its named captures.
    Match(BTreeMap<String, String>),
}

/// For people who see the regex with its phrases: what it is without.
fn written_out(pattern: &Spanned<String>, source: &str) -> String {
    match source.get(pattern.span()).is_some_and(phrases::are_used) {
        true => format!("; with its phrases it is {}", pattern.get_ref()),
        false => String::new(),
    }
}

/// A compiled rule.
#[derive(Debug)]
pub struct Rule {
    /// Its location.
    pub origin: Origin,
    /// Syslog identifier of the lines it is for.
    pub identifier: String,
    /// Family, unless the capture `sub_system` overrides it.
    pub sub_system: String,
    /// What happened, in capitals.
    pub event_type: String,
    /// How bad it is; `None`: the entry's own priority.
    pub severity: Option<Severity>,
    /// How bad it is when there is storage behind the USB port or PCI device that the line names.
    pub storage_severity: Option<Severity>,
    /// How the device is found.
    pub device: DeviceWay,
    /// Event types whose condition the line ends, by the rule and by its event type; with `*` for any text at the end.
    pub closes: Vec<String>,
    /// The required writer of the line, if the rule specifies more than the identifier.
    pub writer: Option<Writer>,
    /// The table as written.
    pub spec: RuleSpec,
    prefix: Vec<u8>,
    regex: Pattern,
    unless: Option<Pattern>,
}

impl Rule {
    /// Checks and compiles a table of `file`, whose text is `source`; `line` is the table's.
    pub fn compile(spec: RuleSpec, origin: Origin, source: &str) -> Result<Self, RuleError> {
        let located = |span, message: &str, remedy: &str| {
            RuleError::from(Located::at(&origin.file, source, span, message, remedy))
        };
        let pattern = |pattern: &Spanned<String>| {
            if !origin.user {
                return Ok(Pattern::built_in(pattern.get_ref()));
            }
            // A user's rules are few, and everything wrong with them is reported at once.
            let compiled = |pattern: Pattern| {
                pattern.compile()?;
                pattern.forget();
                Ok(pattern)
            };
            Pattern::new(pattern.get_ref(), true).and_then(compiled).map_err(|e| {
                located(
                    Some(pattern.span()),
                    &format!("the regex does not compile: {e}{}", written_out(pattern, source)),
                    "see https://docs.rs/regex/latest/regex/#syntax; in TOML write a regex between ''' and '''",
                )
            })
        };
        let regex = pattern(&spec.regex)?;
        let unless = spec.unless.as_ref().map(pattern).transpose()?;
        let severity = |word: &Option<Spanned<String>>, remedy| {
            let parsed = word.as_ref().map(|word| {
                let parsed = word.get_ref().parse::<Severity>();
                parsed.map_err(|e| located(Some(word.span()), &e.to_string(), remedy))
            });
            parsed.transpose()
        };
        let storage_severity =
            severity(&spec.storage_severity, "remove storage_severity to have one severity only")?;
        let severity = severity(&spec.severity, "remove severity to use the priority of the log entry")?;
        let has_device_capture = regex.names().iter().any(|name| DEVICE_CAPTURES.contains(&name.as_str()));
        let device = match spec.device.as_ref().map(|d| (d.get_ref().as_str(), d.span())) {
            Some(("none", _)) => DeviceWay::None,
            Some(("entry", _)) => DeviceWay::Entry,
            Some((_, span)) => {
                return Err(located(Some(span), "device is \"none\" or \"entry\"", "remove it if a capture of the regex names the device"))
            }
            None if has_device_capture => DeviceWay::Capture,
            None => {
                return Err(located(
                    Some(spec.regex.span()),
                    "this rule does not say how to find its device",
                    "add a capture such as (?P<kdev>sd[a-z]+), or set device = \"none\" (or \"entry\": journald's own device fields)",
                ))
            }
        };
        let writer = Writer::of(&spec).map_err(|(message, remedy)| {
            let span = spec.user.as_ref().map_or(spec.regex.span(), Spanned::span);
            located(Some(span), &message, remedy)
        })?;
        Ok(Rule {
            writer,
            identifier: spec.identifier.clone().unwrap_or_else(|| "kernel".to_owned()),
            sub_system: canonical_sub_system(spec.sub_system.as_deref().unwrap_or("other")),
            event_type: spec.event_type.as_deref().unwrap_or("UNKNOWN").to_ascii_uppercase(),
            severity,
            storage_severity,
            device,
            closes: spec.clears.clone(),
            prefix: spec.starts_with.clone().unwrap_or_default().into_bytes(),
            regex,
            unless,
            origin,
            spec,
        })
    }

    /// How bad a line is that was logged at this level. A rule for words of a kind (`by_level`), and a built-in catch-all, does not know
    /// the very wording: where the kernel thought worse of it than the rule does, the kernel's level counts, up to Critical.
    pub fn severity_at(&self, level: Severity) -> Severity {
        let Some(severity) = self.severity else { return level };
        let takes_level = self.spec.by_level || self.spec.catch_all && !self.origin.user;
        match takes_level && self.identifier == "kernel" && severity <= Severity::Warning {
            true => severity.min(level.max(Severity::Critical)),
            false => severity,
        }
    }

    /// Names of the captures of its regex, in order.
    pub fn captures(&self) -> &[String] {
        self.regex.names()
    }

    /// A matching line contains some fixed text.
    pub fn has_literal(&self) -> bool {
        !self.required_literals().is_empty()
    }

    /// The regex begins, at the start of the line, with other text than `starts_with`.
    pub fn never_matches(&self) -> bool {
        let prefixes = literal::prefixes(self.spec.regex.get_ref(), self.origin.user);
        let fits = |prefix: &Vec<u8>| prefix.starts_with(&self.prefix) || self.prefix.starts_with(prefix);
        prefixes.is_some_and(|prefixes| !prefixes.iter().any(fits))
    }

    /// Compiles the rule's patterns now, which are otherwise compiled when first needed.
    ///
    /// # Errors
    /// One of them is too large.
    pub fn compile_patterns(&self) -> Result<(), String> {
        self.regex.compile()?;
        self.unless.as_ref().map_or(Ok(()), Pattern::compile)
    }

    /// The line matches.
    pub fn is_match(&self, line: &[u8]) -> bool {
        line.starts_with(&self.prefix) && self.regex.is_match(line) && !self.is_excepted(line)
    }

    /// A line that the regex matches is one for this rule.
    pub(super) fn takes(&self, line: &[u8]) -> bool {
        line.starts_with(&self.prefix) && !self.is_excepted(line)
    }

    /// Whether the line is excluded from the rule. A line that begins with a user-chosen name may look like
    /// anything: no built-in rule for kernel messages matches it.
    fn is_excepted(&self, line: &[u8]) -> bool {
        self.is_excepted_by(line, Pattern::is_match)
    }

    fn is_excepted_by(&self, line: &[u8], is_match: impl Fn(&Pattern, &[u8]) -> bool) -> bool {
        self.unless.as_ref().is_some_and(|unless| is_match(unless, line))
            || !self.origin.user && self.identifier == "kernel" && names::speaks(line, &self.sub_system)
    }

    /// How many bytes of a line that does not match agree with the rule.
    pub fn reach(&self, line: &[u8]) -> usize {
        match line.starts_with(&self.prefix) {
            true => reach(self.spec.regex.get_ref(), self.origin.user, line),
            false => 0,
        }
    }

    /// The named captures of a line that matches, as text; bytes that are not UTF-8 become U+FFFD.
    pub fn named_captures(&self, line: &[u8]) -> Option<BTreeMap<String, String>> {
        self.takes(line).then(|| self.regex.captures(line)).flatten()
    }

    /// What the rule makes of a line, for people. Slow, but nothing stays in memory.
    pub(super) fn attempt(&self, line: &[u8]) -> Attempt {
        let Some(captures) = self.regex.captures_once(line) else { return Attempt::NoMatch };
        let excepted = self.is_excepted_by(line, Pattern::is_match_once);
        match line.starts_with(&self.prefix) && !excepted {
            true => Attempt::Match(captures),
            false => Attempt::RegexOnly,
        }
    }

    /// Drops compiled data; it is rebuilt when needed.
    pub(super) fn forget(&self) {
        self.patterns().for_each(Pattern::forget);
    }

    fn patterns(&self) -> impl Iterator<Item = &Pattern> {
        std::iter::once(&self.regex).chain(&self.unless)
    }

    /// Bytes that the rule costs, with all that is compiled of it. The same on every machine.
    pub fn cost(&self) -> usize {
        let spec = &self.spec;
        let lines = spec.examples.iter().map(|example| &example.line).chain(&spec.not);
        let text = spec.regex.get_ref().len() + self.prefix.len() + lines.map(String::len).sum::<usize>();
        cost::RULE + text + self.patterns().map(Pattern::cost).sum::<usize>()
    }

    /// Approximate size of the compiled data, in bytes.
    pub(super) fn compiled(&self) -> usize {
        self.patterns().map(Pattern::compiled).sum()
    }

    /// Whether a line that the rule matches may begin with these two bytes: see [`super::begin::Begin::possible`].
    pub(super) fn may_begin(&self, beginning: [u8; 2]) -> bool {
        self.regex.may_begin(beginning)
            && self.prefix.iter().zip(beginning).all(|(wanted, byte)| *wanted == byte)
    }

    /// The regex, parsed again: it is kept as text.
    pub(super) fn parsed(&self) -> Option<Hir> {
        self.regex.parsed()
    }

    /// Sets of literals; a matching line contains at least one of each set. Empty when there
    /// is none to extract.
    pub(super) fn required_literals(&self) -> Vec<LiteralSet> {
        let mut sets = self.regex.literals().to_vec();
        if !self.prefix.is_empty() {
            sets.push(vec![self.prefix.clone()]);
        }
        sets
    }
}
