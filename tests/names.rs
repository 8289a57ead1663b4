//! Whatever a user calls a process, an interface or a device: the kernel's lines that begin with that name make no event but
//! their own. `src/rules/names/formats.tsv` holds the kernel's format strings; for each of them, and each built-in rule, the
//! product of their automata says whether any line belongs to both.

use std::sync::Arc;

use peripety::rules::names::format::{Format, Kind};
use peripety::rules::{builtin, names, Rule, RuleSet};

use crate::common::product::Product;

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
            let spoken = names::is_known(format) && names::speaks(&line) && self.set.find(b"kernel", &line).is_none();
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
