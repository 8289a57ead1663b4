use std::collections::BTreeMap;

use peripety_api::Severity;

use super::*;

/// What a configuration with these tables is refused for, or its kinds.
fn read(text: &str) -> Result<Kinds, String> {
    let file: ConditionsFile = toml::from_str(text).map_err(|e| e.to_string())?;
    let source = KindSource { file: "my.conf", text, conditions: &file.conditions };
    Kinds::with(&[source], Types::from(["MYDRV_DEAD".to_owned(), "MYDRV_BACK".to_owned()]))
        .map_err(|e| e.to_string())
}

const OWN: &str =
    "[conditions.mydrv_dead]\ntitle = \"{dev} is dead\"\nlayer = \"device\"\nopened_by = [\"MYDRV_DEAD\"]\n";

#[test]
fn a_kind_of_a_configuration_works_as_a_built_in_one() {
    let kinds = read(&format!("{OWN}closed_by = [\"MYDRV_BACK\"]\ncaused_by = [\"@link\"]\n")).unwrap();
    let (id, kind) = kinds.named("mydrv_dead").unwrap();
    assert_eq!(kinds.opened_by("MYDRV_DEAD").map(|opens| opens.kind), Some(id));
    assert_eq!((kinds.closed_by("MYDRV_BACK"), kind.layer), ([id].as_slice(), Layer::Device));
    let cause = |name: &str| kinds.named(name).unwrap().0;
    assert!(kinds.may_cause(cause("link_down"), id) && !kinds.may_cause(cause("fs_errors"), id));
    // It may take an event type from a built-in kind.
    let kinds = read(&format!("{}quiet = \"1m\"\n", OWN.replace("MYDRV_DEAD", "FS_ERROR"))).unwrap();
    assert_eq!(
        kinds.opened_by("FS_ERROR").map(|opens| opens.kind),
        Some(kinds.named("mydrv_dead").unwrap().0)
    );
}

#[test]
fn what_cannot_work_is_refused_with_its_place() {
    for (text, message) in [
        (OWN.to_owned(), "nothing can close condition \"mydrv_dead\""),
        (OWN.replace("{dev}", "it") + "quiet = \"1m\"", "does not contain {dev}"),
        (OWN.replace("mydrv_dead", "device_lost") + "quiet = \"1m\"", "cannot be the name"),
        (OWN.to_owned() + "quiet = \"soon\"", "this is no duration"),
        (OWN.to_owned() + "quiet = \"1m\"\ncaused_by = [\"weather\"]", "there is no condition \"weather\""),
        (OWN.to_owned() + "quiet = \"1m\"\ncaused_by = [\"@weather\"]", "there is no condition \"@weather\""),
        (OWN.to_owned() + "closed_by = [\"MYDRV_BAK\"]", "no rule makes the event type MYDRV_BAK"),
        (
            OWN.to_owned() + "quiet = \"1m\"\nworsened_by = [\"MYDRV_DEAD\"]",
            "opens the condition \"mydrv_dead\" already",
        ),
        (OWN.to_owned() + "quiet = \"1m\"\nwitness = \"crystal\"", "there is no such witness"),
        (OWN.to_owned() + "quiet = \"1m\"\nwhere = [\"sense\"]", "this is no detail"),
        (OWN.to_owned() + "quiet = \"1m\"\nunless = [\"sense\"]", "this is no detail"),
    ] {
        let refused = read(&text).err().unwrap_or_else(|| panic!("accepted: {text}"));
        assert!(refused.contains(message) && refused.starts_with("my.conf:"), "{text}: {refused}");
    }
}

/// Every event type that can be a problem opens a condition, or says why it does not.
#[test]
fn every_problem_has_a_kind_or_a_part() {
    let kinds = Kinds::builtin().unwrap();
    let mut worst: BTreeMap<String, Severity> = BTreeMap::new();
    for rule in builtin::rules().unwrap() {
        // Without a severity of the rule the entry decides.
        let severity = rule.severity.unwrap_or(Severity::Emergency);
        let known = worst.entry(rule.event_type.to_string()).or_insert(severity);
        *known = severity.min(*known);
    }
    let problems = worst.iter().filter(|(_, severity)| **severity <= Severity::Warning).map(|(name, _)| name);
    let forgotten: Vec<&String> = problems
        .filter(|name| !kinds.knows(name) && kinds.role(name).is_none() && !kinds.is_success(name))
        .collect();
    assert!(forgotten.is_empty(), "rules/conditions.toml knows no kind for {forgotten:?}");
}

/// An exact name goes before a beginning, and the longer beginning before the shorter.
#[test]
fn the_most_exact_name_decides() {
    let kinds = Kinds::builtin().unwrap();
    let kind = |event_type: &str| {
        kinds.opened_by(event_type).and_then(|opens| kinds.get(opens.kind)).map(|kind| &*kind.name)
    };
    assert_eq!(kind("ATA_IDE_SPEED_LIMITED"), Some("link_errors"));
    assert_eq!(kind("ATA_IDE_TIMEOUT"), Some("device_not_answering"));
    assert_eq!(kind("SOMETHING_NEW"), Some("trouble"));
    assert_eq!(kind("JOURNAL_FILE_DAMAGED"), None, "nothing is wrong with a device");
    let mut by_details = kinds.by_details(|key| (key == "sense_key").then_some("Medium Error"));
    assert_eq!(by_details.next(), kinds.named("sectors_unreadable").map(|(id, _)| id));
}
