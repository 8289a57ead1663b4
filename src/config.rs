//! The configuration file, `/etc/peripetyd.conf` (TOML).

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use crate::rules::builtin::{compile, toml_error};
use crate::rules::rule::Rule;
use crate::rules::spec::RuleSpec;
use crate::rules::RuleError;

/// Where the configuration is when none is named.
pub const PATH: &str = "/etc/peripetyd.conf";

/// The file as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    main: Main,
    #[serde(default)]
    collector_regexs: Vec<Spanned<RuleSpec>>,
    #[serde(default)]
    collector: Collector,
}

/// The later spelling: `[[collector.regexs]]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Collector {
    #[serde(default)]
    regexs: Vec<Spanned<RuleSpec>>,
}

/// The table `[main]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Main {
    /// Print events to the standard output.
    pub notify_stdout: bool,
    /// Store events in journald.
    pub save_to_journald: bool,
    /// Accepted for files of the first Peripety; has no effect yet.
    pub dump_blk_info_at_start: bool,
}

impl Default for Main {
    fn default() -> Self {
        Main { notify_stdout: false, save_to_journald: true, dump_blk_info_at_start: false }
    }
}

/// What the daemon is told to do.
#[derive(Debug, Default)]
pub struct Config {
    /// The table `[main]`.
    pub main: Main,
    /// The user's own rules.
    pub rules: Vec<Arc<Rule>>,
}

impl Config {
    /// Reads a file. Without a name, the usual one, which may be missing.
    pub fn load(named: Option<&Path>) -> Result<Self, RuleError> {
        let path = named.unwrap_or(Path::new(PATH));
        let file = path.display().to_string();
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(e) if named.is_none() && e.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Config::default())
            }
            Err(cause) => return Err(RuleError::Read { file, cause }),
        };
        let text = String::from_utf8(bytes)
            .map_err(|e| RuleError::NotUtf8 { file: file.clone(), offset: e.utf8_error().valid_up_to() })?;
        Config::parse(&file, &text)
    }

    /// Reads the text of a file.
    pub fn parse(file: &str, text: &str) -> Result<Self, RuleError> {
        let parsed: File = toml::from_str(text).map_err(|e| toml_error(file, text, &e))?;
        let tables = parsed.collector_regexs.into_iter().chain(parsed.collector.regexs);
        let rules = compile(file, text, tables.collect(), true)?;
        rules.iter().for_each(|rule| warn_about(rule));
        Ok(Config { main: parsed.main, rules })
    }
}

/// What is allowed and hardly meant.
fn warn_about(rule: &Rule) {
    let place = format!("{}:{}", rule.origin.file, rule.origin.line);
    if !rule.spec.regex.get_ref().contains('^') && rule.spec.starts_with.is_none() {
        tracing::warn!("{place}: the regex is not anchored with ^: it is searched for anywhere in the line");
    }
    if !rule.has_literal() {
        tracing::warn!("{place}: the regex needs no fixed text of 3 or more characters: it is tried on every line, which is slow");
    }
    for example in rule.spec.examples.iter().filter(|example| !rule.is_match(example.line.as_bytes())) {
        tracing::warn!("{place}: the rule does not match its example \"{}\"", example.line);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"
[main]
notify_stdout = true
save_to_journald = false

[[collector_regexs]]
starts_with = "sd "
regex = '''^sd (?P<kdev>\S+): \[sdb\] exploded$'''
sub_system = "SCSI"
event_type = "MY_EVENT"
"#;

    #[test]
    fn the_first_format_is_read() {
        let config = Config::parse("x.conf", SAMPLE).unwrap();
        assert!(config.main.notify_stdout && !config.main.save_to_journald);
        let rule = &config.rules[0];
        assert_eq!(
            (rule.sub_system.as_str(), rule.event_type.as_str(), rule.origin.line),
            ("scsi", "MY_EVENT", 6)
        );
        let later = SAMPLE.replace("collector_regexs", "collector.regexs");
        assert_eq!(Config::parse("x.conf", &later).unwrap().rules.len(), 1);
    }

    #[test]
    fn errors_name_place_and_remedy() {
        let cases = [
            ("[main]\nnotify_stdin = true\n", "x.conf:2:1: unknown field `notify_stdin`"),
            ("[main\n", "x.conf:1:6: "),
            ("[[collector_regexs]]\nregex = '(?P<kdev>x'\n", "x.conf:2:9: the regex does not compile"),
            ("[[collector_regexs]]\nregex = 'x'\n", "x.conf:2:9: this rule has no way to its device"),
            (
                "[[collector_regexs]]\nregex = 'x'\ndevice = 'any'\n",
                "x.conf:3:10: device is \"none\" or \"entry\"",
            ),
            (
                "[[collector_regexs]]\nregex = 'x'\ndevice = 'none'\nseverity = 'Bad'\n",
                "x.conf:4:12: \"Bad\" is no severity",
            ),
        ];
        for (text, expected) in cases {
            let error = Config::parse("x.conf", text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{text}\n{error}");
            assert!(error.contains("\n  = ") || error.contains(" = "), "{error}");
        }
    }

    #[test]
    fn no_file_means_defaults_unless_it_was_named() {
        let missing = Path::new("/nonexistent/peripetyd.conf");
        let error = Config::load(Some(missing)).unwrap_err().to_string();
        assert!(error.contains("/nonexistent/peripetyd.conf"), "{error}");
    }
}
