//! The built-in rules: all files in `rules/`, packed at build time. Also compiles users' rules.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use peripety_rules_format::book::{Book, EventTypes};
pub use peripety_rules_format::toml_error;

use super::error::RuleError;
use super::phrases::{self, PhraseScope, Phrases};
use super::rule::{Origin, Rule};
use super::spec::{self, EventTypeTable, EventTypeText, RuleSpec};
use super::Located;

static BOOK: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/builtin.rules"));

fn book() -> Option<Book> {
    Book::open(BOOK)
}

/// All built-in rules, files in alphabetical order, the catch-alls last.
///
/// # Errors
/// A value of a rule is wrong, or the program is damaged.
pub fn rules() -> Result<Vec<Arc<Rule>>, RuleError> {
    let records = book().and_then(Book::rules).ok_or(RuleError::Damaged)?;
    records.into_iter().map(|record| Rule::built_in(record).map(Arc::new)).collect()
}

/// The phrases that all rules share.
pub fn phrases() -> &'static Phrases {
    static SHARED: OnceLock<Phrases> = OnceLock::new();
    SHARED.get_or_init(|| book().and_then(Book::phrases).unwrap_or_default())
}

/// What the event types of the built-in rules mean.
///
/// # Errors
/// The program is damaged.
pub fn event_types() -> Result<BTreeMap<String, EventTypeText>, RuleError> {
    book().and_then(Book::event_types).and_then(|types| types.all()).ok_or(RuleError::Damaged)
}

fn texts() -> &'static EventTypes {
    static TEXTS: OnceLock<EventTypes> = OnceLock::new();
    TEXTS.get_or_init(|| book().and_then(Book::event_types).unwrap_or_default())
}

/// What an event type of the built-in rules means.
pub fn text_of(event_type: &str) -> Option<EventTypeText> {
    texts().get(event_type)
}

/// Reads a file of rules whose text is `source`.
///
/// # Errors
/// It is no valid TOML, or a rule is wrong.
pub fn parse(file: &str, source: &str, user: bool) -> Result<Vec<Arc<Rule>>, RuleError> {
    let read = spec::read(file, source)?;
    let table = |text: EventTypeText| EventTypeTable { closes: text.closes, follows: text.follows };
    let event_types = read.event_types.into_iter().map(|(name, text)| (name, table(text))).collect();
    let own = FileParts { phrases: &read.phrases, event_types: &event_types };
    compile(file, source, read.collector_regexs, own, user).into_iter().collect()
}

/// What the rules of a file share.
#[derive(Clone, Copy, Debug)]
pub struct FileParts<'f> {
    /// Its phrases.
    pub phrases: &'f Phrases,
    /// Its event types, in capitals.
    pub event_types: &'f BTreeMap<String, EventTypeTable>,
}

impl FileParts<'_> {
    /// Adds to a rule what belongs to its event type: by this file, and by the built-in rules.
    fn complete(self, table: &mut RuleSpec) {
        let Some(name) = table.event_type.as_ref().map(|name| name.to_ascii_uppercase()) else { return };
        if let Some(own) = self.event_types.get(&name) {
            table.inherit(&own.closes, &own.follows);
        }
        if let Some(text) = text_of(&name) {
            table.inherit(&text.closes, &text.follows);
        }
    }
}

