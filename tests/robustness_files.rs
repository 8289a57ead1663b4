//! Damaged journal files beside good ones, and files that are damaged or become shorter while they are read: reported
//! once, and all that can be read is read.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{json, Value};

use crate::common::{journal_file, now, signal, wait_for, Daemon, Machine, StandsStill};

/// A journal file with failures of the paths 8:`numbers`, `hour` hours ago.
fn good(file: &Path, numbers: std::ops::Range<usize>, hour: u64) {
    let mut export = String::new();
    for n in numbers {
        let (time, monotonic) = (now() - hour * 3_600_000_000 + n as u64, 1_000_000 + n as u64 * 10);
        export += &format!(
            "__REALTIME_TIMESTAMP={time}\n__MONOTONIC_TIMESTAMP={monotonic}\n\
             _BOOT_ID=0123456789abcdef0123456789abcde{hour}\n_TRANSPORT=kernel\nSYSLOG_FACILITY=0\n\
             SYSLOG_IDENTIFIER=kernel\nPRIORITY=4\n_HOSTNAME=other\n\
             MESSAGE=device-mapper: multipath: 253:2: Failing path 8:{n}.\n\n"
        );
    }
    journal_file(export.as_bytes(), file);
}

/// Makes three kinds of damage beside good files; only what is damaged is missing.
fn damage(directory: &Path) {
    good(&directory.join("a.journal"), 0..100, 3);
    good(&directory.join("b.journal"), 100..200, 1);
    std::fs::write(directory.join("empty.journal"), b"").unwrap();
    std::fs::write(directory.join("rubbish.journal"), vec![0x5a; 4096]).unwrap();
    good(&directory.join("cut.journal"), 200..300, 2);
    let cut = std::fs::OpenOptions::new().write(true).open(directory.join("cut.journal")).unwrap();
    cut.set_len(2000).unwrap();
}

/// The files are looked through beside the reading: it may take a moment.
fn assert_said_once(daemon: &Daemon, line: &str) {
    wait_for(line, || (daemon.said(line) > 0).then_some(()));
    assert_eq!(daemon.said(line), 1, "{line}\n{}", daemon.log());
}

const SAID: [(&str, &str); 3] = [
    ("empty.journal", "it is empty"),
    ("rubbish.journal", "it does not begin as a journal file"),
    ("cut.journal", "its end is missing"),
];

#[test]
fn in_a_directory() {
    let Some(machine) = Machine::start("damaged files in a directory", &[]) else { return };
    let directory = machine.path("files");
    std::fs::create_dir(&directory).unwrap();
    damage(&directory);
    let mut daemon = machine.daemon(&["--journal-directory", directory.to_str().unwrap()]);
    machine.assert_each_once(&daemon, 0..200);
    for (file, what) in SAID {
        let line = format!("the journal file {} cannot be read: {what}", directory.join(file).display());
        assert_said_once(&daemon, &line);
    }
    assert!(daemon.terminate().success());
}

#[test]
fn in_the_journal_of_the_machine() {
    let Some(machine) = Machine::start("damaged files of the machine", &[]) else { return };
    let id = std::fs::read_to_string(machine.root().join("etc/machine-id")).unwrap();
    let directory = machine.root().join("run/log/journal").join(id.trim());
    std::fs::write(directory.join("empty.journal"), b"").unwrap();
    std::fs::write(directory.join("rubbish.journal"), vec![0x5a; 4096]).unwrap();
    machine.tool_writes(0..20);
    let daemon = machine.tool_daemon();
    machine.tool_writes(20..40);
    machine.assert_each_once(&daemon, 0..40);
    for (file, what) in &SAID[..2] {
        let line = format!("/run/log/journal/{}/{file} cannot be read: {what}", id.trim());
        assert_said_once(&daemon, &line);
    }
}

/// Damage in the middle: the entries that are whole, and those of other files, have their events.
#[test]
fn random_bytes_in_the_middle() {
    let Some(machine) = Machine::start("damage in the middle", &[]) else { return };
    let directory = machine.path("files");
    std::fs::create_dir(&directory).unwrap();
    good(&directory.join("a.journal"), 0..100, 3);
    good(&directory.join("b.journal"), 100..200, 2);
    good(&directory.join("c.journal"), 200..300, 1);
    let mut bytes = std::fs::read(directory.join("b.journal")).unwrap();
    let line = b"Failing path 8:150.";
    let place = bytes.windows(line.len()).position(|bytes| bytes == line).unwrap();
    let mut seed = 1u32;
    for byte in &mut bytes[place - 2000..place + 6000] {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = (seed >> 24) as u8;
    }
    std::fs::write(directory.join("b.journal"), bytes).unwrap();
    let daemon = machine.daemon(&["--journal-directory", directory.to_str().unwrap()]);
    daemon.settle();
    let numbers: Vec<usize> = machine.stored_numbers().values().map(|(_, n)| *n).collect();
    let of = |range: std::ops::Range<usize>| numbers.iter().filter(|n| range.contains(n)).count();
    assert_eq!((of(0..100), of(200..300)), (100, 100));
    let read = of(100..200);
    assert!((1..100).contains(&read), "{read} of the damaged file");
    let file = directory.join("b.journal");
    let line = format!("the journal file {} is damaged: at least ", file.display());
    assert_said_once(&daemon, &line);
    let log = daemon.log();
    let lost = log.split(&line).nth(1).unwrap().split(" of its 100 entries cannot").next().unwrap();
    // Of the others, the message may be damaged.
    assert!((1..=100 - read).contains(&lost.parse().unwrap()), "{read} read, {log}");
    assert_eq!(daemon.said(" is damaged: "), 1, "{}", daemon.log());
}

