//! What the integration tests share: a private journald, a daemon beside it, a plain client.
#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod client;
mod journald;
mod journals;
mod namespace;
pub mod product;

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{json, Value};

pub use client::Client;
pub use journald::{signal, Journald, StandsStill};
pub use journals::{incident_export, journal_file, monotonic_now, LiveJournal};
pub use namespace::{Namespace, NAME as NAMESPACE};

/// How long anything may take before a test fails.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// Notes that a test did not run, and why.
pub fn skip(test: &str, reason: &str) {
    eprintln!("SKIPPED {test}: {reason}");
    if let Some(log) = std::env::var_os("PERIPETY_SKIP_LOG") {
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(log).unwrap();
        writeln!(file, "SKIPPED {test}: {reason}").unwrap();
    }
}

/// A file or directory of the project.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A program of the workspace.
pub fn program(name: &str) -> PathBuf {
    let daemon = Path::new(env!("CARGO_BIN_EXE_peripetyd"));
    let program = daemon.with_file_name(name);
    assert!(program.exists(), "{} is missing: run \"cargo build --workspace\" first", program.display());
    program
}

/// Sends a signal, without the program kill, which a small system lacks.
pub fn send_signal(pid: &str, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(pid.parse().unwrap()).unwrap();
    let _ = rustix::process::kill_process(pid, signal);
}

/// Waits until `ready` gives a value.
pub fn wait_for<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(start.elapsed() < TIMEOUT, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The present time, µs since the epoch.
pub fn now() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap()
}

/// The path that a variable gives, else the script of this name; the reason why there is none.
pub fn tool(variable: &str, script: &str) -> Result<PathBuf, String> {
    if let Some(path) = std::env::var_os(variable) {
        return Ok(path.into());
    }
    if let Ok(reason) = std::env::var(format!("{variable}_REASON")) {
        return Err(reason);
    }
    // The script may fetch the tool: once is enough for all tests.
    static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock();
    let out = Command::new(project("scripts").join(script)).stdin(Stdio::null()).output().unwrap();
    let said = if out.status.success() { out.stdout } else { out.stderr };
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    let last = said.lines().last().unwrap_or_default().to_owned();
    if out.status.success() {
        Ok(last.into())
    } else {
        Err(last)
    }
}

/// A journald of its own, in a mount namespace of its own.
pub struct Machine {
    pub dir: tempfile::TempDir,
    holder: Child,
    pid: String,
}

impl Machine {
    /// Starts one; `None` (with the reason noted) where that is impossible.
    pub fn start(test: &str, settings: &[&str]) -> Option<Self> {
        let script = project("scripts/private-journald.sh");
        // Socket paths must be short.
        let dir = tempfile::Builder::new().prefix("prpt").tempdir_in("/tmp").unwrap();
        let check = Command::new(&script).arg("--check").arg(dir.path().join("check")).output().unwrap();
        if !check.status.success() {
            let reason = format!(
                "{}{}",
                String::from_utf8_lossy(&check.stdout),
                String::from_utf8_lossy(&check.stderr)
            );
            skip(test, &format!("no private journald can run here: {}", reason.trim().replace('\n', " ")));
            return None;
        }
        let (flags, settings): (Vec<&str>, Vec<&str>) = settings.iter().partition(|s| s.starts_with("--"));
        let pid_file = dir.path().join("holder");
        let holder = Command::new(&script)
            .args(flags)
            .arg(dir.path().join("journald"))
            .args(settings)
            .args(["--", "bash", "-c", "echo $$ >\"$0.new\"; mv \"$0.new\" \"$0\"; exec sleep infinity"])
            .arg(&pid_file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let pid = wait_for("the private journald", || std::fs::read_to_string(&pid_file).ok());
        Some(Machine { dir, holder, pid: pid.trim().to_owned() })
    }

    /// The machine's root directory, seen from outside.
    pub fn root(&self) -> PathBuf {
        Path::new("/proc").join(&self.pid).join("root")
    }

    /// A path in the machine's own directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A command that runs inside.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        // Its root too: the tests may themselves run in a changed root.
        command.args(["-t", &self.pid, "-m", "-r", "-w"]);
        if !rustix::process::geteuid().is_root() {
            command.args(["-U", "--preserve-credentials"]);
        }
        command.arg("--").arg(program).current_dir(env!("CARGO_MANIFEST_DIR"));
        command.env_remove("PERIPETY_ADDRESS").env("NO_COLOR", "1").env("TZ", "UTC");
        command
    }

    /// Runs a shell script inside.
    pub fn shell(&self, script: &str) -> Output {
        self.command("bash").args(["-c", script]).stdin(Stdio::null()).output().unwrap()
    }

    /// Starts a daemon inside.
    pub fn daemon(&self, arguments: &[&str]) -> Daemon {
        Daemon::start(self, arguments)
    }

