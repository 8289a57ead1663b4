//! Events in every form in which they were ever stored are answered, by Query and by Monitor; damaged ones are left out and counted.

use serde_json::{json, Value};

use crate::common::wait_for;
use crate::forged::{native, started, stored, User};

/// A stored entry with another event in it, whose JSON `change` makes of the one that it has.
fn variant(entry: &Value, id: &str, change: impl FnOnce(&mut Value) -> String) -> Value {
    let mut event: Value = serde_json::from_str(entry["PERIPETY_JSON"].as_str().unwrap()).unwrap();
    event["event_id"] = json!(id);
    let mut entry = entry.clone();
    entry["PERIPETY_EVENT_ID"] = json!(id);
    entry["PERIPETY_MARK"] = json!("variant");
    entry["PERIPETY_JSON"] = json!(change(&mut event));
    entry
}

/// As events were before they counted the entries that they cover.
fn without_counts(event: &mut Value) -> String {
    for name in ["entries", "file", "lines"] {
        event["source"].as_object_mut().unwrap().remove(name);
    }
    event.to_string()
}

#[test]
fn events_of_every_form_are_answered_and_damaged_ones_are_left_out() {
    let Some(machine) = started("forms of stored events", &[]) else { return };
    let daemon = machine.incident("fs-lvm-multipath", &[]);
    let genuine = daemon.query(json!({}));
    assert_eq!(daemon.status()["events_damaged"], 0);
    let entries = stored(&machine);
    let id = |n: usize| format!("f0f0f0f0-0000-5000-8000-{n:012}");
    let variants = [
        variant(&entries[0], &id(0), |event| event.to_string()),
        variant(&entries[0], &id(1), without_counts),
        variant(&entries[0], &id(2), |event| event.to_string().split_off(9)),
        variant(&entries[0], &id(3), |event| event.to_string() + "}"),
        variant(&entries[0], &id(4), |event| {
            event["severity"] = json!("Terrible");
            event.to_string()
        }),
    ];
    native(&machine, User::Root, &variants);
    wait_for("the variants in the journal", || {
        (machine.journal("PERIPETY_MARK=variant").len() == variants.len()).then_some(())
    });

    let all = daemon.query(json!({}));
    let answered = |n: usize| all.iter().find(|event| event["event_id"] == id(n)).cloned();
    assert_eq!(all.len(), genuine.len() + 2);
    let mut expected: Value = serde_json::from_str(variants[0]["PERIPETY_JSON"].as_str().unwrap()).unwrap();
    assert_eq!(answered(0), Some(expected.clone()), "the present form");
    expected["event_id"] = json!(id(1));
    expected["source"]["entries"] = json!(1);
    assert_eq!(answered(1), Some(expected), "an older one, as the interface has it");
    assert_eq!(daemon.status()["events_damaged"], 3);

    // One of them asked for alone, and a page: the damaged ones do not end it.
    assert_eq!(daemon.query(json!({ "event_id": id(2) })), Vec::<Value>::new());
    let page = daemon.connect().call("Query", json!({ "limit": 1000 })).unwrap();
    assert_eq!(page["events"].as_array(), Some(&all));
    let replies = daemon.connect().call_more("Monitor", json!({ "since": 0, "limit": all.len() })).unwrap();
    let replayed: Vec<Value> =
        replies.iter().map(|reply| reply["event"].clone()).filter(|event| !event.is_null()).collect();
    assert_eq!(replayed, all);
}
