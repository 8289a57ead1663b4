//! Packs the built-in rules at build time; [`super::book`] reads them.

use std::collections::BTreeMap;

use toml::Spanned;

use super::error::{Located, RuleError};
use super::facts::Facts;
use super::packed::PackedWriter;
use super::phrases::{self, PhraseScope};
use super::regex::{does_not_compile, parse};
use super::spec::{self, EventOutcome, EventRole, EventTypeText, RuleFile, RuleSpec};
use super::values::Values;

/// A file of rules: its name and its text.
pub type File<'f> = (&'f str, &'f str);

/// The event types of all files.
type EventTypes<'f> = BTreeMap<&'f str, &'f EventTypeText>;

/// Packs files: their rules in order, catch-all rules last. `shared` names the file with the phrases that all files can use.
///
/// # Errors
/// A file is invalid TOML, or contains an invalid regex.
pub fn pack(files: &[File<'_>], shared: &str) -> Result<Vec<u8>, RuleError> {
    let read: Vec<RuleFile> =
        files.iter().map(|(name, text)| spec::read(name, text)).collect::<Result<_, _>>()?;
    let files = || files.iter().zip(&read);
    let shared = files().find(|((name, _), _)| *name == shared);
    let shared = shared.map(|(_, file)| file.phrases.clone()).unwrap_or_default();
    let texts = read.iter().flat_map(|file| &file.event_types);
    let event_types: EventTypes = texts.map(|(name, text)| (name.as_str(), text)).collect();
    let mut rules = Vec::new();
    for (file, tables) in files() {
        let phrases = PhraseScope { own: &tables.phrases, shared: &shared };
        for table in &tables.collector_regexs {
            rules.push((table.get_ref().catch_all, packed_rule(table, *file, phrases, &event_types)?));
        }
    }
    rules.sort_by_key(|(catch_all, _)| *catch_all);
    let mut book = PackedWriter::default();
    book.bytes(&records(shared.iter().map(|(name, text)| of_texts(&[name, text]))));
    book.bytes(&records(event_types.iter().map(|(name, text)| packed_event_type(name, text))));
    book.bytes(&records(rules.into_iter().map(|(_, rule)| rule)));
    Ok(book.into_bytes())
}

fn records(records: impl ExactSizeIterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut all = PackedWriter::default();
    all.number(records.len());
    records.for_each(|record| all.bytes(&record));
    all.into_bytes()
}

fn of_texts(texts: &[&str]) -> Vec<u8> {
    let mut record = PackedWriter::default();
    texts.iter().for_each(|text| record.bytes(text.as_bytes()));
    record.into_bytes()
}

fn packed_event_type(name: &str, text: &EventTypeText) -> Vec<u8> {
    let mut record = PackedWriter::default();
    record.bytes(name.as_bytes());
    record.bytes(text.meaning.as_bytes());
    record.option(text.advice.as_deref());
    record.list(text.closes.iter().map(String::as_str));
    record.list(text.follows.iter().map(String::as_str));
    record.option(text.role.map(EventRole::name));
    record.option(text.outcome.map(EventOutcome::name));
    record.into_bytes()
}

/// In the order in which [`super::book::Packed::read`] reads.
fn packed_rule(
    table: &Spanned<RuleSpec>,
    (file, source): File<'_>,
    phrases: PhraseScope<'_>,
    event_types: &EventTypes,
) -> Result<Vec<u8>, RuleError> {
    let line = Located::at(file, source, Some(table.span()), "", "").line;
    let mut spec = table.get_ref().clone();
    phrases::put_in_place(&mut spec, phrases, file, source)?;
    let facts = |regex: &Spanned<String>| {
        let parsed = parse(regex.get_ref(), false).map_err(|e| does_not_compile(regex, &e, file, source))?;
        Ok::<_, RuleError>(Facts::of(&parsed))
    };
    spec.event_type = spec.event_type.map(|name| name.to_ascii_uppercase());
    if let Some(text) = spec.event_type.as_deref().and_then(|name| event_types.get(name)) {
        spec.inherit(&text.closes, &text.follows);
    }

    let mut record = PackedWriter::default();
    record.bytes(file.as_bytes());
    record.number(line);
    Values::of(&spec).write(&mut record);
    let patterns: Vec<&Spanned<String>> = std::iter::once(&spec.regex).chain(&spec.unless).collect();
    record.number(patterns.len());
    for pattern in patterns {
        record.bytes(pattern.get_ref().as_bytes());
        record.bytes(facts(pattern)?.as_bytes());
    }
    record.list(spec.not.iter().map(String::as_str));
    for example in &spec.examples {
        record.bytes(example.line.as_bytes());
        record.bytes(example.captures.packed().as_bytes());
    }
    Ok(record.into_bytes())
}
