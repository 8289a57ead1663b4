//! What is made of the rules and stands in files is up to date. `BLESS=1`, or `make docs`, writes it anew.

use std::collections::BTreeSet;

use peripety::rules::{builtin, documents};

use crate::common::project;

const BEGIN: &str = "<!-- event types: made by make docs -->\n";
const END: &str = "<!-- end of event types -->\n";

const CONDITIONS: &str = "<!-- conditions: made by make docs -->\n";
const END_OF_CONDITIONS: &str = "<!-- end of conditions -->\n";

/// Compares a file with what it should be, or writes it.
fn keep(name: &str, wanted: &str) {
    let path = project(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap();
    let differs = found.lines().zip(wanted.lines()).find(|(found, wanted)| found != wanted);
    assert!(found == wanted, "{name} is not up to date, run make docs: {differs:#?}");
}

/// The same of what stands between two marks.
fn keep_between(name: &str, begin: &str, wanted: &str, end: &str) {
    let text = std::fs::read_to_string(project(name)).unwrap();
    let (before, rest) = text.split_once(begin).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    keep(name, &format!("{before}{begin}{wanted}{end}{after}"));
}

#[test]
fn the_table_of_event_types() {
    keep_between("docs/events.md", BEGIN, &documents::table().unwrap(), END);
}

#[test]
fn the_table_of_conditions() {
    keep_between("docs/incidents.md", CONDITIONS, &documents::conditions().unwrap(), END_OF_CONDITIONS);
}

#[test]
fn every_event_type_is_explained_and_made_by_a_rule() {
    let rules = builtin::rules().unwrap();
    let made: BTreeSet<&str> = rules.iter().map(|rule| &*rule.event_type).collect();
    let texts = builtin::event_types().unwrap();
    let explained: BTreeSet<&str> = texts.keys().map(String::as_str).collect();
    assert_eq!(made, explained);
    assert!(texts.values().all(|text| !text.meaning.is_empty()));
}

#[test]
fn every_capture_is_explained() {
    let text = std::fs::read_to_string(project("docs/events.md")).unwrap();
    let (_, after) = text.split_once(END).unwrap();
    let missing: Vec<String> = documents::captures()
        .unwrap()
        .into_iter()
        .filter(|name| !after.contains(&format!("`{name}`")))
        .collect();
    assert!(missing.is_empty(), "docs/events.md does not explain {missing:?}");
}

#[test]
fn the_texts_for_the_journal() {
    keep("systemd/peripety.catalog", &documents::catalog().unwrap());
}
