//! `ListRules`, `TestRule` and `prpt rules` against the running daemon.

use std::io::Write;
use std::process::{Output, Stdio};

use crate::common::{self, program, project, Daemon, Machine};
use peripety::rules::builtin;
use serde_json::{json, Value};

const OWN_RULES: &str = r#"
[[collector_regexs]]
regex = '''^mydrv (?P<kdev>sd[a-z]+): wear level (?P<percent>[0-9]+)%$'''
sub_system = "mydrv"
event_type = "MYDRV_WORN"
examples = [ { line = "mydrv sdb: wear level 90%" } ]

[[collector_regexs]]
identifier = "mydrvd"
user = "42"
programs = ["mydrv*"]
units = ["mydrv@*", "mydrv.service"]
regex = '''^(?P<sub_system>\w+) (?P<kdev>sd[a-z]+) asleep$'''
event_type = "mydrv_asleep"
clears = "MYDRV_WORN"
"#;

fn start(test: &str) -> Option<(Machine, Daemon)> {
    let machine = Machine::start(test, &[])?;
    let config = machine.path("my.conf");
    std::fs::write(&config, [common::NO_BURSTS, OWN_RULES].concat()).unwrap();
    let daemon = machine.incident("multipath", &["--config", config.to_str().unwrap(), "--no-store"]);
    Some((machine, daemon))
}

fn names(rules: &Value) -> Vec<&str> {
    rules["rules"].as_array().unwrap().iter().map(|rule| rule["event_type"].as_str().unwrap()).collect()
}

