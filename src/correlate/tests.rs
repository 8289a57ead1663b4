//! Lines of one error become one event, and consequences name their cause.

use std::sync::Arc;

use super::burst::Settings;
use super::*;
use crate::event::{Severity, Source, StorageEvent};
use crate::rules::builtin;

/// Rules of a made-up family, one for each kind of line.
const RULES: &str = r#"
[[collector_regexs]]
regex = '''^sd (?P<hctl>[0-9:]+): \[(?P<kdev>[a-z]+)\] tag#(?P<tag>[0-9]+) FAILED Result\s*$'''
event_type = "SCSI_CMD_RESULT"
severity = "Error"
group = "scsi-command"
part = "result"
[[collector_regexs]]
regex = '''^sd (?P<hctl>[0-9:]+): \[(?P<kdev>[a-z]+)\] tag#(?P<tag>[0-9]+) Sense Key : (?P<sense_key>.*?)\s*$'''
event_type = "SCSI_SENSE_KEY"
severity = "Error"
group = "scsi-command"
part = "sense"
[[collector_regexs]]
regex = '''^sd (?P<hctl>[0-9:]+): \[(?P<kdev>[a-z]+)\] tag#(?P<tag>[0-9]+) CDB: (?P<lba>[0-9]+)\+(?P<blocks>[0-9]+)\s*$'''
event_type = "SCSI_CDB"
severity = "Info"
group = "scsi-command"
part = "cdb"
[[collector_regexs]]
regex = '''^critical medium error, dev (?P<kdev>[a-z]+), sector (?P<sector>[0-9]+)\s*$'''
event_type = "BLK_IO_ERROR"
severity = "Critical"
group = "scsi-command"
part = "block"
[[collector_regexs]]
regex = '''^[0-9a-f]{8}: [0-9a-f ]+\s*$'''
event_type = "DUMP"
severity = "Debug"
group = "scsi-command"
device = "none"
[[collector_regexs]]
regex = '''^path (?P<kdev>[a-z]+) failed\s*$'''
event_type = "PATH_FAILED"
severity = "Warning"
[[collector_regexs]]
regex = '''^path (?P<kdev>[a-z]+) is rejected\s*$'''
event_type = "PATH_REJECTED"
severity = "Error"
follows = ["SESSION_LOST"]
[[collector_regexs]]
regex = '''^path (?P<kdev>[a-z]+) broke\s*$'''
event_type = "PATH_BROKE"
severity = "Warning"
[[collector_regexs]]
regex = '''^path (?P<kdev>[a-z]+) is back\s*$'''
event_type = "PATH_BACK"
severity = "Notice"
clears = ["PATH_*", "DAEMON_SAYS_FAILED"]
[[collector_regexs]]
regex = '''^(?P<session>session[0-9]+) recovered\s*$'''
event_type = "SESSION_RECOVERED"
severity = "Notice"
clears = "PATH_FAILED"
[[collector_regexs]]
identifier = "multipathd"
regex = '''^(?P<kdev>[a-z]+): mark as failed\s*$'''
event_type = "DAEMON_SAYS_FAILED"
severity = "Warning"
follows = ["PATH_*"]
[[collector_regexs]]
regex = '''^map (?P<map>[a-z]+): path (?P<kdev>[a-z]+) lost\s*$'''
event_type = "MAP_PATH_LOST"
severity = "Warning"
follows = ["BLK_*", "MAP_*"]
[[collector_regexs]]
regex = '''^map (?P<map>[a-z]+): path (?P<kdev>[a-z]+) found\s*$'''
event_type = "MAP_PATH_FOUND"
severity = "Notice"
clears = ["MAP_*"]
[[collector_regexs]]
regex = '''^map (?P<map>[a-z]+) has no path\s*$'''
event_type = "MAP_DOWN"
severity = "Critical"
follows = ["MAP_*"]
[[collector_regexs]]
regex = '''^a write failed\s*$'''
event_type = "WRITE_FAILED"
severity = "Error"
device = "none"
follows = ["MAP_*"]
[[collector_regexs]]
regex = '''^nvme (?P<kdev>nvme[0-9]+): reset\s*$'''
event_type = "NVME_RESET"
severity = "Warning"
follows = ["BLK_IO_ERROR", "NVME_*"]
[[collector_regexs]]
regex = '''^nvme (?P<kdev>nvme[0-9]+): (?:queues|connected)\s*$'''
event_type = "NVME_QUEUES"
severity = "Info"
follows = ["NVME_RESET"]
[[collector_regexs]]
regex = '''^resource (?P<resource>[a-z]+) (?P<kdev>drbd[0-9]+): no quorum\s*$'''
event_type = "QUORUM_LOST"
severity = "Critical"
group = "resource"
[[collector_regexs]]
regex = '''^resource (?P<resource>[a-z]+): peer lost\s*$'''
event_type = "PEER_LOST"
severity = "Warning"
device = "none"
group = "resource"
[[collector_regexs]]
regex = '''^(?P<function>[a-z_]+): (?P<suppressed>[0-9]+) callbacks suppressed\s*$'''
event_type = "SUPPRESSED"
severity = "Warning"
device = "none"
"#;

