//! Query of the running daemon: every filter against a plain loop over all events, order, limits
//! and paging.

use std::collections::HashSet;

use crate::common::{self, Daemon, Machine};
use serde_json::{json, Value};

const SEVERITIES: [&str; 8] =
    ["Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Info", "Debug"];

fn started(test: &str) -> Option<(Machine, Daemon)> {
    let machine = Machine::start(test, &[])?;
    let daemon = machine.incident("fs-lvm-multipath", &[]);
    Some((machine, daemon))
}

fn key(event: &Value) -> (i64, String) {
    (event["timestamp"].as_i64().unwrap(), event["event_id"].as_str().unwrap().to_owned())
}

fn keys(events: &[Value]) -> Vec<(i64, String)> {
    events.iter().map(key).collect()
}

fn invalid(daemon: &Daemon, parameters: Value, name: &str) {
    let shown = parameters.to_string();
    for more in [false, true] {
        let mut client = daemon.connect();
        client.request("Query", parameters.clone(), more);
        let reply = client.receive().unwrap();
        assert_eq!(reply["error"], "io.peripety.InvalidRequest", "{shown}: {reply}");
        assert_eq!(reply["parameters"]["parameter"], name, "{shown}");
        assert!(!reply["parameters"]["message"].as_str().unwrap().is_empty());
    }
}

/// The event is of this type or sub-system, or has a line that is.
fn has(event: &Value, field: &str, name: &str) -> bool {
    let of_all = event["extension"][format!("{field}s")].as_str().unwrap_or_default();
    event[field] == name || of_all.split(' ').any(|other| other == name)
}

/// Events found with a filter are those, in that order, that `wanted` picks of all events.
fn check(daemon: &Daemon, all: &[Value], filter: Value, wanted: impl Fn(&Value) -> bool) -> usize {
    let expected: Vec<Value> = all.iter().filter(|event| wanted(event)).cloned().collect();
    assert_eq!(daemon.query(filter.clone()), expected, "{filter}");
    expected.len()
}

#[test]
fn all_events_come_once_and_in_order() {
    let Some((_machine, daemon)) = started("query order") else { return };
    let all = daemon.query(json!({}));
    assert_eq!(all.len(), common::incident_counts("fs-lvm-multipath").0);
    let sorted = keys(&all);
    assert!(sorted.windows(2).all(|pair| pair[0] < pair[1]), "not sorted, or twice");

    let replies = daemon.connect().call_more("Query", json!({ "order": "NewestFirst" })).unwrap();
    let mut newest: Vec<Value> =
        replies.iter().flat_map(|r| r["events"].as_array().unwrap().clone()).collect();
    newest.reverse();
    assert_eq!(newest, all);
    assert!(replies.iter().all(|reply| reply["cursor"].is_null()));

    // Filters that do not filter.
    let empty = json!({ "blk": null, "event_types": null, "sub_systems": null, "severity": null, "since": null, "until": null, "event_id": null });
    assert_eq!(daemon.query(empty), all);
    let without = daemon.connect().call_more("Query", json!({ "filter": null })).unwrap();
    assert_eq!(
        without.iter().map(|reply| reply["events"].as_array().unwrap().len()).sum::<usize>(),
        all.len()
    );
}

