//! Messages of several lines. The kernel breaks some of its messages into lines, at other places in other versions; rules are written
//! for one line.

use std::sync::Arc;

use super::names;
use super::rule::Rule;

/// A message of several lines as one, with a blank for each break and the white space around it; `None`: it is one line.
pub fn joined(message: &[u8]) -> Option<Vec<u8>> {
    let message = message.trim_ascii_end();
    memchr::memchr(b'\n', message)?;
    let mut lines = message.split(|byte| *byte == b'\n');
    let mut all = lines.next()?.trim_ascii_end().to_vec();
    for line in lines.map(<[u8]>::trim_ascii).filter(|line| !line.is_empty()) {
        all.push(b' ');
        all.extend_from_slice(line);
    }
    Some(all)
}

/// The rule for a message, by a search for the rule of a line. What no rule takes as it stands, or only a catch-all, is looked for as
/// one line too.
pub fn find<'r>(message: &[u8], find: impl Fn(&[u8]) -> Option<&'r Arc<Rule>>) -> Option<&'r Arc<Rule>> {
    let as_it_stands = find(message);
    if as_it_stands.is_some_and(|rule| !rule.catch_all) {
        return as_it_stands;
    }
    let Some(line) = joined(message) else { return as_it_stands };
    // A name that somebody chose may have a break, and what the kernel prints behind it, too.
    let is_chosen = |rule: &Arc<Rule>| {
        !rule.origin.user && rule.identifier == "kernel" && names::speaks(message, &rule.sub_system)
    };
    let as_one_line = find(&line).filter(|rule| !is_chosen(rule));
    match (as_it_stands, as_one_line) {
        (Some(rule), Some(other)) if other.catch_all => Some(rule),
        (rule, other) => other.or(rule),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin;
    use crate::RuleSet;

    #[test]
    fn breaks_become_blanks() {
        assert_eq!(joined(b"one line\n"), None);
        assert_eq!(joined(b" a: b,\n\tc\n\n d \n").unwrap(), b" a: b, c d");
    }

    #[test]
    fn a_rule_takes_its_message_however_it_is_broken() {
        let rules = RuleSet::new(builtin::rules().unwrap());
        let message = "mpi3mr0: Soft reset failed due to an Admin or I/O queue polling\nthread still processing replies \
                       even after a 10 second\ntimeout. Marking the controller as unrecoverable!";
        for message in [message.to_owned(), message.replace('\n', " "), message.replace(' ', "\n ")] {
            let matched = rules.matched(b"kernel", message.as_bytes()).unwrap();
            assert_eq!(matched.rule.event_type, "HBA_OFFLINE", "{message}");
            assert_eq!(matched.captures.get("controller").map(String::as_str), Some("mpi3mr0"));
            let slow = rules.find_slowly(b"kernel", message.as_bytes()).unwrap();
            assert_eq!(slow.origin, matched.rule.origin);
        }
    }

    #[test]
    fn a_chosen_name_with_a_break_makes_no_event() {
        let rules = RuleSet::new(builtin::rules().unwrap());
        for line in [
            "sda:\nFAILED[4242]: segfault at 0 ip 000055d5",
            "XFS (dm-0):\n x invoked oom-killer: gfp_mask=0xcc0",
        ] {
            assert!(rules.find(b"kernel", line.as_bytes()).is_none(), "{line}");
        }
    }
}
