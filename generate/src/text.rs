//! Comments in the form of each language.

/// How a language writes what is code.
pub struct Style {
    /// The delimiters of code.
    pub mark: &'static str,
    /// What null is called.
    pub null: &'static str,
}

/// Of documentation comments in Rust.
pub const RUST: Style = Style { mark: "`", null: "`None`" };
/// Of comments in Python.
pub const PYTHON: Style = Style { mark: "``", null: "``None``" };
/// Of the documentation.
pub const MARKDOWN: Style = Style { mark: "`", null: "null" };

/// The text with code marked as such: text in quotation marks, names of fields and files.
pub fn styled(text: &str, style: &Style) -> String {
    let parts = text.split('"').enumerate();
    parts
        .map(|(place, part)| match place % 2 {
            1 => format!("{0}{part}{0}", style.mark),
            _ => part.split_inclusive(char::is_whitespace).map(|word| marked(word, style)).collect(),
        })
        .collect()
}

/// A word, and what is around it: blanks, brackets and punctuation.
fn marked(word: &str, style: &Style) -> String {
    let is_around = |c: char| c.is_whitespace() || "().,;:".contains(c);
    let core = word.trim_matches(is_around);
    let replaced = match core {
        "null" => style.null.to_owned(),
        "Null" if style.null != "null" => style.null.to_owned(),
        core if core.contains(['_', '/']) && !core.contains("://") => {
            format!("{0}{core}{0}", style.mark)
        }
        core => core.to_owned(),
    };
    match core {
        "" => word.to_owned(),
        core => word.replacen(core, &replaced, 1),
    }
}

/// Each line behind `before`.
pub fn lines(text: &str, before: &str) -> String {
    text.lines().map(|line| format!("{}\n", format!("{before}{line}").trim_end())).collect()
}

/// The text on one line.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A name in the singular: that of one element of a list.
pub fn singular(name: &str) -> &str {
    name.strip_suffix('s').unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_marked() {
        let text = "A \"b c\" (drivers/x.c, in_it), as dev_path: /dev/x.\nNull when none, else null.";
        assert_eq!(
            styled(text, &RUST),
            "A `b c` (`drivers/x.c`, `in_it`), as `dev_path`: `/dev/x`.\n`None` when none, else `None`."
        );
        assert_eq!(styled("Null, or null", &MARKDOWN), "Null, or null");
        assert_eq!(styled("An_x", &PYTHON), "``An_x``");
    }
}
