//! Genuine lines of the running kernel: ext4 on a loop device reports errors on demand.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{channel, Receiver};
use std::time::{Duration, Instant};

use common::{now, program, project, skip, tool, wait_for, Daemon, Machine};
use serde_json::{json, Value};

/// A file system on a loop device; gone when dropped.
struct FileSystem<'m> {
    machine: &'m Machine,
    device: String,
    uuid: String,
    mount_point: String,
    /// When it was made, µs since the epoch.
    since: u64,
}

impl<'m> FileSystem<'m> {
    /// Why there cannot be one here.
    fn impossible() -> Option<&'static str> {
        if !rustix::process::geteuid().is_root() {
            return Some("only root can mount");
        }
        let kmsg =
            std::fs::File::open("/dev/kmsg").is_ok_and(|mut file| std::io::Seek::rewind(&mut file).is_ok());
        if !kmsg {
            return Some("/dev/kmsg cannot be read");
        }
        if !Path::new("/dev/loop-control").exists() {
            return Some("there are no loop devices");
        }
        let known = Command::new("sh")
            .args(["-c", "grep -qw ext4 /proc/filesystems || modprobe ext4 2>/dev/null"])
            .status();
        (!known.is_ok_and(|status| status.success())).then_some("the kernel has no ext4")
    }

    fn make(machine: &'m Machine) -> Result<Self, String> {
        let uuid = std::fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap().trim().to_owned();
        let image = machine.path("ext4.img");
        let script = format!("truncate -s 32M {0} && mkfs.ext4 -q -U {uuid} {0} && losetup -f --show {0} && {{ udevadm settle || true; }}", image.display());
        let out = machine.shell(&script);
        let device = String::from_utf8(out.stdout).unwrap().trim().to_owned();
        if !out.status.success() {
            return Err(format!(
                "no file system on a loop device: {}",
                String::from_utf8_lossy(&out.stderr).trim()
            ));
        }
        let mount_point = machine.path("mounted here").display().to_string();
        let made = FileSystem { machine, device, uuid, mount_point, since: now() };
        std::fs::create_dir(&made.mount_point).unwrap();
        Ok(made)
    }

    fn name(&self) -> &str {
        self.device.strip_prefix("/dev/").unwrap()
    }

    fn run(&self, script: &str) {
        let out = self.machine.shell(script);
        assert!(out.status.success(), "{script}: {}", String::from_utf8_lossy(&out.stderr));
    }

    fn mount(&self) {
        self.run(&format!("mount -t ext4 {} '{}'", self.device, self.mount_point));
        std::fs::write(self.setting("err_ratelimit_interval_ms"), "0").unwrap();
    }

    fn unmount(&self) {
        self.run(&format!("umount '{}'", self.mount_point));
    }

    fn setting(&self, name: &str) -> String {
        format!("/sys/fs/ext4/{}/{name}", self.name())
    }

    /// Has the kernel print an error line with this text.
    fn fail(&self, text: &str) {
        std::fs::write(self.setting("trigger_fs_error"), text).unwrap();
    }

    fn events(&self, daemon: &Daemon, event_type: &str) -> Vec<Value> {
        daemon
            .query(json!({ "event_types": [event_type] }))
            .into_iter()
            .filter(|event| self.is_here(event))
            .collect()
    }

    /// The line is of this file system: the loop device may have carried others before.
    fn is_here(&self, event: &Value) -> bool {
        event["owners_paths"] == json!([self.device]) && event["timestamp"].as_u64().unwrap() >= self.since
    }

    fn assert_resolved(&self, event: &Value) {
        assert!(self.is_here(event), "{event}");
        let wwids = event["owners_wwids"].as_array().unwrap();
        assert!(wwids.len() == 1 && wwids[0].as_str().unwrap().ends_with("/ext4.img"), "{event}");
        // A line that does not give the UUID needs udev, which a container may lack.
        if !event["extension"]["fs_uuid"].is_null() || Path::new("/run/udev/control").exists() {
            assert_eq!(event["dev_wwid"], self.uuid, "{event}");
        }
        assert_eq!(event["dev_path"], self.device, "{event}");
        assert_eq!(event["kdev"], self.name(), "{event}");
        assert_eq!(event["owners_paths"], json!([self.device]), "{event}");
        assert_eq!(event["extension"]["mount_point"], self.mount_point, "{event}");
        assert_eq!(event["sub_system"], "ext4", "{event}");
    }
}

