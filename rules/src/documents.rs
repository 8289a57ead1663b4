//! What people read of the built-in rules, made of the rules themselves: the table of event types in docs/events.md, and the
//! texts for `journalctl -x`.

use std::collections::{BTreeMap, BTreeSet};

use super::builtin;
use super::conditions::{Kind, Kinds};
use super::error::RuleError;
use super::spec::EventTypeText;
use peripety_api::{message_id, Severity};

/// Advice for event types that are not a problem.
const NOTHING: &str = "Nothing needs to be done.";
/// Events that no rule makes: name, meaning, advice.
const OWN: [(&str, &str, &str); 2] = [
    (
        "PERIPETY_EVENT_NOT_STORED",
        "journald did not keep an event in five attempts",
        "Events may be missing for that time: see \"journalctl -u systemd-journald\", and SystemMaxUse= and\n\
         RateLimitBurst= in journald.conf(5).",
    ),
    ("PERIPETY_BLK_INFO", "A block device that was there when peripetyd started", NOTHING),
];

/// The event types that no rule makes.
pub fn own_event_types() -> impl Iterator<Item = &'static str> {
    OWN.iter().map(|(name, _, _)| *name)
}

/// The event types that rules make, in alphabetical order, with what they mean: a table in Markdown.
///
/// # Errors
/// The built-in rules cannot be read.
pub fn table() -> Result<String, RuleError> {
    let mut types: BTreeMap<String, (BTreeSet<String>, BTreeSet<Severity>)> = BTreeMap::new();
    for rule in builtin::rules()? {
        let (sub_systems, severities) = types.entry(rule.event_type.to_string()).or_default();
        sub_systems.insert(rule.spec().sub_system.clone().unwrap_or_default());
        severities.extend(rule.severity.into_iter().chain(rule.storage_severity));
    }
    let mut table =
        String::from("| Event type | Sub-system | Severity | Meaning |\n| --- | --- | --- | --- |\n");
    for (name, (sub_systems, severities)) in types {
        let sub_systems = sub_systems.into_iter().collect::<Vec<_>>().join(", ");
        let severities = severities.iter().map(Severity::to_string).collect::<Vec<_>>().join(", ");
        let meaning = builtin::text_of(&name).map(|text| text.meaning).unwrap_or_default();
        table.push_str(&format!("| `{name}` | {sub_systems} | {severities} | {meaning} |\n"));
    }
    Ok(table)
}

/// The journal's message catalog (<https://systemd.io/CATALOG>), an entry for each event type.
///
/// # Errors
/// The built-in rules cannot be read.
pub fn catalog() -> Result<String, RuleError> {
    let own = OWN.map(|(name, meaning, advice)| {
        let (meaning, advice) = (meaning.to_owned(), Some(advice.to_owned()));
        (name.to_owned(), EventTypeText { meaning, advice, ..EventTypeText::default() })
    });
    let texts: BTreeMap<String, EventTypeText> = builtin::event_types()?.into_iter().chain(own).collect();
    let mut catalog = String::from(
        "# Texts for \"journalctl -x\", made from rules/*.toml. Do not edit: change the rules and run make docs\n",
    );
    for (name, text) in texts {
        let (id, meaning) = (message_id(&name), text.meaning);
        let advice = text.advice.as_deref().unwrap_or(NOTHING).trim();
        catalog.push_str(&format!(
            "\n-- {id}\nSubject: {meaning}\nDefined-By: Peripety\nDocumentation: man:peripetyd(8)\n\n\
             {name}: {meaning}.\n\n{advice}\n\n\
             The whole event, with the device's identity and what it is built from:\n    \
             prpt query --event-id @PERIPETY_EVENT_ID@ -o json-pretty\n"
        ));
    }
    Ok(catalog)
}

/// The captures that rules add to the extension of an event.
///
/// # Errors
/// The built-in rules cannot be read.
pub fn captures() -> Result<BTreeSet<String>, RuleError> {
    let rules = builtin::rules()?;
    let names = rules.iter().flat_map(|rule| rule.captures());
    Ok(names.filter(|name| !["kdev", "sub_system"].contains(name)).map(str::to_owned).collect())
}

/// The kinds of conditions, by layer: a table in Markdown.
///
/// # Errors
/// The built-in table cannot be read.
pub fn conditions() -> Result<String, RuleError> {
    let kinds = Kinds::builtin()?;
    let mut table = String::from("| Condition | Layer | Opened by | Ends |\n| --- | --- | --- | --- |\n");
    let mut all: Vec<&Kind> = kinds.all().collect();
    all.sort_by_key(|kind| (kind.layer, kind.name.clone()));
    for kind in all {
        let title = kind.title.replace("{dev}", "…");
        let opened = [listed(&kind.opened_by), listed(&kind.worsened_by)]
            .join(if kind.worsened_by.is_empty() { "" } else { "; worse: " });
        let row =
            format!("| `{}`: {title} | {} | {opened} | {} |\n", kind.name, kind.layer.name(), ends(kind));
        table.push_str(&row);
    }
    Ok(table)
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// What ends a condition of this kind, in words.
fn ends(kind: &Kind) -> String {
    let mut ways = Vec::new();
    if !kind.closed_by.is_empty() {
        ways.push(listed(&kind.closed_by));
    }
    if let Some(quiet) = kind.quiet {
        let minutes = quiet / 60_000_000;
        ways.push(match minutes % 60 {
            0 => format!("{} h without another", minutes / 60),
            _ => format!("{minutes} min without another"),
        });
    }
    if kind.ends_with_causes {
        ways.push("with what caused it".into());
    }
    let latent = if kind.latent { "latent at once, until " } else { "" };
    format!("{latent}{}", ways.join("; "))
}