pub(super) const MS: u64 = 1000;
pub(super) const S: u64 = 1_000_000;

pub(super) struct World {
    rules: crate::rules::RuleSet,
    pub(super) faults: Correlator<u64>,
    line: u64,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(super) fn with(settings: Settings) -> Self {
        let rules = builtin::parse("test.toml", RULES, false).unwrap();
        let rules = crate::rules::RuleSet::new(rules);
        World { rules, faults: Correlator::new(settings), line: 0 }
    }

    /// The event of a line; it carries the line's number.
    pub(super) fn made(&mut self, identifier: &str, text: &str, time: u64) -> Made<u64> {
        self.line += 1;
        let found = self.rules.matched(identifier.as_bytes(), text.as_bytes()).unwrap();
        let mut extension = found.captures;
        let event = StorageEvent {
            hostname: "h".into(),
            severity: found.rule.severity.unwrap(),
            sub_system: "x".into(),
            timestamp: 1_000 * S + time,
            event_id: format!("{time} {text}"),
            event_type: found.rule.event_type.to_string(),
            kdev: extension.remove("kdev"),
            msg: text.into(),
            raw_msg: text.into(),
            extension,
            repeat_count: 1,
            boot_id: "b".into(),
            source: Source { identifier: identifier.into(), lines: vec![self.line], ..Source::default() },
            ..StorageEvent::default()
        };
        Made::new(event, Arc::clone(&found.rule), 0, self.line)
    }

    /// A line that is read when it is written.
    pub(super) fn kernel(&mut self, text: &str, time: u64) -> Vec<Done<u64>> {
        let made = self.made("kernel", text, time);
        self.faults.push(made, time)
    }
}

pub(super) fn types(done: &[Done<u64>]) -> Vec<&str> {
    done.iter().map(|done| done.event.event_type.as_str()).collect()
}

/// The lines of one failed command.
pub(super) fn command(disk: &str, host: u32, tag: u32, lba: u64) -> Vec<String> {
    vec![
        format!("sd {host}:0:0:0: [{disk}] tag#{tag} FAILED Result"),
        format!("sd {host}:0:0:0: [{disk}] tag#{tag} Sense Key : Medium Error"),
        format!("sd {host}:0:0:0: [{disk}] tag#{tag} CDB: {lba}+8"),
        format!("critical medium error, dev {disk}, sector {}", lba + 3),
    ]
}

#[test]
fn the_lines_of_a_command_are_one_event() {
    let mut world = World::new();
    let mut done = Vec::new();
    for (at, line) in command("sdb", 2, 7, 4096).iter().enumerate() {
        done.extend(world.kernel(line, at as u64));
    }
    assert!(done.is_empty());
    assert_eq!(world.faults.next(), Some(WINDOW));
    assert!(world.faults.tick(WINDOW - 1).is_empty());
    let done = world.faults.tick(WINDOW);
    assert_eq!(types(&done), ["BLK_IO_ERROR"]);
    let event = &done[0].event;
    assert_eq!((event.severity, event.kdev.as_deref()), (Severity::Critical, Some("sdb")));
    assert_eq!(event.event_id, "0 sd 2:0:0:0: [sdb] tag#7 FAILED Result");
    assert_eq!(event.extension["sense_key"], "Medium Error");
    assert_eq!((event.extension["lba"].as_str(), event.extension["sector"].as_str()), ("4096", "4099"));
    assert_eq!(event.extension["event_types"], "SCSI_CMD_RESULT SCSI_SENSE_KEY SCSI_CDB BLK_IO_ERROR");
    assert_eq!(event.raw_msg.lines().count(), 4);
    assert_eq!((event.source.entries, done[0].carried.len()), (4, 4));
    assert_eq!(event.source.lines, [1, 2, 3, 4]);
}

