//! Makes a rule of its values: from the table of a file, or from a packed record.

use peripety_api::{canonical_sub_system, DeviceWay, Severity};
use peripety_rules_format::book::Packed;
use peripety_rules_format::regex::does_not_compile;
use peripety_rules_format::values::Values;
use toml::Spanned;

use super::{Origin, Rule, RuleTable, Text, DEVICE_CAPTURES};
use crate::error::{Located, RuleError};
use crate::pattern::Pattern;
use crate::spec::RuleSpec;
use crate::writer::Writer;

/// Defaults of keys that a rule does not set.
const DEFAULT_IDENTIFIER: &str = "kernel";
const DEFAULT_SUB_SYSTEM: &str = "other";
const DEFAULT_EVENT_TYPE: &str = "UNKNOWN";

/// Remedies for invalid severities.
const REMOVE_SEVERITY: &str = "remove severity to use the priority of the log entry";
const REMOVE_STORAGE_SEVERITY: &str = "remove storage_severity to have one severity only";

/// What is wrong with a value, and the remedy.
type Wrong = (String, &'static str);

/// The key of a value that may be wrong.
#[derive(Clone, Copy, Debug)]
enum WrongKey {
    Severity,
    StorageSeverity,
    Device,
    User,
}

impl Rule {
    /// Checks and compiles a table of `file`, whose text is `source`; `line` is the table's.
    pub fn compile(spec: RuleSpec, origin: Origin, source: &str) -> Result<Self, RuleError> {
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
        let wrong = |key: WrongKey, (message, remedy): Wrong| {
            let value = match key {
                WrongKey::Severity => &spec.severity,
                WrongKey::StorageSeverity => &spec.storage_severity,
                WrongKey::Device => &spec.device,
                WrongKey::User => &spec.user,
            };
            let span = value.as_ref().map_or(spec.regex.span(), Spanned::span);
            RuleError::from(Located::at(&origin.file, source, Some(span), &message, remedy))
        };
        let text = |text: &str| text.to_owned().into();
        let mut rule = Rule::of(&Values::of(&spec), text, (regex, unless), origin.clone(), wrong)?;
        rule.table = RuleTable::Written(Box::new(spec));
        Ok(rule)
    }

    /// A built-in rule, from a record that the build script wrote.
    ///
    /// # Errors
    /// A severity, a device or a writer is invalid, or the record is damaged.
    pub fn built_in(record: &'static [u8]) -> Result<Self, RuleError> {
        let packed = Packed::read(record).ok_or(RuleError::Damaged)?;
        let origin = Origin { file: packed.file.into(), line: packed.line, user: false };
        let wrong = |_: WrongKey, (message, remedy): Wrong| {
            let (file, line, text) = (packed.file.to_owned(), packed.line, "[[collector_regexs]]".to_owned());
            RuleError::from(Located { file, line, column: 1, text, message, remedy: remedy.to_owned() })
        };
        let mut patterns = packed.patterns.iter().map(|(text, facts)| Pattern::built_in(text, facts.clone()));
        let regex = patterns.next().ok_or(RuleError::Damaged)?;
        let mut rule = Rule::of(&packed.values, Text::from, (regex, patterns.next()), origin, wrong)?;
        rule.table = RuleTable::BuiltIn(record);
        Ok(rule)
    }

    /// A rule of these values, without its table. `text` keeps one of their texts.
    fn of<'t>(
        values: &Values<'t>,
        text: impl Fn(&'t str) -> Text,
        (regex, unless): (Pattern, Option<Pattern>),
        origin: Origin,
        wrong: impl Fn(WrongKey, Wrong) -> RuleError,
    ) -> Result<Self, RuleError> {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let (identifier, user) = (values.identifier.unwrap_or(DEFAULT_IDENTIFIER), values.user);
        let writer = Writer::of(identifier, user, owned(&values.programs), owned(&values.units));
        let severity_of = |word: Option<&str>, key, remedy| {
            let severity = word.map(str::parse::<Severity>).transpose();
            severity.map_err(|e| wrong(key, (e.to_string(), remedy)))
        };
        let text_or = |value: Option<&'t str>, default: &'static str| value.map_or(default.into(), &text);
        Ok(Rule {
            identifier: text_or(values.identifier, DEFAULT_IDENTIFIER),
            sub_system: canonical(text_or(values.sub_system, DEFAULT_SUB_SYSTEM)),
            event_type: capitals(text_or(values.event_type, DEFAULT_EVENT_TYPE)),
            severity: severity_of(values.severity, WrongKey::Severity, REMOVE_SEVERITY)?,
            storage_severity: severity_of(
                values.storage_severity,
                WrongKey::StorageSeverity,
                REMOVE_STORAGE_SEVERITY,
            )?,
            device: device(values.device, &regex).map_err(|why| wrong(WrongKey::Device, why))?,
            writer: writer.map_err(|why| wrong(WrongKey::User, why))?,
            closes: owned(&values.closes),
            catch_all: values.catch_all,
            by_level: values.by_level,
            group: values.group.map(&text),
            part: values.part.map(&text),
            follows: owned(&values.follows),
            starts_with: text_or(values.starts_with, ""),
            regex,
            unless,
            origin,
            table: RuleTable::default(),
        })
    }
}

fn canonical(sub_system: Text) -> Text {
    let canonical = canonical_sub_system(&sub_system);
    if canonical == sub_system {
        return sub_system;
    }
    canonical.into()
}

fn capitals(event_type: Text) -> Text {
    match event_type.bytes().any(|byte| byte.is_ascii_lowercase()) {
        true => event_type.to_ascii_uppercase().into(),
        false => event_type,
    }
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
