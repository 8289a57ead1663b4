//! A clock that jumps by a day, forwards and back: every line has its event, ordered by its own time.

use crate::common::{now, LiveJournal, Machine};
use serde_json::{json, Value};

const HOUR: u64 = 3_600_000_000;
const DAY: u64 = 24 * HOUR;

fn numbers(events: &[Value]) -> Vec<usize> {
    events.iter().map(|event| event["kdev"].as_str().unwrap()[2..].parse().unwrap()).collect()
}

#[test]
fn a_clock_that_jumps() {
    let Some(machine) = Machine::start("a clock that jumps", &[]) else { return };
    let mut journal = LiveJournal::start(machine.path("live.journal"));
    let mut daemon = machine.following(&journal, &[]);
    let today = now();
    let (yesterday, tomorrow) = (today - DAY, today + DAY);
    for (block, time) in [today, tomorrow, yesterday, today + 60_000_000].into_iter().enumerate() {
        journal.write_failures_at(block * 10..block * 10 + 10, time);
        machine.assert_each_once(&daemon, 0..block * 10 + 10);
    }
    let order: Vec<usize> = [20..30, 0..10, 30..40, 10..20].into_iter().flatten().collect();
    assert_eq!(numbers(&daemon.query(json!({}))), order);
    let between = |since: u64, until: u64| numbers(&daemon.query(json!({ "since": since, "until": until })));
    assert_eq!(between(yesterday, yesterday + HOUR), (20..30).collect::<Vec<_>>());
    assert_eq!(between(today, today + HOUR), [0..10, 30..40].into_iter().flatten().collect::<Vec<_>>());
    assert_eq!(between(tomorrow, tomorrow + HOUR), (10..20).collect::<Vec<_>>());
    // A restart after each jump stores nothing twice.
    for (round, time) in [tomorrow + HOUR, yesterday + HOUR].into_iter().enumerate() {
        assert!(daemon.terminate().success());
        let first = 40 + round * 10;
        journal.write_failures_at(first..first + 10, time);
        daemon = machine.following(&journal, &[]);
        machine.assert_each_once(&daemon, 0..first + 10);
        assert_eq!(daemon.settle()["events_stored"], 10, "{}", daemon.log());
    }
    assert_eq!(daemon.said("removed unread"), 0, "{}", daemon.log());
}
