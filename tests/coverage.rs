//! How much of what real machines log is recognised: lines of public bug reports, `tests/fixtures/coverage/FAMILY.txt`.
//!
//! A line of a file is `MARK<TAB>DEVICE<TAB>IDENTIFIER<TAB>MESSAGE`. MARK is `!` for a problem that an administrator of storage
//! wants to know, `.` for an ordinary line. DEVICE is what the line names, `-` when it names none; several names that are all
//! right stand with `|` between them. A line break in a message is written `\n`. Lines that begin with `#` say where the
//! following ones were found.
//!
//! `make coverage` prints the table and every line that is judged wrongly. BLESS=1 writes the table into docs/coverage.md.

use crate::common;

use std::collections::BTreeMap;

use peripety::event::Severity;
use peripety::rules::{builtin, RuleSet};

const BEGIN: &str = "<!-- table: made by make coverage -->\n";
const END: &str = "<!-- end of table -->\n";

/// What was found in the lines of a family.
#[derive(Debug, Default)]
struct Found {
    problems: usize,
    recognised: usize,
    right_device: usize,
    catch_all: usize,
    ordinary: usize,
    false_alarms: usize,
    wrong: Vec<String>,
}

impl Found {
    fn add(&mut self, other: &Found) {
        self.problems += other.problems;
        self.recognised += other.recognised;
        self.right_device += other.right_device;
        self.catch_all += other.catch_all;
        self.ordinary += other.ordinary;
        self.false_alarms += other.false_alarms;
    }

    fn row(&self, family: &str) -> String {
        let Found { problems, recognised, right_device, catch_all, ordinary, false_alarms, .. } = self;
        format!("| {family} | {problems} | {recognised} | {right_device} | {catch_all} | {ordinary} | {false_alarms} |\n")
    }
}

fn judge(set: &RuleSet, file: &str, number: usize, line: &str, found: &mut Found) {
    let mut fields = line.splitn(4, '\t');
    let mut field =
        || fields.next().unwrap_or_else(|| panic!("{file}:{number}: four fields with tabs between them"));
    let (mark, device, identifier, message) = (field(), field(), field(), field().replace("\\n", "\n"));
    let matched = set.matched(identifier.as_bytes(), message.as_bytes());
    let mut wrong = |why: &str| found.wrong.push(format!("{file}:{number}: {why}: {line}"));
    match (mark, matched) {
        ("!", None) => {
            found.problems += 1;
            wrong("no event");
        }
        ("!", Some(matched)) => {
            found.problems += 1;
            found.recognised += 1;
            found.catch_all += usize::from(matched.rule.catch_all);
            let named = |name: &str| matched.captures.values().any(|value| value == name);
            if device == "-" || device.split('|').any(named) {
                found.right_device += 1;
            } else {
                wrong(&format!("another device in {:?}", matched.captures));
            }
        }
        (".", matched) => {
            found.ordinary += 1;
            if matched.as_ref().is_some_and(|m| m.rule.severity.is_some_and(|s| s <= Severity::Warning)) {
                found.false_alarms += 1;
                wrong(&format!("an alarm by {:?}", matched.unwrap().rule.origin));
            }
        }
        (mark, _) => panic!("{file}:{number}: the mark is ! or ., not {mark:?}"),
    }
}

fn measure() -> BTreeMap<String, Found> {
    let set = RuleSet::new(builtin::rules().unwrap());
    let mut families = BTreeMap::new();
    for entry in std::fs::read_dir(common::project("tests/fixtures/coverage")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let found: &mut Found =
            families.entry(path.file_stem().unwrap().to_string_lossy().into_owned()).or_default();
        let text = std::fs::read_to_string(&path).unwrap();
        for (at, line) in
            text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        {
            judge(&set, &name, at + 1, line, found);
        }
    }
    families
}

fn table(families: &BTreeMap<String, Found>) -> (String, Found) {
    let mut text =
        "| Family | Problems | Recognised | Right device | By a catch-all | Ordinary lines | False alarms |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
            .to_owned();
    let mut all = Found::default();
    for (family, found) in families {
        text += &found.row(family);
        all.add(found);
    }
    text += &all.row("**all**");
    (text, all)
}

#[test]
fn coverage() {
    let families = measure();
    let (table, all) = table(&families);
    println!("{table}");
    families.values().flat_map(|found| &found.wrong).for_each(|line| println!("{line}"));
    assert!(all.problems > 500 && all.ordinary > 1000, "too few lines to tell anything: {all:?}");
    assert!(all.recognised * 100 >= all.problems * 97, "fewer than 97 in 100 problems are recognised");
    assert!(all.right_device * 100 >= all.recognised * 99, "fewer than 99 in 100 name the right device");
    assert!(all.false_alarms * 1000 <= all.ordinary, "more than 1 in 1,000 ordinary lines is an alarm");

    let path = common::project("docs/coverage.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (written, after) = rest.split_once(END).unwrap();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, [before, BEGIN, &table, END, after].concat()).unwrap();
    } else {
        assert_eq!(written, table, "make coverage BLESS=1 writes the table anew");
    }
}
