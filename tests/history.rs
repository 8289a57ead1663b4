//! A loop device that gets other files under the same name: a line of any time names the one of that time.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::path::Path;
use std::time::Duration;

use common::{monotonic_now, skip, wait_for, Daemon, LiveJournal, Machine};
use serde_json::{json, Value};

const TEST: &str = "history of a loop device";

struct Loop<'m> {
    machine: &'m Machine,
    device: String,
}

impl Loop<'_> {
    fn attach(&self, file: &str) {
        let path = self.machine.path(file);
        std::fs::File::create(&path).unwrap().set_len(1 << 20).unwrap();
        self.run(&format!("losetup {} {}", self.device, path.display()));
        settle();
    }

    fn detach(&self) {
        self.run(&format!("losetup -d {}", self.device));
        let backing = format!("/sys/block/{}/loop/backing_file", self.name());
        wait_for("the loop device to be free", || (!Path::new(&backing).exists()).then_some(()));
        settle();
    }

    fn run(&self, script: &str) {
        let out = self.machine.shell(script);
        assert!(out.status.success(), "{script}: {}", String::from_utf8_lossy(&out.stderr));
    }

    fn name(&self) -> &str {
        self.device.strip_prefix("/dev/").unwrap()
    }

    fn line(&self, sector: u64) -> String {
        format!(
            "I/O error, dev {}, sector {sector} op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2",
            self.name()
        )
    }
}

impl Drop for Loop<'_> {
    fn drop(&mut self) {
        self.machine.shell(&format!("losetup -d {}", self.device));
    }
}

/// Longer than the daemon needs to read a uevent.
fn settle() {
    std::thread::sleep(Duration::from_millis(700));
}

/// The end of the identity of the device in the event with this sector.
fn file_of(daemon: &Daemon, sector: u64) -> Option<String> {
    let sector = sector.to_string();
    let event = wait_for("the event", || {
        let events = daemon.query(json!({}));
        events.into_iter().find(|event| event["extension"]["sector"] == sector.as_str())
    });
    let wwid = match &event["dev_wwid"] {
        Value::String(wwid) => wwid,
        _ => return None,
    };
    Some(wwid.rsplit('/').next().unwrap().to_owned())
}

#[test]
fn a_name_that_is_used_again() {
    if !rustix::process::geteuid().is_root() || !Path::new("/dev/loop-control").exists() {
        return skip(TEST, "it needs root and loop devices");
    }
    let Some(machine) = Machine::start(TEST, &[]) else { return };
    let out = machine.shell("losetup -f");
    let device = String::from_utf8(out.stdout).unwrap().trim().to_owned();
    if !Path::new(&device).exists() {
        return skip(TEST, "there is no free loop device");
    }
    let disk = Loop { machine: &machine, device };
    let mut journal = LiveJournal::start(machine.path("live.journal"));
    let mut daemon = machine.following(&journal, &[]);
    disk.attach("first");
    let first = monotonic_now();
    settle();
    disk.detach();
    let free = monotonic_now();
    settle();
    disk.attach("second");
    let second = monotonic_now();
    settle();
    // Late, and out of order.
    for (sector, time) in [(3, second), (1, first), (2, free)] {
        journal.write_of_this_boot(&disk.line(sector), time);
    }
    assert_eq!(file_of(&daemon, 1).as_deref(), Some("first"), "{}", daemon.log());
    assert_eq!(file_of(&daemon, 2), None, "{}", daemon.log());
    assert_eq!(file_of(&daemon, 3).as_deref(), Some("second"), "{}", daemon.log());
    // It changes while no daemon is there.
    assert!(daemon.terminate().success());
    disk.detach();
    let unseen = monotonic_now();
    disk.attach("third");
    daemon = machine.following(&journal, &[]);
    settle();
    for (sector, time) in [(4, second), (5, unseen), (6, monotonic_now())] {
        journal.write_of_this_boot(&disk.line(sector), time);
    }
    assert_eq!(file_of(&daemon, 4).as_deref(), Some("second"), "{}", daemon.log());
    assert_eq!(file_of(&daemon, 5), None, "{}", daemon.log());
    assert_eq!(file_of(&daemon, 6).as_deref(), Some("third"), "{}", daemon.log());
}