impl Drop for FileSystem<'_> {
    fn drop(&mut self) {
        self.machine.shell(&format!("umount '{}' 2>/dev/null; losetup -d {}", self.mount_point, self.device));
    }
}

fn started(test: &str) -> Option<Machine> {
    if let Some(reason) = FileSystem::impossible() {
        skip(test, reason);
        return None;
    }
    Machine::start(test, &["--kmsg"])
}

fn made<'m>(test: &str, machine: &'m Machine) -> Option<FileSystem<'m>> {
    FileSystem::make(machine).map_err(|reason| skip(test, &reason)).ok()
}

#[test]
fn mounts_errors_and_unmounts() {
    let Some(machine) = started("file system life") else { return };
    let daemon = machine.daemon(&[]);
    let Some(fs) = made("file system life", &machine) else { return };
    daemon.settle();
    // The kernel says so before the mount is in the mount table; later mounts as well as the first.
    for round in 1..=3 {
        fs.mount();
        let mounted = wait_for("FS_MOUNTED", || fs.events(&daemon, "FS_MOUNTED").into_iter().nth(round - 1));
        fs.assert_resolved(&mounted);
        assert_eq!(
            (&mounted["severity"], &mounted["extension"]["fs_uuid"]),
            (&json!("Info"), &json!(fs.uuid))
        );
        fs.fail(&format!("round {round}"));
        let error = wait_for("FS_ERROR", || fs.events(&daemon, "FS_ERROR").into_iter().nth(round - 1));
        fs.assert_resolved(&error);
        assert_eq!(error["severity"], "Critical");
        assert!(error["raw_msg"].as_str().unwrap().ends_with(&format!(": round {round}")), "{error}");
        fs.unmount();
        let unmounted =
            wait_for("FS_UNMOUNTED", || fs.events(&daemon, "FS_UNMOUNTED").into_iter().nth(round - 1));
        fs.assert_resolved(&unmounted);
    }
}

#[test]
fn five_hundred_errors_are_five_hundred_events() {
    let Some(machine) = started("500 errors") else { return };
    let daemon = machine.daemon(&[]);
    let Some(fs) = made("500 errors", &machine) else { return };
    fs.mount();
    for n in 0..500 {
        fs.fail(&format!("number {n}"));
    }
    let events = wait_for("500 events", || {
        daemon.settle();
        Some(fs.events(&daemon, "FS_ERROR")).filter(|events| events.len() >= 500)
    });
    daemon.settle();
    assert_eq!(fs.events(&daemon, "FS_ERROR").len(), 500);
    let distinct =
        |name: &str| events.iter().map(|event| event[name].as_str().unwrap()).collect::<HashSet<_>>().len();
    assert_eq!((distinct("event_id"), distinct("raw_msg")), (500, 500));
    events.iter().for_each(|event| fs.assert_resolved(event));
    // As journald has them: each once.
    let mut stored =
        machine.journal(&format!("PERIPETY_EVENT_TYPE=FS_ERROR PERIPETY_DEV_PATH={}", fs.device));
    stored.retain(|entry| entry["PERIPETY_TIMESTAMP"].as_str().unwrap().parse::<u64>().unwrap() >= fs.since);
    let ids: HashSet<&str> =
        stored.iter().map(|entry| entry["PERIPETY_EVENT_ID"].as_str().unwrap()).collect();
    assert_eq!((stored.len(), ids.len()), (500, 500));
    // The same line with the same text is another event.
    (0..5).for_each(|_| fs.fail("the same"));
    wait_for("5 more events", || (fs.events(&daemon, "FS_ERROR").len() == 505).then_some(()));
}

