//! The comments of the interface definition, which the parser does not keep for members.

use std::collections::HashMap;

/// Comments by what they are about.
#[derive(Default)]
pub struct Docs {
    /// Of members, by definition and name.
    members: HashMap<(String, String), String>,
}

impl Docs {
    /// Of a definition's text.
    pub fn of(text: &str) -> Self {
        let mut docs = Docs::default();
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
                docs.add_listed(&definition, &comment);
                comment.clear();
            } else if line.is_empty() {
                comment.clear();
            } else if let Some((name, _)) = line.split_once(':') {
                let text = comment.iter().map(|line| line.trim()).collect::<Vec<_>>().join("\n");
                docs.members.insert((definition.clone(), name.trim().to_owned()), text);
                is_used = true;
            }
        }
        docs
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
                    self.members.insert(key, meaning.trim().to_owned());
                    last = Some(name.to_owned());
                }
                (None, Some(name)) => {
                    let known = self.members.entry((definition.to_owned(), name.clone())).or_default();
                    known.push('\n');
                    known.push_str(text.trim());
                }
                (None, None) => {}
            }
        }
    }

    /// An attribute with the comment of a member; empty when it has none.
    pub fn member(&self, definition: &str, name: &str) -> String {
        let text = self.members.get(&(definition.to_owned(), name.to_owned()));
        text.filter(|text| !text.is_empty()).map_or_else(String::new, |text| format!("#[doc = {text:?}]\n"))
    }
}

/// An attribute with a comment that the parser keeps.
pub fn attribute(comment: &str) -> String {
    let lines = comment.lines().map(|line| line.trim_start().trim_start_matches('#').trim());
    let text = lines.collect::<Vec<_>>().join("\n");
    format!("#[doc = {text:?}]\n")
}

/// The name that a line begins to define.
fn defined(line: &str) -> Option<&str> {
    let rest = ["type ", "method ", "error "].iter().find_map(|word| line.strip_prefix(word))?;
    rest.split(|c: char| !c.is_alphanumeric()).next()
}
