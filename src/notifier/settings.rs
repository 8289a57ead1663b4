//! The tables `[notifiers.NAME]` of the configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;
use toml::de::{DeString, DeTable, DeValue, ValueDeserializer};
use toml::Spanned;

use super::filter::Filter;
use super::registry::{self, NotifierKind};
use super::Notifier;
use crate::rules::builtin::toml_error;
use crate::rules::{Located, RuleError};

/// Longest name: it is part of a file's name.
const MAX_NAME: usize = 64;
/// Name of the notifier that `notify_stdout` switches on.
const STDOUT: &str = "stdout";

/// A notifier as configured.
#[derive(Clone, Debug)]
pub struct Configured {
    /// Its name: the last part of the table's.
    pub name: String,
    /// Its type.
    pub kind: &'static NotifierKind,
    /// Which events it is given.
    pub filter: Filter,
    /// What it does.
    pub notifier: Arc<dyn Notifier>,
    /// Its own settings, as TOML.
    settings: String,
    /// The event types that its filter names, with their places.
    event_types: Vec<(String, Located)>,
    /// Where the table begins; `None` if `notify_stdout` enabled it.
    place: Option<Located>,
}

impl PartialEq for Configured {
    /// Nothing is to be restarted.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.kind.name == other.kind.name
            && self.filter == other.filter
            && self.settings == other.settings
    }
}

impl Configured {
    /// The findings of `--check-config`.
    pub fn check(&self) -> Vec<Located> {
        let at = |error: super::SettingsError| {
            let Located { file, line, column, text, .. } = self.place.clone()?;
            Some(Located { file, line, column, text, message: error.message, remedy: error.remedy })
        };
        self.notifier.check().into_iter().filter_map(at).collect()
    }

    /// The event types of its filter that no rule makes: it will never be given such an event.
    pub fn unknown_event_types(&self, known: &BTreeSet<String>) -> Vec<&Located> {
        let unknown = self.event_types.iter().filter(|(name, _)| !known.contains(&name.to_ascii_uppercase()));
        unknown.map(|(_, place)| place).collect()
    }
}

impl fmt::Display for Configured {
    /// The equivalent table.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[notifiers.{}]\ntype = \"{}\"\n{}", self.name, self.kind.name, self.settings)?;
        if !self.filter.is_empty() {
            let filter = toml::to_string(&self.filter).unwrap_or_default();
            write!(f, "\n[notifiers.{}.filter]\n{filter}", self.name)?;
        }
        Ok(())
    }
}

/// The notifiers of all files by name: a later table replaces an earlier one.
pub type NotifierTables = BTreeMap<String, Configured>;

/// All notifiers: those with a table, and the standard output when `notify_stdout` is on and has none.
pub fn all(tables: &NotifierTables, notify_stdout: bool) -> Vec<Configured> {
    let mut all: Vec<Configured> = tables.values().cloned().collect();
    if notify_stdout && !all.iter().any(|configured| configured.kind.name == STDOUT) {
        all.extend(registry::find(STDOUT).and_then(|kind| {
            let empty = Spanned::new(0..0, DeValue::Table(DeTable::new()));
            let (notifier, settings) = (kind.read)(empty).ok()?;
            let (name, filter) = (STDOUT.to_owned(), Filter::default());
            Some(Configured { name, kind, filter, notifier, settings, event_types: Vec::new(), place: None })
        }));
    }
    all
}

/// Reads the notifiers of a file with the content `text`. Every problem is a separate error.
pub fn read(file: &str, text: &str, errors: &mut Vec<RuleError>) -> Vec<Configured> {
    let mut root = match DeTable::parse(text) {
        Ok(root) => root.into_inner(),
        Err(e) => {
            errors.push(toml_error(file, text, &e));
            return Vec::new();
        }
    };
    let tables = root.remove("notifiers").map(Spanned::into_inner);
    let Some(DeValue::Table(tables)) = tables else { return Vec::new() };
    let source = Source { file, text };
    let read = |(name, table): (Spanned<DeString<'_>>, _)| source.read(&name.span(), name.get_ref(), table);
    tables.into_iter().filter_map(|table| read(table).map_err(|e| errors.push(e)).ok()).collect()
}

struct Source<'a> {
    file: &'a str,
    text: &'a str,
}

