//! `prpt rules` against a server that answers as peripetyd does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::{last, prpt, run, Daemon};
use serde_json::{json, Value};

fn rule(event_type: &str) -> Value {
    json!({
        "event_type": event_type, "sub_system": "multipath", "severity": "Warning",
        "storage_severity": null, "by_level": false, "identifier": "kernel",
        "starts_with": null, "regex": "^Failing path (?P<kdev>[0-9]+:[0-9]+)$", "device": "Capture",
        "closes": [], "file": "rules/multipath.toml", "line": 6, "user": false,
        "catch_all": false,
        "writer": null,
        "group": null,
        "follows": ["BLK_*"],
        "meaning": "A path failed",
        "advice": "Look at the path's disk.",
        "examples": ["Failing path 8:48", "Failing path 8:64"]
    })
}

/// A rule of the user's, with everything that the first leaves out.
fn own_rule() -> Value {
    let mut own = rule("PATH_BACK");
    for (key, value) in [
        ("severity", Value::Null),
        ("storage_severity", json!("Error")),
        ("by_level", json!(true)),
        ("starts_with", json!("Re")),
        ("writer", json!({ "user": null, "programs": ["pathd", "pathctl"], "units": ["pathd@*"] })),
        ("closes", json!(["PATH_FAILED"])),
        ("device", json!("Entry")),
        ("user", json!(true)),
        ("file", json!("/etc/peripetyd.conf")),
    ] {
        own[key] = value;
    }
    own
}

fn rules() -> Daemon {
    Daemon::answering(vec![last(json!({ "rules": [rule("PATH_FAILED"), own_rule()] }))])
}

#[test]
fn list_in_every_format() {
    let expected = "\
EVENT TYPE   SEVERITY  SUB-SYSTEM  IDENTIFIER  PLACE
PATH_FAILED  Warning   multipath   kernel      rules/multipath.toml:6
PATH_BACK    -         multipath   kernel      /etc/peripetyd.conf:6
";
    assert_eq!(rules().run(&["rules", "list"]).ok(), expected);
    let lines = rules().run(&["rules", "list", "-J"]).ok();
    let values: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(values, [rule("PATH_FAILED"), own_rule()]);
}

#[test]
fn list_sends_its_options() {
    let all = rules();
    all.run(&["rules", "list"]).ok();
    assert_eq!(
        (all.call()["method"].clone(), all.call()["parameters"].clone()),
        (json!("io.peripety.ListRules"), json!({}))
    );
    let some = rules();
    some.run(&["rules", "list", "--event-type", "A,b", "--sub-system", "ext4", "--identifier", "lvm"]).ok();
    let expected = json!({ "event_types": ["A", "b"], "sub_systems": ["ext4"], "identifiers": ["lvm"] });
    assert_eq!(some.call()["parameters"], expected);
}

#[test]
fn explain_shows_all_of_a_type() {
    let expected = "\
PATH_FAILED
A path failed
  Look at the path's disk.
ended by PATH_BACK

rules/multipath.toml:6 (built in)
  Severity:     Warning
  Sub-system:   multipath
  Identifier:   kernel
  Regex:        ^Failing path (?P<kdev>[0-9]+:[0-9]+)$
  Device:       a capture names it
  Follows:      BLK_*
  Examples:     Failing path 8:48
                Failing path 8:64
";
    assert_eq!(rules().run(&["rules", "explain", "path_failed"]).ok(), expected);
    let own = rules().run(&["rules", "explain", "PATH_BACK"]).ok();
    for part in [
        "(configuration)",
        "User:         root\n  Programs:     pathd\n                pathctl\n  Units:        pathd@*\n",
        "if there is storage behind the device\n                the kernel's level if that is worse, up to Critical\n",
        "Begins with:  Re\n",
        "Ends:         PATH_FAILED\n",
        "priority",
        "journald's",
    ] {
        assert!(own.contains(part), "{part:?} is missing: {own}");
    }
    let json = rules().run(&["rules", "explain", "PATH_BACK", "-J"]).ok();
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), own_rule());
}

#[test]
fn explain_is_a_command_of_its_own_too() {
    let text = rules().run(&["explain", "path_failed"]).ok();
    assert_eq!(text, rules().run(&["rules", "explain", "PATH_FAILED"]).ok());
}

#[test]
fn a_type_that_no_rule_makes() {
    let said = rules().run(&["rules", "explain", "PATH_LOST"]).error();
    let expected =
        "prpt: no rule makes events of the type \"PATH_LOST\"; similar ones are PATH_BACK, PATH_FAILED. \
                    \"prpt rules list\" shows all.\n";
    assert_eq!(said, expected);
    assert!(!rules().run(&["rules", "explain", "X"]).error().contains("similar"));
}

