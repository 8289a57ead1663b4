//! Whatever a local user writes into the journal: no event comes of it, and it passes for none.

use std::collections::HashSet;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use crate::common::{self, program, skip, wait_for, Daemon, Machine};
use serde_json::{json, Value};

const PYTHON: &str = "/usr/bin/python3";

/// A line over journald's stdout socket with forwarding to the kernel's log switched on: it comes
/// back from there as `_TRANSPORT=kernel`, with the identifier and the priority that were chosen.
const STREAM: &str = r#"
import socket, sys, time
stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
stream.connect("/run/systemd/journal/stdout")
settings = ["kernel", "", "2", "0", "0", "1", "0"]  # identifier, unit, priority, prefix, to syslog, to kmsg, to console
stream.sendall("".join(s + "\n" for s in settings).encode() + sys.argv[1].encode() + b"\n")
time.sleep(0.3)
"#;

/// Entries of a file (JSON lines of name to value) over the native protocol.
const NATIVE: &str = r#"
import json, socket, struct, sys
journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
journal.connect("/run/systemd/journal/socket")
for line in open(sys.argv[1]):
    entry = b""
    for name, values in json.loads(line).items():
        # journalctl prints bytes that are no text as a list of numbers.
        binary = isinstance(values, list) and all(isinstance(value, int) for value in values)
        for value in [bytes(values)] if binary else values if isinstance(values, list) else [values]:
            value = value if isinstance(value, bytes) else value.encode()
            entry += name.encode() + b"\n" + struct.pack("<Q", len(value)) + value + b"\n"
    journal.send(entry)
"#;

const KMSG: &str = r#"
import sys
open("/dev/kmsg", "w").write("<" + sys.argv[1] + ">kernel: " + sys.argv[2] + "\n")
"#;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum User {
    Root,
    Nobody,
}

fn python(machine: &Machine, user: User, code: &str, arguments: &[&str]) -> Output {
    let mut command: Command = match user {
        User::Root => machine.command(PYTHON),
        User::Nobody => machine.as_nobody(PYTHON),
    };
    command.args(["-c", code]).args(arguments).output().unwrap()
}

