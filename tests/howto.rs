//! What README's quick start and `make help` promise works as written.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError};

use rustix::process::{kill_process, kill_process_group, Pid, Signal};

use crate::common::{now, program, project, skip, wait_for, Machine, TIMEOUT};

fn text(path: &str) -> String {
    std::fs::read_to_string(project(path)).unwrap()
}

/// The commands of the section "Quick start": the indented lines, without their comments.
fn quick_start() -> Vec<String> {
    let readme = text("README.md");
    let (_, section) = readme.split_once("## Quick start\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let commands = section.lines().filter_map(|line| line.strip_prefix("    "));
    commands.map(|line| line.split(" #").next().unwrap().trim().to_owned()).collect()
}

#[test]
fn help_lists_every_target() {
    let makefile = text("Makefile");
    let targets = makefile.lines().find_map(|line| line.strip_prefix(".PHONY: ")).unwrap();
    let targets: BTreeSet<&str> = targets.split(' ').collect();
    let out = Command::new("make")
        .arg("help")
        .current_dir(project(""))
        .env_remove("MAKEFLAGS")
        .env_remove("MAKELEVEL")
        .output()
        .unwrap();
    let help = String::from_utf8(out.stdout).unwrap();
    let listed: BTreeSet<&str> = help
        .lines()
        .map(|line| line.trim().strip_prefix("make ").unwrap().split(' ').next().unwrap())
        .collect();
    assert_eq!(listed, targets);
    for command in quick_start().iter().filter_map(|command| command.strip_prefix("make ")) {
        assert!(targets.contains(command.split(' ').next().unwrap()), "README: make {command}");
    }
}

#[test]
fn make_alone_builds_the_programs() {
    let make = |target: &[&str]| {
        let mut make = Command::new("make");
        let out = make
            .arg("--dry-run")
            .args(target)
            .current_dir(project(""))
            .env_remove("MAKEFLAGS")
            .env_remove("MAKELEVEL")
            .output();
        String::from_utf8(out.unwrap().stdout).unwrap()
    };
    assert!(quick_start().contains(&"make".to_owned()));
    assert_eq!(make(&[]), make(&["build"]));
    assert!(make(&[]).contains("build --release --workspace"));
}

/// `make run` in the foreground, as at a terminal; ended when dropped.
struct Run {
    make: Child,
    lines: Receiver<String>,
    output: String,
    ended: bool,
}

impl Run {
    fn start(machine: &Machine, arguments: &[&str]) -> Self {
        let programs = program("prpt").parent().unwrap().display().to_string();
        let mut make = machine
            .command("make")
            .args(["--no-print-directory", "run", &format!("PROGRAMS={programs}")])
            .args(arguments)
            .env_remove("MAKEFLAGS")
            .env_remove("MAKELEVEL")
            .env("TMPDIR", machine.dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A Ctrl-C at a terminal goes to all processes of the group.
            .process_group(0)
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let readers: [Box<dyn std::io::Read + Send>; 2] =
            [Box::new(make.stdout.take().unwrap()), Box::new(make.stderr.take().unwrap())];
        for reader in readers {
            let sender = sender.clone();
            std::thread::spawn(move || {
                BufReader::new(reader).lines().map_while(Result::ok).all(|line| sender.send(line).is_ok())
            });
        }
        Run { make, lines, output: String::new(), ended: false }
    }

    /// The next line with this text.
    fn line(&mut self, wanted: &str) -> String {
        loop {
            let line =
                self.lines.recv_timeout(TIMEOUT).unwrap_or_else(|e| panic!("{wanted}: {e}\n{}", self.output));
            self.output += &(line.clone() + "\n");
            if line.contains(wanted) {
                return line;
            }
        }
    }

    /// Sends a signal to make, as kill(1) does, or to all processes, as a terminal does, and gives the whole output.
    fn end(mut self, signal: Signal) -> String {
        match signal {
            Signal::INT => kill_process_group(self.group(), signal).unwrap(),
            signal => kill_process(self.group(), signal).unwrap(),
        }
        loop {
            match self.lines.recv_timeout(TIMEOUT) {
                Ok(line) => self.output += &(line + "\n"),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end: {}", self.output),
            }
        }
        self.make.wait().unwrap();
        self.ended = true;
        std::mem::take(&mut self.output)
    }

    fn group(&self) -> Pid {
        Pid::from_child(&self.make)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if !self.ended {
            let _ = kill_process_group(self.group(), Signal::KILL);
            let _ = self.make.wait();
        }
    }
}

/// Runs a command in the second terminal until it succeeds and prints `wanted`, and gives its output.
fn second_terminal(machine: &Machine, address: &str, command: &str, wanted: &str) -> String {
    wait_for(&format!("\"{wanted}\" from {command}"), || {
        let mut shell = machine.command("bash");
        let out = shell.args(["-c", command]).env("PERIPETY_ADDRESS", address).output().unwrap();
        let output = String::from_utf8(out.stdout).unwrap();
        (out.status.success() && output.contains(wanted)).then_some(output)
    })
}

/// `make run` plays the incident, its hints work, and when it is killed it leaves nothing behind and complains about nothing.
#[test]
fn make_run_plays_an_incident_and_ends_cleanly() {
    let test = "make_run_plays_an_incident_and_ends_cleanly";
    let Some(machine) = Machine::start(test, &[]) else { return };
    for signal in [Signal::INT, Signal::TERM] {
        let mut run = Run::start(&machine, &[]);
        run.line("Playing a recorded incident");
        let address = run.line("export PERIPETY_ADDRESS=");
        let address = address.split_once('=').unwrap().1.to_owned();
        let query = run.line("prpt query").split(" #").next().unwrap().trim().to_owned();
        let list = run.line("prpt list").split(" #").next().unwrap().trim().to_owned();
        run.line("FS_IO_ERROR");
        second_terminal(&machine, &address, &query, "/mnt/d2");
        second_terminal(&machine, &address, &list, "mpathb");
        let directory = Path::new(address.strip_prefix("unix:").unwrap()).parent().unwrap().to_owned();
        assert!(directory.exists());
        let output = run.end(signal);
        assert!(!directory.exists(), "{output}");
        let is_complaint = |line: &&str| ["WARN", "ERROR"].iter().any(|level| line.trim().starts_with(level));
        assert_eq!(output.lines().find(is_complaint), None, "{output}");
    }
}

/// The commands for the second terminal, as README gives them, see an event that a trigger script of README causes.
#[test]
fn a_trigger_script_causes_an_event() {
    let test = "a_trigger_script_causes_an_event";
    if !rustix::process::geteuid().is_root() {
        return skip(test, "only root can mount");
    }
    let Some(machine) = Machine::start(test, &["--kmsg"]) else { return };
    let mut run = Run::start(&machine, &["LIVE=1"]);
    let address = run.line("export PERIPETY_ADDRESS=").split_once('=').unwrap().1.to_owned();
    let commands = quick_start();
    let command = |start: &str| commands.iter().rfind(|command| command.starts_with(start)).unwrap().clone();
    // The tests run the programs that cargo built for them.
    let programs = program("prpt").parent().unwrap().display().to_string();
    let query = command("target/release/prpt query --").replace("target/release", &programs);
    second_terminal(&machine, &address, &query, "");
    let before = now();
    let script = machine.command("bash").args(["-c", &command("tests/")]).output().unwrap();
    let output = String::from_utf8_lossy(&script.stdout) + String::from_utf8_lossy(&script.stderr);
    if !script.status.success() {
        let reason = output.lines().last().unwrap_or_default();
        let missing =
            ["cannot mount", "is missing", "losetup: "].iter().any(|reason| output.contains(reason));
        assert!(missing, "{output}");
        return skip(test, reason);
    }
    // The kernel's log may have the same message of an earlier run.
    let query = format!("{query} --since @{}", before / 1_000_000);
    let events = second_terminal(&machine, &address, &query, "a test of Peripety");
    let event = events.lines().find(|line| line.contains("a test of Peripety")).unwrap();
    assert!(event.contains("Critical") && event.contains("/dev/loop"), "{event}");
    run.end(Signal::TERM);
}
