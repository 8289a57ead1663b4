//! SIGHUP: a new configuration between two entries, a bad one not at all.

use std::time::{Duration, Instant};

use crate::common::{self, send_signal, wait_for, Daemon, LiveJournal, Machine};
use rustix::process::Signal;
use serde_json::json;

/// Lines a second while the configuration is read again.
const RATE: usize = 1000;
/// How often it is read again, and in what rhythm; PERIPETY_RELOADS asks for more.
const RELOADS: usize = 12;
const RHYTHM: Duration = Duration::from_millis(300);

/// A rule that takes the lines of the built-in one under another type.
fn own_rule(event_type: &str) -> String {
    format!(
        "{}[[collector_regexs]]\nregex = '''^device-mapper: multipath: 253:2: Failing path (?P<kdev>8:[0-9]+)\\.$'''\nsub_system = \"multipath\"\nevent_type = \"{event_type}\"\n",
        common::NO_BURSTS
    )
}

fn reload(daemon: &Daemon) {
    send_signal(&daemon.child.id().to_string(), Signal::HUP);
}

fn loaded(daemon: &Daemon) -> u64 {
    daemon.status()["config_loaded"].as_u64().unwrap()
}

#[test]
fn every_line_is_one_event_while_the_rules_change() {
    let Some(machine) = Machine::start("reload under load", &[]) else { return };
    let mut journal = LiveJournal::start(machine.path("live.journal"));
    let config = machine.path("peripetyd.conf");
    std::fs::write(&config, own_rule("RULE_0")).unwrap();
    let daemon = machine.following(&journal, &["--config", config.to_str().unwrap()]);
    let reloads = std::env::var("PERIPETY_RELOADS").map_or(RELOADS, |n| n.parse().unwrap());
    let (start, mut written) = (Instant::now(), 0);
    for round in 1..=reloads {
        let before = loaded(&daemon);
        std::fs::write(&config, own_rule(&format!("RULE_{round}"))).unwrap();
        reload(&daemon);
        // Lines go on while it is read, and for a while after it is in force.
        let mut end = None;
        while end.is_none_or(|end| Instant::now() < end) {
            let due = start.elapsed().as_millis() as usize * RATE / 1000;
            journal.write_failures(written..due);
            written = due;
            std::thread::sleep(Duration::from_millis(3));
            if end.is_none() && loaded(&daemon) != before {
                end = Some(Instant::now() + RHYTHM);
            }
            assert!(start.elapsed() < common::TIMEOUT * reloads as u32, "{}", daemon.log());
        }
    }
    wait_for("every line's event", || (daemon.status()["events_stored"] == json!(written)).then_some(()));
    let events = daemon.query(json!({}));
    let mut numbers: Vec<usize> =
        events.iter().map(|e| e["kdev"].as_str().unwrap()[2..].parse().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..written).collect::<Vec<_>>());
    let types: std::collections::BTreeSet<_> = events.iter().map(|e| e["event_type"].to_string()).collect();
    assert!(types.len() > reloads / 2, "hardly any rule was used: {types:?}");
    assert_eq!(machine.journal("PERIPETY_FORMAT=1").len(), written);
}

#[test]
fn a_bad_file_changes_nothing_and_is_reported() {
    let Some(machine) = Machine::start("reload of a bad file", &[]) else { return };
    let mut journal = LiveJournal::start(machine.path("live.journal"));
    let config = machine.path("peripetyd.conf");
    std::fs::write(&config, own_rule("MINE")).unwrap();
    let daemon = machine.following(&journal, &["--config", config.to_str().unwrap()]);
    let before = loaded(&daemon);
    std::fs::write(&config, "[main]\nsave_to_journald = false\nnonsense = 1\n").unwrap();
    reload(&daemon);
    let error = wait_for("the complaint", || daemon.status()["config_error"].as_str().map(str::to_owned));
    assert!(error.contains(":3:1: unknown field `nonsense`"), "{error}");
    assert_eq!(loaded(&daemon), before);
    assert!(daemon.log().contains("the old one stays in force"), "{}", daemon.log());
    journal.write_failures(0..3);
    wait_for("three events", || (daemon.status()["events_stored"] == 3).then_some(()));
    assert!(daemon.query(json!({})).iter().all(|event| event["event_type"] == "MINE"));
    // A good file puts it right.
    std::fs::write(&config, own_rule("YOURS")).unwrap();
    reload(&daemon);
    wait_for("the new file", || (loaded(&daemon) > before).then_some(()));
    assert!(daemon.status()["config_error"].is_null());
}

#[test]
fn the_store_is_switched_off_and_on() {
    let Some(machine) = Machine::start("reload of save_to_journald", &[]) else { return };
    let mut journal = LiveJournal::start(machine.path("live.journal"));
    let config = machine.path("peripetyd.conf");
    std::fs::write(&config, common::NO_BURSTS).unwrap();
    let daemon = machine.following(&journal, &["--config", config.to_str().unwrap()]);
    let switch = |text: &str| {
        let before = loaded(&daemon);
        std::fs::write(&config, [common::NO_BURSTS, text].concat()).unwrap();
        reload(&daemon);
        wait_for("the new file", || (loaded(&daemon) > before).then_some(()));
    };
    let events = |count: usize| {
        wait_for("events", || (daemon.status()["events"] == json!(count)).then_some(()));
        daemon.settle();
    };
    journal.write_failures(0..3);
    events(3);
    switch("[main]\nsave_to_journald = false\n");
    journal.write_failures(3..6);
    events(6);
    let refused = daemon.connect().call("Query", json!({})).unwrap_err();
    assert_eq!(refused.0, "io.peripety.NotStored");
    switch("");
    journal.write_failures(6..9);
    events(9);
    let mut kdevs: Vec<String> = daemon.query(json!({})).iter().map(|e| e["kdev"].to_string()).collect();
    kdevs.sort();
    assert_eq!(kdevs, ["\"8:0\"", "\"8:1\"", "\"8:2\"", "\"8:6\"", "\"8:7\"", "\"8:8\""]);
}
