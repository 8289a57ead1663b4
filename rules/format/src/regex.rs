//! The parsed form of a regex.

use regex_syntax::hir::{Hir, HirKind};
use regex_syntax::ParserBuilder;
use toml::Spanned;

use super::error::{Located, RuleError};
use super::phrases;

/// The parsed form of a pattern as the engine reads it. `unicode`: `\d`, `\w` and `\s` know more than ASCII.
///
/// # Errors
/// What is wrong with it, in one line.
pub fn parse(text: &str, unicode: bool) -> Result<Hir, String> {
    let parsed = ParserBuilder::new().unicode(unicode).utf8(false).build().parse(text);
    parsed.map_err(|e| last_line(&e.to_string()))
}

/// Names of the captures of a pattern, in order.
pub fn names_of(hir: &Hir) -> Vec<&str> {
    let mut names = Vec::new();
    collect_names(hir, &mut names);
    names
}

fn collect_names<'h>(hir: &'h Hir, names: &mut Vec<&'h str>) {
    match hir.kind() {
        HirKind::Capture(capture) => {
            names.extend(capture.name.as_deref());
            collect_names(&capture.sub, names);
        }
        HirKind::Repetition(repetition) => collect_names(&repetition.sub, names),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().for_each(|part| collect_names(part, names))
        }
        _ => {}
    }
}

/// The last line of an error of the parser or the compiler: the others show the regex.
pub fn last_line(text: &str) -> String {
    text.lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_owned()
}

/// The error for an invalid regex of `file`, whose text is `source`. If the regex uses phrases, the error shows it expanded.
pub fn does_not_compile(regex: &Spanned<String>, why: &str, file: &str, source: &str) -> RuleError {
    let written_out = match source.get(regex.span()).is_some_and(phrases::are_used) {
        true => format!("; with its phrases it is {}", regex.get_ref()),
        false => String::new(),
    };
    let message = format!("the regex does not compile: {why}{written_out}");
    let remedy = "see https://docs.rs/regex/latest/regex/#syntax; in TOML write a regex between ''' and '''";
    Located::at(file, source, Some(regex.span()), &message, remedy).into()
}
