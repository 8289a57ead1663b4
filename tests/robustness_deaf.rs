//! The journal moves, goes and comes back: whatever journald writes is heard, and its event is stored once. Where nothing
//! can be heard, a report says so.

use serde_json::{json, Value};

use crate::common::{signal, wait_for, Daemon, Journald, Machine};

/// A machine whose journal may become persistent: /var/log is its own, and journald has no directory there.
fn machine(test: &str) -> Option<Machine> {
    let machine = Machine::start(test, &["Storage=auto"])?;
    run(&machine, "umount -l /var/log/journal 2>/dev/null; mount -t tmpfs tmpfs /var/log");
    Some(machine)
}

pub fn run(machine: &Machine, script: &str) {
    let out = machine.shell(script);
    assert!(out.status.success(), "{script}: {}", String::from_utf8_lossy(&out.stderr));
}

/// Has journald move its files to /var/log/journal, and waits for that.
fn flush(machine: &Machine) {
    signal("USR1", machine.journald());
    wait_for("the flush", || {
        machine.shell("ls /var/log/journal/*/system.journal").status.success().then_some(())
    });
}

/// Has journald begin new files, and waits until there is one where `path` says.
fn rotate_into(machine: &Machine, path: &str) {
    let there = || machine.shell(&format!("ls {path}")).status.success();
    wait_for("a new file", || {
        signal("USR2", machine.journald());
        (0..100)
            .any(|_| {
                std::thread::sleep(std::time::Duration::from_millis(20));
                there()
            })
            .then_some(())
    });
}

/// Ends journald, runs a script, starts it again.
fn restart(machine: &Machine, script: &str) -> Option<Journald> {
    machine.end_journald("TERM");
    run(machine, script);
    Some(machine.start_journald())
}

/// The events stored for these lines.
pub fn heard(daemon: &Daemon, lines: &std::ops::Range<usize>) -> usize {
    let events = daemon.query(json!({ "sub_systems": ["wear", "multipath"] }));
    let number = |event: &Value| event["kdev"].as_str()?.strip_prefix("8:")?.parse::<usize>().ok();
    events.iter().filter_map(number).filter(|n| lines.contains(n)).count()
}

/// Lines before and after `trouble` are heard, and each of those after it has one stored event.
fn heard_after(machine: &Machine, trouble: impl FnOnce(&Machine) -> Option<Journald>) {
    let daemon = machine.tool_daemon();
    machine.tool_writes(0..5);
    wait_for("the lines before", || (heard(&daemon, &(0..5)) == 5).then_some(()));
    let _journald = trouble(machine);
    for n in 5..10 {
        machine.tool_writes(n..n + 1);
        wait_for("a line after", || (heard(&daemon, &(n..n + 1)) == 1).then_some(()));
    }
    assert_once_after(machine, &daemon);
}

/// Each of the lines after the trouble has one stored event, and there is no trouble any more.
pub fn assert_once_after(machine: &Machine, daemon: &Daemon) {
    daemon.settle();
    let stored = machine.stored_numbers();
    let after: Vec<_> = stored.values().filter(|(_, n)| (5..10).contains(n)).collect();
    assert!(after.len() == 5 && after.iter().all(|(copies, _)| *copies == 1), "{after:?}\n{}", daemon.log());
    assert_eq!(daemon.status()["trouble"], Value::Null, "{}", daemon.log());
    assert_eq!(daemon.said("are not read"), 0, "{}", daemon.log());
}

const RUN: &str = "/run/log/journal/*/system.journal";

#[test]
fn made_persistent() {
    let Some(machine) = machine("journal made persistent") else { return };
    heard_after(&machine, |machine| {
        run(machine, "mkdir /var/log/journal");
        flush(machine);
        None
    });
}

#[test]
fn made_persistent_by_a_restart() {
    let Some(machine) = machine("journal made persistent by a restart") else { return };
    heard_after(&machine, |machine| {
        let journald = restart(machine, "mkdir /var/log/journal");
        flush(machine);
        journald
    });
}

#[test]
fn persistent_directory_replaced() {
    let Some(machine) = machine("persistent journal replaced") else { return };
    run(&machine, "mkdir /var/log/journal");
    flush(&machine);
    heard_after(&machine, |machine| {
        let journald = restart(machine, "rm -r /var/log/journal && mkdir /var/log/journal");
        flush(machine);
        journald
    });
}

#[test]
fn file_system_mounted_over() {
    let Some(machine) = machine("file system mounted over the journal") else { return };
    run(&machine, "mkdir /var/log/journal");
    flush(&machine);
    heard_after(&machine, |machine| {
        let journald = restart(machine, "mount -t tmpfs tmpfs /var/log && mkdir /var/log/journal");
        flush(machine);
        journald
    });
}

#[test]
fn volatile_directory_removed() {
    let Some(machine) = machine("volatile journal removed") else { return };
    heard_after(&machine, |machine| restart(machine, "rm -r /run/log/journal"));
}

#[test]
fn machine_directory_removed() {
    let Some(machine) = machine("journal of the machine removed") else { return };
    heard_after(&machine, |machine| restart(machine, "rm -r /run/log/journal/*"));
}

#[test]
fn volatile_directory_removed_below_journald() {
    let Some(machine) = machine("volatile journal removed below journald") else { return };
    heard_after(&machine, |machine| {
        run(machine, "rm -r /run/log/journal");
        rotate_into(machine, RUN);
        None
    });
}

