//! What a kind of condition must have.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;

use super::spec::KindSpec;
use super::{Kind, KindId, KindSource};
use crate::error::{Located, RuleError};

/// What can tell on a running machine whether a condition still holds.
pub const WITNESSES: [&str; 10] = [
    "btrfs_error_stats",
    "ext4_errors",
    "fc_host_port_state",
    "fc_rport_port_state",
    "fs_read_only",
    "iscsi_session_state",
    "md_degraded",
    "multipath_path_state",
    "nvme_state",
    "scsi_device_state",
];

fn refuse(source: &KindSource<'_>, span: Range<usize>, message: &str, remedy: &str) -> RuleError {
    Located::at(source.file, source.text, Some(span), message, remedy).into()
}

/// A kind by itself. `taken`: another file has one of this name.
pub fn kind(
    source: &KindSource<'_>,
    name: &str,
    spec: &Spanned<KindSpec>,
    taken: bool,
) -> Result<(), RuleError> {
    let at = spec.span();
    let spec = spec.get_ref();
    if taken || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_') {
        let message = format!("\"{name}\" cannot be the name of a kind of condition");
        let remedy = "write a name of lower-case letters, digits and _ that no other kind has";
        return Err(refuse(source, at, &message, remedy));
    }
    for (title, place) in [(Some(&spec.title), "{dev}"), (spec.many.as_ref(), "{n}")] {
        let Some(title) = title.filter(|title| !title.get_ref().contains(place)) else { continue };
        let message = format!("the title of condition \"{name}\" does not contain {place}");
        return Err(refuse(
            source,
            title.span(),
            &message,
            &format!("write {place} where the device belongs"),
        ));
    }
    if let Some(quiet) = spec.quiet.as_ref().filter(|quiet| duration(quiet.get_ref()).is_none()) {
        let remedy = "write a number and s, m, h or d: quiet = \"15m\"";
        return Err(refuse(source, quiet.span(), "this is no duration", remedy));
    }
    if spec.closed_by.is_empty() && spec.quiet.is_none() && !spec.ends_with_causes {
        let message = format!("nothing can close condition \"{name}\"");
        let remedy = "add closed_by = [\"EVENT_TYPE\"], or quiet = \"15m\", or ends_with_causes = true";
        return Err(refuse(source, at, &message, remedy));
    }
    if let Some(witness) = spec.witness.as_ref().filter(|name| !WITNESSES.contains(&name.get_ref().as_str()))
    {
        let remedy = format!("write one of {}", WITNESSES.join(", "));
        return Err(refuse(source, witness.span(), "there is no such witness", &remedy));
    }
    Ok(())
}

/// Every event type that a kind names is made by a rule.
pub fn types(source: &KindSource<'_>, spec: &KindSpec, known: &BTreeSet<String>) -> Result<(), RuleError> {
    let named = spec.opened_by.iter().chain(&spec.worsened_by).chain(&spec.closed_by);
    let is_made = |pattern: &str| match pattern.strip_suffix('*') {
        Some(begin) => known.iter().any(|name| name.starts_with(begin)),
        None => known.contains(pattern),
    };
    let Some(unknown) = named.into_iter().find(|pattern| !is_made(pattern.get_ref())) else { return Ok(()) };
    let message = format!("no rule makes the event type {}", unknown.get_ref());
    Err(refuse(source, unknown.span(), &message, "correct its name, or add the rule to this configuration"))
}

/// An event type opens one kind. `other`: a kind of the same file that it opens already.
pub fn only_kind(
    source: &KindSource<'_>,
    pattern: &Spanned<String>,
    other: Option<&Kind>,
) -> Result<(), RuleError> {
    let Some(other) = other else { return Ok(()) };
    let message = format!("{} opens the condition \"{}\" already", pattern.get_ref(), other.name);
    Err(refuse(source, pattern.span(), &message, "name it in one of the two"))
}

/// `key=value`.
pub fn detail(source: &KindSource<'_>, text: &Spanned<String>) -> Result<(String, String), RuleError> {
    let split = text.get_ref().split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
    let remedy = "write the name of a detail, = and its value: where = [\"sense_key=Medium Error\"]";
    split.ok_or_else(|| refuse(source, text.span(), "this is no detail of an event", remedy))
}

/// A kind or `@LAYER` that may cause another one.
pub fn cause(
    source: &KindSource<'_>,
    cause: &Spanned<String>,
    known: &HashMap<Arc<str>, KindId>,
) -> Result<(), RuleError> {
    let name = cause.get_ref().as_str();
    let layer = name.strip_prefix('@');
    let fits = match layer {
        Some(layer) => super::Layer::ALL.iter().any(|known| known.name() == layer),
        None => known.contains_key(name),
    };
    let remedy = "write the name of a kind, or @ and a layer: link, controller, device, path, map, volume, array, content";
    match fits {
        true => Ok(()),
        false => Err(refuse(source, cause.span(), &format!("there is no condition \"{name}\""), remedy)),
    }
}

/// The kind that is implied.
pub fn implied(
    source: &KindSource<'_>,
    name: &Spanned<String>,
    known: &HashMap<Arc<str>, KindId>,
) -> Result<KindId, RuleError> {
    let found = known.get(name.get_ref().as_str()).copied();
    let message = format!("there is no condition \"{}\"", name.get_ref());
    found.ok_or_else(|| refuse(source, name.span(), &message, "write the name of a kind"))
}

/// Microseconds of `30s`, `15m`, `2h`, `1d`.
pub fn duration(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds: u64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(seconds)?.checked_mul(1_000_000)
}
