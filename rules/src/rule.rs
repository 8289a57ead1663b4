//! One checked and compiled rule.

mod construct;

use std::borrow::Cow;
use std::collections::BTreeMap;

use peripety_api::{DeviceWay, Severity};
use peripety_rules_format::book::Packed;
use peripety_rules_format::literal;
use regex_syntax::hir::Hir;
use toml::Spanned;

use super::cost;
use super::names;
use super::pattern::Pattern;
use super::reach::reach;
use super::spec::RuleSpec;
use super::writer::Writer;

/// A text of a rule. Those of built-in rules are part of the program and take no memory.
pub type Text = Cow<'static, str>;

/// Captures that lead to a device.
pub const DEVICE_CAPTURES: [&str; 10] =
    ["kdev", "mount_point", "dm_name", "fs_uuid", "connection", "session", "pci", "host", "unit", "map"];

/// The location of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// File, as the user named it; "rules/…" for a built-in one.
    pub file: Text,
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

/// The table of a rule.
#[derive(Debug)]
enum RuleTable {
    /// As written, with the locations of the values.
    Written(Box<RuleSpec>),
    /// As packed at build time.
    BuiltIn(&'static [u8]),
}

impl Default for RuleTable {
    fn default() -> Self {
        RuleTable::BuiltIn(&[])
    }
}

/// A compiled rule.
#[derive(Debug)]
pub struct Rule {
    /// Its location.
    pub origin: Origin,
    /// Syslog identifier of the lines it is for.
    pub identifier: Text,
    /// Family, unless the capture `sub_system` overrides it.
    pub sub_system: Text,
    /// What happened, in capitals.
    pub event_type: Text,
    /// How bad it is; `None`: the entry's own priority.
    pub severity: Option<Severity>,
    /// How bad it is when there is storage behind the USB port or PCI device that the line names.
    pub storage_severity: Option<Severity>,
    /// How the device is found.
    pub device: DeviceWay,
    /// Event types whose condition the line ends, by the rule and by its event type; with `*` for any text at the end.
    pub closes: Vec<String>,
    /// See [`RuleSpec::catch_all`].
    pub catch_all: bool,
    /// See [`RuleSpec::by_level`].
    pub by_level: bool,
    /// See [`RuleSpec::group`].
    pub group: Option<Text>,
    /// See [`RuleSpec::part`].
    pub part: Option<Text>,
    /// See [`RuleSpec::follows`].
    pub follows: Vec<String>,
    /// The required writer of the line, if the rule specifies more than the identifier.
    pub writer: Option<Writer>,
    starts_with: Text,
    regex: Pattern,
    unless: Option<Pattern>,
    table: RuleTable,
}

impl Rule {
    /// How bad a line is that was logged at this level. A rule for words of a kind (`by_level`), and a built-in catch-all, does not know
    /// the very wording: where the kernel thought worse of it than the rule does, the kernel's level counts, up to Critical.
    pub fn severity_at(&self, level: Severity) -> Severity {
        match self.severity {
            None => level,
            Some(severity) if self.takes_level() => severity.min(level.max(Severity::Critical)),
            Some(severity) => severity,
        }
    }

    /// The level of the line is a lower limit of the severity.
    pub fn takes_level(&self) -> bool {
        let is_of_a_kind = self.by_level || self.catch_all && !self.origin.user;
        is_of_a_kind && self.identifier == "kernel" && self.severity.is_some_and(|s| s <= Severity::Warning)
    }

    /// The table as written, with phrases expanded. For a built-in rule it is unpacked on each call, without the locations of the values.
    pub fn spec(&self) -> Cow<'_, RuleSpec> {
        match &self.table {
            RuleTable::Written(spec) => Cow::Borrowed(spec),
            RuleTable::BuiltIn(record) => {
                let packed = Packed::read(record).and_then(|packed| packed.spec());
                // Not expected: the record was read when the rule was made.
                let empty = || RuleSpec::of(Spanned::new(0..0, self.regex.text().to_owned()));
                Cow::Owned(packed.unwrap_or_else(empty))
            }
        }
    }

    /// The lines of its examples.
    pub fn example_lines(&self) -> impl Iterator<Item = &str> + '_ {
        let (written, packed) = match &self.table {
            RuleTable::Written(spec) => (Some(&spec.examples), None),
            RuleTable::BuiltIn(record) => (None, Packed::read(record)),
        };
        let packed = packed.into_iter().flat_map(|packed| packed.lines()).map(|line| -> &str { line });
        packed.chain(written.into_iter().flatten().map(|example| example.line.as_str()))
    }

    /// The text that its lines must begin with, if any.
    pub fn starts_with(&self) -> Option<&str> {
        Some(&*self.starts_with).filter(|text| !text.is_empty())
    }

    /// The regex as text, with phrases expanded.
    pub fn regex_text(&self) -> &str {
        self.regex.text()
    }

    /// Names of the captures of its regex, in order.
    pub fn captures(&self) -> Vec<&str> {
        self.regex.facts().names()
    }

    /// A matching line contains some fixed text.
    pub fn has_literal(&self) -> bool {
        self.required_literals().next().is_some()
    }

    /// The regex begins, at the start of the line, with other text than `starts_with`.
    pub fn never_matches(&self) -> bool {
        let prefixes = literal::prefixes(self.regex.text(), self.origin.user);
        let own = self.starts_with.as_bytes();
        let fits = |prefix: &Vec<u8>| prefix.starts_with(own) || own.starts_with(prefix);
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
        line.starts_with(self.starts_with.as_bytes()) && self.regex.is_match(line) && !self.is_excepted(line)
    }

    /// A line that the regex matches is one for this rule.
    pub(super) fn takes(&self, line: &[u8]) -> bool {
        line.starts_with(self.starts_with.as_bytes()) && !self.is_excepted(line)
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
        match line.starts_with(self.starts_with.as_bytes()) {
            true => reach(self.regex.text(), self.origin.user, line),
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
        match line.starts_with(self.starts_with.as_bytes()) && !excepted {
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
        let spec = self.spec();
        let lines = spec.examples.iter().map(|example| &example.line).chain(&spec.not);
        let text = self.regex.text().len() + self.starts_with.len() + lines.map(String::len).sum::<usize>();
        cost::RULE + text + self.patterns().map(Pattern::cost).sum::<usize>()
    }

    /// Approximate size of the compiled data, in bytes.
    pub(super) fn compiled(&self) -> usize {
        self.patterns().map(Pattern::compiled).sum()
    }

    /// Whether a line that the rule matches may begin with these two bytes: see
    /// [`peripety_rules_format::begin::Begin::possible`].
    pub(super) fn may_begin(&self, beginning: [u8; 2]) -> bool {
        self.regex.facts().begin().possible(beginning)
            && self.starts_with.bytes().zip(beginning).all(|(wanted, byte)| wanted == byte)
    }

    /// Whether the line contains the text that every match contains.
    pub(super) fn may_match(&self, line: &[u8]) -> bool {
        self.regex.may_match(line)
    }

    /// The regex, parsed again: it is kept as text.
    pub(super) fn parsed(&self) -> Option<Hir> {
        self.regex.parsed()
    }

    /// Sets of literals; a matching line contains at least one of each set.
    pub(super) fn required_literals(&self) -> impl Iterator<Item = Vec<&[u8]>> {
        let prefix = Some(vec![self.starts_with.as_bytes()]).filter(|_| !self.starts_with.is_empty());
        self.regex.facts().literals().chain(prefix)
    }
}
