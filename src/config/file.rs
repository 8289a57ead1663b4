//! One configuration file.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use serde::de::IgnoredAny;
use serde::Deserialize;
use toml::Spanned;

use super::cost::{Cost, MAX_FILE};
use super::varlink::{RawVarlink, VarlinkTable};
use crate::notifier::{settings, Configured};
use crate::rules::builtin::{compile, toml_error, FileParts};
use crate::rules::conditions::{KindSource, KindSpec};
use crate::rules::phrases::Phrases;
use crate::rules::rule::Rule;
use crate::rules::spec::{EventTypeTable, RuleSpec};
use crate::rules::{Located, RuleError};

/// A file as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tables {
    #[serde(default)]
    main: MainTable,
    #[serde(default)]
    burst: RawBurst,
    #[serde(default)]
    varlink: RawVarlink,
    /// Each type has its own settings: see [`settings::read`].
    #[serde(default)]
    notifiers: BTreeMap<String, IgnoredAny>,
    #[serde(default)]
    phrases: Phrases,
    #[serde(default)]
    event_types: BTreeMap<String, Spanned<EventTypeTable>>,
    #[serde(default)]
    conditions: BTreeMap<String, Spanned<KindSpec>>,
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

/// The table `[main]` of one file; what is missing is left to other files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MainTable {
    /// Print events to the standard output.
    pub notify_stdout: Option<bool>,
    /// Store events in journald.
    pub save_to_journald: Option<bool>,
    /// Make an event of every block device at the start.
    pub dump_blk_info_at_start: Option<bool>,
}

/// The table `[burst]` as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBurst {
    enabled: Option<bool>,
    interval_seconds: Option<Spanned<u64>>,
}

/// The table `[burst]` of one file; what is missing is left to other files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BurstTable {
    /// Count repeats instead of reporting each.
    pub enabled: Option<bool>,
    /// Seconds from one counting event to the next, 1 to 86,400.
    pub interval_seconds: Option<u64>,
}

/// Seconds in a day.
const DAY: u64 = 86_400;

impl RawBurst {
    fn check(self, file: &str, text: &str) -> Result<BurstTable, RuleError> {
        let wrong = self.interval_seconds.as_ref().filter(|seconds| !(1..=DAY).contains(seconds.get_ref()));
        if let Some(seconds) = wrong {
            let message = format!("interval_seconds is {}", seconds.get_ref());
            let remedy = "write a number from 1 to 86400; enabled = false disables summaries";
            return Err(Located::at(file, text, Some(seconds.span()), &message, remedy).into());
        }
        Ok(BurstTable {
            enabled: self.enabled,
            interval_seconds: self.interval_seconds.map(Spanned::into_inner),
        })
    }
}

/// The tables `[conditions.NAME]` of one file, with what is needed to show a place in it.
#[derive(Debug, Default)]
pub struct OwnKinds {
    file: String,
    text: String,
    conditions: BTreeMap<String, Spanned<KindSpec>>,
}

impl OwnKinds {
    /// The same, to be read.
    pub fn source(&self) -> KindSource<'_> {
        KindSource { file: &self.file, text: &self.text, conditions: &self.conditions }
    }
}

/// The content of one file.
#[derive(Debug, Default)]
pub struct FileConfig {
    /// Its table `[main]`.
    pub main: MainTable,
    /// Its table `[burst]`.
    pub burst: BurstTable,
    /// Its table `[varlink]`.
    pub varlink: VarlinkTable,
    /// Its tables `[notifiers.NAME]`.
    pub notifiers: Vec<Configured>,
    /// Its kinds of conditions.
    pub kinds: Option<OwnKinds>,
    /// Its rules.
    pub rules: Vec<Arc<Rule>>,
    /// Warnings: accepted, but probably a mistake.
    pub warnings: Vec<Located>,
}

