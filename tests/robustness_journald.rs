//! journald stops, dies, rotates, vacuums and flushes: no event is lost, none is stored twice.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::common::{signal, wait_for, Daemon, LiveJournal, Machine, StandsStill};
use serde_json::json;

/// Calls `write` for one number after the other, 500 a second, while `trouble` is made. Returns how
/// many there were.
fn under_load(mut write: impl FnMut(std::ops::Range<usize>) + Send, trouble: impl FnOnce()) -> usize {
    let (stop, written) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let n = written.fetch_add(1, Ordering::Relaxed);
                write(n..n + 1);
                std::thread::sleep(Duration::from_millis(2));
            }
        });
        // Whatever comes of it, the writer must end.
        let made = std::panic::catch_unwind(std::panic::AssertUnwindSafe(trouble));
        stop.store(true, Ordering::Relaxed);
        made.unwrap_or_else(|failure| std::panic::resume_unwind(failure));
    });
    written.into_inner()
}

fn pause(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}

/// Waits until journald has an archived journal file more than before, after `ask`.
fn rotate(machine: &Machine) {
    let archived = || {
        let out = machine.shell("ls /run/log/journal/*/system@*.journal /var/log/journal/*/system@*.journal");
        String::from_utf8(out.stdout).unwrap().lines().count()
    };
    let before = archived();
    signal("USR2", machine.journald());
    wait_for("the rotation", || (archived() > before).then_some(()));
}

#[test]
fn stopped_in_a_burst() {
    let Some(machine) = Machine::start("journald stopped", &[]) else { return };
    let mut journal = LiveJournal::start(machine.path("live.journal"));
    let daemon = machine.following(&journal, &[]);
    let lines = under_load(
        |numbers| journal.write_failures(numbers),
        || {
            pause(300);
            let still = StandsStill::begin(&machine);
            pause(3000);
            assert!(daemon.status()["caught_up"].is_boolean(), "it answers meanwhile");
            drop(still);
            pause(300);
        },
    );
    machine.assert_each_once(&daemon, 0..lines);
    assert_eq!(daemon.said("journald does not read what is sent to it: waiting, nothing is lost"), 1);
    assert_eq!(daemon.said("journald accepts events again"), 1);
}

/// One event that journald does not read is mentioned, too: it fits into the socket's queue.
#[test]
fn stopped_before_a_single_event() {
    let Some(machine) = Machine::start("journald stopped, one event", &[]) else { return };
    let mut journal = LiveJournal::start(machine.path("live.journal"));
    let daemon = machine.following(&journal, &[]);
    daemon.settle();
    let still = StandsStill::begin(&machine);
    journal.write_failures(0..1);
    daemon.wait_until_said("journald does not read what is sent to it: waiting, nothing is lost");
    drop(still);
    machine.assert_each_once(&daemon, 0..1);
    daemon.wait_until_said("journald accepts events again");
}

#[test]
fn stopped_before_the_daemon_starts() {
    let Some(machine) = Machine::start("journald stopped at the start", &[]) else { return };
    let mut journal = LiveJournal::start(machine.path("live.journal"));
    journal.write_failures(0..5);
    let still = StandsStill::begin(&machine);
    let daemon = machine.following(&journal, &[]);
    daemon.wait_until_said("journald does not read what is sent to it: waiting, nothing is lost");
    drop(still);
    machine.assert_each_once(&daemon, 0..5);
}

#[test]
fn killed_and_started_again_in_a_burst() {
    let Some(machine) = Machine::start("journald killed", &[]) else { return };
    let mut journal = LiveJournal::start(machine.path("live.journal"));
    let daemon = machine.following(&journal, &[]);
    let mut journald = None;
    let lines = under_load(
        |numbers| journal.write_failures(numbers),
        || {
            for (times, ending) in [(1, "KILL"), (2, "TERM")] {
                pause(300);
                machine.end_journald(ending);
                daemon.wait_until_said_times("journald does not take events", times);
                journald = Some(machine.start_journald());
                daemon.wait_until_said_times("journald accepts events again", times);
            }
        },
    );
    machine.assert_each_once(&daemon, 0..lines);
    assert_eq!(daemon.said("journald accepts events again"), 2, "{}", daemon.log());
}

/// The numbers of the events that a monitor receives, up to `lines` of them.
fn monitored(daemon: &Daemon, lines: usize) -> Vec<usize> {
    let replies = daemon.connect().call_more("Monitor", json!({ "since": 0, "limit": lines })).unwrap();
    let kdev = |reply: &serde_json::Value| Some(reply["event"]["kdev"].as_str()?[2..].parse().unwrap());
    replies.iter().filter_map(kdev).collect()
}