#[test]
fn every_filter_picks_what_a_plain_loop_picks() {
    let Some((_machine, daemon)) = started("query filters") else { return };
    let all = daemon.query(json!({}));
    let check = |filter: Value, wanted: &dyn Fn(&Value) -> bool| check(&daemon, &all, filter, wanted);

    let types: HashSet<&str> = all.iter().map(|event| event["event_type"].as_str().unwrap()).collect();
    assert!(types.len() > 15);
    for name in &types {
        for spelling in [(*name).to_owned(), name.to_lowercase(), capitalised(name)] {
            assert!(check(json!({ "event_types": [spelling] }), &|event| has(event, "event_type", name)) > 0);
        }
    }
    check(json!({ "event_types": ["fs_mounted", "FS_UNMOUNTED", "NO_SUCH_TYPE"] }), &|event| {
        has(event, "event_type", "FS_MOUNTED") || has(event, "event_type", "FS_UNMOUNTED")
    });
    assert_eq!(check(json!({ "event_types": ["NO_SUCH_TYPE"] }), &|_| false), 0);

    for (name, sub_system) in [
        ("scsi", "scsi"),
        ("SCSI", "scsi"),
        ("DM-Multipath", "multipath"),
        ("Ext4", "ext4"),
        (" xfs ", "xfs"),
    ] {
        assert!(check(json!({ "sub_systems": [name] }), &|event| has(event, "sub_system", sub_system)) > 0);
    }
    check(json!({ "sub_systems": ["ext4", "JBD2"] }), &|event| {
        has(event, "sub_system", "ext4") || has(event, "sub_system", "jbd2")
    });

    let mut last = 0;
    for (place, severity) in SEVERITIES.iter().enumerate() {
        let found = check(json!({ "severity": severity }), &|event| {
            SEVERITIES[..=place].iter().any(|s| event["severity"] == *s)
        });
        assert!(found >= last);
        last = found;
    }
    assert_eq!(last, all.len());

    // Both ends belong to the span.
    let times: Vec<i64> = all.iter().map(|event| event["timestamp"].as_i64().unwrap()).collect();
    let time = |event: &Value| event["timestamp"].as_i64().unwrap();
    for at in [0, 1, 40, times.len() - 1] {
        // Several events may be of one time.
        assert!(check(json!({ "since": times[at] }), &|event| time(event) >= times[at]) >= all.len() - at);
        assert!(check(json!({ "until": times[at] }), &|event| time(event) <= times[at]) > at);
        let both = json!({ "since": times[at], "until": times[at] });
        assert!(check(both, &|event| time(event) == times[at]) >= 1);
    }
    assert_eq!(check(json!({ "since": times[times.len() - 1] + 1 }), &|_| false), 0);
    assert_eq!(check(json!({ "since": times[50], "until": times[49] }), &|_| false), 0);

    for event in [&all[0], &all[77]] {
        let id = event["event_id"].as_str().unwrap();
        for spelling in [id.to_owned(), id.to_uppercase()] {
            assert_eq!(check(json!({ "event_id": spelling }), &|other| other["event_id"] == id), 1);
        }
    }
    assert_eq!(check(json!({ "event_id": "00000000-0000-5000-8000-000000000000" }), &|_| false), 0);
    check(
        json!({ "event_types": ["FS_ERROR"], "sub_systems": ["ext4"], "severity": "Critical", "since": times[10], "until": times[150] }),
        &|event| {
            has(event, "event_type", "FS_ERROR") && time(event) >= times[10] && time(event) <= times[150]
        },
    );
}

fn capitalised(name: &str) -> String {
    let lower = name.to_lowercase();
    lower[..1].to_uppercase() + &lower[1..]
}

#[test]
fn a_device_filter_finds_what_is_built_on_the_device() {
    let Some((_machine, daemon)) = started("query devices") else { return };
    let all = daemon.query(json!({}));
    let (map, ext4) = (
        "mpath-1Linux_scsi_debug_2000",
        "LVM-Wo2teEqKSFVuYD3K23swOGY1o3OHfzjzj6eWIrYQq49EiMIq2XCkJuge2CtTeSzV",
    );
    let disk = "naa.33333330000007d0";
    let xfs = "LVM-Wo2teEqKSFVuYD3K23swOGY1o3OHfzjzysbjHDzRA26zfOFf5eoXgiGj0Qw2Epoc";
    let names = |event: &Value, wwid: &str| {
        event["dev_wwid"] == wwid
            || event["owners_wwids"].as_array().unwrap().iter().any(|owner| owner == wwid)
    };
    let cases = [
        (map, &["mpathb", "dm-0", "253:0", "/dev/dm-0", "/dev/mapper/mpathb", map][..]),
        (ext4, &["dm-1", "253:1", "/dev/mapper/labvg-e", "/mnt/d1", ext4]),
        (xfs, &["dm-2", "/mnt/d2"]),
        (disk, &["sdb", "8:16", "/dev/sdc"]),
    ];
    for (wwid, spellings) in cases {
        for blk in spellings {
            assert!(check(&daemon, &all, json!({ "blk": blk }), |event| names(event, wwid)) > 0);
            check(&daemon, &all, json!({ "blk": blk, "sub_systems": ["scsi", "xfs"] }), |event| {
                names(event, wwid) && (has(event, "sub_system", "scsi") || has(event, "sub_system", "xfs"))
            });
        }
    }
    let uuid = "75cbc990-1bda-4427-9934-616ac2b1f72f";
    assert!(
        check(&daemon, &all, json!({ "blk": uuid }), |event| names(event, ext4) || names(event, uuid)) > 0
    );
    for nothing in ["no-such-device", "", "/nowhere", "999:999"] {
        assert_eq!(daemon.query(json!({ "blk": nothing })), Vec::<Value>::new(), "{nothing}");
    }
}

