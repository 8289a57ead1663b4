//! The state directory in trouble, and two daemons at once.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::common::{self, wait_for, Daemon, LiveJournal, Machine};

/// Longer than the time between two attempts to save.
const ATTEMPTS: Duration = Duration::from_millis(2500);

fn inside(machine: &Machine, script: &str) {
    let out = machine.shell(&format!("cd '{}' && {script}", machine.dir.path().display()));
    assert!(out.status.success(), "{script}: {}", String::from_utf8_lossy(&out.stderr));
}

/// The position saved, seen through the machine's own mounts.
fn saved(machine: &Machine) -> Option<String> {
    let out = machine.shell(&format!("cat '{}'", machine.path("state/position.json").display()));
    let text = String::from_utf8(out.stdout).unwrap();
    serde_json::from_str::<serde_json::Value>(&text).ok().map(|_| text)
}

/// The state directory cannot be written because of `trouble`, until `remedy`: said once, and nothing is
/// lost.
fn unwritable(test: &str, trouble: &str, said: &str, remedy: &str) {
    let Some(machine) = Machine::start(test, &[]) else { return };
    inside(&machine, "mkdir state && mount -t tmpfs -o size=64k tmpfs state");
    let mut journal = LiveJournal::start(machine.path("live.journal"));
    let mut daemon = machine.following(&journal, &[]);
    journal.write_failures(0..10);
    machine.assert_each_once(&daemon, 0..10);
    wait_for("the position", || saved(&machine));
    inside(&machine, trouble);
    for n in 1..=4 {
        journal.write_failures(n * 10..n * 10 + 10);
        std::thread::sleep(ATTEMPTS / 4);
    }
    machine.assert_each_once(&daemon, 0..50);
    daemon.wait_until_said(said);
    assert_eq!(daemon.said("cannot use the state directory"), 1, "{}", daemon.log());
    let before = saved(&machine);
    inside(&machine, remedy);
    journal.write_failures(50..60);
    machine.assert_each_once(&daemon, 0..60);
    wait_for("a new position", || saved(&machine).filter(|text| Some(text) != before.as_ref()));
    assert!(daemon.terminate().success());
    let daemon = machine.following(&journal, &[]);
    journal.write_failures(60..70);
    machine.assert_each_once(&daemon, 0..70);
    assert_eq!(daemon.settle()["events_stored"], 10);
}

#[test]
fn a_full_disk() {
    unwritable(
        "full disk",
        "{ cat /dev/zero >state/rubbish || true; } 2>/dev/null",
        "No space left on device (os error 28); free some space there",
        "rm state/rubbish",
    );
}

#[test]
fn a_disk_that_became_read_only() {
    unwritable(
        "read-only disk",
        "mount -o remount,ro state",
        "Read-only file system (os error 30); make it writable, or name another with --state-directory",
        "mount -o remount,rw state",
    );
}

#[test]
fn a_removed_state_directory_is_made_again() {
    let Some(machine) = Machine::start("removed state directory", &[]) else { return };
    let mut journal = LiveJournal::start(machine.path("live.journal"));
    let mut daemon = machine.following(&journal, &[]);
    journal.write_failures(0..10);
    machine.assert_each_once(&daemon, 0..10);
    wait_for("the position", || saved(&machine));
    std::fs::remove_dir_all(machine.path("state")).unwrap();
    journal.write_failures(10..20);
    wait_for("the position again", || saved(&machine));
    machine.assert_each_once(&daemon, 0..20);
    // It is held again, too.
    let second = second(&machine, &journal, "state", "sock2");
    assert!(text(&second).contains("another peripetyd already uses the state directory"), "{second:?}");
    assert!(daemon.terminate().success());
    let daemon = machine.following(&journal, &[]);
    machine.assert_each_once(&daemon, 0..20);
    assert_eq!(daemon.settle()["events_stored"], 0);
}

