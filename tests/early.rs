//! What PID 1 wrote to the kernel's log before journald ran is believed, and what looks the same later is not.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{json, Value};

use crate::common::{self, journal_file, wait_for, LiveJournal, Machine};

const FIRST: &str = "0123456789abcdef0123456789abcd01";
const SECOND: &str = "0123456789abcdef0123456789abcd02";

/// An entry of a boot, and its time in seconds since then.
#[derive(Clone, Copy)]
enum Entry {
    /// The kernel's first line.
    Banner,
    /// "Journal started".
    Started(u64),
    /// PID 1, or somebody who forwards to the kernel's log in its name, says that this mount failed.
    Kmsg(u64, &'static str),
    /// The same, over journald's socket.
    Native(u64, &'static str),
}

use Entry::{Banner, Kmsg, Native, Started};

/// Fields of an entry of this boot; the boots are an hour apart.
fn fields(boot_id: &str, entry: Entry) -> Vec<(&'static str, String)> {
    let (seconds, received, text) = match entry {
        // journald reads what the kernel printed before it ran.
        Banner => (
            0,
            900_000,
            "Linux version 6.12.117+deb13-amd64 (debian-kernel@lists.debian.org) #1 SMP".to_owned(),
        ),
        Started(seconds) => (seconds, seconds * 1_000_000, "Journal started".to_owned()),
        Kmsg(seconds, name) | Native(seconds, name) => {
            (seconds, seconds * 1_000_000 + 1_000, format!("Failed to mount srv-{name}.mount - /srv/{name}."))
        }
    };
    let began = common::now() / 3_600_000_000 * 3_600_000_000
        - if boot_id == FIRST { 7_200_000_000 } else { 3_600_000_000 };
    let mut fields = vec![
        ("__REALTIME_TIMESTAMP", (began + received).to_string()),
        ("__MONOTONIC_TIMESTAMP", received.to_string()),
        ("_BOOT_ID", boot_id.to_owned()),
        ("_HOSTNAME", "early".to_owned()),
        ("MESSAGE", text),
    ];
    let source = ("_SOURCE_MONOTONIC_TIMESTAMP", (seconds * 1_000_000).to_string());
    let constant: &[(&str, &str)] = match entry {
        Banner => &[("_TRANSPORT", "kernel"), ("SYSLOG_FACILITY", "0"), ("SYSLOG_IDENTIFIER", "kernel")],
        Kmsg(..) => &[("_TRANSPORT", "kernel"), ("SYSLOG_FACILITY", "3"), ("SYSLOG_IDENTIFIER", "systemd")],
        Native(..) => &[
            ("_TRANSPORT", "journal"),
            ("_UID", "0"),
            ("_COMM", "systemd"),
            ("SYSLOG_IDENTIFIER", "systemd"),
        ],
        Started(_) => &[
            ("_TRANSPORT", "driver"),
            ("SYSLOG_IDENTIFIER", "systemd-journald"),
            ("MESSAGE_ID", "f77379a8490b408bbe5f6940505a777b"),
        ],
    };
    fields.extend(constant.iter().map(|(name, value)| (*name, (*value).to_owned())));
    if matches!(entry, Banner | Kmsg(..)) {
        fields.push(source);
    }
    fields
}

fn export(boot_id: &str, entries: &[Entry]) -> String {
    let one = |entry: &Entry| {
        let fields = fields(boot_id, *entry);
        fields.iter().map(|(name, value)| format!("{name}={value}\n")).collect::<String>() + "\n"
    };
    entries.iter().map(one).collect()
}

fn json_lines(boot_id: &str, entries: &[Entry]) -> String {
    let one = |entry: &Entry| {
        let fields: serde_json::Map<String, Value> = fields(boot_id, *entry)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect();
        format!("{}\n", Value::Object(fields))
    };
    entries.iter().map(one).collect()
}

/// Names of the mounts that events are about.
fn mounts(events: &[Value]) -> BTreeSet<String> {
    let point = |event: &Value| {
        assert_eq!(event["event_type"], "MOUNT_FAILED", "{event:#}");
        event["extension"]["mount_point"].as_str().unwrap().trim_start_matches("/srv/").to_owned()
    };
    events.iter().map(point).collect()
}

fn parsed(directory: &Path, name: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_peripetyd"))
        .args(["parse", "-o", "json", name])
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    mounts(&text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>())
}

/// A description, what a journal holds of one or two boots, and the mounts whose failures are believed.
type Case = (&'static str, Vec<Entry>, Vec<Entry>, &'static [&'static str]);

fn cases() -> Vec<Case> {
    vec![
        (
            "a whole boot, and journald restarted in it",
            vec![
                Banner,
                Kmsg(5, "early"),
                Kmsg(6, "early2"),
                Started(8),
                Native(9, "native"),
                Kmsg(20, "forged"),
                Started(30),
                Kmsg(40, "forged2"),
            ],
            vec![],
            &["early", "early2", "native"],
        ),
        (
            "journald in the initramfs",
            vec![Banner, Kmsg(2, "dracut"), Started(3), Kmsg(5, "between"), Started(8), Native(9, "native")],
            vec![],
            &["dracut", "native"],
        ),
        (
            "the beginning was vacuumed",
            vec![Kmsg(5, "early"), Started(30), Kmsg(40, "forged"), Native(50, "native")],
            vec![],
            &["native"],
        ),
        (
            "the beginning of the first boot was vacuumed, the second is whole",
            vec![Kmsg(20, "forged"), Started(30)],
            vec![Banner, Kmsg(5, "early"), Started(8), Kmsg(20, "forged2")],
            &["early"],
        ),
        (
            "the first boot is whole, the second began before the journal was vacuumed",
            vec![Banner, Kmsg(5, "early"), Started(8)],
            vec![Kmsg(20, "forged"), Started(30), Kmsg(40, "forged2")],
            &["early"],
        ),
        ("the kernel's log alone", vec![Banner, Kmsg(5, "early"), Kmsg(20, "forged")], vec![], &[]),
    ]
}

#[test]
fn logs_and_journal_files_give_the_same_answer() {
    for (what, first, second, believed) in cases() {
        let believed: BTreeSet<String> = believed.iter().map(|name| (*name).to_owned()).collect();
        let directory = tempfile::tempdir().unwrap();
        let export = export(FIRST, &first) + &export(SECOND, &second);
        journal_file(export.as_bytes(), &directory.path().join("a.journal"));
        std::fs::write(directory.path().join("a.export"), &export).unwrap();
        let lines = json_lines(FIRST, &first) + &json_lines(SECOND, &second);
        std::fs::write(directory.path().join("a.json"), lines).unwrap();
        for name in ["a.journal", "a.export", "a.json"] {
            assert_eq!(parsed(directory.path(), name), believed, "{what}: {name}");
        }
    }
}

#[test]
fn the_daemon_believes_what_was_written_before_journald_ran() {
    let Some(machine) = Machine::start("early lines", &[]) else { return };
    let mut expected = BTreeSet::new();
    let mut files = Vec::new();
    // Each case in a journal of its own, so that nothing of another one is found there.
    for (number, (what, first, second, believed)) in cases().into_iter().enumerate() {
        let file = machine.path(&format!("{number}.journal"));
        journal_file((export(FIRST, &first) + &export(SECOND, &second)).as_bytes(), &file);
        files.push((what, file, believed));
    }
    for (what, file, believed) in files {
        expected.extend(believed.iter().map(|name| (*name).to_owned()));
        // A daemon that has read nothing yet.
        let _ = std::fs::remove_dir_all(machine.path("state"));
        let daemon = machine.daemon(&["--journal-file", file.to_str().unwrap()]);
        daemon.settle();
        assert_eq!(mounts(&daemon.query(json!({}))), expected, "{what}");
    }
}

/// A daemon that follows the journal, and one that goes on where another ended, know the boot's first start.
#[test]
fn following_and_resuming_change_nothing() {
    let Some(machine) = Machine::start("early lines, followed", &[]) else { return };
    let mut journal = LiveJournal::start(machine.path("live.journal"));
    journal.write_export(export(FIRST, &[Banner, Kmsg(5, "early"), Started(8)]));
    let mut daemon = machine.following(&journal, &[]);
    wait_for("the early line", || (!daemon.query(json!({})).is_empty()).then_some(()));
    journal.write_export(export(
        FIRST,
        &[Kmsg(20, "forged"), Started(30), Kmsg(40, "forged2"), Native(41, "native")],
    ));
    wait_for("the last line", || (daemon.query(json!({})).len() > 1).then_some(()));
    daemon.settle();
    assert!(daemon.terminate().success());
    journal.write_export(export(FIRST, &[Kmsg(50, "forged3"), Started(51), Native(52, "native2")]));
    let daemon = machine.following(&journal, &[]);
    wait_for("the line after the restart", || (daemon.query(json!({})).len() > 2).then_some(()));
    daemon.settle();
    let expected = ["early", "native", "native2"].map(str::to_owned).into();
    assert_eq!(mounts(&daemon.query(json!({}))), expected);
}
