//! The directory or the file that the daemon was given moves, goes and comes back, as the machine's journal does in
//! `robustness_deaf.rs`.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::common::{wait_for, Daemon, LiveJournal, Machine};
use crate::robustness_deaf::{assert_once_after, heard, report, run};

/// What the daemon is given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Given {
    Directory,
    File,
}

/// A machine with a directory that holds one growing file.
struct Case {
    machine: Machine,
    directory: PathBuf,
}

impl Case {
    fn new(test: &str) -> Option<Self> {
        let machine = Machine::start(test, &[])?;
        let directory = machine.path("given");
        std::fs::create_dir(&directory).unwrap();
        Some(Case { machine, directory })
    }

    fn file(&self) -> PathBuf {
        self.directory.join("live.journal")
    }

    fn daemon(&self, given: Given, environment: &[(&str, &str)]) -> Daemon {
        let (directory, file) = (self.directory.display().to_string(), self.file().display().to_string());
        let rule = self.machine.tool_rule();
        let source = match given {
            Given::Directory => ["--journal-directory", &directory],
            Given::File => ["--journal-file", &file],
        };
        let arguments = [&rule.each_ref().map(String::as_str)[..], &source].concat();
        let mut daemon = self.machine.spawn_daemon(&arguments, environment);
        daemon.wait_until_ready();
        daemon
    }
}

/// Lines before and after `trouble` are heard, and each of those after it has one stored event. `trouble` gives the journal in
/// which the writer goes on.
fn heard_after(test: &str, given: Given, trouble: impl FnOnce(&Case, &mut LiveJournal) -> LiveJournal) {
    let Some(case) = Case::new(test) else { return };
    let mut old = LiveJournal::start(case.file());
    let daemon = case.daemon(given, &[]);
    old.write_failures(0..5);
    wait_for("the lines before", || (heard(&daemon, &(0..5)) == 5).then_some(()));
    let mut new = trouble(&case, &mut old);
    for n in 5..10 {
        new.write_failures(n..n + 1);
        wait_for("a line after", || (heard(&daemon, &(n..n + 1)) == 1).then_some(()));
    }
    wait_for("the end of the trouble", || daemon.status()["trouble"].is_null().then_some(()));
    assert_once_after(&case.machine, &daemon);
}

fn rename(from: &Path, to: &Path) {
    std::fs::rename(from, to).unwrap();
}

#[test]
fn directory_replaced() {
    heard_after("given directory replaced", Given::Directory, |case, old| {
        rename(&case.directory, &case.machine.path("old"));
        std::fs::create_dir(&case.directory).unwrap();
        old.next(case.file())
    });
}

#[test]
fn directory_removed_and_made_again() {
    heard_after("given directory removed", Given::Directory, |case, old| {
        std::fs::remove_dir_all(&case.directory).unwrap();
        // Nothing comes while it is away, which is said.
        wait_for("the error", || {
            let log = std::fs::read_to_string(case.machine.path("peripetyd.log")).unwrap();
            log.contains("cannot open the journal directory").then_some(())
        });
        std::fs::create_dir(&case.directory).unwrap();
        old.next(case.file())
    });
}

#[test]
fn file_system_mounted_over_a_directory() {
    heard_after("file system mounted over a given directory", Given::Directory, |case, old| {
        run(&case.machine, &format!("mount -t tmpfs tmpfs {}", case.directory.display()));
        // The mount is the machine's only.
        let inside = case.machine.root().join(case.directory.strip_prefix("/").unwrap());
        old.next(inside.join("live.journal"))
    });
}

/// journald writes below a directory that is named after the machine.
#[test]
fn directory_of_a_machine_made() {
    heard_after("directory of a machine made in a given directory", Given::Directory, |case, old| {
        let below = case.directory.join("0123456789abcdef0123456789abcdef");
        std::fs::create_dir(&below).unwrap();
        old.next(below.join("live.journal"))
    });
}

#[test]
fn directory_of_a_machine_replaced() {
    let test = "directory of a machine replaced in a given directory";
    heard_after(test, Given::Directory, |case, old| {
        let below = case.directory.join("0123456789abcdef0123456789abcdef");
        std::fs::create_dir(&below).unwrap();
        let mut first = old.next(below.join("live.journal"));
        first.write(["another line that no rule knows".to_owned()]);
        rename(&below, &case.machine.path("old"));
        std::fs::create_dir(&below).unwrap();
        first.next(below.join("live.journal"))
    });
}

