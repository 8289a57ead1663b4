//! Names of event types, and the patterns for them in `closes`, `clears` and `follows`.

use std::collections::BTreeSet;

use super::{builtin, documents, Rule};

/// Whether a pattern stands for an event type. `*` at its end matches any text.
pub fn matches(pattern: &str, event_type: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(begin) => event_type.starts_with(begin),
        None => event_type == pattern,
    }
}

/// The event types that can occur: those of the built-in rules, of `rules`, and of the daemon itself.
pub fn known<'r>(rules: impl IntoIterator<Item = &'r Rule>) -> BTreeSet<String> {
    let builtin = builtin::event_types().unwrap_or_default().into_keys();
    let own = documents::own_event_types().map(str::to_owned);
    builtin.chain(own).chain(rules.into_iter().map(|rule| rule.event_type.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_at_the_end_matches_any_text() {
        let table = [
            ("FS_SHUTDOWN", "FS_SHUTDOWN", true),
            ("FS_SHUTDOWN", "FS_SHUTDOWN_FORCED", false),
            ("FS_*", "FS_SHUTDOWN", true),
            ("FS_*", "FS_", true),
            ("FS_*", "DM_FS_", false),
            ("*", "ANY", true),
        ];
        for (pattern, event_type, expected) in table {
            assert_eq!(matches(pattern, event_type), expected, "{pattern} {event_type}");
        }
    }
}
