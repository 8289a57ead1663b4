//! Reads the built-in rules that [`super::pack`] packed.

use std::collections::BTreeMap;

use toml::Spanned;

use super::facts::Facts;
use super::packed::PackedReader;
use super::phrases::Phrases;
use super::spec::{Captures, EventOutcome, EventRole, EventTypeText, Example, RuleSpec};
use super::values::Values;

/// A rule as it was packed.
#[derive(Clone, Debug)]
pub struct Packed {
    /// Its file.
    pub file: &'static str,
    /// The line of its table, from 1.
    pub line: usize,
    /// What it consists of; the event type is in capitals.
    pub values: Values<'static>,
    /// The regex and, if there is one, [`RuleSpec::unless`]; phrases are expanded.
    pub patterns: Vec<(&'static str, Facts)>,
    /// Keys that are only needed to show the rule.
    rest: PackedReader<'static>,
}

impl Packed {
    /// Reads a record of [`Book::rules`]; `None` if it is damaged.
    pub fn read(record: &'static [u8]) -> Option<Self> {
        let mut from = PackedReader(record);
        // Fields are read in the order in which they stand here.
        Some(Packed {
            file: from.text()?,
            line: from.number()?,
            values: Values::read(&mut from)?,
            patterns: (0..from.number()?)
                .map(|_| Some((from.text()?, Facts::from_bytes(from.bytes()?))))
                .collect::<Option<_>>()?,
            rest: from,
        })
    }

    /// The table as written, without the locations of the values.
    pub fn spec(&self) -> Option<RuleSpec> {
        let mut rest = self.rest;
        let mut patterns = self.patterns.iter().map(|(text, _)| *text);
        let regex = patterns.next()?;
        Some(RuleSpec {
            unless: patterns.next().map(|text| Spanned::new(0..0, text.to_owned())),
            not: rest.list()?.into_iter().map(str::to_owned).collect(),
            examples: examples(rest).collect(),
            ..self.values.spec(regex)
        })
    }

    /// The lines of the examples.
    pub fn lines(&self) -> impl Iterator<Item = &'static str> {
        let mut rest = self.rest;
        let is_read = rest.list().is_some();
        std::iter::from_fn(move || {
            let line = rest.text();
            rest.text().and(line)
        })
        .take_while(move |_| is_read)
    }
}

fn examples(mut rest: PackedReader<'static>) -> impl Iterator<Item = Example> {
    std::iter::from_fn(move || {
        let (line, captures) = (rest.text()?, rest.text()?);
        Some(Example { line: line.to_owned(), captures: Captures::of_packed(captures) })
    })
}

/// The packed rules of a program. Methods return `None` if the data is damaged.
#[derive(Clone, Copy, Debug)]
pub struct Book {
    phrases: &'static [u8],
    event_types: &'static [u8],
    rules: &'static [u8],
}

impl Book {
    /// From the result of [`super::pack::pack`].
    pub fn open(bytes: &'static [u8]) -> Option<Self> {
        let mut from = PackedReader(bytes);
        Some(Book { phrases: from.bytes()?, event_types: from.bytes()?, rules: from.bytes()? })
    }

    /// The phrases that all rules share.
    pub fn phrases(self) -> Option<Phrases> {
        let pair = |record| {
            let mut from = PackedReader(record);
            Some((from.text()?.to_owned(), from.text()?.to_owned()))
        };
        read_records(self.phrases)?.map(|record| pair(record?)).collect()
    }

    /// What the event types mean.
    pub fn event_types(self) -> Option<EventTypes> {
        let named = |record| {
            let mut from = PackedReader(record);
            Some((from.text()?, from))
        };
        read_records(self.event_types)?.map(|record| named(record?)).collect::<Option<_>>().map(EventTypes)
    }

    /// The rules in order, each for [`Packed::read`].
    pub fn rules(self) -> Option<Vec<&'static [u8]>> {
        read_records(self.rules)?.collect()
    }
}

/// The event types of a book: names in alphabetical order, and their encoded texts.
#[derive(Debug, Default)]
pub struct EventTypes(Vec<(&'static str, PackedReader<'static>)>);

impl EventTypes {
    /// The text of one event type.
    pub fn get(&self, name: &str) -> Option<EventTypeText> {
        let at = self.0.binary_search_by_key(&name, |(name, _)| name).ok()?;
        self.0.get(at).and_then(|(_, texts)| event_type_text(*texts))
    }

    /// All texts by name.
    pub fn all(&self) -> Option<BTreeMap<String, EventTypeText>> {
        let pair = |(name, texts): &(&str, PackedReader<'static>)| {
            Some(((*name).to_owned(), event_type_text(*texts)?))
        };
        self.0.iter().map(pair).collect()
    }
}

