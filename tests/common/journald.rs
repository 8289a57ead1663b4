//! The private journald in trouble, and lines that a tool writes to it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{json, Value};

use rustix::process::Signal;

use super::{wait_for, Client, Daemon, Machine};

/// A rule for lines of a tool that no built-in rule knows.
const RULE: &str = r#"
[[collector_regexs]]
regex = '''^wearctl: path (?P<kdev>8:[0-9]+) is worn$'''
sub_system = "wear"
event_type = "WEAR_WORN"
severity = "Warning"
identifier = "wearctl"
"#;

/// Sends a signal to a process.
pub fn signal(name: &str, pid: u32) {
    let number = match name {
        "STOP" => Signal::STOP,
        "CONT" => Signal::CONT,
        "KILL" => Signal::KILL,
        "TERM" => Signal::TERM,
        "INT" => Signal::INT,
        "HUP" => Signal::HUP,
        "USR1" => Signal::USR1,
        "USR2" => Signal::USR2,
        _ => panic!("no signal {name}"),
    };
    super::send_signal(&pid.to_string(), number);
}

/// The process blocks this signal: it has other means to receive it.
pub fn blocks(pid: u32, signal: Signal) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap_or_default().trim();
    u64::from_str_radix(mask, 16).is_ok_and(|mask| mask >> (signal.as_raw() - 1) & 1 == 1)
}

/// Where distributions put journald.
pub fn journald_program() -> &'static str {
    let path = ["/usr/lib/systemd/systemd-journald", "/lib/systemd/systemd-journald"];
    path.into_iter().find(|path| Path::new(path).exists()).unwrap()
}

/// A journald that a test started; it ends with the test.
pub struct Journald(Child);

impl Journald {
    /// One that runs.
    pub fn of(child: Child) -> Self {
        Journald(child)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Ends it as systemd does.
    pub fn end(mut self) {
        signal("TERM", self.0.id());
        self.0.wait().unwrap();
    }
}

impl Drop for Journald {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Machine {
    /// The process of the private journald: it keeps the machine's directory as its log.
    pub fn journald(&self) -> u32 {
        self.find_journald().expect("the private journald does not run")
    }

    fn find_journald(&self) -> Option<u32> {
        let file = |path: String| std::fs::metadata(path).map(|file| (file.dev(), file.ino())).ok();
        let log = file(self.path("journald/journald.log").display().to_string());
        let is_it = |pid: &u32| file(format!("/proc/{pid}/fd/2")).is_some_and(|fd| Some(fd) == log);
        let named = |pid: &u32| {
            std::fs::read_to_string(format!("/proc/{pid}/comm"))
                .is_ok_and(|comm| comm.starts_with("systemd-journal"))
        };
        let processes = std::fs::read_dir("/proc").unwrap();
        let mut pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        pids.find(|pid| named(pid) && is_it(pid))
    }

    /// Ends the private journald by this signal.
    pub fn end_journald(&self, name: &str) {
        signal(name, self.journald());
        wait_for("the end of journald", || self.find_journald().is_none().then_some(()));
    }

    /// Starts a private journald again.
    pub fn start_journald(&self) -> Journald {
        let log = std::fs::OpenOptions::new().append(true).open(self.path("journald/journald.log")).unwrap();
        let mut command = self.command(journald_program());
        command.env("SYSTEMD_LOG_TARGET", "console").stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let journald = Journald(command.spawn().unwrap());
        wait_for("the new journald", || UnixDatagram::unbound().unwrap().connect(self.socket()).ok());
        // It listens before it is ready for signals, which would end it.
        wait_for("journald to wait for signals", || blocks(journald.0.id(), Signal::USR1).then_some(()));
        journald
    }

    /// journald's native socket, seen from outside.
    fn socket(&self) -> PathBuf {
        self.root().join("run/systemd/journal/socket")
    }

    /// The daemon's arguments for a configuration with a rule for the tool's lines.
    pub fn tool_rule(&self) -> [String; 2] {
        let file = self.path("tool.conf");
        std::fs::write(&file, [super::NO_BURSTS, RULE].concat()).unwrap();
        ["--config".to_owned(), file.to_str().unwrap().to_owned()]
    }

