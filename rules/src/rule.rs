//! One checked and compiled rule.

use std::borrow::Cow;
use std::collections::BTreeMap;

use peripety_api::{canonical_sub_system, DeviceWay, Severity};
use peripety_rules_format::book::Packed;
use peripety_rules_format::literal;
use peripety_rules_format::regex::does_not_compile;
use regex_syntax::hir::Hir;
use toml::Spanned;

use super::cost;
use super::error::{Located, RuleError};
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

/// What is wrong with a value, and the remedy.
type Wrong = (String, &'static str);

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
    /// Checks and compiles a table of `file`, whose text is `source`; `line` is the table's.
    pub fn compile(spec: RuleSpec, origin: Origin, source: &str) -> Result<Self, RuleError> {
        let located = |span, (message, remedy): Wrong| {
            RuleError::from(Located::at(&origin.file, source, Some(span), &message, remedy))
        };
        let pattern = |pattern: &Spanned<String>| {
            let compiled = Pattern::new(pattern.get_ref(), origin.user).and_then(|compiled| {
                // A user's rules are few, and everything wrong with them is reported at once.
                if origin.user {
                    compiled.compile()?;
                    compiled.forget();
                }
                Ok(compiled)
            });
            compiled.map_err(|e| does_not_compile(pattern, &e, &origin.file, source))
        };
        let regex = pattern(&spec.regex)?;
        let unless = spec.unless.as_ref().map(pattern).transpose()?;
        let word = |word: &'_ Option<Spanned<String>>| word.as_ref().map(|word| word.get_ref().clone());
        let place = |word: &Option<Spanned<String>>| word.as_ref().map_or(spec.regex.span(), Spanned::span);
        let severity_of = |key: &Option<Spanned<String>>, remedy| {
            severity(word(key).as_deref(), remedy).map_err(|wrong| located(place(key), wrong))
        };
        let storage_severity = severity_of(&spec.storage_severity, REMOVE_STORAGE_SEVERITY)?;
        let severity = severity_of(&spec.severity, REMOVE_SEVERITY)?;
        let device = device(word(&spec.device).as_deref(), &regex);
        let device = device.map_err(|wrong| located(place(&spec.device), wrong))?;
        let identifier = spec.identifier.as_deref().unwrap_or(DEFAULT_IDENTIFIER);
        let writer = Writer::of(identifier, word(&spec.user).as_deref(), &spec.programs, &spec.units);
        let writer = writer.map_err(|wrong| located(place(&spec.user), wrong))?;
        let text = |text: &Option<String>| text.clone().map(Text::from);
        Ok(Rule {
            writer,
            identifier: identifier.to_owned().into(),
            sub_system: canonical_sub_system(spec.sub_system.as_deref().unwrap_or(DEFAULT_SUB_SYSTEM)).into(),
            event_type: spec.event_type.as_deref().unwrap_or(DEFAULT_EVENT_TYPE).to_ascii_uppercase().into(),
            severity,
            storage_severity,
            device,
            closes: spec.clears.clone(),
            catch_all: spec.catch_all,
            by_level: spec.by_level,
            group: text(&spec.group),
            part: text(&spec.part),
            follows: spec.follows.clone(),
            starts_with: text(&spec.starts_with).unwrap_or_default(),
            regex,
            unless,
            origin,
            table: RuleTable::Written(Box::new(spec)),
        })
    }

    /// How bad a line is that was logged at this level. A rule for words of a kind (`by_level`), and a built-in catch-all, does not know
    /// the very wording: where the kernel thought worse of it than the rule does, the kernel's level counts, up to Critical.
    pub fn severity_at(&self, level: Severity) -> Severity {
        let Some(severity) = self.severity else { return level };
        let takes_level = self.by_level || self.catch_all && !self.origin.user;
        match takes_level && self.identifier == "kernel" && severity <= Severity::Warning {
            true => severity.min(level.max(Severity::Critical)),
            false => severity,
        }
    }

    /// A built-in rule, from a record that the build script wrote.
    ///
    /// # Errors
    /// A severity, a device or a writer is invalid, or the record is damaged.
    pub fn built_in(record: &'static [u8]) -> Result<Self, RuleError> {
        let packed = Packed::read(record).ok_or(RuleError::Damaged)?;
        let origin = Origin { file: packed.file.into(), line: packed.line, user: false };
        let wrong = |(message, remedy): Wrong| {
            let (file, line, text) = (packed.file.to_owned(), packed.line, "[[collector_regexs]]".to_owned());
            RuleError::from(Located { file, line, column: 1, text, message, remedy: remedy.to_owned() })
        };
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let mut patterns = packed.patterns.iter().map(|(text, facts)| Pattern::built_in(text, facts.clone()));
        let regex = patterns.next().ok_or(RuleError::Damaged)?;
        let unless = patterns.next();
        let identifier = packed.identifier.unwrap_or(DEFAULT_IDENTIFIER);
        let (programs, units) = (owned(&packed.programs), owned(&packed.units));
        Ok(Rule {
            writer: Writer::of(identifier, packed.user, &programs, &units).map_err(wrong)?,
            identifier: identifier.into(),
            sub_system: canonical(packed.sub_system.unwrap_or(DEFAULT_SUB_SYSTEM)),
            event_type: packed.event_type.unwrap_or(DEFAULT_EVENT_TYPE).into(),
            severity: severity(packed.severity, REMOVE_SEVERITY).map_err(wrong)?,
            storage_severity: severity(packed.storage_severity, REMOVE_STORAGE_SEVERITY).map_err(wrong)?,
            device: device(packed.device, &regex).map_err(wrong)?,
            closes: owned(&packed.closes),
            catch_all: packed.catch_all,
            by_level: packed.by_level,
            group: packed.group.map(Text::from),
            part: packed.part.map(Text::from),
            follows: owned(&packed.follows),
            starts_with: packed.starts_with.unwrap_or_default().into(),
            regex,
            unless,
            origin,
            table: RuleTable::BuiltIn(record),
        })
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

/// Defaults of keys that a rule does not set.
const DEFAULT_IDENTIFIER: &str = "kernel";
const DEFAULT_SUB_SYSTEM: &str = "other";
const DEFAULT_EVENT_TYPE: &str = "UNKNOWN";

fn canonical(sub_system: &'static str) -> Text {
    let canonical = canonical_sub_system(sub_system);
    if canonical == sub_system {
        return sub_system.into();
    }
    canonical.into()
}

/// Remedies for invalid severities.
const REMOVE_SEVERITY: &str = "remove severity to use the priority of the log entry";
const REMOVE_STORAGE_SEVERITY: &str = "remove storage_severity to have one severity only";

fn severity(word: Option<&str>, remedy: &'static str) -> Result<Option<Severity>, Wrong> {
    let severity = word.map(str::parse::<Severity>).transpose();
    severity.map_err(|e| (e.to_string(), remedy))
}

fn device(word: Option<&str>, regex: &Pattern) -> Result<DeviceWay, Wrong> {
    let wrong = |message: &str, remedy| Err((message.to_owned(), remedy));
    let has_capture = || regex.facts().names().iter().any(|name| DEVICE_CAPTURES.contains(name));
    match word {
        Some("none") => Ok(DeviceWay::None),
        Some("entry") => Ok(DeviceWay::Entry),
        Some(_) => wrong(
            "device is \"none\" or \"entry\"",
            "remove it if a capture of the regex names the device",
        ),
        None if has_capture() => Ok(DeviceWay::Capture),
        None => wrong(
            "this rule does not say how to find its device",
            "add a capture such as (?P<kdev>sd[a-z]+), or set device = \"none\" (or \"entry\": journald's own device fields)",
        ),
    }
}
