//! Recorded incidents through the running daemon: `tests/fixtures/incidents/<case>/`.
//!
//! `journal.export` and `tree.txt` go in, `expected.jsonl` must come out (without the cursors,
//! which differ from journal file to journal file). BLESS=1 writes the expectation anew.

use std::path::Path;

use crate::common::{self, journal_file, project, Daemon, Machine};
use serde_json::{json, Value};

/// Plays a case; the daemon answers queries about it.
fn play(machine: &Machine, case: &Path) -> Daemon {
    let journal = machine.path("incident.journal");
    journal_file(&std::fs::read(case.join("journal.export")).unwrap(), &journal);
    let tree = case.join("tree.txt");
    let daemon = machine.daemon(&[
        "--journal-file",
        journal.to_str().unwrap(),
        "--device-tree",
        tree.to_str().unwrap(),
    ]);
    let status = daemon.settle();
    assert_eq!(status["entries_untrusted"], 0, "{status}");
    assert_eq!(status["events"], status["events_stored"], "{status}");
    daemon
}

fn without_cursors(mut event: Value) -> String {
    for end in ["first", "last"] {
        assert!(event["source"][end].is_string(), "{event}");
    }
    event["source"] =
        json!({ "identifier": event["source"]["identifier"], "entries": event["source"]["entries"] });
    event.to_string()
}

/// What follows from another event names one that is there, and that is not itself.
fn check_causes(events: &[Value]) {
    let ids: Vec<&Value> = events.iter().map(|event| &event["event_id"]).collect();
    let mut found = 0;
    for event in events.iter().filter(|event| event["root_cause_event_id"].is_string()) {
        let cause = &event["root_cause_event_id"];
        assert!(ids.contains(&cause) && *cause != event["event_id"], "{event}");
        found += 1;
    }
    assert!(found > 0);
}

/// Every entry that a rule matched is covered by exactly one event.
fn count_entries(events: &[Value], daemon: &Daemon) {
    let covered: u64 = events.iter().map(|event| event["source"]["entries"].as_u64().unwrap()).sum();
    assert_eq!(json!(covered), daemon.status()["entries_matched"]);
}

fn check(case: &str) {
    let directory = project("tests/fixtures/incidents").join(case);
    let Some(machine) = Machine::start(&format!("incident {case}"), &[]) else { return };
    let daemon = play(&machine, &directory);
    let events = daemon.query(json!({}));
    count_entries(&events, &daemon);
    check_causes(&events);
    let events: Vec<String> = events.into_iter().map(without_cursors).collect();
    let expected = directory.join("expected.jsonl");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&expected, events.join("\n") + "\n").unwrap();
    }
    let expected = std::fs::read_to_string(expected).unwrap();
    for (number, (found, expected)) in events.iter().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "event {}", number + 1);
    }
    assert_eq!(events.len(), expected.lines().count());
}

#[test]
fn multipath() {
    check("multipath");
}

#[test]
fn file_systems_on_lvm_on_multipath() {
    check("fs-lvm-multipath");
}

#[test]
fn thin_pool_full() {
    check("thin-full");
}

#[test]
fn ext4_error() {
    check("ext4-error");
}

#[test]
fn xfs_error() {
    check("xfs-error");
}

