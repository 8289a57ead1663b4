//! The table `[[collector_regexs]]` of a file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::error::{toml_error, RuleError};

/// One rule as written; see docs/rules.md for the meaning of each key.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// Literal prefix of the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starts_with: Option<String>,
    /// The regular expression, in the syntax of the Rust crate `regex`, phrases put in place.
    pub regex: Spanned<String>,
    /// Family; default "Other".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_system: Option<String>,
    /// What happened; default "UNKNOWN".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// How bad it is; default: from the entry's PRIORITY.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Spanned<String>>,
    /// How bad it is when there is storage behind the USB port or PCI device that the line names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_severity: Option<Spanned<String>>,
    /// The level at which the kernel printed the line counts where it is worse than `severity`, up to Critical. So it is for every
    /// built-in catch-all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_level: bool,
    /// Who writes the line; default "kernel".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// Names of the executables that write it, besides; with `*` at the beginning or the end for any text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<String>,
    /// The systemd units that write it, in the same way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<String>,
    /// The user who writes it, a name or a number; default root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Spanned<String>>,
    /// Where the device is, when no capture names it: "none" or "entry".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Spanned<String>>,
    /// Event types whose condition this line ends, for the same device: one, or a list; with `*` for any text at the end.
    /// With those of its event type: see [`RuleSpec::inherit`].
    #[serde(
        default,
        alias = "closes",
        deserialize_with = "one_or_more",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub clears: Vec<String>,
    /// Lines that this matches are not the rule's: a second regular expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unless: Option<Spanned<String>>,
    /// Tried after all others: matches messages that no other rule recognises.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub catch_all: bool,
    /// Lines of one group about one device, written at the same time, are one event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// A group has at most one line of each part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// Event types that this one follows from, when they were about the same device shortly before; with `*` for any text.
    /// With those of its event type: see [`RuleSpec::inherit`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub follows: Vec<String>,
    /// Lines that must match, with the captures they give.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<Example>,
    /// Lines that must not match.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not: Vec<String>,
}

impl RuleSpec {
    /// A table with a regex and no other key.
    pub fn of(regex: Spanned<String>) -> Self {
        RuleSpec {
            starts_with: None,
            regex,
            sub_system: None,
            event_type: None,
            severity: None,
            storage_severity: None,
            identifier: None,
            programs: Vec::new(),
            units: Vec::new(),
            user: None,
            device: None,
            clears: Vec::new(),
            unless: None,
            catch_all: false,
            by_level: false,
            group: None,
            part: None,
            follows: Vec::new(),
            examples: Vec::new(),
            not: Vec::new(),
        }
    }

    /// Adds what all rules of the event type close and follow from. A rule with `device = "none"` follows only from what it lists
    /// itself: its lines name no device, and would follow from a fault of any.
    pub fn inherit(&mut self, closes: &[String], follows: &[String]) {
        let names_device = self.device.as_ref().is_none_or(|device| device.get_ref() != "none");
        let follows = follows.iter().filter(|_| names_device);
        add_missing(&mut self.clears, closes.iter());
        add_missing(&mut self.follows, follows);
    }
}

fn add_missing<'t>(to: &mut Vec<String>, texts: impl Iterator<Item = &'t String>) {
    for text in texts {
        if !to.contains(text) {
            to.push(text.clone());
        }
    }
}

/// A line that must match.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(expecting = "a table such as { line = \"…\", kdev = \"…\" }")]
pub struct Example {
    /// The line.
    pub line: String,
    /// Every capture that it gives.
    #[serde(flatten)]
    pub captures: Captures,
}

/// What an example captures. The built-in rules have thousands of examples, whose maps would take megabytes: names and values
/// are one text, each ended by a NUL, which no line has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct Captures(Box<str>);

impl Captures {
    /// Values by name.
    pub fn map(&self) -> BTreeMap<String, String> {
        let mut texts = self.0.split_terminator('\0').map(str::to_owned);
        std::iter::from_fn(|| Some((texts.next()?, texts.next()?))).collect()
    }

    /// As one text, for [`Captures::of_packed`].
    pub(crate) fn packed(&self) -> &str {
        &self.0
    }