/// As journald rotates.
#[test]
fn file_moved_away() {
    heard_after("given file moved away", Given::File, |case, old| {
        rename(&case.file(), &case.directory.join("old.journal"));
        old.next(case.file())
    });
}

#[test]
fn file_replaced() {
    heard_after("given file replaced", Given::File, |case, old| {
        let new = old.next(case.directory.join("new.journal"));
        rename(&case.directory.join("new.journal"), &case.file());
        new
    });
}

#[test]
fn file_removed_and_made_again() {
    heard_after("given file removed", Given::File, |case, old| {
        std::fs::remove_file(case.file()).unwrap();
        old.next(case.file())
    });
}

/// Pages that are mapped vanish, and nothing can be read of the file until another takes its place.
#[test]
fn file_emptied_and_replaced() {
    heard_after("given file emptied", Given::File, |case, old| {
        let file = std::fs::OpenOptions::new().write(true).open(case.file()).unwrap();
        file.set_len(0).unwrap();
        let new = old.next(case.directory.join("new.journal"));
        rename(&case.directory.join("new.journal"), &case.file());
        new
    });
}

#[test]
fn file_system_mounted_over_a_file() {
    heard_after("file system mounted over a given file", Given::File, |case, old| {
        run(&case.machine, &format!("mount -t tmpfs tmpfs {}", case.directory.display()));
        let inside = case.machine.root().join(case.directory.strip_prefix("/").unwrap());
        old.next(inside.join("live.journal"))
    });
}

/// A file that is gone may still be written by whom it is open. libsystemd does not read it any more, which the status says until there is
/// a file of that name.
#[test]
fn a_removed_file_is_reported() {
    let Some(case) = Case::new("removed file that is written on") else { return };
    let mut journal = LiveJournal::start(case.file());
    let daemon = case.daemon(Given::File, &[]);
    journal.write_failures(0..5);
    wait_for("the lines before", || (heard(&daemon, &(0..5)) == 5).then_some(()));
    std::fs::remove_file(case.file()).unwrap();
    journal.write_failures(5..10);
    wait_for("the report", || {
        let status = daemon.status();
        status["trouble"].as_str().is_some_and(|trouble| trouble.contains("was removed")).then_some(())
    });
    let mut next = journal.next(case.file());
    next.write_failures(10..15);
    wait_for("the lines of the next file", || (heard(&daemon, &(10..15)) == 5).then_some(()));
    wait_for("the end of the trouble", || daemon.status()["trouble"].is_null().then_some(()));
    let copies = case.machine.stored_numbers();
    assert_eq!(copies.values().find(|(copies, _)| *copies != 1), None);
}

/// A reader that never opens its journal again notices that it is deaf, and says so.
fn reported(test: &str, given: Given, trouble: impl FnOnce(&Case)) {
    let Some(case) = Case::new(test) else { return };
    let mut old = LiveJournal::start(case.file());
    let daemon = case.daemon(given, &[("PERIPETY_TEST_WITHOUT_REOPEN", "1")]);
    old.write_failures(0..5);
    wait_for("the lines before", || (heard(&daemon, &(0..5)) == 5).then_some(()));
    trouble(&case);
    let mut new = old.next(case.file());
    new.write_failures(5..10);
    let report = report(&daemon);
    assert_eq!(report["extension"]["file"], json!(case.file()), "{report}");
    assert_eq!(daemon.status()["times_deaf"], json!(1));
    assert_eq!(heard(&daemon, &(5..10)), 0, "the repair is disabled");
}

#[test]
fn deafness_of_a_directory_is_reported() {
    reported("deafness of a given directory reported", Given::Directory, |case| {
        rename(&case.directory, &case.machine.path("old"));
        std::fs::create_dir(&case.directory).unwrap();
    });
}

#[test]
fn deafness_of_a_file_is_reported() {
    reported("deafness of a given file reported", Given::File, |case| {
        rename(&case.file(), &case.directory.join("old.journal"));
    });
}