#[test]
fn limits_and_pages() {
    let Some((_machine, daemon)) = started("query pages") else { return };
    let all = daemon.query(json!({}));
    let mut client = daemon.connect();
    for (order, all) in [("OldestFirst", all.clone()), ("NewestFirst", all.iter().rev().cloned().collect())] {
        for limit in [0, 1, 64, 65, 100, all.len(), all.len() + 1, 100_000] {
            let replies = client.call_more("Query", json!({ "limit": limit, "order": order })).unwrap();
            let events: Vec<Value> =
                replies.iter().flat_map(|r| r["events"].as_array().unwrap().clone()).collect();
            assert_eq!(keys(&events), keys(&all[..limit.min(all.len())]), "{order} {limit}");
        }
        for page in [1, 7, 79, all.len() - 1, all.len(), 1000] {
            let mut events = Vec::new();
            let mut cursor = Value::Null;
            loop {
                let parameters = json!({ "limit": page, "order": order, "cursor": cursor });
                let reply = client.call("Query", parameters).unwrap();
                let batch = reply["events"].as_array().unwrap();
                assert!(batch.len() <= page);
                events.extend(batch.iter().cloned());
                cursor = reply["cursor"].clone();
                if cursor.is_null() {
                    break;
                }
                assert_eq!(batch.len(), page, "a page that is not the last is full");
            }
            assert_eq!(events, all, "{order}, pages of {page}");
        }
    }
    let none = client.call("Query", json!({ "limit": 0 })).unwrap();
    assert!(none["events"] == json!([]) && none["cursor"].is_null(), "{none}");
    // Without a limit a page has 100 events; a filter holds from page to page.
    let reply = client.call("Query", json!({})).unwrap();
    assert_eq!(keys(reply["events"].as_array().unwrap()), keys(&all[..100]));
    let filter = json!({ "sub_systems": ["multipath"] });
    let first = client.call("Query", json!({ "filter": filter, "limit": 30 })).unwrap();
    let second =
        client.call("Query", json!({ "filter": filter, "limit": 30, "cursor": first["cursor"] })).unwrap();
    let both: Vec<Value> =
        [first, second].iter().flat_map(|r| r["events"].as_array().unwrap().clone()).collect();
    assert_eq!(both, daemon.query(filter)[..both.len()]);
    assert_eq!(both.len(), 60);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let Some((_machine, daemon)) = started("query refusals") else { return };
    invalid(&daemon, json!({ "limit": -1 }), "limit");
    invalid(&daemon, json!({ "cursor": "nonsense" }), "cursor");
    invalid(&daemon, json!({ "cursor": "" }), "cursor");
    invalid(&daemon, json!({ "cursor": "x:y" }), "cursor");
    invalid(&daemon, json!({ "filter": { "since": -1 } }), "filter.since");
    invalid(&daemon, json!({ "filter": { "until": -5 } }), "filter.until");
    assert_eq!(daemon.query(json!({})).len(), common::incident_counts("fs-lvm-multipath").0);
}
