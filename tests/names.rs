//! Whatever a user calls a process, an interface or a device: the kernel's lines that begin with that name make no event but
//! their own. `src/rules/names/formats.tsv` holds the kernel's format strings; for each of them, and each built-in rule, the
//! product of their automata says whether any line belongs to both.

use std::sync::Arc;

use peripety::rules::names::format::{Format, Kind};
use peripety::rules::{builtin, names, Rule, RuleSet};

use crate::common::product::Product;
use crate::common::{LiveJournal, Machine};
use serde_json::json;

/// Lines of storage code that begin with a name and are events: part of the format, and the event type.
const OWN: &[(&str, &str)] = &[];

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
        let regexes: Vec<&str> = rules.iter().map(|rule| rule.spec.regex.get_ref().as_str()).collect();
        let product = Product::new(&regexes);
        Kernel { set: RuleSet::new(all), rules, product }
    }

    /// What is wrong with a format: each rule that can take a line of it for something else.
    fn forged(&mut self, format: &Format) -> Vec<String> {
        let mut wrong = Vec::new();
        for common in self.product.common(format) {
            let (rule, line) = (&self.rules[common.pattern], common.line);
            let text = String::from_utf8_lossy(&line).into_owned();
            let place = format!("{}:{} {}", rule.origin.file, rule.origin.line, rule.event_type);
            let own = OWN.iter().any(|(part, event)| format.text.contains(part) && rule.event_type == *event);
            if own {
                continue;
            }
            // A format that is known by its text is taken from all rules: by the very line that would be the rule's.
            let spoken =
                names::is_known(format) && names::speaks(&line) && self.set.find(b"kernel", &line).is_none();
            if !spoken {
                wrong.push(format!("{:?} of {}: {text:?} is {place}", format.text, format.file));
            }
        }
        wrong
    }
}

fn none_is_forged(formats: impl Iterator<Item = Format>, fewest: usize) {
    let mut kernel = Kernel::new();
    let (mut count, mut wrong) = (0, Vec::new());
    for format in formats {
        wrong.extend(kernel.forged(&format));
        count += 1;
    }
    assert!(wrong.is_empty(), "{} lines:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= fewest, "{count}");
}

/// Formats that are not known by their text, and those that begin with the name of a process.
#[test]
fn no_name_makes_an_event_of_another_line() {
    none_is_forged(names::formats().filter(|f| !names::is_known(f) || f.kind == Kind::Comm), 100);
}

/// All of them.
#[test]
#[ignore = "takes minutes: make check-more"]
fn no_name_of_any_format_makes_an_event_of_another_line() {
    none_is_forged(names::formats(), 2000);
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
    assert_eq!(events[0]["event_type"], "FS_CORRUPTED");
}
