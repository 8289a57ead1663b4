//! Lines that administrators leave out of their reports are no alarm here either: `tests/fixtures/logcheck.tsv`, made from the ignore rules
//! of Debian's logcheck by `scripts/logcheck-lines.py`.

use crate::common;

use peripety::event::Severity;
use peripety::rules::{builtin, RuleSet};

/// Lines that are alarms all the same, by their beginning, and why.
const REASONS: &[(&str, &str)] = &[
    (
        "hda: drive not ready for command",
        "of a disk it is a fault; the line does not tell it from a drive for discs",
    ),
    (
        "md: cannot remove active disk",
        "the array keeps a member that somebody or something wanted to take out",
    ),
    (
        "md: md1 still in use.",
        "the array goes on although it was to be stopped, so that its disks are not free",
    ),
];

#[test]
fn ordinary_lines_are_no_alarms() {
    let rules = RuleSet::new(builtin::rules().unwrap());
    let text = std::fs::read_to_string(common::project("tests/fixtures/logcheck.tsv")).unwrap();
    let (mut lines, mut events, mut wrong) = (0, 0, Vec::new());
    let mut used = vec![false; REASONS.len()];
    for line in text.lines() {
        let (identifier, message) = line.split_once('\t').unwrap_or_else(|| panic!("no tab in {line:?}"));
        lines += 1;
        let Some(rule) = rules.find(identifier.as_bytes(), message.as_bytes()) else { continue };
        events += 1;
        if rule.severity.is_none_or(|severity| severity > Severity::Warning) {
            continue;
        }
        match REASONS.iter().position(|(begin, _)| message.starts_with(begin)) {
            Some(number) => used[number] = true,
            None => wrong.push(format!("{line}: {}:{}", rule.origin.file, rule.origin.line)),
        }
    }
    assert!(wrong.is_empty(), "{} alarms:\n{}", wrong.len(), wrong.join("\n"));
    assert!(lines > 400 && events > 50, "too few lines to tell anything: {lines}, {events} events");
    let unused: Vec<_> =
        REASONS.iter().zip(used).filter(|(_, used)| !used).map(|(reason, _)| reason).collect();
    assert!(unused.is_empty(), "no line needs {unused:?}");
}