/// The facts of one incident, written by hand from the capture's lsblk, dmsetup and mountinfo.
#[test]
fn devices_are_those_that_the_machine_had() {
    let Some(machine) = Machine::start("devices of an incident", &[]) else { return };
    let daemon = play(&machine, &project("tests/fixtures/incidents/fs-lvm-multipath"));
    let first = |filter: Value| daemon.query(filter).into_iter().next().unwrap();

    let mounted = first(json!({"event_types": ["FS_MOUNTED"], "sub_systems": ["ext4"]}));
    assert_eq!(mounted["dev_wwid"], "75cbc990-1bda-4427-9934-616ac2b1f72f");
    assert_eq!(mounted["dev_path"], "/dev/mapper/labvg-e");
    assert_eq!(
        mounted["owners_wwids"],
        json!([
            "LVM-Wo2teEqKSFVuYD3K23swOGY1o3OHfzjzj6eWIrYQq49EiMIq2XCkJuge2CtTeSzV",
            "mpath-1Linux_scsi_debug_2000",
            "naa.33333330000007d0",
        ])
    );
    assert_eq!(
        mounted["owners_paths"],
        json!(["/dev/mapper/labvg-e", "/dev/mapper/mpathb", "/dev/sdb", "/dev/sdc", "/dev/sde", "/dev/sdf"])
    );
    assert_eq!(mounted["extension"]["mount_point"], "/mnt/d1");

    let shut_down = first(json!({"event_types": ["FS_SHUTDOWN"]}));
    assert_eq!(shut_down["dev_path"], "/dev/mapper/labvg-x");
    assert_eq!(shut_down["extension"]["mount_point"], "/mnt/d2");

    let failed = daemon.query(json!({"event_types": ["DM_MPATH_PATH_FAILED"]}));
    let of_sdc = failed.iter().find(|event| event["kdev"] == "8:32").unwrap();
    assert_eq!(of_sdc["dev_wwid"], "mpath-1Linux_scsi_debug_2000");
    assert_eq!(of_sdc["dev_path"], "/dev/mapper/mpathb");
    assert_eq!(of_sdc["owners_paths"], json!(["/dev/sdc"]));
    assert_eq!(of_sdc["owners_wwids"], json!(["naa.33333330000007d0"]));
    assert_eq!(of_sdc["extension"]["blk_major_minor"], "8:32");
    // sdd had been removed before the device tree was recorded: its identity is not guessed.
    let of_sdd = failed.iter().find(|event| event["kdev"] == "8:48").unwrap();
    assert_eq!(of_sdd["owners_paths"], json!([]));

    // A filter by device finds what is built on it, whatever the device is called.
    let all = daemon.query(json!({"blk": "/dev/mapper/mpathb"})).len();
    assert_eq!(daemon.query(json!({"blk": "253:0"})).len(), all);
    assert_eq!(daemon.query(json!({"blk": "mpath-1Linux_scsi_debug_2000"})).len(), all);
    assert!(daemon.query(json!({"blk": "/mnt/d1"})).len() < all);
    assert!(!daemon.query(json!({"blk": "/mnt/d1", "severity": "Critical"})).is_empty());
    assert_eq!(daemon.query(json!({"blk": "no-such-device"})).len(), 0);
}

/// Entries of another boot are not resolved against the device tree.
#[test]
fn another_boot_gives_no_identity() {
    let Some(machine) = Machine::start("another boot", &[]) else { return };
    let directory = project("tests/fixtures/incidents/fs-lvm-multipath");
    let export = String::from_utf8(std::fs::read(directory.join("journal.export")).unwrap()).unwrap();
    let (boot, other) = ("1e50b8d88e6640508bce8122546b493b", "00000000000000000000000000000001");
    let journal = machine.path("other.journal");
    journal_file(export.replace(boot, other).as_bytes(), &journal);
    let tree = directory.join("tree.txt");
    let daemon = machine.daemon(&[
        "--journal-file",
        journal.to_str().unwrap(),
        "--device-tree",
        tree.to_str().unwrap(),
    ]);
    daemon.settle();
    let events = daemon.query(json!({}));
    assert!(events.len() > 100);
    count_entries(&events, &daemon);
    for event in events {
        assert!(event["dev_path"].is_null() && event["owners_paths"] == json!([]), "{event}");
        // What the line itself says stays.
        let says = event["extension"]["fs_uuid"].as_str();
        assert_eq!(event["dev_wwid"].as_str(), says, "{event}");
    }
}

/// One event for each device, when the configuration asks for it.
#[test]
fn devices_at_the_start() {
    let Some(machine) = Machine::start("devices at the start", &[]) else { return };
    let config = machine.path("peripetyd.conf");
    std::fs::write(&config, [common::NO_BURSTS, "[main]\ndump_blk_info_at_start = true\n"].concat()).unwrap();
    let daemon = machine.incident("fs-lvm-multipath", &["--config", config.to_str().unwrap()]);
    let events = common::wait_for("an event for each device", || {
        let events = daemon.query(json!({ "event_types": ["PERIPETY_BLK_INFO"] }));
        (events.len() >= 8).then_some(events)
    });
    let mut kdevs: Vec<&str> = events.iter().map(|event| event["kdev"].as_str().unwrap()).collect();
    kdevs.sort_unstable();
    assert_eq!(kdevs, ["dm-0", "dm-1", "dm-2", "sdb", "sdc", "sde", "sdf", "vda"]);
    let ext4 = events.iter().find(|event| event["kdev"] == "dm-1").unwrap();
    assert_eq!(ext4["dev_path"], "/dev/mapper/labvg-e");
    assert_eq!(ext4["owners_wwids"][0], "mpath-1Linux_scsi_debug_2000");
    assert_eq!(
        (&ext4["extension"]["mount_point"], &ext4["extension"]["size"]),
        (&json!("/mnt/d1"), &json!("209715200"))
    );
}