fn read_records(bytes: &'static [u8]) -> Option<impl Iterator<Item = Option<&'static [u8]>>> {
    let mut from = PackedReader(bytes);
    Some((0..from.number()?).map(move |_| from.bytes()))
}

fn event_type_text(mut from: PackedReader<'static>) -> Option<EventTypeText> {
    let owned = |text: &str| text.to_owned();
    Some(EventTypeText {
        meaning: from.text()?.to_owned(),
        advice: from.option()?.map(owned),
        closes: from.list()?.into_iter().map(owned).collect(),
        follows: from.list()?.into_iter().map(owned).collect(),
        role: from.option()?.and_then(EventRole::named),
        outcome: from.option()?.and_then(EventOutcome::named),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::pack;
    use crate::phrases::{self, PhraseScope};
    use crate::spec;

    const DISK: &str = r#"
[phrases]
disk = "sd[a-z]+"
[event_types.DISK_BACK]
meaning = "A disk is back"
advice = "Be glad."
closes = ["DISK_LOST"]
follows = ["B*", "C"]
[[collector_regexs]]
catch_all = true
regex = '^{disk}: (?P<what>.+)$'
device = "none"
[[collector_regexs]]
starts_with = "sd"
regex = '''^(?P<kdev>{disk}): {trouble} or back$'''
unless = 'sdx'
sub_system = "scsi"
event_type = "disk_back"
severity = "Info"
storage_severity = "Error"
by_level = true
identifier = "mydrv"
programs = ["mydrvd"]
units = ["mydrv@*"]
user = "42"
clears = "DISK_WORN"
group = "g"
part = "p"
follows = ["A", "B*"]
examples = [ { line = "sdb: lost or back", kdev = "sdb" }, { line = "größer\nund" } ]
not = [ "sdx", "sdc" ]
"#;
    const PHRASES: &str = "[phrases]\ntrouble = 'lost|gone'\n";

    fn packed() -> &'static [u8] {
        let files = [("rules/disk.toml", DISK), ("rules/phrases.toml", PHRASES)];
        pack(&files, "rules/phrases.toml").unwrap().leak()
    }

    #[test]
    fn what_is_packed_is_what_was_written() {
        let book = Book::open(packed()).unwrap();
        assert_eq!(
            book.phrases().unwrap().into_iter().collect::<Vec<_>>(),
            [("trouble".into(), "lost|gone".into())]
        );
        let types = book.event_types().unwrap();
        let text = types.get("DISK_BACK").unwrap();
        assert_eq!((text.meaning.as_str(), text.advice.as_deref()), ("A disk is back", Some("Be glad.")));
        assert!(types.get("DISK").is_none() && types.all().unwrap().len() == 1);
        let rules: Vec<Packed> =
            book.rules().unwrap().into_iter().map(|r| Packed::read(r).unwrap()).collect();
        let [rule, last] = rules.as_slice() else { panic!("{rules:?}") };
        assert!(last.values.catch_all && last.patterns[0].0 == "^(?:sd[a-z]+): (?P<what>.+)$");
        assert_eq!((rule.file, rule.line), ("rules/disk.toml", 13));
        let values = &rule.values;
        assert_eq!((values.event_type, &values.closes), (Some("DISK_BACK"), &vec!["DISK_WORN", "DISK_LOST"]));
        assert_eq!(values.follows, ["A", "B*", "C"]);
        assert_eq!(rule.patterns[0].0, "^(?P<kdev>(?:sd[a-z]+)): (?:lost|gone) or back$");
        assert_eq!((rule.patterns[0].1.names(), rule.patterns[1].0), (vec!["kdev"], "sdx"));
        assert_eq!(rule.lines().collect::<Vec<_>>(), ["sdb: lost or back", "größer\nund"]);
        assert_eq!((last.lines().count(), last.spec().unwrap().examples.len()), (0, 0));

        let mut written = spec::read("", DISK).unwrap().collector_regexs.remove(1).into_inner();
        let (own, shared) = (spec::read("", DISK).unwrap().phrases, spec::read("", PHRASES).unwrap().phrases);
        phrases::put_in_place(&mut written, PhraseScope { own: &own, shared: &shared }, "", DISK).unwrap();
        written.event_type = written.event_type.map(|name| name.to_ascii_uppercase());
        written.inherit(&text.closes, &text.follows);
        assert_eq!(toml::to_string(&rule.spec().unwrap()).unwrap(), toml::to_string(&written).unwrap());
    }

    #[test]
    fn what_is_cut_is_missing_and_what_is_wrong_is_refused() {
        let bytes = packed();
        let whole = |bytes| {
            let book = Book::open(bytes)?;
            book.phrases()?;
            book.event_types()?.all()?;
            book.rules()?.into_iter().map(|record| Packed::read(record)?.spec()).collect::<Option<Vec<_>>>()
        };
        assert!(whole(bytes).is_some_and(|rules| rules.len() == 2));
        assert!((0..bytes.len()).all(|end| whole(&bytes[..end]).is_none()));
        let error = |text: &str| pack(&[("x.toml", text)], "").unwrap_err().to_string();
        assert!(error("[[collector_regexs]]\nregex = '('\n")
            .starts_with("x.toml:2:9: the regex does not compile"));
        assert!(error("[[collector_regexs]]\nregex = '{no}'\n")
            .starts_with("x.toml:2:9: there is no phrase {no}"));
        assert!(error("[[collector_regexs]]\n").starts_with("x.toml:1:1: missing field `regex`"));
    }
}