/// A client that prints events; its lines with the time at which they came.
struct Printer {
    name: &'static str,
    child: Child,
    lines: Receiver<(Instant, String)>,
}

impl Printer {
    fn start(name: &'static str, command: &mut Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send((Instant::now(), line)).is_err() {
                    return;
                }
            }
        });
        Printer { name, child, lines }
    }

    /// When it printed a line with this text.
    fn printed(&self, text: &str) -> (Instant, String) {
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("{} did not print {text:?}", self.name)
            };
            if line.1.contains(text) {
                return line;
            }
        }
    }
}

impl Drop for Printer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// prpt, varlinkctl and a Python script; those that are missing are noted.
fn printers(machine: &Machine, daemon: &Daemon, fs: &FileSystem) -> Vec<Printer> {
    let address = daemon.address();
    let filter = json!({ "filter": { "event_types": ["FS_ERROR"], "blk": fs.device } }).to_string();
    let mut printers = vec![Printer::start(
        "prpt",
        machine.command(program("prpt")).args([
            "--address",
            &address,
            "monitor",
            "--event-type",
            "FS_ERROR",
            "--blk",
            &fs.device,
        ]),
    )];
    match tool("PERIPETY_VARLINKCTL", "varlinkctl.sh") {
        Ok(varlinkctl) => printers.push(Printer::start(
            "varlinkctl",
            machine.command(varlinkctl).args([
                "--json=short",
                "--timeout=infinity",
                "--more",
                "call",
                &address,
                "io.peripety.Monitor",
                &filter,
            ]),
        )),
        Err(reason) => skip("varlinkctl prints live events", &reason),
    }
    match tool("PERIPETY_PYTHON", "python-varlink.sh") {
        Ok(python) => printers.push(Printer::start(
            "monitor.py",
            machine
                .command(python)
                .env("PYTHONUNBUFFERED", "1")
                .arg(project("docs/examples/monitor.py"))
                .args(["--address", &address]),
        )),
        Err(reason) => skip("a Python script prints live events", &reason),
    }
    printers
}

#[test]
fn every_client_prints_the_event() {
    let test = "clients print live events";
    let Some(machine) = started(test) else { return };
    let daemon = machine.daemon(&[]);
    let Some(fs) = made(test, &machine) else { return };
    fs.mount();
    daemon.settle();
    let printers = printers(&machine, &daemon, &fs);
    wait_for("the clients to follow", || (daemon.status()["monitors"] == printers.len()).then_some(()));
    let mut times = Vec::new();
    for n in 0..20 {
        let text = format!("the {n}th line");
        let written = Instant::now();
        fs.fail(&text);
        for printer in &printers {
            let (at, line) = printer.printed(&text);
            let took = at.duration_since(written);
            assert!(took < Duration::from_secs(2), "{} took {took:?}", printer.name);
            assert!(line.contains(fs.name()), "{}: {line}", printer.name);
            if printer.name == "prpt" {
                times.push(took);
                assert!(
                    line.contains(&format!("[{}]", fs.mount_point)) && line.contains("Critical"),
                    "{line}"
                );
            }
            if printer.name == "varlinkctl" {
                let event = serde_json::from_str::<Value>(line.strip_prefix('\x1e').unwrap()).unwrap()
                    ["event"]
                    .clone();
                fs.assert_resolved(&event);
            }
        }
    }
    times.sort();
    let (middle, worst) = (times[times.len() / 2], times[times.len() - 1]);
    eprintln!("from the kernel's line to what prpt monitor prints: median {middle:?}, at most {worst:?}");
    assert!(worst < Duration::from_secs(1), "{worst:?}");
}