#[test]
fn a_damaged_position_is_passed_over() {
    let Some(machine) = Machine::start("damaged position", &[]) else { return };
    let mut journal = LiveJournal::start(machine.path("live.journal"));
    let mut daemon = machine.following(&journal, &[]);
    let file = machine.path("state/position.json");
    let cursor = "a journald has never written this";
    let strange = format!(
        r#"{{"version":1,"journal":"journal file {}","resume":{{"position":{{"cursor":"{cursor}","boot_id":"","monotonic":0,"realtime":0}},"done":true,"stored":"{cursor}"}}}}"#,
        journal.file.display()
    );
    let damages: [&[u8]; 5] = [b"", b"{\"version\":1,\"jour", b"\0\xff\xfe", b"[]", strange.as_bytes()];
    for (n, damage) in damages.into_iter().enumerate() {
        journal.write_failures(n * 10..n * 10 + 10);
        machine.assert_each_once(&daemon, 0..n * 10 + 10);
        assert!(daemon.terminate().success());
        std::fs::write(&file, damage).unwrap();
        daemon = machine.following(&journal, &[]);
        machine.assert_each_once(&daemon, 0..n * 10 + 10);
        assert_eq!(daemon.settle()["events_stored"], 0, "{damage:?}\n{}", daemon.log());
    }
    let said = "position.json is damaged";
    assert_eq!(daemon.said(said), damages.len(), "{}", daemon.log());
}

/// Starts a second daemon with this state directory and socket; it must end by itself.
fn second(machine: &Machine, journal: &LiveJournal, state: &str, socket: &str) -> Output {
    command(machine, &journal.file, state, socket).output().unwrap()
}

fn command(machine: &Machine, journal: &Path, state: &str, socket: &str) -> Command {
    let mut command = machine.command("timeout");
    command.args(["20", env!("CARGO_BIN_EXE_peripetyd"), "--varlink"]);
    command.arg(format!("unix:{}", machine.path(socket).display()));
    command.arg("--state-directory").arg(machine.path(state)).arg("--journal-file").arg(journal);
    command.stdin(Stdio::null());
    command
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_second_daemon_ends_and_the_first_is_unharmed() {
    let Some(machine) = Machine::start("two daemons", &[]) else { return };
    let mut journal = LiveJournal::start(machine.path("live.journal"));
    let daemon = machine.following(&journal, &[]);
    let state = machine.path("state");
    for (state, socket, said) in [
        ("state", "sock2", format!("peripetyd: another peripetyd already uses the state directory {}; stop it, or name another directory with --state-directory", state.display())),
        ("state2", "sock", format!("peripetyd: another service already listens on {}; stop it, or choose another address with --varlink", daemon.address())),
    ] {
        let second = second(&machine, &journal, state, socket);
        assert_eq!(second.status.code(), Some(1), "{second:?}");
        assert_eq!(text(&second).trim_end(), said);
    }
    journal.write_failures(0..10);
    machine.assert_each_once(&daemon, 0..10);
}

/// Started at the same moment, over the socket that a killed daemon left: exactly one stays.
#[test]
fn of_two_daemons_started_at_once_one_stays() {
    let Some(machine) = Machine::start("two daemons at once", &[]) else { return };
    let journal = LiveJournal::start(machine.path("live.journal"));
    for round in 0..5 {
        let states = if round % 2 == 0 { ["a", "b"] } else { ["a", "a"] };
        let start =
            |state| command(&machine, &journal.file, state, "race").stderr(Stdio::null()).spawn().unwrap();
        let mut both = states.map(start);
        let ended =
            wait_for("the end of one", || both.iter_mut().position(|d| d.try_wait().unwrap().is_some()));
        assert_eq!(both[ended].wait().unwrap().code(), Some(1));
        let other = &mut both[1 - ended];
        let stays = Daemon::status_at(&machine.path("race"));
        assert!(stays["version"].is_string());
        assert!(other.try_wait().unwrap().is_none());
        common::signal("KILL", daemon_of(other.id()));
        other.wait().unwrap();
    }
}

/// The process below timeout(1).
fn daemon_of(timeout: u32) -> u32 {
    let children = std::fs::read_to_string(format!("/proc/{timeout}/task/{timeout}/children")).unwrap();
    children.trim().parse().unwrap()
}
