//! The comments of members, which the parser does not keep.

use std::collections::HashMap;

/// What a line of a comment begins with that names the member in texts for people.
const LABEL: &str = "Label:";

/// Comments by what they are about.
#[derive(Default)]
pub struct Comments {
    /// Of members, by definition and name.
    members: HashMap<(String, String), Comment>,
}

/// What is written about a member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Comment {
    /// The text, with the line breaks of the interface.
    text: String,
    /// What the member is called in texts for people.
    label: Option<String>,
}

impl Comment {
    fn of(lines: &[&str]) -> Self {
        let (labels, text): (Vec<&str>, Vec<&str>) =
            lines.iter().map(|line| line.trim()).partition(|line| line.starts_with(LABEL));
        let label =
            labels.last().and_then(|line| line.strip_prefix(LABEL)).map(|label| label.trim().to_owned());
        Self { text: text.join("\n"), label }
    }
}

impl Comments {
    /// Of the text of an interface.
    pub fn of(text: &str) -> Self {
        let mut comments = Comments::default();
        let mut definition = String::new();
        let mut comment: Vec<&str> = Vec::new();
        // A comment is about all members up to the next one.
        let mut is_used = false;
        for line in text.lines().map(str::trim) {
            if let Some(more) = line.strip_prefix('#') {
                if std::mem::take(&mut is_used) {
                    comment.clear();
                }
                comment.push(more);
            } else if let Some(name) = defined(line) {
                definition = name.to_owned();
                comments.add_listed(&definition, &comment);
                comment.clear();
            } else if line.is_empty() {
                comment.clear();
            } else if let Some((name, _)) = line.split_once(':') {
                comments.members.insert((definition.clone(), name.trim().to_owned()), Comment::of(&comment));
                is_used = true;
            }
        }
        comments
    }

    /// Notes the names of an enumeration that its comment explains, each on a line of its own: `  NAME  what it means`.
    fn add_listed(&mut self, definition: &str, comment: &[&str]) {
        let mut last: Option<String> = None;
        for line in comment {
            let Some(text) = line.strip_prefix("   ") else {
                last = None;
                continue;
            };
            match (text.split_once("  ").filter(|(name, _)| !name.is_empty()), &last) {
                (Some((name, meaning)), _) => {
                    let key = (definition.to_owned(), name.to_owned());
                    self.members.insert(key, Comment { text: meaning.trim().to_owned(), label: None });
                    last = Some(name.to_owned());
                }
                (None, Some(name)) => {
                    let known = self.members.entry((definition.to_owned(), name.clone())).or_default();
                    known.text.push('\n');
                    known.text.push_str(text.trim());
                }
                (None, None) => {}
            }
        }
    }

    fn get(&self, definition: &str, name: &str) -> Option<&Comment> {
        self.members.get(&(definition.to_owned(), name.to_owned()))
    }

    /// What is written about a member; empty when nothing is.
    pub fn member(&self, definition: &str, name: &str) -> &str {
        self.get(definition, name).map_or("", |comment| &comment.text)
    }

    /// What a member is called in texts for people, when it is shown there.
    pub fn label(&self, definition: &str, name: &str) -> Option<&str> {
        self.get(definition, name)?.label.as_deref()
    }
}

/// The name that a line begins to define.
fn defined(line: &str) -> Option<&str> {
    let rest = ["type ", "method ", "error "].iter().find_map(|word| line.strip_prefix(word))?;
    rest.split(|c: char| !c.is_alphanumeric()).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_labels() {
        let comments = Comments::of(
            "# A type.\ntype T (\n  # One line,\n  # and another.\n  # Label: First one\n  a: string,\n  b: int,\n  c: ?int\n)\n\
             # An enumeration.\n#   One  the first\n#        of two\n#   Two  the second\ntype E (One, Two)\n",
        );
        assert_eq!(comments.member("T", "a"), "One line,\nand another.");
        assert_eq!(comments.label("T", "a"), Some("First one"));
        assert_eq!(comments.member("E", "One"), "the first\nof two");
        assert_eq!((comments.member("E", "Two"), comments.label("E", "Two")), ("the second", None));
        assert_eq!(comments.member("T", "d"), "");
    }
}