    /// A daemon that follows the private journal and knows the tool's lines.
    pub fn tool_daemon(&self) -> Daemon {
        self.daemon(&self.tool_rule().each_ref().map(String::as_str))
    }

    /// The same, with variables of the environment.
    pub fn tool_daemon_with(&self, environment: &[(&str, &str)]) -> Daemon {
        let arguments = self.tool_rule();
        let mut daemon = self.spawn_daemon(&arguments.each_ref().map(String::as_str), environment);
        daemon.wait_until_ready();
        daemon
    }

    /// Writes lines of the tool; each makes one event.
    pub fn tool_writes(&self, numbers: Range<usize>) {
        self.tool_writes_to(&self.socket(), numbers);
    }

    /// The same to the journald with this socket.
    pub fn tool_writes_to(&self, journald: &Path, numbers: Range<usize>) {
        let socket = UnixDatagram::unbound().unwrap();
        for n in numbers {
            let entry = format!("SYSLOG_IDENTIFIER=wearctl\nMESSAGE=wearctl: path 8:{n} is worn\n");
            wait_for("journald to take a line", || socket.send_to(entry.as_bytes(), journald).ok());
        }
    }

    /// Stored copies by event_id, and the number in the line of each event.
    pub fn stored_numbers(&self) -> BTreeMap<String, (usize, usize)> {
        let mut copies = BTreeMap::new();
        for entry in self.journal("PERIPETY_FORMAT=1 --output-fields=PERIPETY_EVENT_ID,PERIPETY_KDEV") {
            // Reports about the journal itself are of no device.
            let Some(kdev) = entry["PERIPETY_KDEV"].as_str() else { continue };
            let number = kdev.strip_prefix("8:").unwrap().parse().unwrap();
            let event_id = entry["PERIPETY_EVENT_ID"].as_str().unwrap().to_owned();
            copies.entry(event_id).or_insert((0, number)).0 += 1;
        }
        copies
    }

    /// Waits until each of the lines has a stored event, and then looks that it has only one.
    pub fn assert_each_once(&self, daemon: &Daemon, lines: Range<usize>) {
        let start = std::time::Instant::now();
        loop {
            daemon.settle();
            let copies = self.stored_numbers();
            let mut numbers: Vec<usize> = copies.values().map(|(_, number)| *number).collect();
            numbers.sort_unstable();
            if numbers.len() < lines.len() && start.elapsed() < Duration::from_secs(20) {
                std::thread::sleep(Duration::from_millis(50));
                continue;
            }
            let missing: Vec<_> =
                lines.clone().filter(|n| numbers.binary_search(n).is_err()).take(5).collect();
            assert!(missing.is_empty(), "no event for the lines {missing:?} …\n{}", daemon.log());
            assert_eq!(numbers, lines.collect::<Vec<_>>(), "a line has several events\n{}", daemon.log());
            let twice: Vec<_> = copies.iter().filter(|(_, (copies, _))| *copies != 1).take(5).collect();
            assert!(twice.is_empty(), "stored more than once: {twice:?} …\n{}", daemon.log());
            return;
        }
    }
}

impl Daemon {
    /// The status of a daemon that another hand started, once it listens.
    pub fn status_at(socket: &Path) -> Value {
        let client = || UnixStream::connect(socket).ok().map(|_| Client::connect(socket));
        let mut client = wait_for("a daemon's socket", client);
        client.call("GetStatus", json!({})).unwrap()["status"].clone()
    }

    /// How often its log says this.
    pub fn said(&self, what: &str) -> usize {
        self.log().matches(what).count()
    }

    /// Waits until its log says this.
    pub fn wait_until_said(&self, what: &str) {
        self.wait_until_said_times(what, 1);
    }

    /// Waits until its log says this so many times.
    pub fn wait_until_said_times(&self, what: &str, times: usize) {
        wait_for(&format!("\"{what}\" in the log"), || (self.said(what) >= times).then_some(()));
    }
}

/// A journald that stands still until this is dropped.
pub struct StandsStill(u32);

impl StandsStill {
    /// Stops journald.
    pub fn begin(machine: &Machine) -> Self {
        let journald = machine.journald();
        signal("STOP", journald);
        StandsStill(journald)
    }
}

impl Drop for StandsStill {
    fn drop(&mut self) {
        signal("CONT", self.0);
    }
}
