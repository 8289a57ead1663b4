//! What is remembered, for how long, and how much of it.

use super::tests::{World, S};
use super::*;

/// A disk's name by number.
fn disk(number: u64) -> String {
    let letters = (0..4).map(|n| char::from(b'a' + (number / 26u64.pow(n) % 26) as u8));
    format!("sd{}", letters.collect::<String>())
}

impl World {
    /// What multipathd says of a disk.
    fn tool(&mut self, text: &str, time: u64) -> Vec<Done<u64>> {
        let made = self.made("multipathd", text, time);
        self.faults.push(made, time)
    }

    fn remembered(&self) -> usize {
        self.faults.causes.remembered().0
    }
}

/// Nothing follows from a fault of which nothing was reported for a minute: it is forgotten when a later line is read.
#[test]
fn what_is_over_is_forgotten_by_the_time_of_the_lines() {
    let mut world = World::new();
    for number in 0..100 {
        world.kernel(&format!("path {} failed", disk(number)), 0);
    }
    assert_eq!(world.remembered(), 100);
    // One goes on.
    for second in (20..=80).step_by(20) {
        world.kernel(&format!("path {} failed", disk(7)), second * S);
    }
    assert_eq!(world.remembered(), 1);
    let follows = world.tool(&format!("{}: mark as failed", disk(7)), 90 * S);
    assert!(follows[0].event.root_cause_event_id.is_some());
}

/// Without lines the clock tells, unless some may still wait to be read.
#[test]
fn what_is_over_is_forgotten_when_it_is_quiet() {
    let mut world = World::new();
    world.kernel("path sda failed", 0);
    world.faults.set_caught_up(false);
    world.faults.tick(600 * S);
    assert_eq!(world.remembered(), 1);
    world.faults.set_caught_up(true);
    let at = world.faults.forgets_at().unwrap();
    world.faults.tick(at.max(700 * S));
    assert_eq!((world.remembered(), world.faults.forgets_at()), (0, None));
}

/// What repeats less often than once a minute, but within the interval of bursts, is one fault.
#[test]
fn repetitions_within_the_interval_keep_a_fault() {
    let mut world = World::with(burst::Settings { interval_seconds: 300, ..burst::Settings::default() });
    let first = world.kernel("path sda failed", 0);
    for second in [200, 400] {
        world.kernel("path sdb failed", second * S - 1);
        world.kernel("path sda failed", second * S);
    }
    let follows = world.tool("sda: mark as failed", 401 * S);
    assert_eq!(follows.last().unwrap().event.root_cause_event_id.as_ref(), Some(&first[0].event.event_id));
}

/// Faults of any number of devices take bounded memory; the newest are known.
#[test]
fn a_flood_of_faults_takes_bounded_memory() {
    let mut world = World::new();
    world.faults.set_devices(500);
    for number in 0..12_000 {
        world.kernel(&format!("path {} failed", disk(number)), number);
    }
    let (faults, bytes) = world.faults.causes.remembered();
    assert!(faults > 1000 && bytes <= 2 << 20, "{faults} faults in {bytes} bytes");
    let (bursts, bytes) = world.faults.bursts.followed();
    assert!(bursts > 1000 && bytes <= 3 << 20, "{bursts} bursts in {bytes} bytes");
    let follows = world.tool(&format!("{}: mark as failed", disk(11_500)), 12_001);
    assert!(follows[0].event.root_cause_event_id.is_some());
}

/// Each entry that is counted is remembered until its event is stored: of all bursts together there are not too many.
#[test]
fn all_bursts_together_count_a_bounded_number_of_entries() {
    let (mut world, mut out, mut covered) = (World::new(), 0, 0);
    let (disks, lines) = (20, 40_000);
    for at in 0..lines {
        for done in world.kernel(&format!("path {} failed", disk(at % disks)), at) {
            out += 1;
            covered += done.carried.len() as u64;
        }
        assert!(at + 1 - covered <= 32_768, "{} lines are counted", at + 1 - covered);
    }
    assert!(out < disks + 200, "{out} events");
    covered += world.faults.flush().iter().map(|done| done.carried.len() as u64).sum::<u64>();
    assert_eq!(covered, lines);
}