#[test]
fn list_rules_lists_all_in_force() {
    let Some((machine, daemon)) = start("ListRules") else { return };
    let mut client = daemon.connect();
    let all = client.call("ListRules", json!({})).unwrap();
    assert_eq!(names(&all).len(), builtin::rules().unwrap().len() + 2);
    assert_eq!(json!(names(&all).len()), daemon.status()["rules"]);
    let identifiers: Vec<&str> =
        all["rules"].as_array().unwrap().iter().map(|rule| rule["identifier"].as_str().unwrap()).collect();
    assert!(identifiers.is_sorted(), "{identifiers:?}");
    let mut ask = |parameters: Value| {
        let reply = client.call("ListRules", parameters).unwrap();
        names(&reply).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(ask(json!({ "event_types": ["mydrv_worn"] })), ["MYDRV_WORN"]);
    assert_eq!(ask(json!({ "sub_systems": ["MyDrv"] })), ["MYDRV_WORN"]);
    assert_eq!(ask(json!({ "identifiers": ["mydrvd"] })), ["MYDRV_ASLEEP"]);
    assert_eq!(ask(json!({ "identifiers": ["mydrvd"], "sub_systems": ["mydrv"] })), [""; 0]);
    // Own rules are tried first.
    assert_eq!(ask(json!({ "identifiers": ["kernel"] }))[0], "MYDRV_WORN");
    let own = client.call("ListRules", json!({ "event_types": ["MYDRV_WORN"] })).unwrap();
    let expected = json!({
        "event_type": "MYDRV_WORN", "sub_system": "mydrv", "identifier": "kernel",
        "regex": "^mydrv (?P<kdev>sd[a-z]+): wear level (?P<percent>[0-9]+)%$", "device": "Capture",
        "file": machine.path("my.conf").to_str().unwrap(), "line": 4, "user": true,
        "examples": ["mydrv sdb: wear level 90%"], "severity": null, "storage_severity": null, "by_level": false, "starts_with": null, "closes": [],
        "catch_all": false, "group": null, "follows": [], "meaning": null, "advice": null, "writer": null,
    });
    assert_eq!(own["rules"][0], expected);
    let mut first = |event_type: &str| {
        let reply = client
            .call("ListRules", json!({ "event_types": [event_type], "identifiers": ["kernel"] }))
            .unwrap();
        let rule = &reply["rules"][0];
        json!([rule["severity"], rule["storage_severity"], rule["by_level"]])
    };
    assert_eq!(first("USB_DEVICE_FAILED"), json!(["Info", "Warning", false]));
    assert_eq!(first("CEPH_PROBLEM"), json!(["Warning", null, true]));
    let written = client.call("ListRules", json!({ "event_types": ["MYDRV_ASLEEP"] })).unwrap();
    let writer = json!({ "user": "42", "programs": ["mydrv*"], "units": ["mydrv@*", "mydrv.service"] });
    assert_eq!(written["rules"][0]["writer"], writer);
}

/// Every example of every rule is taken by its own rule, with the captures that stand there.
#[test]
fn test_rule_agrees_with_the_examples() {
    let Some((_machine, daemon)) = start("TestRule") else { return };
    let mut client = daemon.connect();
    for rule in builtin::rules().unwrap() {
        for example in &rule.spec().examples {
            let call = json!({ "line": example.line, "identifier": rule.identifier });
            let reply = client.call("TestRule", call).unwrap();
            let matched = &reply["matched"];
            let place = json!([rule.origin.file, rule.origin.line]);
            assert_eq!(json!([matched["rule"]["file"], matched["rule"]["line"]]), place, "{}", example.line);
            assert_eq!(matched["captures"], json!(example.captures), "{}", example.line);
        }
    }
    let call = json!({ "line": "Mine sdb asleep", "identifier": "mydrvd" });
    assert_eq!(client.call("TestRule", call).unwrap()["matched"]["sub_system"], "mine");
    // What the collector looks at of a line can be tried, and no more.
    let line = |length: usize| format!("mydrv sdb: wear level {}", "9".repeat(length - 22));
    let reply = client.call("TestRule", json!({ "line": line(65_536) })).unwrap();
    assert!(reply["matched"].is_null());
    assert_eq!(
        (&reply["misses"][0]["reason"], &reply["misses"][0]["reach"]),
        (&json!("Regex"), &json!(65_536))
    );
    let (error, parameters) = client.call("TestRule", json!({ "line": line(65_537) })).unwrap_err();
    assert_eq!((error.as_str(), &parameters["parameter"]), ("io.peripety.InvalidRequest", &json!("line")));
}

fn prpt(daemon: &Daemon, arguments: &[&str], input: &str) -> Output {
    let mut child = std::process::Command::new(program("prpt"))
        .args(["--address", &daemon.address(), "rules"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn prpt_rules() {
    let Some((_machine, daemon)) = start("prpt rules") else { return };
    let said = |arguments: &[&str]| {
        let out = prpt(&daemon, arguments, "");
        assert!(out.stderr.is_empty(), "{}", String::from_utf8_lossy(&out.stderr));
        (out.status.code().unwrap(), String::from_utf8(out.stdout).unwrap())
    };
    let (code, list) = said(&["list", "--identifier", "mydrvd"]);
    assert!(code == 0 && list.lines().count() == 2 && list.contains("MYDRV_ASLEEP"), "{list}");
    let (code, explained) = said(&["explain", "mydrv_worn"]);
    assert!(code == 0 && explained.contains("ended by MYDRV_ASLEEP"), "{explained}");
    let (code, taken) = said(&["test", "mydrv sdb: wear level 9%"]);
    assert!(code == 0 && taken.contains("MYDRV_WORN") && taken.contains("percent: 9\n"), "{taken}");
    let (code, missed) = said(&["test", "device-mapper: multipath: 253:2: Reinstating path 8:48"]);
    let nearest: Vec<&str> = missed.lines().skip(2).take(3).collect();
    assert_eq!(code, 3, "{missed}");
    assert!(nearest[0].trim().starts_with("DM_MPATH_PATH_REINSTATED (rules/multipath.toml:"), "{missed}");
    // The full stop is missing.
    assert_eq!(nearest[2].len(), nearest[1].len() + 1, "{missed}");
    let (code, missed) = said(&["test", "Mine sdb asleep"]);
    assert!(code == 3 && missed.contains("--identifier mydrvd"), "{missed}");
}

/// What prpt makes of the lines of a journal is what the daemon made of them.
#[test]
fn prpt_rules_test_reads_many_lines() {
    let Some((_machine, daemon)) = start("prpt rules test -") else { return };
    let export =
        std::fs::read_to_string(project("tests/fixtures/incidents/multipath/journal.export")).unwrap();
    let mut input = String::from("-- Boot 0123 --\n\n");
    let mut lines = 0;
    for entry in export.split("\n\n") {
        let field = |name: &str| entry.lines().find_map(|line| line.strip_prefix(name));
        let (Some(who), Some(message)) = (field("SYSLOG_IDENTIFIER="), field("MESSAGE=")) else { continue };
        input += &format!("May 21 18:17:16 host1 {who}[7]: {message}\n");
        lines += usize::from(!message.is_empty());
    }
    let out = prpt(&daemon, &["test", "-J", "-"], &input);
    assert_eq!((out.status.code(), out.stderr.len()), (Some(3), 0));
    let text = String::from_utf8(out.stdout).unwrap();
    let tried: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(tried.len(), lines);
    let taken = tried.iter().filter(|line| line["matched"].is_object()).count();
    let status = daemon.status();
    let matched = status["entries_matched"].as_u64().unwrap() + status["entries_untrusted"].as_u64().unwrap();
    assert!(taken > 50);
    assert_eq!(taken as u64, matched, "{status}");
}