    /// Of what [`Captures::packed`] gave.
    pub(crate) fn of_packed(text: &str) -> Self {
        Captures(text.into())
    }

    /// It captures nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<BTreeMap<String, String>> for Captures {
    fn from(map: BTreeMap<String, String>) -> Self {
        let text: String = map.iter().flat_map(|(name, value)| [name, "\0", value, "\0"]).collect();
        Captures(text.into())
    }
}

impl From<Captures> for BTreeMap<String, String> {
    fn from(captures: Captures) -> Self {
        captures.map()
    }
}

/// What an event type means, for people.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EventTypeText {
    /// What happened, in one plain sentence without a full stop.
    pub meaning: String,
    /// What to do about it; missing for event types that are not a problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// Event types whose condition is over when this happens to the same device, or to the session, port or controller in front
    /// of it; with `*` for any text at the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closes: Vec<String>,
    /// Event types that this one follows from, whichever of its rules took the line; with `*` for any text at the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub follows: Vec<String>,
    /// What part it has in the story of a fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<EventRole>,
    /// How it turned out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<EventOutcome>,
}

/// What all rules of an event type in a configuration file have in common.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventTypeTable {
    /// See [`EventTypeText::closes`].
    #[serde(default, deserialize_with = "one_or_more")]
    pub closes: Vec<String>,
    /// See [`EventTypeText::follows`].
    #[serde(default)]
    pub follows: Vec<String>,
}

/// Reads a string or a list of strings.
fn one_or_more<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct OneOrMore;
    impl<'de> serde::de::Visitor<'de> for OneOrMore {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a string or a sequence of strings")
        }

        fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
            Ok(vec![text.to_owned()])
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            let mut all = Vec::new();
            while let Some(item) = items.next_element()? {
                all.push(item);
            }
            Ok(all)
        }
    }
    deserializer.deserialize_any(OneOrMore)
}

/// What part an event has in the story of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EventRole {
    /// More about what another event reports. It begins a story only when there is none about its device.
    Detail,
    /// It happened once and nothing is wrong with a device because of it: it is no condition.
    Note,
}

impl EventRole {
    /// Its name in a file.
    pub fn name(self) -> &'static str {
        match self {
            EventRole::Detail => "detail",
            EventRole::Note => "note",
        }
    }

    /// The role of this name.
    pub fn named(name: &str) -> Option<Self> {
        [EventRole::Detail, EventRole::Note].into_iter().find(|role| role.name() == name)
    }
}

/// How what an event reports turned out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EventOutcome {
    /// Well: it opens no condition, whatever its severity.
    Success,
}

impl EventOutcome {
    /// Its name in a file.
    pub fn name(self) -> &'static str {
        match self {
            EventOutcome::Success => "success",
        }
    }

    /// The outcome of this name.
    pub fn named(name: &str) -> Option<Self> {
        Some(EventOutcome::Success).filter(|outcome| outcome.name() == name)
    }
}

/// A file of rules only: the built-in ones.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleFile {
    /// Parts of regexes, by name.
    #[serde(default)]
    pub phrases: BTreeMap<String, String>,
    /// Event types; each is defined in one file only.
    #[serde(default)]
    pub event_types: BTreeMap<String, EventTypeText>,
    /// The rules.
    #[serde(default)]
    pub collector_regexs: Vec<Spanned<RuleSpec>>,
}

/// Reads a file of rules whose text is `source`.
///
/// # Errors
/// It is invalid TOML, or has an unknown key.
pub fn read(file: &str, source: &str) -> Result<RuleFile, RuleError> {
    toml::from_str(source).map_err(|e| toml_error(file, source, &e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captures_are_what_they_were() {
        let pairs = [("kdev", "sdb"), ("empty", ""), ("text", "a\nb \u{1f}ü")];
        let map: BTreeMap<String, String> =
            pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
        let captures = Captures::from(map.clone());
        assert_eq!((captures.map(), captures.is_empty()), (map, false));
        assert!(Captures::default().is_empty() && Captures::default().map().is_empty());
    }
}
