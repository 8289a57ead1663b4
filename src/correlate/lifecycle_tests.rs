//! What ends with its device or by an event, and what begins again.

use super::tests::{types, World, MS, S};
use super::*;
use crate::event::{EventDraft, Identity, Severity, ESCALATES};

/// The disk that holds a name.
fn holder(name: &str, wwid: &str, diskseq: u64) -> Holder {
    let identity = Identity { wwid: Some(wwid.to_owned()), diskseq: Some(diskseq) };
    Holder { names: vec![name.to_owned()], identity, gone: false }
}

impl World {
    /// A line about this disk, read when it is written.
    fn about(&mut self, holder: Holder, identifier: &str, text: &str, time: u64) -> Vec<Done<u64>> {
        let mut made = self.made(identifier, text, time);
        made.event.holders = vec![holder];
        self.faults.push(made, time)
    }
}

fn root(done: &[Done<u64>]) -> Option<&str> {
    done.last().unwrap().event.root_cause_event_id.as_deref()
}

/// A disk that takes the name of another one within seconds is reported at once and follows from nothing that the other did.
#[test]
fn another_disk_of_the_same_name_is_another_device() {
    let mut world = World::new();
    let (first, second) = (holder("sda", "naa.1", 1), holder("sda", "naa.2", 2));
    assert_eq!(types(&world.about(first.clone(), "kernel", "path sda failed", 0)), ["PATH_FAILED"]);
    assert!(world.about(first, "kernel", "path sda failed", S).is_empty());
    let done = world.about(second.clone(), "kernel", "path sda failed", 2 * S);
    assert_eq!(types(&done), ["PATH_FAILED", "PATH_FAILED"]);
    assert_eq!((done[0].event.repeat_count, root(&done)), (1, None));
    let id = done[1].event.event_id.clone();
    let done = world.about(second, "multipathd", "sda: mark as failed", 3 * S);
    assert_eq!(root(&done), Some(id.as_str()));
}

/// Where nothing tells two disks apart, one name is one device.
#[test]
fn an_unknown_identity_denies_nothing() {
    let mut world = World::new();
    let known = holder("sda", "naa.1", 1);
    world.about(known.clone(), "kernel", "path sda failed", 0);
    assert!(world.kernel("path sda failed", S).is_empty());
    assert!(world.about(known, "kernel", "path sda failed", 2 * S).is_empty());
}

/// After its removal nothing that merely has its name is counted with a disk, or follows from it; its own last words do.
#[test]
fn a_removal_ends_what_was_reported_of_a_disk() {
    let mut world = World::new();
    let disk = holder("sda", "naa.1", 1);
    let done = world.about(disk.clone(), "kernel", "path sda failed", 0);
    let id = done[0].event.event_id.clone();
    world.faults.gone("b", &disk, 1_000 * S + S);
    // The last words, of a kind that follows from nothing by its rule.
    let last = Holder { gone: true, ..disk };
    let done = world.about(last, "kernel", "path sda broke", 2 * S);
    assert_eq!(root(&done), Some(id.as_str()));
    // A disk of which nothing is known yet.
    let done = world.kernel("path sda failed", 3 * S);
    assert_eq!((types(&done), root(&done)), (vec!["PATH_FAILED"], None));
    let done = world.about(holder("sda", "naa.1", 2), "multipathd", "sda: mark as failed", 4 * S);
    assert_eq!(root(&done), Some(done[0].event.root_cause_event_id.as_deref().unwrap()));
    assert_ne!(root(&done), Some(id.as_str()), "it follows from the second failure");
}

/// A line that names no device for certain makes the name of a fault nobody else's.
#[test]
fn a_name_without_a_holder_is_that_of_the_fault() {
    let mut world = World::new();
    let disk = holder("sda", "naa.1", 1);
    world.about(disk, "kernel", "path sda failed", 0);
    let made = world.made("multipathd", "sda: mark as failed", S);
    assert!(root(&world.faults.push(made, S)).is_some());
    let done = world.about(holder("sda", "naa.2", 2), "multipathd", "sda: mark as failed", 2 * S);
    assert!(done.is_empty(), "nothing is known that it follows from");
    assert_eq!(root(&world.faults.tick(3 * S)), None);
}

/// What ends with the recovery of a path, by the list of its event type, is a new fault when it happens again, and so is what
/// the tool says of it.
#[test]
fn what_is_closed_and_begins_again_is_a_new_fault() {
    let mut world = World::new();
    let mut alarms = Vec::new();
    for round in 0..3 {
        let begin = round * 10 * S;
        let mut done = world.kernel("path sdb failed", begin);
        for at in [S, 2 * S] {
            let made = world.made("multipathd", "sdb: mark as failed", begin + at);
            done.extend(world.faults.push(made, begin + at));
        }
        done.extend(world.kernel("path sdb is back", begin + 5 * S));
        alarms.extend(done.into_iter().filter(|done| {
            done.event.severity <= Severity::Warning && done.event.root_cause_event_id.is_none()
        }));
    }
    assert_eq!(types(&alarms), ["PATH_FAILED"; 3]);
}

/// A recovery of a session ends what was reported of the disks behind it.
#[test]
fn closing_reaches_what_lies_behind() {
    let mut world = World::new();
    let behind = |world: &mut World, time: u64| {
        let mut made = world.made("kernel", "path sdb failed", time);
        made.event.extension.insert("session".into(), "session1".into());
        world.faults.push(made, time)
    };
    behind(&mut world, 0);
    assert!(behind(&mut world, S).is_empty());
    world.kernel("session1 recovered", 2 * S);
    let done = behind(&mut world, 3 * S);
    assert_eq!((types(&done), root(&done)), (vec!["PATH_FAILED"], None));
    world.kernel("session2 recovered", 4 * S);
    assert!(behind(&mut world, 5 * S).is_empty(), "another session ends nothing");
}

