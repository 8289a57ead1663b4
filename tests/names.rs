//! Whatever a user calls a process, an interface or a device: the kernel's lines that begin with that name make no event but
//! their own. `rules/src/names/formats.tsv` holds the kernel's format strings. Lines of formats that are known by their text are taken from the
//! rules; for the others, and each built-in rule, the product of their automata says whether any line belongs to both.

use std::sync::Arc;

use peripety::rules::names::format::{Class, NameSource, PrintkFormat, PrintkPart};
use peripety::rules::{builtin, names, Rule, RuleSet};

use crate::common::product::Product;
use crate::common::{LiveJournal, Machine};
use serde_json::json;

/// The rules for the kernel, all together and as one automaton.
struct Kernel {
    rules: Vec<Arc<Rule>>,
    set: RuleSet,
    product: Product,
}

impl Kernel {
    fn new() -> Self {
        let all = builtin::rules().unwrap();
        let rules: Vec<_> = all.iter().filter(|rule| rule.identifier == "kernel").cloned().collect();
        let regexes: Vec<&str> = rules.iter().map(|rule| rule.regex_text()).collect();
        let product = Product::new(&regexes);
        Kernel { set: RuleSet::new(all), rules, product }
    }

    /// What is wrong with a format: each rule that can take a line of it for something else.
    fn forged(&mut self, format: &PrintkFormat) -> Vec<String> {
        let mut wrong = Vec::new();
        for common in self.product.common(format) {
            let (rule, line) = (&self.rules[common.pattern], common.line);
            let text = String::from_utf8_lossy(&line).into_owned();
            let place = format!("{}:{} {}", rule.origin.file, rule.origin.line, rule.event_type);
            let found = self.set.find(b"kernel", &line);
            // It is taken from all rules, by the very line that would be this one's; or it is this one's own.
            let is_own = |rule: &Arc<Rule>| format.owner == Some(&*rule.sub_system);
            let is_right =
                (is_own(rule) || names::speaks(&line, &rule.sub_system)) && found.is_none_or(is_own);
            if !is_right {
                wrong.push(format!("{:?} of {}: {text:?} is {place}", format.text, format.file));
            }
        }
        wrong
    }
}

fn none_is_forged(formats: impl Iterator<Item = PrintkFormat>, fewest: usize) {
    let mut kernel = Kernel::new();
    let (mut count, mut wrong) = (0, Vec::new());
    for format in formats {
        wrong.extend(kernel.forged(&format));
        count += 1;
    }
    assert!(wrong.is_empty(), "{} lines:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= fewest, "{count}");
}

/// Those that are not known by their text, and those of storage code.
#[test]
fn no_name_makes_an_event_of_another_line() {
    none_is_forged(names::formats().filter(|format| !format.is_distinctive() || format.owner.is_some()), 2);
}

/// Of those that are known by their text all that begin with the name of a process, and every 200th other one: the search
/// finds a line for each rule that would take it, and the rule does not.
#[test]
#[ignore = "takes minutes: make check-more"]
fn lines_that_rules_would_take_are_taken_from_them() {
    let chosen = names::formats()
        .enumerate()
        .filter(|(number, format)| format.source == NameSource::Comm || number % 200 == 0)
        .map(|(_, format)| format);
    none_is_forged(chosen, 80);
}

/// A line of a format that is known by its text: what the conversions print is chosen so that a rule would like it.
fn line(format: &PrintkFormat, name: &[u8], suffix: &str, words: &[u8]) -> Vec<u8> {
    let mut line = [format.split().0.as_bytes(), name, suffix.as_bytes()].concat();
    for part in format.parts() {
        match part {
            PrintkPart::Text(text) => line.extend(text),
            PrintkPart::Any(Class::Decimal) => line.extend(b"-5"),
            PrintkPart::Any(Class::Hexadecimal) => line.extend(b"0x80"),
            PrintkPart::Any(Class::Address) => line.extend(b"00:1b:21:3c:4d:5e"),
            PrintkPart::Any(Class::Anything) => line.extend(words),
        }
    }
    line
}

/// Names that are the beginnings of all rules' examples, in lines of each format.
#[test]
fn lines_of_known_formats_are_no_rule_s() {
    let rules = builtin::rules().unwrap();
    let set = RuleSet::new(rules.iter().cloned());
    let mut beginnings: Vec<&[u8]> = Vec::new();
    for line in rules.iter().filter(|rule| rule.identifier == "kernel").flat_map(|rule| rule.example_lines())
    {
        let line = line.as_bytes();
        // Before the colon, which the format may print, and as long as can be.
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(15).min(15);
        beginnings.extend([&line[..colon.min(line.len())], &line[..line.len().min(15)]]);
    }
    beginnings.sort();
    beginnings.dedup();
    let (mut tried, mut next) = (0, 0);
    for format in names::formats().filter(PrintkFormat::is_distinctive) {
        for words in [&b"I/O error, failed: sda1"[..], b"", b"lost\nsda1: timed out (error -5)"] {
            for suffix in format.source.suffixes() {
                next = (next + 7) % beginnings.len();
                let name: Vec<u8> =
                    beginnings[next].iter().copied().filter(|byte| format.source.allows(*byte)).collect();
                let line = line(&format, &name, suffix, words);
                let shown = String::from_utf8_lossy(&line).into_owned();
                assert!(names::speaks(&line, "-"), "{:?}: {shown}", format.text);
                let found = set.find(b"kernel", &line).filter(|rule| format.owner != Some(&*rule.sub_system));
                assert!(found.is_none(), "{:?}: {shown}: {:?}", format.text, found.map(|rule| &rule.origin));
                tried += 1;
            }
        }
    }
    assert!(tried > 20_000, "{tried}");
}

/// What an ordinary user had a kernel print: a network interface renamed in a user namespace, a process that opens an
/// obsolete socket or crashes.
const PRINTED: &[&str] = &[
    "SPLError: renamed from veth0",
    "dasd(eckd): renamed from SPLError",
    "md0: port 1(dasd(eckd)) entered blocking state",
    "md0: port 1(dasd(eckd)) entered disabled state",
    "dasd(eckd): entered promiscuous mode",
    "dasd(eckd) (unregistering): left allmulticast mode",
    "BTRFS error (de uses obsolete (PF_INET,SOCK_PACKET)",
    "BTRFS error (de[4242]: segfault at 0 ip 000055d5 sp 00007ffe error 6 in crash[401000+1000] likely on CPU 1 (core 1, socket 0)",
    "ata1.00: failed[4243]: segfault at 0 ip 000055d5 sp 00007ffe error 6 in crash[401000+1000] likely on CPU 1 (core 1, socket 0)",
    "SPLError: lost [4244]: segfault at 0 ip 000055d5 sp 00007ffe error 6 in crash[401000+1000] likely on CPU 1 (core 1, socket 0)",
];

#[test]
fn lines_with_names_that_a_user_chose() {
    let Some(machine) = Machine::start("chosen names", &[]) else { return };
    let mut journal = LiveJournal::start(machine.path("chosen.journal"));
    let daemon = machine.following(&journal, &[]);
    journal.write(PRINTED.iter().map(|line| (*line).to_owned()));
    // The control: it comes last, so that the others have been read.
    journal
        .write(["EXT4-fs error (device sda1): ext4_lookup:1858: inode #2: comm ls: iget: checksum invalid"
            .to_owned()]);
    let events = crate::common::wait_for("the last line's event", || {
        let events = daemon.query(json!({ "severity": "Debug" }));
        (!events.is_empty()).then_some(events)
    });
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["kdev"], "sda1");
}
