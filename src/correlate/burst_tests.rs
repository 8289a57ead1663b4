//! Repeats are counted, per device and condition.

use super::burst::Settings;
use super::tests::{types, World, MS, S};

#[test]
fn a_burst_is_reported_at_once_and_then_counted() {
    let mut world = World::new();
    let mut done = Vec::new();
    for at in 0..1000 {
        done.extend(world.kernel("path sdb failed", at * 100 * MS));
    }
    done.extend(world.faults.flush());
    let counts: Vec<u64> = done.iter().map(|done| done.event.repeat_count).collect();
    assert_eq!(counts, [1, 599, 400]);
    assert_eq!(done.iter().map(|done| done.event.source.entries).sum::<u64>(), 1000);
    assert_eq!(done.iter().map(|done| done.carried.len()).sum::<usize>(), 1000);
    for update in &done[1..] {
        assert_eq!(update.event.root_cause_event_id.as_ref(), Some(&done[0].event.event_id));
    }
    let event = &done[1].event;
    assert_eq!(event.extension["first_time"], (1_000 * S + 100 * MS).to_string());
    assert_eq!(event.extension["last_time"], (1_000 * S + 59_900 * MS).to_string());
}

#[test]
fn what_ended_and_happens_again_is_reported_at_once() {
    let mut world = World::new();
    let mut done = Vec::new();
    for (at, line) in
        ["path sdb failed", "path sdb failed", "path sdb is back", "path sdb failed"].iter().enumerate()
    {
        done.extend(world.kernel(line, at as u64 * MS));
    }
    assert_eq!(types(&done), ["PATH_FAILED", "PATH_FAILED", "PATH_BACK", "PATH_FAILED"]);
    assert_eq!(done[1].event.repeat_count, 1);
    assert_eq!(done[3].event.root_cause_event_id, None);
}

/// A path that fails and comes back every second is reported a few times, then counted.
#[test]
fn a_flapping_condition_is_counted() {
    let mut world = World::new();
    let mut done = Vec::new();
    for at in 0..50 {
        done.extend(world.kernel("path sdb failed", at * S));
        done.extend(world.kernel("path sdb is back", at * S + 500 * MS));
    }
    // After a quiet minute it is a new fault.
    done.extend(world.kernel("path sdb failed", 200 * S));
    done.retain(|done| done.event.event_type == "PATH_FAILED");
    let counts: Vec<u64> = done.iter().map(|done| done.event.repeat_count).collect();
    assert_eq!(counts, [1, 1, 1, 1, 46, 1]);
    assert_eq!(done[5].event.root_cause_event_id, None);
}

#[test]
fn a_quiet_interval_ends_a_burst() {
    let mut world = World::new();
    let mut done = Vec::new();
    for at in [0, 1, 200] {
        done.extend(world.kernel("path sdb failed", at * S));
    }
    done.extend(world.faults.flush());
    assert_eq!(types(&done).len(), 3);
    assert_eq!(done[2].event.root_cause_event_id, None);
    assert_eq!(world.faults.next(), None);
}

#[test]
fn other_devices_and_other_words_are_other_bursts() {
    let mut world = World::new();
    let mut done = world.kernel("path sdb failed", 0);
    done.extend(world.kernel("path sdc failed", 1));
    done.extend(world.kernel("buffer_io_error: 5 callbacks suppressed", 2));
    done.extend(world.kernel("print_req_error: 6 callbacks suppressed", 3));
    assert_eq!(done.len(), 4);
    done = world.kernel("print_req_error: 7 callbacks suppressed", 4);
    done.extend(world.kernel("print_req_error: 8 callbacks suppressed", 5));
    done.extend(world.faults.flush());
    assert_eq!(done.len(), 1);
    assert_eq!(done[0].event.extension["suppressed"], "15");
}

#[test]
fn bursts_can_be_disabled_and_pending_counts_are_reported() {
    let mut world = World::new();
    for at in 0..10 {
        world.kernel("path sdb failed", at);
    }
    let done = world.faults.set_bursts(Settings { enabled: false, interval_seconds: 60 });
    assert_eq!(done[0].event.repeat_count, 9);
    assert_eq!(world.kernel("path sdb failed", 20).len(), 1);
}

/// However many different faults come, memory stays bounded and every line comes out.
#[test]
fn a_flood_of_different_faults_is_bounded() {
    let mut world = World::new();
    let mut out = 0;
    for at in 0..30_000u64 {
        let letters: String = (0..4).map(|n| char::from(b'a' + (at / 26u64.pow(n) % 26) as u8)).collect();
        out += world.kernel(&format!("path sd{letters} failed"), at).len();
        if at % 3 == 0 {
            out += world.kernel(&format!("path sd{letters} failed"), at).len();
        }
    }
    let (bursts, bytes) = world.faults.bursts.followed();
    assert!(bursts > 4000 && bytes <= 16 << 20, "{bursts} bursts in {bytes} bytes");
    out += world.faults.flush().len();
    assert_eq!(out, 40_000);
}