#[test]
fn machine_directory_removed_below_journald() {
    let Some(machine) = machine("journal of the machine removed below journald") else { return };
    heard_after(&machine, |machine| {
        run(machine, "rm -r /run/log/journal/*");
        rotate_into(machine, RUN);
        None
    });
}

/// libsystemd keeps the machine id of each thread: reading, read-back and queries need new ones.
#[test]
fn machine_id_changed() {
    let Some(machine) = machine("machine id changed") else { return };
    heard_after(&machine, |machine| {
        let id = machine.path("machine-id").display().to_string();
        restart(
            machine,
            &format!("tr -d - </proc/sys/kernel/random/uuid >{id} && mount --bind {id} /etc/machine-id"),
        )
    });
}

/// The event about deafness, once it is stored.
pub fn report(daemon: &Daemon) -> Value {
    wait_for("the report", || daemon.query(json!({ "event_types": ["PERIPETY_DEAF"] })).into_iter().next())
}

/// A reader that never opens its journal again notices that it is deaf, and says so.
#[test]
fn deafness_is_reported() {
    let Some(machine) = machine("deafness reported") else { return };
    let daemon = machine.tool_daemon_with(&[("PERIPETY_TEST_WITHOUT_REOPEN", "1")]);
    machine.tool_writes(0..5);
    wait_for("the lines before", || (heard(&daemon, &(0..5)) == 5).then_some(()));
    run(&machine, "mkdir /var/log/journal");
    flush(&machine);
    machine.tool_writes(5..10);
    let report = report(&daemon);
    let time = |name: &str| report["extension"][name].as_str().unwrap().parse::<u64>().unwrap();
    assert!(time("until") >= time("since") + 10_000_000, "{report}");
    assert!(report["extension"]["file"].as_str().unwrap().starts_with("/var/log/journal/"), "{report}");
    assert_eq!(report["severity"], "Error");
    let status = daemon.status();
    assert_eq!((&status["caught_up"], &status["times_deaf"]), (&json!(false), &json!(1)), "{status}");
    let trouble = status["trouble"].as_str().unwrap();
    assert!(trouble.starts_with("the local journal is written and not read: entries in /var"), "{trouble}");
    assert_eq!(daemon.said("is written and not read"), 1, "{}", daemon.log());
    assert_eq!(heard(&daemon, &(5..10)), 0, "the repair is disabled");
}

/// journald goes on writing to files that were removed: nobody can read them, and that is reported.
#[test]
fn removed_files_are_reported() {
    let Some(machine) = machine("removed files reported") else { return };
    let daemon = machine.tool_daemon();
    machine.tool_writes(0..5);
    wait_for("the lines before", || (heard(&daemon, &(0..5)) == 5).then_some(()));
    run(&machine, "rm -r /run/log/journal");
    daemon.wait_until_said("its files are gone, restart systemd-journald");
    assert!(daemon.status()["trouble"].is_string());
    machine.end_journald("TERM");
    let _journald = machine.start_journald();
    machine.tool_writes(5..10);
    wait_for("the lines after", || (heard(&daemon, &(5..10)) == 5).then_some(()));
    assert_eq!(report(&daemon)["extension"]["file"], Value::Null);
    wait_for("the end of the trouble", || daemon.status()["trouble"].is_null().then_some(()));
}

/// The store reads its events back from wherever they are, and does not send them again.
#[test]
fn the_store_finds_its_events_where_they_went() {
    let Some(machine) = machine("journal of the store moved") else { return };
    let mut journal = crate::common::LiveJournal::start(machine.path("live.journal"));
    let daemon = machine.following(&journal, &[]);
    journal.write_failures(0..5);
    machine.assert_each_once(&daemon, 0..5);
    run(&machine, "mkdir /var/log/journal");
    flush(&machine);
    journal.write_failures(5..10);
    machine.assert_each_once(&daemon, 0..10);
    assert_eq!(daemon.said("sending it again"), 0, "{}", daemon.log());
}

/// Started before journald: ready at once, and reads when journald runs.
#[test]
fn started_before_journald() {
    let Some(machine) = machine("started before journald") else { return };
    machine.end_journald("KILL");
    run(&machine, "rm -f /run/systemd/journal/socket");
    let daemon = machine.tool_daemon();
    let trouble = wait_for("the trouble", || daemon.status()["trouble"].as_str().map(str::to_owned));
    assert!(trouble.starts_with("waiting for journald"), "{trouble}");
    let refused = daemon.connect().call("Query", json!({})).unwrap_err();
    assert_eq!(refused.0, "io.peripety.Unavailable", "{refused:?}");
    let _journald = machine.start_journald();
    machine.tool_writes(0..5);
    wait_for("the lines", || (daemon.status()["events_stored"] == 5).then_some(()));
    assert!(daemon.status()["trouble"].is_null());
    assert_eq!(heard(&daemon, &(0..5)), 5);
}

/// SIGHUP at any moment of the start is no end.
#[test]
fn reloaded_while_it_starts() {
    let Some(machine) = machine("reloaded while it starts") else { return };
    for _ in 0..20 {
        let mut daemon = machine.spawn_daemon(&[], &[]);
        // As early as its own signal mask can be seen: from then on it must hold.
        wait_for("the program", || {
            let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.child.id())).unwrap();
            let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap().trim();
            let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap().trim();
            let hangup = |mask| u64::from_str_radix(mask, 16).unwrap() & 1 != 0;
            (hangup(ignored) || hangup(caught)).then_some(())
        });
        for _ in 0..20 {
            signal("HUP", daemon.child.id());
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        daemon.wait_until_ready();
        assert!(daemon.terminate().success(), "{}", daemon.log());
    }
}