#[test]
fn rotated_and_vacuumed_under_load() {
    let Some(machine) = Machine::start("journal rotated", &[]) else { return };
    let mut daemon = machine.tool_daemon();
    let mut monitor = daemon.connect();
    monitor.request("Monitor", json!({}), true);
    monitor.receive().unwrap();
    let lines = under_load(
        |numbers| machine.tool_writes(numbers),
        || {
            for _ in 0..6 {
                pause(250);
                rotate(&machine);
                let vacuumed = machine.shell("journalctl --vacuum-files=2");
                assert!(vacuumed.status.success());
            }
        },
    );
    wait_for("every line's event", || {
        (daemon.settle()["events_stored"].as_u64() >= Some(lines as u64)).then_some(())
    });
    let status = daemon.status();
    assert_eq!((&status["events_stored"], &status["events"]), (&json!(lines), &json!(lines)), "{status}");
    let mut numbers = Vec::new();
    while numbers.len() < lines {
        let reply = monitor.receive().unwrap();
        let event = &reply["parameters"]["event"];
        numbers.extend(event["kdev"].as_str().map(|kdev| kdev[2..].parse::<usize>().unwrap()));
    }
    assert_eq!(numbers, (0..lines).collect::<Vec<_>>());
    let kept = machine.stored_numbers();
    assert!(kept.len() < lines, "nothing was vacuumed");
    assert!(daemon.terminate().success());
    let daemon = machine.tool_daemon();
    assert_eq!(daemon.settle()["events_stored"], 0, "{}", daemon.log());
    assert_eq!(machine.stored_numbers(), kept);
}

/// Entries that were removed while the daemon did not run: the next one says so, and makes an event of it.
#[test]
fn vacuumed_unread() {
    let Some(machine) = Machine::start("journal vacuumed unread", &[]) else { return };
    let mut daemon = machine.tool_daemon();
    machine.tool_writes(0..10);
    machine.assert_each_once(&daemon, 0..10);
    assert!(daemon.terminate().success());
    machine.tool_writes(10..20);
    // journald takes a signal before what waits in its socket: lines that it has not read would be in the new file.
    let written = || machine.journal("SYSLOG_IDENTIFIER=wearctl").len() == 20;
    wait_for("the lines in the journal", || written().then_some(()));
    rotate(&machine);
    assert!(machine.shell("rm /run/log/journal/*/system@*.journal").status.success());
    machine.tool_writes(20..30);
    let daemon = machine.tool_daemon();
    daemon.wait_until_said("may have been removed unread");
    wait_for("the gap and the lines behind it", || {
        (daemon
            .query(json!({}))
            .iter()
            .filter(|event| event["event_type"] == "JOURNAL_ENTRIES_REMOVED_UNREAD")
            .count()
            == 1)
            .then_some(())
    });
    daemon.settle();
    let events = daemon.query(json!({ "sub_systems": ["wear"] }));
    let kdevs: Vec<&str> = events.iter().filter_map(|event| event["kdev"].as_str()).collect();
    assert_eq!(kdevs, (20..30).map(|n| format!("8:{n}")).collect::<Vec<_>>());
}

/// A directory of journald's for files that stay: the machine's own is not touched.
fn with_storage(test: &str) -> Option<Machine> {
    let machine = Machine::start(test, &["Storage=auto"])?;
    let made = machine.shell("mount -t tmpfs tmpfs /var/log && mkdir /var/log/journal");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Some(machine)
}

fn flush(machine: &Machine) {
    signal("USR1", machine.journald());
    let script = "test -e /run/systemd/journal/flushed && ls /var/log/journal/*/system.journal && ! ls /run/log/journal/*/system.journal";
    wait_for("the flush", || machine.shell(script).status.success().then_some(()));
}

#[test]
fn flushed_under_load() {
    let Some(machine) = with_storage("journal flushed") else { return };
    let mut daemon = machine.tool_daemon();
    let lines = under_load(
        |numbers| machine.tool_writes(numbers),
        || {
            pause(400);
            flush(&machine);
            pause(400);
        },
    );
    machine.assert_each_once(&daemon, 0..lines);
    assert!(daemon.terminate().success());
    let daemon = machine.tool_daemon();
    machine.tool_writes(lines..lines + 20);
    machine.assert_each_once(&daemon, 0..lines + 20);
    assert_eq!(daemon.settle()["events_stored"], 20);
}

#[test]
fn flushed_while_the_daemon_was_dead() {
    let Some(machine) = with_storage("journal flushed unseen") else { return };
    let mut daemon = machine.tool_daemon();
    machine.tool_writes(0..200);
    wait_for("some events", || (daemon.status()["events_stored"].as_u64() > Some(20)).then_some(()));
    daemon.kill();
    machine.tool_writes(200..220);
    flush(&machine);
    machine.tool_writes(220..240);
    let daemon = machine.tool_daemon();
    machine.assert_each_once(&daemon, 0..240);
    assert_eq!(monitored(&daemon, 240).len(), 240);
    assert_eq!(daemon.said("removed unread"), 0, "{}", daemon.log());
}
