//! Every line has exactly one stored event, however often the daemon is killed while lines come.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::common::{self, wait_for, Daemon, LiveJournal, Machine};
use serde_json::Value;

/// Lines a second while the daemon is killed.
const RATE: usize = 1000;

fn assert_each_once(machine: &Machine, daemon: &Daemon, lines: usize) {
    let copies = machine.stored_numbers();
    let twice: Vec<_> = copies.iter().filter(|(_, (copies, _))| *copies != 1).take(5).collect();
    let mut numbers: Vec<usize> = copies.values().map(|(_, number)| *number).collect();
    numbers.sort_unstable();
    let missing: Vec<usize> = (0..lines).filter(|n| numbers.binary_search(n).is_err()).take(5).collect();
    assert!(
        missing.is_empty(),
        "{} events of {lines} lines; none of the lines {missing:?} …\n{}",
        copies.len(),
        daemon.log()
    );
    assert!(twice.is_empty(), "stored more than once: {twice:?} …\n{}", daemon.log());
    assert_eq!(numbers, (0..lines).collect::<Vec<_>>(), "a line has several events");
    let served = daemon.query(Value::Object(serde_json::Map::new()));
    assert_eq!(served.len(), lines);
}

/// Everything that was written is read and stored.
fn caught_up(daemon: &Daemon, machine: &Machine, lines: usize) {
    wait_for("every line's event", || {
        let status = daemon.settle();
        let known = status["entries_covered"].as_u64().unwrap() + status["events_stored"].as_u64().unwrap();
        (known > 0 && machine.stored_numbers().len() >= lines).then_some(())
    });
}

/// Ends and restarts the daemon `times` times while lines come.
fn restarts(test: &str, times: usize, end: impl Fn(&mut Daemon)) {
    let Some(machine) = Machine::start(test, &[]) else { return };
    let mut journal = LiveJournal::start(machine.path("live.journal"));
    let (stop, written) = (AtomicBool::new(false), AtomicUsize::new(0));
    let mut daemon = machine.following(&journal, &[]);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let start = Instant::now();
            while !stop.load(Ordering::Relaxed) {
                let due = start.elapsed().as_millis() as usize * RATE / 1000;
                let done = written.load(Ordering::Relaxed);
                journal.write_failures(done..due);
                written.store(due, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(3));
            }
        });
        let file = machine.path("live.journal");
        for round in 0..times {
            // At another moment of the daemon's life each time: from its very start on.
            std::thread::sleep(Duration::from_millis(37 * (round as u64 % 11)));
            end(&mut daemon);
            daemon = machine.daemon(&["--journal-file", file.to_str().unwrap()]);
        }
        stop.store(true, Ordering::Relaxed);
    });
    let lines = written.load(Ordering::Relaxed);
    caught_up(&daemon, &machine, lines);
    eprintln!("{test}: {lines} lines, {times} restarts");
    assert_each_once(&machine, &daemon, lines);
    assert!(lines > times * 10, "only {lines} lines");
}

#[test]
fn killed_twenty_times() {
    restarts("killed", 20, Daemon::kill);
}

#[test]
fn terminated_ten_times() {
    restarts("terminated", 10, |daemon| assert!(daemon.terminate().success(), "{}", daemon.log()));
}

/// Events that journald has been sent and has not read when the daemon is killed are found by the
/// next one, too.
#[test]
fn killed_while_journald_stands_still() {
    let Some(machine) = Machine::start("stopped journald", &[]) else { return };
    let mut journal = LiveJournal::start(machine.path("live.journal"));
    let mut daemon = machine.following(&journal, &[]);
    journal.write_failures(0..50);
    caught_up(&daemon, &machine, 50);
    let pid = machine.journald();
    common::send_signal(&pid.to_string(), rustix::process::Signal::STOP);
    journal.write_failures(50..100);
    wait_for("events that journald has not read", || (daemon.status()["events"] == 100).then_some(()));
    std::thread::sleep(Duration::from_millis(200));
    daemon.kill();
    let going_on = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(2));
        common::send_signal(&pid.to_string(), rustix::process::Signal::CONT);
    });
    let daemon = machine.following(&journal, &[]);
    going_on.join().unwrap();
    journal.write_failures(100..110);
    caught_up(&daemon, &machine, 110);
    assert_each_once(&machine, &daemon, 110);
}
