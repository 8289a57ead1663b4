//! Signals, readers that go away, and too few file descriptors.

use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::common::{signal, wait_for, Client, Daemon, LiveJournal, Machine};
use serde_json::json;

/// Ended by a signal in the middle of a burst: exit status 0, and the next run makes what is missing.
fn ended_by(name: &str) {
    let Some(machine) = Machine::start(name, &[]) else { return };
    let mut journal = LiveJournal::start(machine.path("live.journal"));
    let mut daemon = machine.following(&journal, &[]);
    journal.write_failures(0..10);
    machine.assert_each_once(&daemon, 0..10);
    journal.write_failures(10..300);
    signal(name, daemon.child.id());
    let status = daemon.child.wait().unwrap();
    assert_eq!(status.code(), Some(0), "{}", daemon.log());
    let saved = std::fs::read_to_string(machine.path("state/position.json")).unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(&saved).unwrap()["resume"]["position"].is_object());
    let daemon = machine.following(&journal, &[]);
    machine.assert_each_once(&daemon, 0..300);
}

#[test]
fn ended_by_sigterm() {
    ended_by("TERM");
}

#[test]
fn ended_by_sigint() {
    ended_by("INT");
}

/// A daemon whose standard output and error go to pipes.
fn piped(machine: &Machine, journal: &LiveJournal, log_too: bool) -> Child {
    let mut command = machine.command(env!("CARGO_BIN_EXE_peripetyd"));
    command.arg("--varlink").arg(format!("unix:{}", machine.path("sock").display()));
    command.arg("--state-directory").arg(machine.path("state")).arg("--journal-file").arg(&journal.file);
    command.arg("--stdout").stdin(Stdio::null()).stdout(Stdio::piped());
    let log = std::fs::File::create(machine.path("peripetyd.log")).unwrap();
    command.stderr(if log_too { Stdio::piped() } else { log.into() });
    command.spawn().unwrap()
}

/// As [`Machine::daemon`] gives it.
fn as_daemon(machine: &Machine, child: Child) -> Daemon {
    let daemon = Daemon { child, socket: machine.path("sock"), log: machine.path("peripetyd.log") };
    Daemon::status_at(&daemon.socket);
    daemon
}

#[test]
fn nobody_reads_the_standard_output_any_more() {
    let Some(machine) = Machine::start("closed stdout", &[]) else { return };
    let mut journal = LiveJournal::start(machine.path("live.journal"));
    let mut child = piped(&machine, &journal, false);
    drop(child.stdout.take());
    let daemon = as_daemon(&machine, child);
    for n in 0..3 {
        journal.write_failures(n * 10..n * 10 + 10);
        machine.assert_each_once(&daemon, 0..n * 10 + 10);
    }
    assert_eq!(daemon.said("nobody reads the standard output any more"), 1, "{}", daemon.log());
}

#[test]
fn nobody_reads_the_log_any_more() {
    let Some(machine) = Machine::start("closed stderr", &[]) else { return };
    let mut journal = LiveJournal::start(machine.path("live.journal"));
    let mut child = piped(&machine, &journal, true);
    drop((child.stdout.take(), child.stderr.take()));
    let mut daemon = as_daemon(&machine, child);
    // The end of notify_stdout is a line of the log.
    journal.write_failures(0..10);
    machine.assert_each_once(&daemon, 0..10);
    // So is this.
    signal("HUP", daemon.child.id());
    journal.write_failures(10..20);
    machine.assert_each_once(&daemon, 0..20);
    assert_eq!(daemon.terminate().code(), Some(0));
}

#[test]
fn a_hundred_clients_and_64_descriptors() {
    let Some(machine) = Machine::start("64 descriptors", &[]) else { return };
    let mut journal = LiveJournal::start(machine.path("live.journal"));
    let mut command: Command = machine.command("bash");
    command.args(["-c", "ulimit -n 64; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_peripetyd"), "--varlink"]);
    command.arg(format!("unix:{}", machine.path("sock").display()));
    command.arg("--state-directory").arg(machine.path("state")).arg("--journal-file").arg(&journal.file);
    let log = std::fs::File::create(machine.path("peripetyd.log")).unwrap();
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    let daemon = as_daemon(&machine, command.spawn().unwrap());
    journal.write_failures(0..10);
    machine.assert_each_once(&daemon, 0..10);

    let clients: Vec<UnixStream> = (0..100).map(|_| UnixStream::connect(&daemon.socket).unwrap()).collect();
    daemon.wait_until_said("Varlink connections refused");
    // What it is there for goes on, also when journald begins a new file.
    signal("USR2", machine.journald());
    journal.write_failures(10..20);
    wait_for("the events", || (machine.stored_numbers().len() == 20).then_some(()));
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(daemon.said("Varlink connections"), 1, "said once\n{}", daemon.log());

    drop(clients);
    std::thread::sleep(Duration::from_millis(500));
    let served = || {
        let mut client = Client::connect(&daemon.socket);
        client.request("GetStatus", json!({}), false);
        client.receive()
    };
    let status = wait_for("a free connection", served);
    assert_eq!(status["parameters"]["status"]["events_not_stored"], 0, "{status}");
    assert_eq!(daemon.query(json!({})).len(), 20);
    machine.assert_each_once(&daemon, 0..20);
}