/// A line that ends a condition is worked on after the lines before it, also when those wait for their group.
#[test]
fn a_closing_line_waits_for_the_lines_before_it() {
    let mut world = World::new();
    let mut done = world.kernel("critical medium error, dev sdb, sector 1", 0);
    done.extend(world.kernel("path sdb is back", 10 * MS));
    done.extend(world.kernel("path sdb failed", 20 * MS));
    done.extend(world.kernel("path sdc failed", 30 * MS));
    assert_eq!(types(&done), ["PATH_FAILED"], "another device waits for nothing");
    assert_eq!(types(&world.faults.tick(WINDOW)), ["BLK_IO_ERROR", "PATH_BACK", "PATH_FAILED"]);
    assert_eq!(types(&world.kernel("path sdb is back", S)), ["PATH_BACK"], "nothing waits any more");
}

/// A line that was written before the recovery and comes after it belongs to what ended.
#[test]
fn a_late_line_belongs_to_what_ended() {
    let mut world = World::new();
    world.kernel("path sdb failed", 0);
    world.kernel("path sdb is back", 2 * S);
    let late = world.made("kernel", "path sdb failed", S);
    assert!(world.faults.push(late, 2 * S).is_empty());
    assert_eq!(types(&world.kernel("path sdb failed", 3 * S)), ["PATH_FAILED", "PATH_FAILED"]);
}

/// What gets worse is an alarm again, once for each step.
#[test]
fn each_step_for_the_worse_is_marked() {
    let mut world = World::with(burst::Settings { enabled: false, ..burst::Settings::default() });
    let mut done = world.kernel("path sdb failed", 0);
    for (at, severity) in (1..).zip([Severity::Warning, Severity::Error, Severity::Error, Severity::Critical])
    {
        let mut made = world.made("multipathd", "sdb: mark as failed", at * S);
        made.event.severity = severity;
        done.extend(world.faults.push(made, at * S));
    }
    let marked: Vec<bool> = done.iter().map(|done| done.event.extension.contains_key(ESCALATES)).collect();
    assert_eq!(marked, [false, false, true, false, true]);
}

/// While entries wait to be read, the lines of an error may be read far apart.
#[test]
fn while_the_reader_is_behind_a_group_waits() {
    let lines = super::tests::command("sdb", 2, 7, 4096);
    let mut world = World::new();
    world.faults.set_caught_up(false);
    for (line, read) in lines.iter().zip([0, 300 * MS, 900 * MS, 1500 * MS]) {
        let made = world.made("kernel", line, 1);
        assert!(world.faults.push(made, read).is_empty());
    }
    world.faults.set_caught_up(true);
    let done = world.faults.tick(1500 * MS);
    assert_eq!((types(&done), done[0].event.source.entries), (vec!["BLK_IO_ERROR"], 4));
}

/// A group closes before the first line that was written too late for it, whenever that is read.
#[test]
fn a_group_closes_before_the_next_line() {
    let mut world = World::new();
    world.faults.set_caught_up(false);
    world.kernel("critical medium error, dev sdb, sector 1", 0);
    let later = world.made("kernel", "path sdc failed", WINDOW + MS);
    let done = world.faults.push(later, MS);
    assert_eq!(types(&done), ["BLK_IO_ERROR", "PATH_FAILED"]);
}

/// Two clocks are never quite the same: what follows may be written a moment before its cause, which waits itself.
#[test]
fn an_effect_lets_its_cause_go_first() {
    let mut world = World::new();
    let mut done = Vec::new();
    for (identifier, text, time) in
        [("multipathd", "sdb: mark as failed", 0), ("kernel", "path sdb is rejected", 15 * MS)]
    {
        let made = world.made(identifier, text, time);
        done.extend(world.faults.push(made, time));
    }
    done.extend(world.faults.tick(S));
    assert_eq!(types(&done), ["PATH_REJECTED", "DAEMON_SAYS_FAILED"]);
    assert_eq!(root(&done), Some(done[0].event.event_id.as_str()));
}

fn earlier(event: &EventDraft, closes: &[&str]) -> Reported {
    Reported { event: event.clone(), closes: closes.iter().map(|name| (*name).to_owned()).collect() }
}

/// What an earlier run reported goes on: the same is counted, and what follows names it.
#[test]
fn a_restart_remembers_the_last_minute() {
    let mut before = World::new();
    let reported = before.kernel("path sdb failed", 0);
    let id = reported[0].event.event_id.clone();
    let mut world = World::new();
    for done in &reported {
        world.faults.remember(&earlier(&done.event, &[]), 0);
    }
    assert!(world.kernel("path sdb failed", S).is_empty());
    let made = world.made("multipathd", "sdb: mark as failed", 2 * S);
    assert_eq!(root(&world.faults.push(made, 2 * S)), Some(id.as_str()));
    // A recovery that it reported has ended it.
    let mut world = World::new();
    world.faults.remember(&earlier(&reported[0].event, &[]), 0);
    let back = before.kernel("path sdb is back", S);
    world.faults.remember(&earlier(&back[0].event, &["PATH_FAILED"]), 0);
    assert_eq!(root(&world.kernel("path sdb failed", 2 * S)), None);
}
