//! One fault is one event and a burst is counted, through the running daemon, however often it is killed.

use std::time::Duration;

use crate::common::{self, Daemon, LiveJournal, Machine};
use serde_json::{json, Value};

const FAILING: &str = "device-mapper: multipath: 253:2: Failing path 8:48.";
const REINSTATING: &str = "device-mapper: multipath: 253:2: Reinstating path 8:48.";

fn configured(machine: &Machine, text: &str) -> String {
    let config = machine.path("bursts.conf");
    std::fs::write(&config, text).unwrap();
    config.to_str().unwrap().to_owned()
}

fn entries(events: &[Value]) -> u64 {
    events.iter().map(|event| event["source"]["entries"].as_u64().unwrap()).sum()
}

/// The lines of a command that failed.
fn command(disk: u8, tag: usize) -> [String; 4] {
    let name = format!("sd{}", char::from(b'b' + disk));
    let lba = 8 * tag as u64;
    let bytes: Vec<String> =
        u32::try_from(lba).unwrap().to_be_bytes().iter().map(|b| format!("{b:02x}")).collect();
    let before = format!("sd {disk}:0:0:0: [{name}] tag#{tag}");
    [
        format!("{before} FAILED Result: hostbyte=DID_OK driverbyte=DRIVER_OK cmd_age=0s"),
        format!("{before} Sense Key : Medium Error [current] "),
        format!("{before} CDB: Read(10) 28 00 {} 00 00 08 00", bytes.join(" ")),
        format!(
            "critical medium error, dev {name}, sector {} op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2",
            lba + 2
        ),
    ]
}

#[test]
fn a_burst_is_one_event_and_one_count_an_interval() {
    let Some(machine) = Machine::start("burst", &[]) else { return };
    let mut journal = LiveJournal::start(machine.path("live.journal"));
    let config = configured(&machine, "[burst]\ninterval_seconds = 2\n");
    let daemon = machine.following(&journal, &["--config", &config]);
    let start = std::time::Instant::now();
    for _ in 0..20 {
        journal.write((0..500).map(|_| FAILING.to_owned()));
    }
    common::wait_for("all lines", || (daemon.status()["entries_matched"] == 10_000).then_some(()));
    let first = common::wait_for("the first event", || daemon.query(json!({})).into_iter().next());
    assert_eq!(first["repeat_count"], 1, "{first}");
    daemon.settle();
    let events = daemon.query(json!({}));
    assert_eq!(entries(&events), 10_000);
    // One an interval, however long the lines took, and a few at both ends.
    let most = start.elapsed().as_secs() / 2 + 4;
    assert!(events.len() as u64 <= most, "{} events", events.len());
    assert_eq!(daemon.query(json!({ "causes_only": true })).len(), 1);
    for update in &events[1..] {
        assert_eq!(update["root_cause_event_id"], events[0]["event_id"]);
        assert_eq!(update["repeat_count"], update["source"]["entries"]);
        let time = |key: &str| update["extension"][key].as_str().unwrap().parse::<u64>().unwrap();
        assert!(time("first_time") <= time("last_time"));
    }
    // A condition that ended and occurs again is reported at once.
    journal.write([REINSTATING.to_owned(), FAILING.to_owned()]);
    common::wait_for("the new failure", || {
        (daemon.query(json!({ "causes_only": true })).len() == 3).then_some(())
    });
}

/// Each command is one event, also when eight disks fail at once and their lines interleave.
#[test]
fn commands_of_eight_disks() {
    let Some(machine) = Machine::start("eight disks", &[]) else { return };
    let mut journal = LiveJournal::start(machine.path("live.journal"));
    let daemon = machine.following(&journal, &[]);
    let commands: Vec<[String; 4]> = (0..8).map(|disk| command(disk, usize::from(disk) + 1)).collect();
    for part in 0..4 {
        journal.write(commands.iter().map(|lines| lines[part].clone()));
    }
    common::wait_for("all lines", || (daemon.status()["entries_matched"] == 32).then_some(()));
    daemon.settle();
    let events = daemon.query(json!({}));
    assert_eq!((events.len(), entries(&events)), (8, 32));
    for event in events {
        let disk = event["kdev"].as_str().unwrap();
        assert!(event["raw_msg"].as_str().unwrap().lines().all(|line| line.contains(disk)), "{event}");
        assert_eq!(event["event_type"], "BLK_IO_ERROR");
        assert_eq!(event["extension"]["sense_key_code"], "0x03");
        assert_eq!(event["extension"]["opcode_name"], "Read(10)");
    }
    for filter in [json!({ "event_types": ["SCSI_SENSE_KEY"] }), json!({ "sub_systems": ["scsi"] })] {
        assert_eq!(daemon.query(filter.clone()).len(), 8, "{filter}");
    }
}

/// However often the daemon is killed, every line is counted by exactly one event.
#[test]
fn counts_are_exact_over_kills() {
    let Some(machine) = Machine::start("counts over kills", &[]) else { return };
    let mut journal = LiveJournal::start(machine.path("live.journal"));
    let config = configured(&machine, "[burst]\ninterval_seconds = 1\n");
    let file = machine.path("live.journal");
    let start = || machine.daemon(&["--journal-file", file.to_str().unwrap(), "--config", &config]);
    let mut daemon: Daemon = start();
    let mut lines = 0;
    for round in 0..12usize {
        for turn in 0..20 {
            let mut some = vec![FAILING.to_owned(); 20];
            some.extend(command((turn % 8) as u8, round * 20 + turn));
            lines += some.len() as u64;
            journal.write(some);
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(97 * (round as u64 % 5)));
        daemon.kill();
        daemon = start();
    }
    common::wait_for("every line", || {
        daemon.settle();
        (entries(&daemon.query(json!({}))) >= lines).then_some(())
    });
    daemon.settle();
    let events = daemon.query(json!({}));
    assert_eq!(entries(&events), lines, "{}", daemon.log());
    assert!((events.len() as u64) < lines / 4, "{} events of {lines} lines", events.len());
}
