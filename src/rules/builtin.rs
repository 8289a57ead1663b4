//! The rules shipped with Peripety: every file of `rules/`, embedded at build time.

use std::sync::Arc;

use super::error::RuleError;
use super::rule::{Origin, Rule};
use super::spec::RuleFile;
use super::Located;

include!(concat!(env!("OUT_DIR"), "/builtin_rules.rs"));

/// All built-in rules, files in alphabetical order.
pub fn rules() -> Result<Vec<Arc<Rule>>, RuleError> {
    let mut all = Vec::new();
    for (file, source) in FILES {
        all.extend(parse(file, source, false)?);
    }
    Ok(all)
}

/// Reads a file of rules whose text is `source`.
pub fn parse(file: &str, source: &str, user: bool) -> Result<Vec<Arc<Rule>>, RuleError> {
    let parsed: RuleFile = toml::from_str(source).map_err(|e| toml_error(file, source, &e))?;
    compile(file, source, parsed.collector_regexs, user)
}

/// Compiles the tables of one file.
pub fn compile(
    file: &str,
    source: &str,
    tables: Vec<toml::Spanned<super::spec::RuleSpec>>,
    user: bool,
) -> Result<Vec<Arc<Rule>>, RuleError> {
    let one = |table: toml::Spanned<super::spec::RuleSpec>| {
        let line = Located::at(file, source, Some(table.span()), "", "").line;
        let origin = Origin { file: file.to_owned(), line, user };
        Rule::compile(table.into_inner(), origin, source).map(Arc::new)
    };
    tables.into_iter().map(one).collect()
}

/// Places an error of the TOML reader in its file.
pub fn toml_error(file: &str, source: &str, error: &toml::de::Error) -> RuleError {
    let remedy = "keys are listed in the comments of the shipped peripetyd.conf";
    Located::at(file, source, error.span(), error.message(), remedy).into()
}
