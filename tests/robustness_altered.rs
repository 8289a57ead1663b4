//! Journal files whose bits changed after they were written: what they say is not believed, what is behind the damage is
//! read or reported, and reading resumes at the right entry.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use serde_json::{json, Value};

use crate::common::{wait_for, Daemon, LiveJournal, Machine};

/// A complete journal file with failures of the paths 8:`numbers`, and the one that the same machine writes next.
fn complete(directory: &Path, name: &str, numbers: std::ops::Range<usize>, next: &str) -> LiveJournal {
    std::fs::create_dir_all(directory).unwrap();
    let mut journal = LiveJournal::start(directory.join(name));
    journal.write_failures(numbers);
    journal.finish();
    journal.next(directory.join(next))
}

fn open(path: &Path) -> File {
    File::options().read(true).write(true).open(path).unwrap()
}

fn number(file: &File, at: u64, bytes: usize) -> u64 {
    let mut number = [0; 8];
    file.read_exact_at(&mut number[..bytes], at).unwrap();
    u64::from_le_bytes(number)
}

/// Has an entry array name something behind the next entry instead of an entry: going forward, libsystemd ignores the file from
/// there on; going back, it does not (systemd's docs/JOURNAL_FILE_FORMAT.md).
fn disorder(path: &Path) {
    let file = open(path);
    let item = if number(&file, 12, 4) & 1 << 4 == 0 { 8 } else { 4 };
    let mut array = number(&file, 176, 8);
    loop {
        let items = (number(&file, array + 8, 8) - 24) / item;
        let at = |index: u64| array + 24 + index * item;
        if items > 20 {
            let behind = (number(&file, at(15), item as usize) + 8).to_le_bytes();
            return file.write_all_at(&behind[..item as usize], at(10)).unwrap();
        }
        array = number(&file, array + 16, 8);
    }
}

/// Makes the first such text in a file another one of the same length.
fn alter(path: &Path, text: &str, other: &str) {
    let bytes = std::fs::read(path).unwrap();
    let place = bytes.windows(text.len()).position(|bytes| bytes == text.as_bytes()).unwrap();
    open(path).write_all_at(other.as_bytes(), place as u64).unwrap();
}

fn follow(machine: &Machine, directory: &Path) -> Daemon {
    machine.daemon(&["--journal-directory", directory.to_str().unwrap()])
}

/// How many entries of a file are reported as lost, of how many.
fn report(daemon: &Daemon, file: &str) -> (u64, u64) {
    let about = |event: &Value| event["extension"]["file"].as_str().is_some_and(|path| path.ends_with(file));
    let reports = || daemon.query(json!({ "event_types": ["JOURNAL_FILE_DAMAGED"] })).into_iter().find(about);
    let report = wait_for("the report", reports);
    let number = |name: &str| report["extension"][name].as_str().unwrap().parse().unwrap();
    (number("count"), number("entries"))
}

fn numbers(machine: &Machine) -> Vec<usize> {
    let mut numbers: Vec<usize> = machine.stored_numbers().into_values().map(|(_, number)| number).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn a_line_that_was_altered_makes_no_event() {
    let Some(machine) = Machine::start("altered line", &[]) else { return };
    let directory = machine.path("files");
    let _next = complete(&directory, "a.journal", 0..100, "b.journal");
    alter(&directory.join("a.journal"), "Failing path 8:50.", "Failing path 9:50.");
    let daemon = follow(&machine, &directory);
    assert_eq!(report(&daemon, "a.journal"), (1, 101));
    daemon.settle();
    assert_eq!(numbers(&machine), (0..100).filter(|n| *n != 50).collect::<Vec<_>>(), "{}", daemon.log());
}

/// A restart looks back at earlier entries, and comes back to where it was, whatever the files in between.
#[test]
fn reading_resumes_behind_a_damaged_file() {
    let Some(machine) = Machine::start("resumed behind damage", &[]) else { return };
    let directory = machine.path("files");
    let mut next = complete(&directory, "a.journal", 0..100, "b.journal");
    next.write_failures(100..200);
    let mut daemon = follow(&machine, &directory);
    machine.assert_each_once(&daemon, 0..200);
    assert!(daemon.terminate().success());
    disorder(&directory.join("a.journal"));
    next.write_failures(200..230);
    let daemon = follow(&machine, &directory);
    machine.assert_each_once(&daemon, 0..230);
}

/// The report counts what libsystemd does not read, not only what is damaged.
#[test]
fn what_is_lost_behind_the_damage_is_counted() {
    let Some(machine) = Machine::start("lost behind damage", &[]) else { return };
    let directory = machine.path("files");
    let _next = complete(&directory, "a.journal", 0..100, "b.journal");
    disorder(&directory.join("a.journal"));
    let daemon = follow(&machine, &directory);
    let (lost, of) = report(&daemon, "a.journal");
    daemon.settle();
    let read = numbers(&machine).len() as u64;
    // One line is none of the failures. Going on behind the damage would find nearly all.
    assert_eq!((of, of - lost), (101, read + 1), "{}", daemon.log());
    assert!(read < 90, "{read} lines were read: the damage is not what it should be");
}

/// The entry where reading was to resume is gone, and nothing comes behind it yet: the gap ends with the next entry.
#[test]
fn a_gap_at_the_end_is_reported_with_the_next_entry() {
    let Some(machine) = Machine::start("gap at the end", &[]) else { return };
    let directory = machine.path("files");
    std::fs::create_dir(&directory).unwrap();
    let mut old = LiveJournal::start(directory.join("a.journal"));
    let mut daemon = follow(&machine, &directory);
    old.write_failures(0..10);
    machine.assert_each_once(&daemon, 0..10);
    assert!(daemon.terminate().success());
    std::fs::remove_file(directory.join("a.journal")).unwrap();
    let daemon = follow(&machine, &directory);
    daemon.settle();
    let gaps = || daemon.query(json!({ "event_types": ["JOURNAL_ENTRIES_REMOVED_UNREAD"] })).len();
    assert_eq!(gaps(), 0);
    let mut new = old.next(directory.join("b.journal"));
    new.write_failures(10..20);
    wait_for("the lines after", || (numbers(&machine) == (0..20).collect::<Vec<_>>()).then_some(()));
    wait_for("the gap", || (gaps() == 1).then_some(()));
}
