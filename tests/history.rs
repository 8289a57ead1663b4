//! A loop device that gets other files under the same name: a line of any time names the one of that time, also by
//! where it was mounted.

use std::path::Path;
use std::time::Duration;

use crate::common::{self, monotonic_now, skip, wait_for, Daemon, LiveJournal, Machine};
use serde_json::{json, Value};

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

/// A machine with a loop device that nobody uses, for one test at a time.
fn with_loop(test: &str, run: impl FnOnce(&Machine, &Loop<'_>)) {
    static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if !rustix::process::geteuid().is_root() || !Path::new("/dev/loop-control").exists() {
        return skip(test, "it needs root and loop devices");
    }
    let Some(machine) = Machine::start(test, &[]) else { return };
    // Others take the first free one; this one shall stay free while it is detached.
    let free = |number: &u32| !Path::new(&format!("/sys/block/loop{number}/loop")).exists();
    let Some(number) = (64..128).find(free) else { return skip(test, "there is no free loop device") };
    let device = format!("/dev/loop{number}");
    run(&machine, &Loop { machine: &machine, device });
}

#[test]
fn a_name_that_is_used_again() {
    with_loop("history of a loop device", used_again);
}

fn used_again(machine: &Machine, disk: &Loop<'_>) {
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

/// A rule for lines that name a mount point alone.
const RULE: &str =
    "[[collector_regexs]]\nregex = '^mydrv (?P<mount_point>/[^ ]+): error in sector (?P<sector>[0-9]+)$'\n\
    sub_system = \"mydrv\"\nevent_type = \"MYDRV_ERROR\"\n";

#[test]
fn a_place_where_something_was_mounted() {
    let test = "history of a mount point";
    match std::process::Command::new("mkfs.ext2").arg("-V").output() {
        Ok(_) => with_loop(test, mounted_and_gone),
        Err(e) => skip(test, &format!("mkfs.ext2 cannot be run: {e}")),
    }
}

fn mounted_and_gone(machine: &Machine, disk: &Loop<'_>) {
    let (place, config) = (machine.path("place"), machine.path("mydrv.conf"));
    std::fs::create_dir(&place).unwrap();
    std::fs::write(&config, [common::NO_BURSTS, RULE].concat()).unwrap();
    let (mount, umount) =
        (format!("mount {} {}", disk.device, place.display()), format!("umount {}", place.display()));
    let mut journal = LiveJournal::start(machine.path("live.journal"));
    let daemon = machine.following(&journal, &["--config", config.to_str().unwrap()]);
    let mut times = Vec::new();
    for file in ["first", "second"] {
        disk.attach(file);
        disk.run(&format!("mkfs.ext2 -q {}", disk.device));
        disk.run(&mount);
        settle();
        times.push(monotonic_now());
        settle();
        disk.run(&umount);
        settle();
        times.push(monotonic_now());
        disk.detach();
    }
    let lines = [(1, times[0]), (2, times[1]), (3, times[2]), (4, times[3])];
    for (sector, time) in lines {
        journal.write_of_this_boot(&format!("mydrv {}: error in sector {sector}", place.display()), time);
    }
    assert_eq!(file_of(&daemon, 1).as_deref(), Some("first"), "{}", daemon.log());
    assert_eq!(file_of(&daemon, 2), None, "{}", daemon.log());
    assert_eq!(file_of(&daemon, 3).as_deref(), Some("second"), "{}", daemon.log());
    assert_eq!(file_of(&daemon, 4), None, "{}", daemon.log());
}

/// The messages about devices of other network namespaces are numbered, too, and do not come here.
#[test]
fn containers_come_and_go() {
    let test = "history while network namespaces come and go";
    match std::process::Command::new("unshare").args(["-n", "true"]).status() {
        Ok(status) if status.success() => with_loop(test, between_containers),
        other => skip(test, &format!("no network namespace can be made: {other:?}")),
    }
}

fn between_containers(machine: &Machine, disk: &Loop<'_>) {
    let mut journal = LiveJournal::start(machine.path("live.journal"));
    let daemon = machine.following(&journal, &[]);
    let containers = || disk.run("for i in {1..20}; do unshare -n true; done");
    for (sector, file) in (1..).zip(["first", "second", "third"]) {
        containers();
        disk.attach(file);
        containers();
        journal.write_of_this_boot(&disk.line(sector), monotonic_now());
        assert_eq!(file_of(&daemon, sector).as_deref(), Some(file), "{}", daemon.log());
        containers();
        disk.detach();
    }
}