/// The stored report about this file of so many entries at least: its text, how many cannot be read, of how many.
fn report(daemon: &Daemon, file: &str, least: u64) -> (String, u64, u64) {
    let number =
        |event: &Value, name: &str| event["extension"][name].as_str().unwrap_or("0").parse().unwrap();
    let event = wait_for(file, || {
        let reports = daemon.query(json!({ "event_types": ["JOURNAL_FILE_DAMAGED"] }));
        let about = |event: &Value| {
            let path = event["extension"]["file"].as_str().unwrap_or_default();
            path.contains(file) && number(event, "entries") >= least
        };
        reports.into_iter().find(about)
    });
    assert_eq!((&event["severity"], &event["source"]["entries"]), (&json!("Error"), &json!(0)), "{event}");
    let text = event["msg"].as_str().unwrap().to_owned();
    (text, number(&event, "count"), number(&event, "entries"))
}

/// What is damaged while the daemon runs is found then: an event and counters.
#[test]
fn damaged_while_the_daemon_runs() {
    let Some(machine) = Machine::start("damage while running", &[]) else { return };
    let directory = machine.path("files");
    std::fs::create_dir(&directory).unwrap();
    good(&directory.join("a.journal"), 0..100, 3);
    good(&directory.join("b.journal"), 100..200, 2);
    let daemon = machine.daemon(&["--journal-directory", directory.to_str().unwrap()]);
    machine.assert_each_once(&daemon, 0..200);
    let open = |name: &str| std::fs::OpenOptions::new().write(true).open(directory.join(name)).unwrap();
    open("a.journal").set_len(2000).unwrap();
    let (text, lost, of) = report(&daemon, "a.journal", 100);
    assert!(text.ends_with("is damaged: 100 of its 100 entries cannot be read"), "{text}");
    assert_eq!((lost, of), (100, 100));
    let bytes = std::fs::read(directory.join("b.journal")).unwrap();
    let line = b"Failing path 8:150.";
    let place = bytes.windows(line.len()).position(|bytes| bytes == line).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&open("b.journal"), &[0x5a; 8000], place as u64 - 2000).unwrap();
    let (text, lost, of) = report(&daemon, "b.journal", 100);
    assert!((1..=100).contains(&lost) && of == 100, "{lost} of {of}");
    assert!(text.contains(": at least "), "{text}");
    let status = daemon.status();
    assert_eq!(status["journal_files_damaged"], 2, "{status}");
    assert_eq!(status["journal_entries_damaged"], 100 + lost, "{status}");
    good(&directory.join("c.journal"), 200..300, 1);
    wait_for("the new file", || (machine.stored_numbers().len() == 300).then_some(()));
}

/// Asks for all events again and again while `trouble` is made.
fn while_queried(daemon: &Daemon, trouble: impl FnOnce()) {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    // What is damaged is missing; the daemon must live.
                    let _ = daemon.connect().call_more("Query", json!({}));
                }
            });
        }
        let made = std::panic::catch_unwind(std::panic::AssertUnwindSafe(trouble));
        done.store(true, Ordering::Relaxed);
        made.unwrap_or_else(|failure| std::panic::resume_unwind(failure));
    });
}

/// A mapped file that becomes shorter is no SIGBUS: it is reported, and the others are read.
fn shortened(test: &str, length: u64, archived: bool) {
    let Some(machine) = Machine::start(test, &[]) else { return };
    let mut daemon = machine.tool_daemon();
    machine.tool_writes(0..500);
    machine.assert_each_once(&daemon, 0..500);
    let name = if archived { "system@*.journal" } else { "system.journal" };
    let find = || {
        let out = machine.shell(&format!("ls /run/log/journal/*/{name}"));
        String::from_utf8(out.stdout).unwrap().lines().next().map(str::to_owned)
    };
    if archived {
        signal("USR2", machine.journald());
    }
    let file = wait_for("the file", find);
    while_queried(&daemon, || {
        let shorten = format!("truncate -s {length} {file}");
        // journald rotates at its next write, and may remove the file before anybody else looks at it.
        let still = StandsStill::begin(&machine);
        assert!(machine.shell(&shorten).status.success());
        daemon.wait_until_said("ERROR the journal file ");
        drop(still);
        for n in 500..520 {
            machine.tool_writes(n..n + 1);
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    });
    wait_for("the lines after", || {
        let events = daemon.query(json!({ "sub_systems": ["wear"] }));
        let kdevs: Vec<&str> = events.iter().filter_map(|event| event["kdev"].as_str()).collect();
        (510..520).all(|n| kdevs.contains(&format!("8:{n}").as_str())).then_some(())
    });
    // How many entries the file has by its header, or had when it was last seen whole.
    let (text, lost, of) = report(&daemon, "/run/log/journal/", 1);
    assert_eq!(lost, of);
    assert!(length > 0 || text.contains(&format!(": at least {lost} of its {lost} entries")), "{text}");
    let twice = machine.stored_numbers().into_values().find(|(copies, _)| *copies != 1);
    assert_eq!(twice, None, "{}", daemon.log());
    assert!(daemon.child.try_wait().unwrap().is_none());
    assert!(daemon.terminate().success(), "{}", daemon.log());
}

#[test]
fn active_file_shortened() {
    shortened("active file shortened", 12288, false);
}

#[test]
fn active_file_emptied() {
    shortened("active file emptied", 0, false);
}

#[test]
fn archived_file_shortened() {
    shortened("archived file shortened", 12288, true);
}
