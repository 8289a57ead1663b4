//! Comments of the interface as documentation.

use peripety_generate::Comments;

/// An attribute with the comment of a member; empty when it has none.
pub fn member(comments: &Comments, definition: &str, name: &str) -> String {
    match comments.member(definition, name) {
        "" => String::new(),
        text => format!("#[doc = {text:?}]\n"),
    }
}

/// An attribute with a comment that the parser keeps.
pub fn attribute(comment: &str) -> String {
    let lines = comment.lines().map(|line| line.trim_start().trim_start_matches('#').trim());
    let text = lines.collect::<Vec<_>>().join("\n");
    format!("#[doc = {text:?}]\n")
}