fn taken() -> Value {
    json!({
        "matched": { "rule": rule("PATH_FAILED"), "captures": { "map": "253:2", "kdev": "8:48" }, "sub_system": "mp" },
        "misses": [{ "rule": own_rule(), "reason": "Later", "reach": 17 }]
    })
}

#[test]
fn test_shows_rule_and_captures() {
    let daemon = Daemon::answering(vec![last(taken())]);
    let expected = "\
Failing path 8:48
  PATH_FAILED, Warning, mp, by rules/multipath.toml:6
    kdev: 8:48
    map: 253:2
  PATH_BACK (/etc/peripetyd.conf:6): matches too, but is tried later
";
    assert_eq!(daemon.run(&["rules", "test", "Failing path 8:48"]).ok(), expected);
    let call = daemon.call();
    assert_eq!(call["method"], "io.peripety.TestRule");
    assert_eq!(call["parameters"], json!({ "line": "Failing path 8:48", "identifier": "kernel" }));
}

#[test]
fn test_as_json() {
    let daemon = Daemon::answering(vec![last(taken())]);
    let text = daemon.run(&["rules", "test", "-J", "Failing path 8:48"]).ok();
    let value: Value = serde_json::from_str(&text).unwrap();
    let mut expected = taken();
    expected["line"] = json!("Failing path 8:48");
    expected["identifier"] = json!("kernel");
    assert_eq!(value, expected);
}

#[test]
fn test_says_why_no_rule_takes_a_line() {
    let miss = |reason: &str| json!({ "rule": own_rule(), "reason": reason, "reach": 13 });
    let misses: Vec<Value> = ["Regex", "OtherIdentifier", "StartsWith"].map(miss).into();
    let daemon = Daemon::answering(vec![last(json!({ "matched": null, "misses": misses }))]);
    let outcome = daemon.run(&["rules", "test", "Failing path\tx:48"]);
    let expected = "\
Failing path\\tx:48
  no rule for \"kernel\" matches this line
  PATH_BACK (/etc/peripetyd.conf:6): its regex matches the line up to the mark
    Failing path\\tx:48
                  ^
  PATH_BACK (/etc/peripetyd.conf:6): would match, but is for --identifier kernel
  PATH_BACK (/etc/peripetyd.conf:6): its regex matches, but the line does not begin with its starts_with \"Re\"
";
    assert_eq!((outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()), (Some(3), expected, ""));
}

#[test]
fn who_wrote_the_line() {
    let line = "May 21 18:17:16 host1 multipathd[412]: mpatha: gone";
    for (args, identifier) in [
        (vec!["rules", "test", line], "multipathd"),
        (vec!["rules", "test", "--identifier", "lvm", line], "lvm"),
    ] {
        let daemon = Daemon::answering(vec![last(json!({ "misses": [] }))]);
        assert_eq!(daemon.run(&args).code, Some(3));
        let expected = json!({ "line": "mpatha: gone", "identifier": identifier });
        assert_eq!(daemon.call()["parameters"], expected);
    }
}

#[test]
fn usage() {
    for (args, part) in [
        (vec!["rules"], "Usage:"),
        (vec!["rules", "test"], "LINE"),
        (vec!["rules", "test", ""], "empty"),
        (vec!["rules", "explain"], "EVENT_TYPE"),
        (vec!["rules", "list", "--event-type", "A,,B"], "empty"),
    ] {
        let said = run(prpt(&args)).usage();
        assert!(said.contains(part), "{args:?}: {said}");
    }
    for command in ["list", "test", "explain"] {
        assert!(run(prpt(&["rules", command, "--help"])).ok().contains("Exit codes:"), "{command}");
    }
}

/// Without a daemon the built-in rules are shown.
#[test]
fn built_in_rules_need_no_daemon() {
    let listed = run(prpt(&["rules", "list", "--local", "--event-type", "DM_MPATH_PATH_FAILED"])).ok();
    assert!(listed.contains("rules/multipath.toml"), "{listed}");
    let line = "device-mapper: multipath: 253:2: Failing path 8:48.";
    let tested = run(prpt(&["rules", "test", "--local", line])).ok();
    assert!(tested.contains("DM_MPATH_PATH_FAILED") && tested.contains("8:48"), "{tested}");
    let explained = run(prpt(&["explain", "--local", "FS_SHUTDOWN"])).ok();
    assert!(explained.contains("FS_SHUTDOWN"), "{explained}");
}