/// Compiles the tables of one file, each by itself.
pub fn compile(
    file: &str,
    source: &str,
    tables: Vec<toml::Spanned<RuleSpec>>,
    own: FileParts<'_>,
    user: bool,
) -> Vec<Result<Arc<Rule>, RuleError>> {
    let one = |table: toml::Spanned<RuleSpec>| {
        let line = Located::at(file, source, Some(table.span()), "", "").line;
        let origin = Origin { file: file.to_owned().into(), line, user };
        let mut table = table.into_inner();
        phrases::put_in_place(&mut table, PhraseScope { own: own.phrases, shared: phrases() }, file, source)?;
        own.complete(&mut table);
        Rule::compile(table, origin, source).map(Arc::new)
    };
    tables.into_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let rule = |regex: &str| format!("[[collector_regexs]]\nregex = '''{regex}'''\ndevice = \"none\"\n");
        let error = |text: &str| parse("x.conf", text, true).unwrap_err().to_string();
        let unknown = error(&rule("^{nobody_knows}"));
        assert!(unknown.starts_with("x.conf:2:9: there is no phrase {nobody_knows}"), "{unknown}");
        let itself = error(&(rule("^{a}") + "[phrases]\na = \"{b}\"\nb = \"{a}\"\n"));
        assert!(itself.contains("contains itself"), "{itself}");
        let doubled: String = (1..8).map(|n| format!("p{n} = \"{{p{}}}{{p{0}}}\"\n", n + 1)).collect();
        let long =
            error(&(rule("^{p1}") + "[phrases]\n" + &doubled + "p8 = '''" + &"x".repeat(2000) + "'''\n"));
        assert!(long.contains("too long"), "{long}");
        let inside = error(&(rule("^{a}") + "[phrases]\na = \"(\"\n"));
        assert!(inside.contains("does not compile") && inside.contains("^(?:()"), "{inside}");
    }

    #[test]
    fn a_rule_closes_and_follows_what_its_event_type_does() {
        let rule = |event_type: &str, keys: &str| {
            let text = format!(
                "[event_types.MYDRV_BACK]\nmeaning = \"It is back\"\ncloses = [\"MYDRV_LOST\"]\nfollows = [\"MYDRV_*\"]\n\
                 [[collector_regexs]]\nregex = '^mydrv (?P<kdev>x)'\nevent_type = \"{event_type}\"\n{keys}"
            );
            parse("x.conf", &text, true).unwrap().remove(0)
        };
        let both = rule("mydrv_back", "clears = \"B\"\nfollows = [\"A\", \"MYDRV_*\"]\n");
        assert_eq!(
            (both.closes.clone(), both.follows.clone()),
            (vec!["B".into(), "MYDRV_LOST".into()], vec!["A".into(), "MYDRV_*".into()])
        );
        // A line about no device could follow from a fault of any.
        let unnamed = rule("MYDRV_BACK", "device = \"none\"\n");
        assert_eq!(
            (unnamed.closes.as_slice(), unnamed.follows.len()),
            (["MYDRV_LOST".to_owned()].as_slice(), 0)
        );
        let of_built_in = rule("FS_UNMOUNTED", "");
        assert_eq!(of_built_in.closes, text_of("FS_UNMOUNTED").unwrap().closes);
        assert!(rule("MYDRV_OTHER", "").closes.is_empty());
    }

    /// Packed facts never exclude an example of the rule, and exclude other lines.
    #[test]
    fn what_is_known_of_a_rule_is_true_of_its_examples() {
        let (mut lines, mut any) = (0, 0);
        let rules = rules().unwrap();
        for rule in &rules {
            for line in rule.example_lines().map(str::as_bytes) {
                let [first, second] = [0, 1].map(|at| line.get(at).copied().unwrap_or_default());
                assert!(rule.may_match(line) && rule.may_begin([first, second]), "{:?}", rule.origin);
                lines += 1;
            }
            any += usize::from(rule.may_begin(*b"zZ"));
        }
        assert!(lines > 2000 && any * 10 < rules.len(), "{any} of {}", rules.len());
    }

    #[test]
    fn any_rule_may_use_the_shared_phrases() {
        let with = |phrase: &str| {
            let text = format!("[[collector_regexs]]\nregex = '^mydrv: {{{phrase}}}'\ndevice = \"none\"\n");
            parse("x.conf", &text, true).unwrap().remove(0)
        };
        assert!(phrases().len() >= 5 && phrases().keys().all(|phrase| !with(phrase).is_match(b"other")));
        let rule = with("trouble");
        assert!(rule.is_match(b"mydrv: timed out") && !rule.is_match(b"mydrv: fine"));
    }
}
