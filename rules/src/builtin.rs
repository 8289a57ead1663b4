//! The rules shipped with Peripety: every file of `rules/`, embedded at build time.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::thread;

use super::error::RuleError;
use super::phrases::{self, Phrases};
use super::rule::{Origin, Rule};
use super::spec::{EventTypeText, RuleFile};
use super::Located;

/// The file with the phrases that all rules share.
const SHARED: &str = "rules/phrases.toml";

include!(concat!(env!("OUT_DIR"), "/builtin_rules.rs"));

/// All built-in rules, files in alphabetical order, the catch-alls last.
pub fn rules() -> Result<Vec<Arc<Rule>>, RuleError> {
    in_order(FILES)
}

/// A file of rules: its name and its text.
type File<'f> = (&'f str, &'f str);

/// The rules of some files: catch-alls last.
pub fn in_order(files: &[File<'_>]) -> Result<Vec<Arc<Rule>>, RuleError> {
    let mut all = Vec::new();
    let mut closes = BTreeMap::new();
    for file in parsed(files) {
        let (texts, rules) = file?;
        all.extend(rules);
        closes.extend(texts.into_iter().filter(|(_, text)| !text.closes.is_empty()));
    }
    for rule in all.iter_mut().filter_map(Arc::get_mut) {
        let ended = closes.get(&rule.event_type).map(|text| text.closes.as_slice());
        rule.closes.extend_from_slice(ended.unwrap_or_default());
    }
    all.sort_by_key(|rule| rule.spec.catch_all);
    Ok(all)
}

/// What a file of rules holds.
type Parsed = Result<(BTreeMap<String, EventTypeText>, Vec<Arc<Rule>>), RuleError>;

/// The contents of each of the files, read on all processors: every start of a program waits for them.
fn parsed(files: &[File<'_>]) -> Vec<Parsed> {
    let one = |file: &str, source: &str| -> Parsed {
        let read = read(file, source)?;
        let rules = compile(file, source, read.collector_regexs, &read.phrases, false);
        Ok((read.event_types, rules.into_iter().collect::<Result<_, _>>()?))
    };
    let each =
        |part: &[File<'_>]| -> Vec<_> { part.iter().map(|(file, source)| one(file, source)).collect() };
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let parts = files.chunks(files.len().div_ceil(processors).max(1));
    thread::scope(|scope| {
        let start = |part| thread::Builder::new().spawn_scoped(scope, move || each(part)).map_err(|_| part);
        let started: Vec<_> = parts.map(start).collect();
        let done = started.into_iter().map(|started| match started {
            Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            // No thread can be started.
            Err(part) => each(part),
        });
        done.flatten().collect()
    })
}

/// The phrases that all rules share.
pub(super) fn phrases() -> Phrases {
    let file = FILES.iter().find(|(name, _)| *name == SHARED);
    file.and_then(|(name, source)| read(name, source).ok()).map(|file| file.phrases).unwrap_or_default()
}

/// What the event types of the built-in rules mean.
pub fn event_types() -> Result<BTreeMap<String, EventTypeText>, RuleError> {
    let mut all = BTreeMap::new();
    for (file, source) in FILES {
        all.extend(read(file, source)?.event_types);
    }
    Ok(all)
}

/// What an event type of the built-in rules means.
pub fn text_of(event_type: &str) -> Option<&'static EventTypeText> {
    static TEXTS: OnceLock<BTreeMap<String, EventTypeText>> = OnceLock::new();
    TEXTS.get_or_init(|| event_types().unwrap_or_default()).get(event_type)
}

/// Reads a file of rules whose text is `source`.
pub fn parse(file: &str, source: &str, user: bool) -> Result<Vec<Arc<Rule>>, RuleError> {
    let read = read(file, source)?;
    compile(file, source, read.collector_regexs, &read.phrases, user).into_iter().collect()
}

fn read(file: &str, source: &str) -> Result<RuleFile, RuleError> {
    toml::from_str(source).map_err(|e| toml_error(file, source, &e))
}

/// Compiles the tables of one file, each by itself, with the file's own phrases.
pub fn compile(
    file: &str,
    source: &str,
    tables: Vec<toml::Spanned<super::spec::RuleSpec>>,
    own: &Phrases,
    user: bool,
) -> Vec<Result<Arc<Rule>, RuleError>> {
    let one = |table: toml::Spanned<super::spec::RuleSpec>| {
        let line = Located::at(file, source, Some(table.span()), "", "").line;
        let origin = Origin { file: file.to_owned(), line, user };
        let mut table = table.into_inner();
        phrases::put_in_place(&mut table, own, file, source)?;
        Rule::compile(table, origin, source).map(Arc::new)
    };
    tables.into_iter().map(one).collect()
}

/// Places an error of the TOML reader in its file.
pub fn toml_error(file: &str, source: &str, error: &toml::de::Error) -> RuleError {
    let message = error.message();
    let known = REMEDIES.iter().find(|(part, _)| message.contains(part));
    let remedy = known.map_or("see the comments of the shipped peripetyd.conf", |(_, remedy)| remedy);
    Located::at(file, source, error.span(), message, remedy).into()
}

/// Part of a message of the TOML parser, and the remedy; the first that matches is used.
const REMEDIES: [(&str, &str); 10] = [
    (
        "expected one of `main`",
        "correct its name or remove it; keys such as notify_stdout belong below [main]",
    ),
    ("unknown field", "correct its name or remove it"),
    ("missing field `line`", "begin the example with the log line: { line = \"…\", kdev = \"…\" }"),
    ("missing field", "add it: the shipped peripetyd.conf has a sample"),
    ("expected a boolean", "write true or false, without quotation marks"),
    ("expected a string", "write it between quotation marks"),
    ("duplicate key", "remove one of the two"),
    (
        "expected a sequence",
        "write it with two brackets on each side, as [[collector_regexs]], above every rule",
    ),
    ("escaped value", "write a regex between ''' and ''', where a backslash stands for itself"),
    ("basic string", "end the text with the quotation mark that begins it, on the same line"),
];