/// Reads a file. Fails with everything that is wrong in it, and when its rules cost too much together with those before.
pub fn read(path: &Path, cost: &mut Cost) -> Result<FileConfig, Vec<RuleError>> {
    let file = path.display().to_string();
    if let Some(length) =
        std::fs::metadata(path).ok().map(|meta| meta.len()).filter(|length| *length > MAX_FILE)
    {
        let message = format!("the file has {} MiB; {} are the most", length >> 20, MAX_FILE >> 20);
        return Err(vec![Located::at(
            &file,
            "",
            None,
            &message,
            "is it a configuration file? Split it into drop-ins",
        )
        .into()]);
    }
    let bytes = std::fs::read(path).map_err(|cause| vec![RuleError::Read { file: file.clone(), cause }])?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => parse(&file, text, cost),
        Err(e) => {
            let text = String::from_utf8_lossy(&bytes);
            let place = Some(e.valid_up_to()..e.valid_up_to());
            let remedy = "TOML files are UTF-8: convert it, with iconv(1) for example";
            Err(vec![Located::at(&file, &text, place, "this is not UTF-8", remedy).into()])
        }
    }
}

/// Reads the text of a file.
pub fn parse(file: &str, text: &str, cost: &mut Cost) -> Result<FileConfig, Vec<RuleError>> {
    let parsed: Tables = toml::from_str(text).map_err(|e| vec![toml_error(file, text, &e)])?;
    let tables = parsed.collector_regexs.into_iter().chain(parsed.collector.regexs);
    let (mut rules, mut errors) = (Vec::new(), Vec::new());
    let types: Vec<(String, Range<usize>)> =
        parsed.event_types.iter().map(|(name, table)| (name.to_ascii_uppercase(), table.span())).collect();
    let common = parsed.event_types.into_iter();
    let common = common.map(|(name, table)| (name.to_ascii_uppercase(), table.into_inner())).collect();
    let own = FileParts { phrases: &parsed.phrases, event_types: &common };
    for compiled in compile(file, text, tables.collect(), own, true) {
        match compiled {
            Ok(rule) => {
                errors.extend(cost.add(&rule, text).err().map(RuleError::from));
                rules.push(rule);
            }
            Err(e) => errors.push(e),
        }
    }
    let burst = parsed.burst.check(file, text).map_err(|e| errors.push(e)).unwrap_or_default();
    let varlink = parsed.varlink.check(file, text).map_err(|e| errors.push(e)).unwrap_or_default();
    let notifiers = match parsed.notifiers.is_empty() {
        true => Vec::new(),
        false => settings::read(file, text, &mut errors),
    };
    if !errors.is_empty() {
        return Err(errors);
    }
    let unused = types.iter().filter(|(name, _)| !rules.iter().any(|rule| rule.event_type == *name));
    let unused = unused.map(|(name, span)| {
        let message = format!("no rule of this file makes the event type {name}");
        Located::at(
            file,
            text,
            Some(span.clone()),
            &message,
            "correct its name, or add the rule to this file",
        )
    });
    let warnings = rules.iter().flat_map(|rule| warnings(rule, text)).chain(unused).collect();
    let conditions = parsed.conditions;
    let kinds = match conditions.is_empty() {
        true => None,
        false => Some(OwnKinds { file: file.to_owned(), text: text.to_owned(), conditions }),
    };
    Ok(FileConfig { main: parsed.main, burst, varlink, notifiers, kinds, rules, warnings })
}

fn warnings(rule: &Rule, text: &str) -> Vec<Located> {
    let spec = rule.spec();
    let regex = &spec.regex;
    let at = |message: &str, remedy: &str| {
        Located::at(&rule.origin.file, text, Some(regex.span()), message, remedy)
    };
    let mut found = Vec::new();
    if rule.never_matches() {
        let message = "this rule can never match: its regex and its starts_with begin with different text";
        found.push(at(message, "make both begin with the same text, or remove starts_with"));
    }
    if !regex.get_ref().contains('^') && rule.starts_with().is_none() {
        found.push(at(
            "the regex is not anchored",
            "begin it with ^; otherwise every line is searched for it, which is slow",
        ));
    }
    if !rule.has_literal() {
        found.push(at(
            "the regex contains no literal text, so it may match unrelated lines",
            "add literal text of 3 or more characters, or a starts_with",
        ));
    }
    found
}
