//! What follows from what: along the way to a device, never from its sibling.

use super::tests::{types, World, MS, S};
use super::*;

/// The events of kernel lines, each a second after the one before.
fn events(world: &mut World, lines: &[&str]) -> Vec<EventDraft> {
    let mut done = Vec::new();
    for (number, text) in (0..).zip(lines) {
        done.extend(world.kernel(text, number * S));
        done.extend(world.faults.tick(number * S + S / 2));
    }
    done.extend(world.faults.flush());
    done.into_iter().map(|done| done.event).collect()
}

/// For every event the text of the one that it follows from.
fn roots(events: &[EventDraft]) -> Vec<Option<&str>> {
    let text = |id: &String| events.iter().find(|event| event.event_id == *id).unwrap().raw_msg.as_str();
    events.iter().map(|event| event.root_cause_event_id.as_ref().map(text)).collect()
}

#[test]
fn a_path_follows_its_own_error_and_no_other_path() {
    let lines = [
        "critical medium error, dev sda, sector 8",
        "map m: path sda lost",
        "map m: path sdb lost",
        "map m has no path",
    ];
    let events = events(&mut World::new(), &lines);
    assert_eq!(roots(&events), [None, Some(lines[0]), None, Some(lines[2])]);
}

#[test]
fn a_path_that_is_found_ends_what_was_wrong_with_its_map() {
    let lines = ["map m: path sda lost", "map m has no path", "map m: path sda found", "map m has no path"];
    let events = events(&mut World::new(), &lines);
    assert_eq!(roots(&events), [None, Some(lines[0]), None, None]);
    // The other path is still lost.
    let lines =
        ["map m: path sda lost", "map m: path sdb lost", "map m: path sda found", "map m has no path"];
    let events = self::events(&mut World::new(), &lines);
    assert_eq!(roots(&events), [None, None, None, Some(lines[1])]);
}

#[test]
fn a_line_that_names_nothing_follows_the_only_fault_that_it_can_follow() {
    let one = ["map m has no path", "path sdx failed", "a write failed"];
    assert_eq!(roots(&events(&mut World::new(), &one)), [None, None, Some(one[0])]);
    let two = ["map m has no path", "map n has no path", "a write failed"];
    assert_eq!(roots(&events(&mut World::new(), &two)), [None, None, None]);
}

/// Lines of an error may be complete before the tool's line that was written earlier: they let it go first.
#[test]
fn an_error_waits_for_its_cause_that_was_written_before() {
    let mut world = World::new();
    let mut done = world.kernel("map m has no path", 20 * MS);
    let mut cause = world.made("kernel", "map m: path sda lost", 10 * MS);
    cause.event.timestamp = 1_000 * S + 10 * MS;
    done.extend(world.faults.push(cause, 60 * MS));
    done.extend(world.faults.tick(S));
    assert_eq!(types(&done), ["MAP_PATH_LOST", "MAP_DOWN"]);
    assert_eq!(done[1].event.root_cause_event_id, Some(done[0].event.event_id.clone()));
}

#[test]
fn steps_of_one_fault_all_lead_to_its_beginning() {
    let mut world = World::new();
    let mut done = world.kernel("critical medium error, dev sdb, sector 1", 0);
    done.extend(world.faults.tick(WINDOW));
    for (at, disk) in [(300, "nvme0"), (50_000, "nvme0"), (100_000, "nvme0")] {
        let made = world.made("kernel", &format!("nvme {disk}: reset"), at * MS);
        done.extend(world.faults.push(made, at * MS));
        done.extend(world.faults.tick(at * MS + WINDOW));
    }
    // The first reset has no cause: another device. The others follow from it, and are counted.
    assert_eq!(types(&done), ["BLK_IO_ERROR", "NVME_RESET", "NVME_RESET"]);
    assert_eq!(done[1].event.root_cause_event_id, None);
    assert_eq!(done[2].event.root_cause_event_id, Some(done[1].event.event_id.clone()));
}

/// A problem is never hidden behind what is none; what is none goes with the problem.
#[test]
fn no_problem_follows_from_routine() {
    let mut world = World::new();
    world.kernel("nvme nvme0: queues", 0);
    world.faults.tick(S);
    world.kernel("nvme nvme0: reset", S);
    let problem = world.faults.tick(2 * S).into_iter().next().unwrap();
    assert_eq!(problem.event.event_type, "NVME_RESET");
    assert_eq!(problem.event.root_cause_event_id, None);
    let next = world.kernel("nvme nvme0: connected", 3 * S).into_iter().next().unwrap();
    assert_eq!(next.event.root_cause_event_id, Some(problem.event.event_id.clone()));
}
