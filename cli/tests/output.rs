//! The other end of standard output: a pipe that closes, a full disk, a terminal.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::fd::OwnedFd;
use std::process::Stdio;

use common::{event, last, more, wait, Daemon, Step, EVENT_LINE};
use serde_json::json;

#[test]
fn monitor_prints_at_once_and_ends_with_its_reader() {
    let daemon = Daemon::start(vec![
        Step::Send(more(json!({}))),
        Step::Send(more(json!({ "event": event(0) }))),
        Step::Hold,
    ]);
    let mut child = daemon.prpt(&["monitor"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert_eq!(line, EVENT_LINE, "printed while the call goes on");
    assert!(child.try_wait().unwrap().is_none(), "still following");
    drop(reader);
    assert_eq!(wait(&mut child).code(), Some(0), "no event had to come for it");
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "");
}

#[test]
fn query_prints_each_batch_as_it_arrives() {
    let daemon = Daemon::start(vec![Step::Send(more(json!({ "events": [event(0)] }))), Step::Hold]);
    let mut child = daemon.prpt(&["query"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, EVENT_LINE);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn query_into_a_closed_pipe_ends_well() {
    for format in ["short", "json", "json-pretty", "json-seq"] {
        let events: Vec<_> = (0..2000).map(event).collect();
        let daemon = Daemon::answering(vec![last(json!({ "events": events }))]);
        let mut command = daemon.prpt(&["query", "-o", format]);
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        drop(reader);
        let outcome = run_into(&mut command, writer);
        assert_eq!(outcome, (Some(0), String::new()), "{format}");
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let daemon = Daemon::answering(vec![last(json!({ "events": [event(0)] }))]);
    let full = File::options().write(true).open("/dev/full").unwrap();
    let (code, said) = run_into(&mut daemon.prpt(&["query"]), full.into());
    assert_eq!(code, Some(1));
    assert!(said.contains("cannot write the output: No space left on device"), "{said}");
}

#[test]
fn ctrl_c_ends_monitor_silently() {
    use std::os::unix::process::ExitStatusExt;
    let daemon = Daemon::start(vec![Step::Send(more(json!({ "event": event(0) }))), Step::Hold]);
    // The tests may have been started with SIGINT ignored, as in the background.
    let prpt = daemon.prpt(&["monitor"]);
    let mut child = std::process::Command::new("env")
        .arg("--default-signal=INT")
        .arg(prpt.get_program())
        .args(prpt.get_args())
        .envs(prpt.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut String::new()).unwrap();
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    assert_eq!(wait(&mut child).signal(), Some(2));
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "");
}

#[test]
fn a_terminal_gets_colour_unless_it_does_not_want_it() {
    let xterm = ("TERM", "xterm");
    let cases = [
        ("auto", vec![xterm], true),
        ("auto", vec![xterm, ("NO_COLOR", "1")], false),
        ("auto", vec![xterm, ("NO_COLOR", "")], true),
        ("auto", vec![("TERM", "dumb")], false),
        ("never", vec![xterm], false),
        ("always", vec![xterm, ("NO_COLOR", "1")], true),
    ];
    for (when, environment, expected) in cases {
        let daemon = Daemon::answering(vec![last(json!({ "events": [event(0)] }))]);
        let text = on_terminal(&daemon, &["query", "--color", when], &environment);
        assert!(text.contains("Path 8:48 failed"), "{text:?}");
        assert_eq!(text.contains("\x1b[33m"), expected, "{environment:?}: {text:?}");
    }
}

#[test]
fn people_are_told_that_nothing_was_found() {
    let daemon = Daemon::answering(vec![last(json!({ "events": [] }))]);
    assert_eq!(on_terminal(&daemon, &["query"], &[]), "-- No entries --\r\n");
}

fn run_into(command: &mut std::process::Command, stdout: OwnedFd) -> (Option<i32>, String) {
    let output = command.stdout(stdout).stderr(Stdio::piped()).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// What a terminal shows when both outputs go to it.
fn on_terminal(daemon: &Daemon, args: &[&str], environment: &[(&str, &str)]) -> String {
    use rustix::pty::{grantpt, openpt, ptsname, unlockpt, OpenptFlags};
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
    let screen = openpt(flags).unwrap();
    grantpt(&screen).unwrap();
    unlockpt(&screen).unwrap();
    let name = ptsname(&screen, Vec::new()).unwrap().into_string().unwrap();
    let terminal = File::options().read(true).write(true).open(name).unwrap();

    let mut command = daemon.prpt(args);
    command.envs(environment.iter().copied());
    command.stdout(terminal.try_clone().unwrap()).stderr(terminal);
    let mut child = command.spawn().unwrap();
    // The terminal closes with its last holder.
    drop(command);
    let mut text = Vec::new();
    // Reading ends with EIO when the terminal has closed.
    _ = File::from(screen).read_to_end(&mut text);
    assert_eq!(wait(&mut child).code(), Some(0));
    String::from_utf8(text).unwrap()
}