/// Lines of eight disks, three commands each, in any order: each command is one event, and no line is lost.
#[test]
fn shuffled_lines_of_many_disks_find_their_commands() {
    let disks: Vec<String> = ('b'..='i').map(|letter| format!("sd{letter}")).collect();
    for seed in 0..50u64 {
        let mut lines = Vec::new();
        for (host, disk) in disks.iter().enumerate() {
            for tag in 0..3 {
                lines.extend(command(disk, host as u32, tag, 1000 * u64::from(tag)));
            }
        }
        // A linear congruential generator is enough to shuffle.
        let mut random = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        for at in (1..lines.len()).rev() {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            lines.swap(at, (random >> 33) as usize % (at + 1));
        }
        let mut world = World::with(Settings { enabled: false, ..Settings::default() });
        let mut done = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            done.extend(world.kernel(line, at as u64 * MS));
        }
        done.extend(world.faults.flush());
        let mut covered: Vec<u64> = done.iter().flat_map(|done| done.carried.iter().copied()).collect();
        covered.sort_unstable();
        assert_eq!(covered, (1..=96).collect::<Vec<_>>());
        for done in &done {
            let lines: Vec<&str> = done.event.raw_msg.lines().collect();
            let disk = done.event.kdev.as_deref().unwrap();
            assert!(lines.iter().all(|line| line.contains(disk)), "{lines:?}");
            let tags: std::collections::BTreeSet<&str> =
                lines.iter().filter_map(|line| line.split("tag#").nth(1)?.split(' ').next()).collect();
            assert!(tags.len() <= 1, "{lines:?}");
        }
        assert_eq!(done.len(), 24, "seed {seed}: {:?}", types(&done));
    }
}

/// A line that names no device does not join one about another resource, pool or controller.
#[test]
fn lines_about_two_resources_are_two_events() {
    let lines = |other: &str| {
        let mut world = World::new();
        let mut done = world.kernel("resource a drbd1: no quorum", 0);
        done.extend(world.kernel(&format!("resource {other}: peer lost"), MS));
        done.extend(world.faults.flush());
        done.iter().map(|done| done.event.event_type.clone()).collect::<Vec<_>>()
    };
    assert_eq!(lines("a"), ["QUORUM_LOST"]);
    assert_eq!(lines("b"), ["QUORUM_LOST", "PEER_LOST"]);
}

#[test]
fn a_group_cut_short_still_comes_out() {
    let mut world = World::new();
    world.kernel("sd 2:0:0:0: [sdb] tag#7 CDB: 5+8", 0);
    let done = world.faults.flush();
    assert_eq!(types(&done), ["SCSI_CDB"]);
    assert_eq!(done[0].event.source.entries, 1);
}