impl Source<'_> {
    fn at(&self, span: &Range<usize>, message: &str, remedy: &str) -> Located {
        Located::at(self.file, self.text, Some(span.clone()), message, remedy)
    }

    fn read(
        &self,
        at: &Range<usize>,
        name: &str,
        table: Spanned<DeValue<'_>>,
    ) -> Result<Configured, RuleError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(allowed) {
            let message = format!("\"{name}\" cannot be the name of a notifier");
            let remedy = format!("use at most {MAX_NAME} of the characters A-Z a-z 0-9 - _");
            return Err(self.at(at, &message, &remedy).into());
        }
        let span = table.span();
        let DeValue::Table(mut table) = table.into_inner() else {
            let remedy = format!("write a table: [notifiers.{name}], and its keys below");
            return Err(self.at(at, "a notifier is a table", &remedy).into());
        };
        let kind = self.kind(at, name, table.remove("type"))?;
        let event_types = self.event_types(&table);
        let filter = match table.remove("filter") {
            Some(filter) => {
                Filter::deserialize(ValueDeserializer::from(filter)).map_err(|e| self.error(&e))?
            }
            None => Filter::default(),
        };
        let table = Spanned::new(span, DeValue::Table(table));
        let (notifier, settings) = (kind.read)(table).map_err(|e| self.error(&e))?;
        let place = Some(self.at(at, "", ""));
        Ok(Configured { name: name.to_owned(), kind, filter, notifier, settings, event_types, place })
    }

    /// The event types that the filter of a notifier names.
    fn event_types(&self, table: &DeTable<'_>) -> Vec<(String, Located)> {
        let filter = table.get("filter").and_then(|filter| filter.get_ref().as_table());
        let names = filter.and_then(|filter| filter.get("event_types")?.get_ref().as_array());
        let named = |value: &Spanned<DeValue<'_>>| {
            let name = value.get_ref().as_str()?.to_owned();
            let message = format!("no rule makes an event of type \"{name}\"");
            let remedy = "correct its name: \"prpt rules list\" shows the event types";
            let place = self.at(&value.span(), &message, remedy);
            Some((name, place))
        };
        names.into_iter().flat_map(|names| names.iter()).filter_map(named).collect()
    }

    /// The type given, or else the name of the notifier.
    fn kind(
        &self,
        at: &Range<usize>,
        name: &str,
        written: Option<Spanned<DeValue<'_>>>,
    ) -> Result<&'static NotifierKind, RuleError> {
        let (span, wanted) = match &written {
            Some(value) => (value.span(), value.get_ref().as_str()),
            None => (at.clone(), Some(name)),
        };
        wanted.and_then(registry::find).ok_or_else(|| {
            let message = match (written.is_some(), wanted) {
                (false, _) => format!("the notifier \"{name}\" has no type"),
                (true, Some(wanted)) => format!("\"{wanted}\" is not a type of notifier"),
                (true, None) => "the type of a notifier is a string".to_owned(),
            };
            let remedy = format!("write type = \"…\" with one of {}", registry::names());
            self.at(&span, &message, &remedy).into()
        })
    }

    /// An error of serde, or one that a notifier's settings made of a [`super::SettingsError`].
    fn error(&self, error: &toml::de::Error) -> RuleError {
        match error.message().split_once("; ") {
            Some((message, remedy)) => {
                Located::at(self.file, self.text, error.span(), message, remedy).into()
            }
            None => toml_error(self.file, self.text, error),
        }
    }
}