    /// Starts a daemon inside, with variables of the environment, and does not wait for it.
    pub fn spawn_daemon(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Daemon {
        Daemon::spawn(self, arguments, environment)
    }

    /// A daemon that has read a recorded incident, moved in time, on the devices of that moment.
    pub fn incident(&self, case: &str, arguments: &[&str]) -> Daemon {
        let journal = self.path("incident.journal");
        if !journal.exists() {
            journal_file(&incident_export(case), &journal);
        }
        let tree = project("tests/fixtures/incidents").join(case).join("tree.txt");
        let source = ["--journal-file", journal.to_str().unwrap(), "--device-tree", tree.to_str().unwrap()];
        let daemon = self.daemon(&[&source, arguments].concat());
        daemon.settle();
        daemon
    }

    /// A daemon that follows a live journal.
    pub fn following(&self, journal: &LiveJournal, arguments: &[&str]) -> Daemon {
        self.daemon(&[&["--journal-file", journal.file.to_str().unwrap()], arguments].concat())
    }

    /// Lets users other than root use the files of the machine's directory.
    pub fn open_to_all(&self) {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(self.dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A command that runs inside as the user nobody; only root can start it.
    pub fn as_nobody(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = self.command("setpriv");
        command
            .args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--"])
            .arg(program)
            .current_dir("/");
        command
    }

    /// All entries of the private journal with this field, as journalctl shows them.
    pub fn journal(&self, matches: &str) -> Vec<Value> {
        let out = self.shell(&format!("journalctl -o json --all --no-pager {matches}"));
        let text = String::from_utf8(out.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        send_signal(&self.pid, rustix::process::Signal::TERM);
        let _ = self.holder.wait();
    }
}

/// How many events a recorded incident makes, and how many log lines they cover.
pub fn incident_counts(case: &str) -> (usize, u64) {
    let expected = project("tests/fixtures/incidents").join(case).join("expected.jsonl");
    let events: Vec<Value> = std::fs::read_to_string(expected)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    (events.len(), events.iter().map(|event| event["source"]["entries"].as_u64().unwrap()).sum())
}

/// Every line of a test shall be an event that can be counted, also when many say the same.
pub const NO_BURSTS: &str = "[burst]\nenabled = false\n";

/// A running peripetyd. Bursts are not counted, unless the arguments name another configuration.
pub struct Daemon {
    pub child: Child,
    pub socket: PathBuf,
    pub log: PathBuf,
}

impl Daemon {
    fn start(machine: &Machine, arguments: &[&str]) -> Self {
        let mut daemon = Daemon::spawn(machine, arguments, &[]);
        daemon.wait_until_ready();
        daemon
    }

    fn spawn(machine: &Machine, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let socket = machine.path("sock");
        let log = machine.path("peripetyd.log");
        let _ = std::fs::remove_file(&socket);
        let error_log = std::fs::OpenOptions::new().append(true).create(true).open(&log).unwrap();
        let plain = machine.path("no-bursts.conf");
        std::fs::write(&plain, NO_BURSTS).unwrap();
        let own = arguments.iter().any(|a| matches!(*a, "--config" | "--root"));
        let config: &[&str] = if own { &[] } else { &["--config", plain.to_str().unwrap()] };
        let child = machine
            .command(env!("CARGO_BIN_EXE_peripetyd"))
            .arg("--varlink")
            .arg(format!("unix:{}", socket.display()))
            .arg("--state-directory")
            .arg(machine.path("state"))
            .args(config)
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(error_log)
            .spawn()
            .unwrap();
        Daemon { child, socket, log }
    }

    /// Waits until it answers.
    pub fn wait_until_ready(&mut self) {
        wait_for("the daemon's socket", || {
            assert!(self.child.try_wait().unwrap().is_none(), "peripetyd ended: {}", self.log());
            UnixStream::connect(&self.socket).ok()
        });
        // It listens before it has read its position: only an answer shows that it is ready.
        let mut client = Client::connect(&self.socket);
        client.request("GetStatus", json!({}), false);
        assert!(client.receive().is_some(), "peripetyd ended: {}", self.log());
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its Varlink address.
    pub fn address(&self) -> String {
        format!("unix:{}", self.socket.display())
    }

    /// A connection to it.
    pub fn connect(&self) -> Client {
        assert!(UnixStream::connect(&self.socket).is_ok(), "peripetyd does not listen: {}", self.log());
        Client::connect(&self.socket)
    }

    /// Its status.
    pub fn status(&self) -> Value {
        self.connect().call("GetStatus", json!({})).unwrap()["status"].clone()
    }

    /// Waits until everything in the journal is read and its events are stored.
    pub fn settle(&self) -> Value {
        let start = Instant::now();
        loop {
            let status = self.status();
            if status["caught_up"] == true && status["in_flight"] == 0 {
                return status;
            }
            assert!(start.elapsed() < TIMEOUT, "the daemon does not catch up: {status}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// All stored events that fit a filter.
    pub fn query(&self, filter: Value) -> Vec<Value> {
        let replies = self.connect().call_more("Query", json!({ "filter": filter }));
        replies.unwrap().into_iter().flat_map(|r| r["events"].as_array().unwrap().clone()).collect()
    }

    /// Resident memory, KiB.
    pub fn memory(&self) -> u64 {
        self.memory_of("VmRSS:")
    }

    /// Resident memory of its own, without files that are mapped, KiB.
    pub fn own_memory(&self) -> u64 {
        self.memory_of("RssAnon:")
    }

    /// A figure of proc_pid_status(5), KiB.
    fn memory_of(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(field)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// Kills it without a chance to clean up.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it as systemd does.
    pub fn terminate(&mut self) -> std::process::ExitStatus {
        send_signal(&self.child.id().to_string(), rustix::process::Signal::TERM);
        self.child.wait().unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
