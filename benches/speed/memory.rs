//! How much memory the daemon takes: at rest, after what clients ask, during a burst and after it.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use peripety::rules::{builtin, RuleSet};
use serde_json::json;

use crate::recording::{self, Recording};
use crate::{journal, measure, status, table};

const DAEMON: &str = env!("CARGO_BIN_EXE_peripetyd");
/// The unit, whose environment the daemon gets here, too.
const UNIT: &str = include_str!("../../systemd/peripetyd.service");
/// Lines that are tried on the rules.
const TRIALS: usize = 1000;
/// Lists of the rules that are asked for at a time, and read afterwards.
const LISTS: usize = 60;
/// How long a burst may take.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(900);
/// Pause between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// A daemon that stores nothing, and its files.
struct Daemon {
    child: Child,
    socket: PathBuf,
}

/// Measures and prints a table. `settle`: how long after each step what remains is measured.
pub fn run(entries: u32, settle: Duration) -> anyhow::Result<()> {
    let work = tempfile::Builder::new().prefix("peripety").tempdir().context("no temporary directory")?;
    let recording = recording::read(&RuleSet::new(builtin::rules()?))?;
    let (small, burst) = (work.path().join("small.journal"), work.path().join("burst"));
    journal::write(&small, &recording, 100, 0)?;
    std::fs::create_dir(&burst)?;
    journal::write(&burst.join("burst.journal"), &recording, entries, 1000)?;

    let mut resting =
        Daemon::start(work.path(), "resting", &recording, &["--journal-file".as_ref(), &small])?;
    resting.caught_up()?;
    let mut rows = Vec::new();
    let mut row = |what: &str, peak: Option<f64>, after: f64| {
        let peak = peak.map(|peak| format!("{peak:.1}")).unwrap_or_default();
        rows.push(vec![what.to_owned(), peak, format!("{after:.1}")]);
    };
    row("start", None, resting.after(settle)?);
    let peak = resting.peak_during(Daemon::test_rules)?;
    row(&format!("{TRIALS} TestRule"), Some(peak), resting.after(settle)?);
    let peak = resting.peak_during(Daemon::list_rules)?;
    row(&format!("{LISTS} ListRules, unread at first"), Some(peak), resting.after(settle)?);
    drop(resting);
    let mut busy = Daemon::start(work.path(), "busy", &recording, &["--journal-directory".as_ref(), &burst])?;
    let peak = busy.peak_until_caught_up()?;
    row(
        &format!("a burst of {} entries", table::grouped(f64::from(entries))),
        Some(peak),
        busy.after(settle)?,
    );
    let title = format!("Memory of its own, MiB: at most, and {} s after.", settle.as_secs());
    table::print(&title, &["after", "at most", "remains"], &rows);
    Ok(())
}

impl Daemon {
    fn start(work: &Path, name: &str, recording: &Recording, journal: &[&Path]) -> anyhow::Result<Self> {
        let state = work.join(name);
        std::fs::create_dir(&state)?;
        let (socket, config) = (state.join("v"), state.join("empty.conf"));
        std::fs::write(&config, "")?;
        let mut command = Command::new(DAEMON);
        command.args(journal).arg("--no-store").arg("--device-tree").arg(&recording.tree);
        command.arg("--varlink").arg(format!("unix:{}", socket.display()));
        command.arg("--state-directory").arg(&state).arg("--config").arg(&config);
        command.envs(UNIT.lines().filter_map(|line| line.strip_prefix("Environment=")?.split_once('=')));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Daemon { child: command.spawn().context("cannot start peripetyd")?, socket })
    }

    fn caught_up(&mut self) -> anyhow::Result<()> {
        status::when_caught_up(&mut self.child, &self.socket).map(drop)
    }

    fn own(&self) -> anyhow::Result<f64> {
        measure::own_memory(self.child.id())
    }

    fn after(&self, settle: Duration) -> anyhow::Result<f64> {
        std::thread::sleep(settle);
        self.own()
    }

    /// The most that it takes while a client works.
    fn peak_during(&self, work: fn(&Path) -> anyhow::Result<()>) -> anyhow::Result<f64> {
        let socket = self.socket.clone();
        let client = std::thread::spawn(move || work(&socket));
        let mut peak = self.own()?;
        while !client.is_finished() {
            peak = peak.max(self.own()?);
            std::thread::sleep(LOOK_EVERY);
        }
        client.join().map_err(|_| anyhow::anyhow!("a client failed"))??;
        Ok(peak)
    }

    fn peak_until_caught_up(&mut self) -> anyhow::Result<f64> {
        let pid = self.child.id();
        let (done, ended) = std::sync::mpsc::channel::<()>();
        let look = std::thread::spawn(move || {
            let mut peak = 0.0_f64;
            while ended.recv_timeout(LOOK_EVERY) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                peak = peak.max(measure::own_memory(pid).unwrap_or_default());
            }
            peak
        });
        let start = Instant::now();
        let mut result = self.caught_up();
        // A large burst takes longer than anything else that is waited for.
        while result.is_err() && start.elapsed() < CATCH_UP_TIMEOUT && self.child.try_wait()?.is_none() {
            result = self.caught_up();
        }
        drop(done);
        result?;
        look.join().map_err(|_| anyhow::anyhow!("looking failed"))
    }

    fn test_rules(socket: &Path) -> anyhow::Result<()> {
        let rules = builtin::rules()?;
        let examples = rules.iter().flat_map(|rule| rule.example_lines().map(move |line| (rule, line)));
        let mut client = BufReader::new(UnixStream::connect(socket)?);
        for (rule, line) in examples.step_by(3).take(TRIALS) {
            let parameters = json!({ "line": line, "identifier": rule.identifier });
            call(&mut client, "TestRule", &parameters)?;
            answer(&mut client)?;
        }
        Ok(())
    }

    fn list_rules(socket: &Path) -> anyhow::Result<()> {
        let mut clients = Vec::new();
        for _ in 0..LISTS {
            let mut client = BufReader::new(UnixStream::connect(socket)?);
            call(&mut client, "ListRules", &json!({}))?;
            clients.push(client);
        }
        clients.iter_mut().try_for_each(answer)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn call(
    client: &mut BufReader<UnixStream>,
    method: &str,
    parameters: &serde_json::Value,
) -> anyhow::Result<()> {
    let call = json!({ "method": format!("io.peripety.{method}"), "parameters": parameters });
    client.get_mut().write_all(format!("{call}\0").as_bytes())?;
    Ok(())
}

fn answer(client: &mut BufReader<UnixStream>) -> anyhow::Result<()> {
    let mut answer = Vec::new();
    client.read_until(0, &mut answer)?;
    // A capture may be called "error", too.
    let reply: serde_json::Value = serde_json::from_slice(answer.strip_suffix(b"\0").unwrap_or(&answer))?;
    anyhow::ensure!(reply.get("error").is_none(), "peripetyd refused a call: {reply}");
    Ok(())
}