pub fn native(machine: &Machine, user: User, entries: &[Value]) {
    let file = machine.path("entries");
    let lines: Vec<String> = entries.iter().map(Value::to_string).collect();
    std::fs::write(&file, lines.join("\n")).unwrap();
    let out = python(machine, user, NATIVE, &[file.to_str().unwrap()]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

pub fn started(test: &str, settings: &[&str]) -> Option<Machine> {
    if !rustix::process::geteuid().is_root() {
        skip(test, "only root can write as another user");
        return None;
    }
    if !Path::new(PYTHON).exists() {
        skip(test, "there is no /usr/bin/python3");
        return None;
    }
    let machine = Machine::start(test, settings)?;
    machine.open_to_all();
    Some(machine)
}

/// Text of a kernel line that a rule knows, with a device name of its own.
fn line(device: &str) -> String {
    format!("EXT4-fs error (device {device}): ext4_lookup:1858: inode #2: comm ls: iget: checksum invalid")
}

#[test]
fn lines_that_the_kernel_did_not_write() {
    let test = "forged kernel lines";
    if !std::fs::File::open("/dev/kmsg").is_ok_and(|mut kmsg| std::io::Seek::rewind(&mut kmsg).is_ok()) {
        return skip(test, "/dev/kmsg cannot be read");
    }
    let Some(machine) = started(test, &["--kmsg"]) else { return };
    let daemon = machine.daemon(&[]);
    let before = daemon.settle()["entries_untrusted"].as_u64().unwrap();
    let devices: Vec<String> = (0..7).map(|n| format!("forged{}n{n}", std::process::id())).collect();
    let mut expected = 0;
    let mut written = |done: bool, what: &str| {
        expected += u64::from(done);
        assert!(done, "{what} wrote nothing");
    };

    for (user, device) in [(User::Root, &devices[0]), (User::Nobody, &devices[1])] {
        written(python(&machine, user, STREAM, &[&line(device)]).status.success(), "the stream");
    }
    // 2 is "kern.crit"; the kernel makes 10, "user.crit", of it.
    written(python(&machine, User::Root, KMSG, &["2", &line(&devices[2])]).status.success(), "/dev/kmsg");
    for (user, device) in [(User::Root, &devices[3]), (User::Nobody, &devices[4])] {
        let entry = json!({
            "MESSAGE": line(device), "PRIORITY": "2", "SYSLOG_IDENTIFIER": "kernel", "SYSLOG_FACILITY": "0",
            "_TRANSPORT": "kernel", "_UID": "0", "_KERNEL_DEVICE": "b8:16", "_BOOT_ID": "0",
        });
        native(&machine, user, &[entry]);
        written(true, "the native protocol");
    }
    for (user, device) in [(User::Root, &devices[5]), (User::Nobody, &devices[6])] {
        let mut logger = match user {
            User::Root => machine.command("logger"),
            User::Nobody => machine.as_nobody("logger"),
        };
        // /dev/log of a machine with journald leads there.
        logger.args(["-u", "/run/systemd/journal/dev-log"]);
        written(
            logger.args(["-t", "kernel", "-p", "kern.crit", &line(device)]).status().unwrap().success(),
            "logger",
        );
    }

    // They are all in the journal, and look like the kernel's as far as they can.
    let arrived = || machine.journal("-t kernel --output-fields=MESSAGE,_TRANSPORT,SYSLOG_FACILITY");
    let transports = ["kernel", "kernel", "kernel", "journal", "journal", "syslog", "syslog"];
    wait_for("the forged lines in the journal", || {
        let entries = arrived();
        let came = |device: &String, by: &str| {
            entries.iter().find(|e| e["MESSAGE"] == line(device) && e["_TRANSPORT"] == by)
        };
        let came: Option<Vec<&Value>> =
            devices.iter().zip(transports).map(|(device, by)| came(device, by)).collect();
        came.map(|came| {
            came[..3].iter().for_each(|entry| assert_eq!(entry["SYSLOG_FACILITY"], "1", "{entry}"))
        })
    });
    wait_for("the daemon to count them", || {
        (daemon.status()["entries_untrusted"].as_u64().unwrap() >= before + expected).then_some(())
    });
    daemon.settle();
    let forged = |events: Vec<Value>| {
        events.iter().filter(|e| e["raw_msg"].as_str().unwrap().contains("forged")).count()
    };
    assert_eq!(forged(daemon.query(json!({}))), 0);
    assert!(machine
        .journal("PERIPETY_FORMAT=1")
        .iter()
        .all(|entry| !entry["MESSAGE"].as_str().unwrap().contains("forged")));
}

/// The fields that a client chose of the events stored in the private journal.
pub fn stored(machine: &Machine) -> Vec<Value> {
    let mut entries = machine.journal("PERIPETY_FORMAT=1");
    for entry in &mut entries {
        entry.as_object_mut().unwrap().retain(|name, _| !name.starts_with('_'));
    }
    entries
}

#[test]
fn stored_events_that_the_daemon_did_not_write() {
    let Some(machine) = started("forged stored events", &[]) else { return };
    let daemon = machine.incident("fs-lvm-multipath", &[]);
    let genuine = daemon.query(json!({}));
    // Copies of all events under identifiers of their own, from a user who also tries to pass
    // for root and for the unit.
    let id = |n: usize| format!("f0f0f0f0-0000-5000-8000-{n:012}");
    let mut forged = stored(&machine);
    assert_eq!(forged.len(), genuine.len());
    for (n, entry) in forged.iter_mut().enumerate() {
        let mut event: Value = serde_json::from_str(entry["PERIPETY_JSON"].as_str().unwrap()).unwrap();
        event["event_id"] = json!(id(n));
        event["msg"] = json!("forged");
        entry["PERIPETY_EVENT_ID"] = json!(id(n));
        entry["PERIPETY_JSON"] = json!(event.to_string());
        for (field, value) in [
            ("_UID", "0"),
            ("_SYSTEMD_UNIT", "peripetyd.service"),
            ("_TRANSPORT", "journal"),
            ("PERIPETY_MARK", "forged"),
        ] {
            entry[field] = json!(value);
        }
    }
    native(&machine, User::Nobody, &forged);
    wait_for("the forged events in the journal", || {
        (machine.journal("PERIPETY_MARK=forged").len() == forged.len()).then_some(())
    });

    assert_eq!(daemon.query(json!({})), genuine);
    assert_eq!(daemon.query(json!({ "event_id": id(0) })), Vec::<Value>::new());
    assert_eq!(
        daemon
            .query(json!({ "blk": "mpathb", "severity": "Debug" }))
            .iter()
            .filter(|e| e["msg"] == "forged")
            .count(),
        0
    );
    let replies =
        daemon.connect().call_more("Monitor", json!({ "since": 0, "limit": genuine.len() })).unwrap();
    assert!(replies.iter().all(|reply| reply["event"]["msg"] != "forged"));
    let prpt = |arguments: &[&str]| {
        let out = machine
            .command(program("prpt"))
            .arg("--address")
            .arg(daemon.address())
            .args(arguments)
            .output()
            .unwrap();
        assert!(out.status.success());
        String::from_utf8(out.stdout).unwrap()
    };
    assert_eq!(prpt(&["query", "-J"]).lines().count(), genuine.len());
    assert_eq!(prpt(&["query", "-J", "--event-id", &id(1)]), "");
    // The control: what root wrote counts.
    native(&machine, User::Root, &forged[..1]);
    wait_for("root's event", || (daemon.query(json!({ "event_id": id(0) })).len() == 1).then_some(()));
}

/// A fresh daemon in a journal where `user` has written copies of all events that it will make.
fn after_copies(user: User, copies: &[Value], source: &Path) -> Option<(Machine, Daemon)> {
    let machine = started("forged coverage", &[])?;
    std::fs::copy(source, machine.path("incident.journal")).unwrap();
    native(&machine, user, copies);
    wait_for("the copies in the journal", || {
        (machine.journal("PERIPETY_FORMAT=1").len() == copies.len()).then_some(())
    });
    let daemon = machine.incident("fs-lvm-multipath", &[]);
    Some((machine, daemon))
}

/// Nobody can make the daemon pass over an entry by writing that it was worked on already.
#[test]
fn forged_events_cover_nothing() {
    let Some(machine) = started("forged coverage", &[]) else { return };
    let daemon = machine.incident("fs-lvm-multipath", &[]);
    let source = machine.path("incident.journal");
    let copies = stored(&machine);
    let count = |daemon: &Daemon| {
        let status = daemon.status();
        let count = |name: &str| status[name].as_u64().unwrap();
        (count("entries_covered"), count("events_stored"))
    };
    let (events, entries) = common::incident_counts("fs-lvm-multipath");
    assert_eq!(count(&daemon), (0, events as u64));
    let Some((_other, by_nobody)) = after_copies(User::Nobody, &copies, &source) else { return };
    assert_eq!(count(&by_nobody), (0, events as u64));
    assert_eq!(by_nobody.query(json!({})).len(), events);
    // The control: root's do cover.
    let Some((_third, by_root)) = after_copies(User::Root, &copies, &source) else { return };
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(count(&by_root), (entries, 0));
    let ids: HashSet<String> = by_root.query(json!({})).iter().map(|e| e["event_id"].to_string()).collect();
    assert_eq!(ids.len(), events);
}
