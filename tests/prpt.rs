//! prpt against the running daemon.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

use crate::common::{self, program, wait_for, Daemon, LiveJournal, Machine};
use serde_json::{json, Value};

struct Prpt {
    machine: Machine,
    daemon: Daemon,
}

impl Prpt {
    fn start(test: &str) -> Option<Self> {
        let machine = Machine::start(test, &[])?;
        let daemon = machine.incident("fs-lvm-multipath", &[]);
        Some(Prpt { machine, daemon })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.machine.command(program("prpt"));
        command.args(arguments).env("PERIPETY_ADDRESS", self.daemon.address()).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What it prints when it succeeds.
    fn print(&self, arguments: &[&str]) -> String {
        let out = self.run(arguments);
        let errors = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success() && errors.is_empty(), "prpt {arguments:?}: {:?}: {errors}", out.status);
        String::from_utf8(out.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Vec<Value> {
        self.print(&[arguments, &["-J"]].concat())
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Its one sentence when it fails.
    fn complaint(&self, code: i32, arguments: &[&str]) -> String {
        let out = self.run(arguments);
        let said = String::from_utf8(out.stderr).unwrap();
        assert_eq!(out.status.code(), Some(code), "prpt {arguments:?}: {said}");
        assert!(out.stdout.is_empty());
        said
    }
}

fn id(event: &Value) -> &str {
    event["event_id"].as_str().unwrap()
}

#[test]
fn query_filters() {
    let Some(prpt) = Prpt::start("prpt query") else { return };
    let all = prpt.json(&["query"]);
    assert_eq!(all, prpt.daemon.query(json!({})));
    assert_eq!(all.len(), common::incident_counts("fs-lvm-multipath").0);
    let stamp = |event: &Value| {
        let micros = event["timestamp"].as_i64().unwrap();
        format!("@{}.{:06}", micros / 1_000_000, micros % 1_000_000)
    };
    let (from, to) = (stamp(&all[20]), stamp(&all[60]));
    let cases: [(&[&str], Value); 9] = [
        (&["--severity", "crit"], json!({ "severity": "Critical" })),
        (
            &["--event-type", "fs_mounted,FS_UNMOUNTED"],
            json!({ "event_types": ["FS_MOUNTED", "FS_UNMOUNTED"] }),
        ),
        (&["--sub-system", "XFS", "--sub-system", "jbd2"], json!({ "sub_systems": ["xfs", "jbd2"] })),
        (&["--blk", "mpathb"], json!({ "blk": "mpathb" })),
        (&["--blk", "/mnt/d1"], json!({ "blk": "/mnt/d1" })),
        (
            &["--since", &from, "--until", &to],
            json!({ "since": all[20]["timestamp"], "until": all[60]["timestamp"] }),
        ),
        (&["-S", "-1h"], json!({})),
        (&["--until", "yesterday"], json!({ "until": 0 })),
        (&["--event-id", id(&all[3])], json!({ "event_id": id(&all[3]) })),
    ];
    for (options, filter) in cases {
        assert_eq!(prpt.json(&[&["query"], options].concat()), prpt.daemon.query(filter), "{options:?}");
    }
    let newest = prpt.json(&["query", "-r", "--limit", "3"]);
    assert_eq!(
        newest.iter().map(id).collect::<Vec<_>>(),
        all.iter().rev().take(3).map(id).collect::<Vec<_>>()
    );
    assert_eq!(prpt.print(&["query", "--blk", "no-such-device"]), "");
}

#[test]
fn formats() {
    let Some(prpt) = Prpt::start("prpt formats") else { return };
    let options = ["query", "--event-type", "FS_MOUNTED", "--sub-system", "ext4", "--limit", "1"];
    let event = prpt.json(&options).remove(0);
    let with = |format: &str| prpt.print(&[&options[..], &["-o", format]].concat());

    let short = prpt.print(&options);
    assert_eq!(short, with("SHORT"));
    let seconds = event["timestamp"].as_i64().unwrap() / 1_000_000;
    let date = String::from_utf8(
        Command::new("date").args(["-u", "-d", &format!("@{seconds}"), "+%F %T"]).output().unwrap().stdout,
    )
    .unwrap();
    let expected = format!(
        " lab Info      ext4      /dev/mapper/labvg-e [/mnt/d1] {}\n",
        event["msg"].as_str().unwrap()
    );
    assert!(short.starts_with(date.trim()) && short.ends_with(&expected), "{short:?}");
    assert!(!short.contains('\x1b'));

    let keys = peripety_api::schema::members("StorageEvent");
    assert!(keys.contains(&"root_cause_event_id"), "{keys:?}");
    let line = with("json");
    let places: Vec<usize> = keys
        .iter()
        .map(|key| line.find(&format!("\"{key}\":")).unwrap_or_else(|| panic!("no {key} in {line}")))
        .collect();
    assert!(places.is_sorted(), "{line}");
    let pretty = with("json-pretty");
    assert!(pretty.starts_with("{\n") && serde_json::from_str::<Value>(&pretty).unwrap() == event);
    let sequence = with("Json_Seq");
    assert_eq!(serde_json::from_str::<Value>(sequence.strip_prefix('\x1e').unwrap()).unwrap(), event);
    let coloured = prpt.print(&[&options[..], &["--color", "always", "--severity", "info"]].concat());
    assert_eq!(coloured.lines().count(), 1);
    assert!(prpt.print(&["query", "--severity", "error", "--color", "always"]).contains("\x1b["));
}

#[test]
fn devices_and_status() {
    let Some(prpt) = Prpt::start("prpt devices") else { return };
    let info = prpt.print(&["info", "/mnt/d1"]);
    for line in [
        "Device:     dm-1",
        "Path:       /dev/mapper/labvg-e",
        "Mounted on: /mnt/d1",
        "UUID:       75cbc990-1bda-4427-9934-616ac2b1f72f",
        "Built from: └─/dev/mapper/mpathb dm-multipath mpath-1Linux_scsi_debug_2000",
        "              ├─/dev/sdb scsi naa.33333330000007d0",
    ] {
        assert!(info.lines().any(|found| found == line), "{line:?} is missing:\n{info}");
    }
    assert_eq!(prpt.json(&["info", "dm-1"])[0]["owners_paths"][0], "/dev/mapper/mpathb");
    let list = prpt.print(&["list"]);
    let names: Vec<&str> = list.lines().map(|line| line.split("  /dev").next().unwrap().trim_end()).collect();
    assert_eq!(names[1..5], ["sdb", "└─dm-0", "  ├─dm-1", "  └─dm-2"], "{list}");
    assert_eq!(names[5..9], ["sdc", "└─dm-0", "  ├─dm-1", "  └─dm-2"], "{list}");
    assert_eq!((names.len(), names.last()), (18, Some(&"vda")), "{list}");
    assert_eq!(prpt.json(&["list"]).len(), 8);
    let events = common::incident_counts("fs-lvm-multipath").0;
    let status = prpt.print(&["status"]);
    assert!(status.lines().any(|line| *line == format!("Events stored:      {events}")), "{status}");
    assert_eq!(prpt.json(&["status"])[0]["events_stored"], events);
}

#[test]
fn monitor_follows_and_ends() {
    let Some(machine) = Machine::start("prpt monitor", &[]) else { return };
    let mut journal = LiveJournal::start(machine.path("live.journal"));
    let daemon = machine.following(&journal, &[]);
    let prpt = Prpt { machine, daemon };
    let monitors =
        |count: usize| wait_for("the monitors", || (prpt.daemon.status()["monitors"] == count).then_some(()));

    let mut child = prpt
        .command(&["monitor", "--limit", "3", "-J", "--event-type", "DM_MPATH_PATH_FAILED"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    monitors(1);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for n in 0..3 {
        journal.write_failures(n..n + 1);
        // Each line comes at once, not when a buffer is full.
        let event: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(event["kdev"], format!("8:{n}"));
    }
    assert!(child.wait().unwrap().success());
    assert!(lines.next().is_none());

    journal.write_failures(3..10);
    wait_for("ten events", || (prpt.daemon.status()["events_stored"] == 10).then_some(()));
    assert_eq!(prpt.print(&["monitor", "--since", "-1h", "--limit", "10"]).lines().count(), 10);
    // A signal is how a monitor is ended; it leaves nothing behind.
    let mut child = prpt.command(&["monitor"]).stdout(Stdio::null()).spawn().unwrap();
    monitors(1);
    // The tests may have been started with SIGINT ignored, as in the background.
    common::send_signal(&child.id().to_string(), rustix::process::Signal::TERM);
    child.wait().unwrap();
    monitors(0);
}

#[test]
fn monitor_goes_on_over_a_restart_of_the_daemon() {
    let Some(machine) = Machine::start("prpt monitor, restart", &[]) else { return };
    let mut journal = LiveJournal::start(machine.path("live.journal"));
    let daemon = machine.following(&journal, &[]);
    let mut prpt = Prpt { machine, daemon };
    let mut child = prpt
        .command(&["monitor", "-J", "--limit", "30"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut expect = |numbers: std::ops::Range<usize>| {
        for n in numbers {
            let event: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
            assert_eq!(event["kdev"], format!("8:{n}"));
        }
    };
    wait_for("the monitor", || (prpt.daemon.status()["monitors"] == 1).then_some(()));
    journal.write_failures(0..10);
    expect(0..10);
    prpt.daemon.terminate();
    assert!(said.next().unwrap().unwrap().contains("the connection to peripetyd was lost"));
    journal.write_failures(10..20);
    prpt.daemon = prpt.machine.following(&journal, &[]);
    expect(10..20);
    assert!(said.next().unwrap().unwrap().contains("connected to peripetyd again"));
    // Killed, so that some events may be read back and others made anew.
    prpt.daemon.kill();
    assert!(said.next().unwrap().unwrap().contains("the connection to peripetyd was lost"));
    prpt.daemon = prpt.machine.following(&journal, &[]);
    journal.write_failures(20..30);
    expect(20..30);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let Some(prpt) = Prpt::start("prpt in a pipe") else { return };
    let prpt_path = program("prpt");
    for arguments in ["query -J", "query -o short", "list -J", "monitor --since -1h"] {
        let script = format!(
            "'{}' --address {} {arguments} | head -n 1; echo \"${{PIPESTATUS[0]}}\"",
            prpt_path.display(),
            prpt.daemon.address()
        );
        let out = prpt.machine.shell(&script);
        let text = String::from_utf8(out.stdout).unwrap();
        assert!(out.stderr.is_empty(), "{arguments}: {}", String::from_utf8_lossy(&out.stderr));
        assert_eq!((text.lines().count(), text.lines().last()), (2, Some("0")), "{arguments}: {text}");
    }
    let closed = format!("'{}' --address {} query >&-", prpt_path.display(), prpt.daemon.address());
    let code = prpt.machine.shell(&closed).status.code().unwrap();
    assert!(code == 0 || code == 1, "{code}");
}

#[test]
fn complaints() {
    let Some(mut prpt) = Prpt::start("prpt complaints") else { return };
    let said = prpt.complaint(1, &["info", "no-such-device"]);
    assert!(
        said.starts_with("prpt: there is no block device \"no-such-device\"") && said.contains("prpt list"),
        "{said}"
    );
    assert!(prpt.complaint(2, &["query", "--severity", "bad"]).contains("emergency"));
    assert!(prpt.complaint(2, &["query", "--since", "some day"]).contains("--since"));
    assert!(prpt
        .complaint(2, &["query", "--since", "today", "--until", "yesterday"])
        .contains("later than --until"));

    assert!(prpt.daemon.terminate().success());
    for command in ["query", "monitor", "list", "status"] {
        let said = prpt.complaint(1, &[command]);
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(
            said.starts_with(&format!("prpt: cannot reach peripetyd at {}: ", prpt.daemon.address())),
            "{said}"
        );
        assert!(said.contains("systemctl start peripetyd.socket"), "{said}");
    }
}
