//! A small Varlink server for the tests: it answers every call with what the test wrote down, and
//! keeps the calls for the test to look at.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::Serialize;
use serde_json::{json, Value};
use tempfile::TempDir;

/// What the server does next with a connection that made a call.
pub enum Step {
    /// Sends a message.
    Send(Value),
    /// Sends bytes as they are.
    Raw(Vec<u8>),
    /// Keeps the connection open until the client leaves.
    Hold,
}

pub struct Daemon {
    directory: TempDir,
    calls: Arc<Mutex<Vec<Value>>>,
}

impl Daemon {
    /// Every connection makes one call, and gets the steps; then the server closes it.
    pub fn start(steps: Vec<Step>) -> Self {
        Self::restarting(vec![steps])
    }

    /// The same, with steps of its own for each connection; those of the last are for all that follow.
    pub fn restarting(connections: Vec<Vec<Step>>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join("socket")).unwrap();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&calls);
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                serve(stream.unwrap(), &connections[number.min(connections.len() - 1)], &seen);
            }
        });
        Self { directory, calls }
    }

    pub fn answering(replies: Vec<Value>) -> Self {
        Self::start(replies.into_iter().map(Step::Send).collect())
    }

    pub fn failing(error: &str, parameters: Value) -> Self {
        Self::answering(vec![json!({ "error": error, "parameters": parameters })])
    }

    pub fn socket(&self) -> PathBuf {
        self.directory.path().join("socket")
    }

    /// `prpt` that finds this server, in UTC.
    pub fn prpt(&self, args: &[&str]) -> Command {
        let mut command = prpt(args);
        command.env("PERIPETY_ADDRESS", self.socket());
        command
    }

    pub fn run(&self, args: &[&str]) -> Outcome {
        run(self.prpt(args))
    }

    /// All calls.
    pub fn calls(&self) -> Vec<Value> {
        self.calls.lock().unwrap().clone()
    }

    /// The only call that was made.
    pub fn call(&self) -> Value {
        let calls = self.calls.lock().unwrap();
        assert_eq!(calls.len(), 1, "{calls:?}");
        calls[0].clone()
    }
}

fn serve(stream: UnixStream, steps: &[Step], calls: &Mutex<Vec<Value>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut call = Vec::new();
    reader.read_until(0, &mut call).unwrap();
    if call.pop() != Some(0) {
        return;
    }
    calls.lock().unwrap().push(serde_json::from_slice(&call).unwrap());
    let mut stream = stream;
    for step in steps {
        // A client that has left is what some tests are about.
        _ = match step {
            Step::Send(message) => stream.write_all(format!("{message}\0").as_bytes()),
            Step::Raw(bytes) => stream.write_all(bytes),
            Step::Hold => reader.read_to_end(&mut Vec::new()).map(|_| ()),
        };
    }
}

/// A reply that others follow.
pub fn more(parameters: Value) -> Value {
    json!({ "continues": true, "parameters": parameters })
}

/// The last reply.
pub fn last(parameters: Value) -> Value {
    json!({ "parameters": parameters })
}

pub fn prpt(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_prpt"));
    command.args(args).stdin(Stdio::null()).env("TZ", "UTC");
    for name in ["PERIPETY_ADDRESS", "NO_COLOR"] {
        command.env_remove(name);
    }
    command
}

#[derive(Debug)]
pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// Exit code 0, nothing on standard error; answers standard output.
    pub fn ok(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{}", self.stdout);
        self.stdout
    }

    /// Exit code 1 and one line on standard error: answers it.
    pub fn error(self) -> String {
        assert_eq!(self.code, Some(1), "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "{}", self.stderr);
        assert!(self.stderr.starts_with("prpt: "), "{}", self.stderr);
        self.stderr
    }

    /// Exit code 2: answers the message.
    pub fn usage(self) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (Some(2), ""), "{}", self.stderr);
        self.stderr
    }
}

pub fn run(mut command: Command) -> Outcome {
    let output = command.output().unwrap();
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Waits for the end of a process, but not for ever.
pub fn wait(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    panic!("prpt did not end");
}

/// An event as the daemon sends it.
pub fn event(number: u32) -> Value {
    whole::<peripety_api::StorageEvent>(json!({
        "hostname": "host1",
        "severity": "Warning",
        "sub_system": "multipath",
        "timestamp": 1_779_387_436_123_456_i64 + i64::from(number) * 1_000_000,
        "event_id": format!("0cfb1b57-2d9e-5a0c-8a3e-{number:012}"),
        "event_type": "DM_MPATH_PATH_FAILED",
        "dev_wwid": "mpath-360a98000324669436c2b45666c567946",
        "dev_path": "/dev/mapper/mpatha",
        "owners_wwids": ["t10.NETAPP-LUN-2FiCl+EflVyF"],
        "owners_paths": ["/dev/sdd"],
        "kdev": "8:48",
        "msg": "Path 8:48 failed",
        "raw_msg": "device-mapper: multipath: 253:2: Failing path 8:48.",
        "extension": { "transport": "FC", "blk_major_minor": "8:48", "mount_point": "/mnt/data" },
        "repeat_count": 1,
        "boot_id": "5b6f2b6c3f3e4c0c9b7d6f1e2a3b4c5d",
        "source": { "identifier": "kernel", "first": "s=1;i=1", "last": "s=1;i=1", "entries": 1, "lines": [] }
    }))
}

/// The line of [`event`] 0.
pub const EVENT_LINE: &str = "2026-05-21 18:17:16.123 host1 Warning   multipath /dev/mapper/mpatha \
    [/mnt/data] Path 8:48 failed\n";

/// A block device as the daemon sends it.
pub fn block_info(kdev: &str) -> Value {
    whole::<peripety_api::BlockInfo>(json!({
        "kdev": kdev,
        "major_minor": "8:48",
        "dev_path": format!("/dev/{kdev}"),
        "blk_type": "scsi",
        "dev_wwid": "t10.NETAPP-LUN-2FiCl+EflVyF",
        "owners_wwids": [],
        "owners_paths": [],
        "address": "2:0:0:1",
        "diskseq": 7,
        "stable_path": "/dev/disk/by-id/wwn-0x600",
        "slaves": [],
        "holders": ["dm-0"],
        "paths": [],
        "serial": "S1",
        "model": "LUN",
        "vendor": "NETAPP",
        "removable": false,
        "read_only": false,
        "size": 10_737_418_240_i64,
        "mount_points": [],
        "transport": "FC",
        "extension": { "driver_name": "lpfc" }
    }))
}

/// The value with all fields that the interface has, as a daemon sends it: what is not there is null.
fn whole<T: DeserializeOwned + Serialize>(value: Value) -> Value {
    serde_json::to_value(serde_json::from_value::<T>(value).unwrap()).unwrap()
}

pub fn status() -> Value {
    json!({
        "version": "0.1.0", "started": 1_779_387_436_000_000_i64, "journal": "local journal",
        "rules": 40, "config_files": [], "config_loaded": 1_779_387_436_000_000_i64, "config_error": null, "save_to_journald": true, "entries_read": 1000, "entries_matched": 12,
        "entries_untrusted": 1, "entries_covered": 2, "events": 10, "events_stored": 9,
        "events_not_stored": 0, "in_flight": 1, "caught_up": true, "monitors": 3,
        "trouble": null, "times_deaf": 0, "journal_files_damaged": 0, "journal_entries_damaged": 0, "events_damaged": 0, "notifiers": []
    })
}