#[test]
fn a_line_without_a_device_goes_with_the_newest_error() {
    let mut world = World::new();
    world.kernel("sd 2:0:0:0: [sdb] tag#7 FAILED Result", 0);
    world.kernel("sd 3:0:0:0: [sdc] tag#7 FAILED Result", 1);
    world.kernel("00000000: 58 41", 2);
    world.kernel("00000010: 58 41", 3);
    let done = world.faults.flush();
    assert_eq!(done.iter().map(|done| done.event.source.entries).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(done[1].event.kdev.as_deref(), Some("sdc"));
    // Without an error there is an event of its own.
    world.kernel("00000000: 58 41", S);
    world.kernel("00000010: 58 41", S + 1);
    let done = world.faults.flush();
    assert_eq!((types(&done), done[0].event.source.entries), (vec!["DUMP"], 2));
}

#[test]
fn a_late_line_is_an_event_of_its_own() {
    let mut world = World::new();
    world.kernel("sd 2:0:0:0: [sdb] tag#7 FAILED Result", 0);
    let late = world.made("kernel", "sd 2:0:0:0: [sdb] tag#7 Sense Key : Medium Error", 201 * MS);
    let mut done = world.faults.push(late, 10);
    done.extend(world.faults.flush());
    assert_eq!(types(&done), ["SCSI_CMD_RESULT", "SCSI_SENSE_KEY"]);
}

#[test]
fn a_sector_outside_of_the_command_is_another_error() {
    let mut world = World::new();
    for line in ["sd 2:0:0:0: [sdb] tag#7 CDB: 100+8", "critical medium error, dev sdb, sector 9000"] {
        world.kernel(line, 0);
    }
    assert_eq!(world.faults.flush().len(), 2);
    // The same command on a disk of blocks of 4,096 bytes.
    for line in ["sd 2:0:0:0: [sdb] tag#7 CDB: 100+8", "critical medium error, dev sdb, sector 808"] {
        world.kernel(line, S);
    }
    assert_eq!(types(&world.faults.flush()), ["BLK_IO_ERROR"]);
}

#[test]
fn an_echo_names_its_cause_even_when_it_is_read_first() {
    let mut world = World::new();
    let echo = world.made("multipathd", "sdb: mark as failed", 50 * MS);
    assert!(world.faults.push(echo, 0).is_empty());
    let cause = world.made("kernel", "path sdb failed", 0);
    let id = cause.event.event_id.clone();
    assert_eq!(types(&world.faults.push(cause, 10)), ["PATH_FAILED"]);
    let done = world.faults.tick(WINDOW);
    assert_eq!(types(&done), ["DAEMON_SAYS_FAILED"]);
    assert_eq!(done[0].event.root_cause_event_id.as_deref(), Some(id.as_str()));
    // Known by now: no wait.
    let echo = world.made("multipathd", "sdb: mark as failed", 2 * S);
    world.faults.set_bursts(Settings { enabled: false, ..Settings::default() });
    assert_eq!(world.faults.push(echo, 2 * S)[0].event.root_cause_event_id.as_deref(), Some(id.as_str()));
}

/// All paths are down: that follows from the first path's failure, and is worse.
#[test]
fn what_becomes_critical_is_marked() {
    let mut world = World::with(Settings { enabled: false, ..Settings::default() });
    let mut done = world.kernel("path sdb failed", 0);
    for at in [1, 2] {
        let mut made = world.made("multipathd", "sdb: mark as failed", at * S);
        made.event.severity = Severity::Critical;
        done.extend(world.faults.push(made, at * S));
    }
    let marked: Vec<bool> = done.iter().map(|done| done.event.extension.contains_key("escalates")).collect();
    assert_eq!(marked, [false, true, false]);
    assert_eq!(done.iter().filter(|done| !done.event.is_consequence()).count(), 2);
}

/// Two commands on one sector: each error of the block layer goes with the command that was printed with it, in whatever
/// order they are read.
#[test]
fn of_two_commands_on_one_sector_the_nearer_one_counts() {
    for order in [[0, 1, 2, 3], [1, 3, 0, 2], [3, 2, 1, 0]] {
        let mut world = World::with(Settings { enabled: false, ..Settings::default() });
        let lines = [
            ("sd 2:0:0:0: [sdb] tag#7 CDB: 100+8", 0),
            ("critical medium error, dev sdb, sector 100", 10),
            ("sd 2:0:0:0: [sdb] tag#8 CDB: 100+8", 50_000),
            ("critical medium error, dev sdb, sector 100", 50_010),
        ];
        for at in order {
            let made = world.made("kernel", lines[at].0, lines[at].1);
            world.faults.push(made, 60_000);
        }
        let mut pairs: Vec<(u64, u64)> = world
            .faults
            .flush()
            .iter()
            .map(|done| (done.event.source.entries, done.event.timestamp - 1_000 * S))
            .collect();
        pairs.sort_unstable();
        assert_eq!(pairs, [(2, 0), (2, 50_000)], "{order:?}");
    }
}

#[test]
fn a_line_without_a_device_may_come_first() {
    let mut world = World::new();
    world.kernel("00000000: 58 41", 0);
    world.kernel("sd 2:0:0:0: [sdb] tag#7 FAILED Result", 1);
    let done = world.faults.flush();
    assert_eq!((done.len(), done[0].event.source.entries), (1, 2));
    // Of several errors of one device it is the first; of two devices it is none.
    for (second, entries) in [("2:0:0:0: [sdb]", vec![2, 1]), ("3:0:0:0: [sdc]", vec![1, 1, 1])] {
        let mut world = World::new();
        world.kernel("00000000: 58 41", 0);
        world.kernel("sd 2:0:0:0: [sdb] tag#7 FAILED Result", 1);
        world.kernel(&format!("sd {second} tag#8 FAILED Result"), 2);
        let done = world.faults.flush();
        let found: Vec<u64> = done.iter().map(|done| done.event.source.entries).collect();
        assert_eq!(found, entries, "{second}");
    }
}

#[test]
fn another_device_or_a_later_hour_is_no_cause() {
    let mut world = World::new();
    world.kernel("path sdb failed", 0);
    for (text, time) in [("sdc: mark as failed", 0), ("sdb: mark as failed", 3600 * S)] {
        let echo = world.made("multipathd", text, time);
        assert!(world.faults.push(echo, time).is_empty());
        let done = world.faults.tick(time + WINDOW);
        assert_eq!(done.last().unwrap().event.root_cause_event_id, None, "{text}");
    }
}
