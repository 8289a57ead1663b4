//! Errors in rules and configuration: file, line, column, a caret, the remedy.

use std::fmt;
use std::ops::Range;

/// A place in a TOML file and what is wrong there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// File, as the user named it.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Text of that line.
    pub text: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl Located {
    /// Describes the place at a byte offset of `source`.
    pub fn at(file: &str, source: &str, span: Option<Range<usize>>, message: &str, remedy: &str) -> Self {
        let offset = span.map_or(0, |s| s.start).min(source.len());
        let before = source.get(..offset).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let text = source.get(start..).unwrap_or_default().lines().next().unwrap_or_default();
        Located {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.get(start..).unwrap_or_default().chars().count() + 1,
            text: text.to_owned(),
            message: message.to_owned(),
            remedy: remedy.to_owned(),
        }
    }
}

impl fmt::Display for Located {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        writeln!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)?;
        writeln!(f, "{margin} |")?;
        writeln!(f, "{number} | {}", self.text)?;
        writeln!(f, "{margin} | {}^", " ".repeat(self.column.saturating_sub(1)))?;
        write!(f, "{margin} = {}", self.remedy)
    }
}

/// Why rules cannot be used. `Display` of each names file, line and remedy.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// The file cannot be read.
    #[error("cannot read {file}: {cause}; check that it exists and that peripetyd may read it")]
    Read {
        /// File.
        file: String,
        /// Why.
        cause: std::io::Error,
    },
    /// Something in the file is wrong.
    #[error("{0}")]
    Invalid(Box<Located>),
    /// The built-in rules in the program's file are not what was built.
    #[error("the built-in rules of this program are damaged; install it again")]
    Damaged,
}

impl From<Located> for RuleError {
    fn from(located: Located) -> Self {
        RuleError::Invalid(Box::new(located))
    }
}

/// Locates an error of the TOML parser in its file.
pub fn toml_error(file: &str, source: &str, error: &toml::de::Error) -> RuleError {
    let message = error.message();
    let known = REMEDIES.iter().find(|(part, _)| message.contains(part));
    let remedy = known.map_or("see the comments of the shipped peripetyd.conf", |(_, remedy)| remedy);
    Located::at(file, source, error.span(), message, remedy).into()
}

/// Part of a message of the TOML parser, and the remedy; the first that matches is used.
const REMEDIES: [(&str, &str); 10] = [
    (
        "expected one of `main`",
        "correct its name or remove it; keys such as notify_stdout belong below [main]",
    ),
    ("unknown field", "correct its name or remove it"),
    ("missing field `line`", "begin the example with the log line: { line = \"…\", kdev = \"…\" }"),
    ("missing field", "add it: the shipped peripetyd.conf has a sample"),
    ("expected a boolean", "write true or false, without quotation marks"),
    ("expected a string", "write it between quotation marks"),
    ("duplicate key", "remove one of the two"),
    (
        "expected a sequence",
        "write it with two brackets on each side, as [[collector_regexs]], above every rule",
    ),
    ("escaped value", "write a regex between ''' and ''', where a backslash stands for itself"),
    ("basic string", "end the text with the quotation mark that begins it, on the same line"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_line_and_caret() {
        let source = "[main]\nnotify = 1\n";
        let located = Located::at("x.conf", source, Some(7..13), "unknown key", "remove it");
        let expected = "x.conf:2:1: unknown key\n  |\n2 | notify = 1\n  | ^\n  = remove it";
        assert_eq!(located.to_string(), expected);
    }
}
