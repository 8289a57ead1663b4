//! What a newer kernel changes, as a list of rules to write.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use crate::check::{shown, ALIKE};
use crate::judge::{How, Judged};
use crate::scope;
use crate::verdicts::Verdicts;

/// A format of the newer kernel that needs a rule.
#[derive(Debug)]
pub struct ToWrite<'j> {
    /// The format.
    pub new: &'j Judged,
    /// The wording of the older kernel, if it is another wording of something.
    pub old: Option<&'j Judged>,
}

/// Formats at warning or worse that only the newer kernel has, that no specific rule takes and no verdict leaves out. Those that a specific
/// rule took in another wording come first.
pub fn to_write<'j>(old: &'j [Judged], new: &'j [Judged], verdicts: &Verdicts) -> Vec<ToWrite<'j>> {
    let known: HashSet<(&str, &str)> =
        old.iter().map(|judged| (place(judged), judged.format.text.as_str())).collect();
    let mut by_function: HashMap<&str, Vec<&Judged>> = HashMap::new();
    for judged in old {
        by_function.entry(&judged.format.function).or_default().push(judged);
    }
    let is_new = |judged: &&Judged| {
        judged.is_warning()
            && judged.how != How::Specific
            && !known.contains(&(place(judged), judged.format.text.as_str()))
            && verdicts.left_out(judged).is_none()
    };
    let mut found: Vec<ToWrite> = new
        .iter()
        .filter(is_new)
        .map(|new| ToWrite { new, old: predecessor(new, by_function.get(new.format.function.as_str())) })
        .collect();
    let has_drifted = |entry: &ToWrite| entry.old.is_some_and(|old| old.how == How::Specific);
    found.sort_by_key(|entry| (!has_drifted(entry), entry.new.how, entry.new.format.level));
    found
}

/// Formats are the same if a file of this name has them: directories are renamed.
fn place(judged: &Judged) -> &str {
    judged.format.file.rsplit('/').next().unwrap_or_default()
}

fn predecessor<'j>(new: &Judged, candidates: Option<&Vec<&'j Judged>>) -> Option<&'j Judged> {
    let likeness = |old: &Judged| old.words.likeness(&new.words);
    let alike = candidates?.iter().filter(|old| place(old) == place(new) && likeness(old) >= ALIKE);
    alike.max_by(|a, b| likeness(a).total_cmp(&likeness(b))).copied()
}

/// The list, by sub-system.
pub fn list(entries: &[ToWrite]) -> String {
    let mut text = String::new();
    for (name, _) in scope::GROUPS {
        let members: Vec<_> =
            entries.iter().filter(|entry| scope::group(&entry.new.format.file) == *name).collect();
        if members.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n## {name}: {}", members.len());
        for ToWrite { new, old } in members {
            let format = &new.format;
            let _ = writeln!(
                text,
                "\n{}:{} ({}), level {}: {}",
                format.file,
                format.line,
                format.function,
                format.level,
                shown(new)
            );
            let line = format.lines.first().map_or("", |line| line);
            let _ = writeln!(text, "    {}", line.replace('\n', "\n    "));
            if let Some(old) = old {
                let before = old.format.lines.first().map_or("", |line| line);
                let _ = writeln!(text, "  before: {} ({})", before.replace('\n', "\\n"), shown(old));
            }
        }
    }
    text
}
