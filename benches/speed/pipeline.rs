//! Entries per second through the whole daemon, beside `journalctl` on the same file.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{bail, Context};
use peripety::rules::{builtin, RuleSet};
use peripety::store::fields;
use peripety_api::Source;
use serde::{Deserialize, Serialize};

use crate::measure::{self, median_usage, Usage};
use crate::recording::{self, Recording};
use crate::{journal, status, table};

/// A configuration with which every fault is an event: the recording repeats itself.
const NO_BURSTS: &str = "no-bursts.conf";
const DAEMON: &str = env!("CARGO_BIN_EXE_peripetyd");
const PRIVATE_JOURNALD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/private-journald.sh");
/// Settings of the private journald: nothing that was stored is removed.
const KEEP_ALL: [&str; 2] = ["RuntimeMaxUse=4G", "RuntimeKeepFree=1M"];
/// Storage events among a thousand entries.
const SHARES: [u64; 2] = [100, 10];

/// A directory of journal files to read: systemd-journal-remote begins a new one now and then.
struct Case<'r> {
    directory: PathBuf,
    entries: u32,
    storage: u64,
    recording: &'r Recording,
    work: &'r Path,
}

/// Measures the daemon and journalctl and prints a table for each journal.
pub fn run(entries: u32, repeat: u32, keep: Option<&Path>) -> anyhow::Result<()> {
    let temporary =
        tempfile::Builder::new().prefix("peripety").tempdir().context("no temporary directory")?;
    let recording = recording::read(&RuleSet::new(builtin::rules()?))?;
    let journals = keep.unwrap_or(temporary.path());
    std::fs::create_dir_all(journals)?;
    std::fs::write(temporary.path().join(NO_BURSTS), "[burst]\nenabled = false\n")?;
    let no_journald = no_private_journald(temporary.path())?;
    for share in SHARES {
        let mut case = Case::make(journals, &recording, temporary.path(), entries, share)?;
        case.check()?;
        let rows = case.rows(repeat, no_journald.is_none())?;
        let title = format!("Pipeline: {entries} entries, of which {} are storage events.", case.storage);
        let head = ["program", "entries/s", "to journalctl", "processor µs/entry", "peak MiB", "its own MiB"];
        table::print(&title, &head, &rows);
    }
    if let Some(reason) = no_journald {
        println!("\nNot measured with a store: {reason}");
    }
    Ok(())
}

/// Why no private journald can run here.
fn no_private_journald(work: &Path) -> anyhow::Result<Option<String>> {
    let tried = Command::new(PRIVATE_JOURNALD).arg("--check").arg(work.join("check")).output()?;
    let said = [tried.stdout, tried.stderr].concat();
    Ok((!tried.status.success()).then(|| String::from_utf8_lossy(&said).trim().to_owned()))
}

impl<'r> Case<'r> {
    fn make(
        journals: &Path,
        recording: &'r Recording,
        work: &'r Path,
        entries: u32,
        share: u64,
    ) -> anyhow::Result<Self> {
        let directory = journals.join(format!("{entries}-{share}"));
        let count = directory.join("storage-entries");
        if !count.exists() {
            std::fs::create_dir_all(&directory)?;
            let storage = journal::write(&directory.join("made.journal"), recording, entries, share)?;
            std::fs::write(&count, storage.to_string())?;
        }
        let storage = std::fs::read_to_string(&count)?.parse()?;
        Ok(Case { directory, entries, storage, recording, work })
    }

    /// Both programs see every entry and the daemon makes an event of each that it should; not
    /// measured, and brings the files into the page cache.
    fn check(&mut self) -> anyhow::Result<()> {
        let seen = lines(&mut self.journalctl())?;
        if seen != u64::from(self.entries) {
            bail!("{} holds {seen} entries instead of {}", self.directory.display(), self.entries);
        }
        let state = tempfile::tempdir_in(self.work)?;
        let mut daemon = self.daemon(state.path());
        daemon.arg("--no-store").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = daemon.spawn().context("cannot start peripetyd")?;
        let status = status::when_caught_up(&mut child, &state.path().join("v"));
        child.kill()?;
        child.wait()?;
        let status = status?;
        // Some of the other lines are events, too (of routine); lines of one error are one event.
        let matched = status.entries_matched;
        if matched < self.storage || status.events == 0 || status.events > matched {
            bail!(
                "peripetyd made other events than those of the {} storage entries: {status:?}",
                self.storage
            );
        }
        self.storage = matched;
        Ok(())
    }

    fn rows(&self, repeat: u32, with_store: bool) -> anyhow::Result<Vec<Vec<String>>> {
        let (mut peer, mut plain, mut stored) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..repeat {
            peer.push(measure::run(&mut self.journalctl(), &self.work.join("log"))?);
            plain.push(self.plain()?);
            if with_store {
                stored.push(self.stored()?);
            }
        }
        let peer = median_usage(&peer);
        let mut rows = vec![
            self.row("journalctl -o json", peer, peer),
            self.row("peripetyd --no-store", median_usage(&plain), peer),
        ];
        if with_store {
            rows.push(self.row("peripetyd, all events stored", median_usage(&stored), peer));
        }
        rows.push(self.row("peripetyd parse", self.median(repeat, || self.parse())?, peer));
        match Command::new("jq").arg("--version").output() {
            Ok(_) => rows.push(self.row("journalctl | jq", self.median(repeat, || self.jq())?, peer)),
            Err(_) => println!("\njq is not installed: journalctl -o json | jq is not measured"),
        }
        Ok(rows)
    }

    fn row(&self, program: &str, usage: Usage, peer: Usage) -> Vec<String> {
        let entries = f64::from(self.entries);
        vec![
            program.to_owned(),
            table::grouped(entries / usage.seconds),
            table::ratio(peer.seconds, usage.seconds),
            format!("{:.2}", usage.processor * 1e6 / entries),
            format!("{:.1}", usage.peak),
            format!("{:.1}", usage.own),
        ]
    }

    fn journalctl(&self) -> Command {
        let mut command = Command::new("journalctl");
        command.args(["--quiet", "--no-pager", "--output=json", "--directory"]).arg(&self.directory);
        command
    }

    fn median(&self, repeat: u32, command: impl Fn() -> Command) -> anyhow::Result<Usage> {
        let runs = (0..repeat).map(|_| measure::run(&mut command(), &self.work.join("log")));
        Ok(median_usage(&runs.collect::<Result<Vec<Usage>, _>>()?))
    }

    /// The same entries by `peripetyd parse`.
    fn parse(&self) -> Command {
        let mut command = Command::new(DAEMON);
        command.args(["parse", "--no-progress", "-o", "json"]).arg(&self.directory);
        command
    }

    /// What people do without it: the text of the kernel's lines.
    fn jq(&self) -> Command {
        let mut command = Command::new("sh");
        let script = "journalctl --quiet --no-pager -o json --directory \"$1\" | jq -c 'select(.SYSLOG_IDENTIFIER == \"kernel\") | .MESSAGE'";
        command.args(["-c", script, "sh"]).arg(&self.directory);
        command
    }

    /// The daemon, with a state directory that no other run has used.
    fn daemon(&self, state: &Path) -> Command {
        let mut command = Command::new(DAEMON);
        command.arg("--journal-directory").arg(&self.directory);
        command.arg("--device-tree").arg(&self.recording.tree);
        command.arg("--varlink").arg(format!("unix:{}", state.join("v").display()));
        command.arg("--state-directory").arg(state);
        command.arg("--config").arg(self.work.join(NO_BURSTS));
        command
    }

    /// One run that stores nothing.
    fn plain(&self) -> anyhow::Result<Usage> {
        let state = tempfile::tempdir_in(self.work)?;
        let mut daemon = self.daemon(state.path());
        measure::run(daemon.args(["--no-follow", "--no-store"]), &self.work.join("log"))
    }

    /// One run with a journald that holds nothing yet.
    fn stored(&self) -> anyhow::Result<Usage> {
        let directory = tempfile::tempdir_in(self.work)?;
        let result = directory.path().join("result");
        let daemon = self.daemon(&directory.path().join("state"));
        let mut command = Command::new(PRIVATE_JOURNALD);
        command.arg(directory.path().join("journald")).args(KEEP_ALL).arg("--").arg(std::env::current_exe()?);
        command.arg("--measure").arg(&result).arg("--").arg(daemon.get_program()).args(daemon.get_args());
        command.arg("--no-follow");
        measure::run(&mut command, &self.work.join("log"))?;
        let inside: Inside = serde_json::from_slice(&std::fs::read(&result)?)?;
        if inside.covered != self.storage {
            bail!("peripetyd stored events of {} of {} storage entries", inside.covered, self.storage);
        }
        Ok(inside.usage)
    }
}

/// What is measured beside a private journald.
#[derive(Debug, Serialize, Deserialize)]
struct Inside {
    usage: Usage,
    /// Entries that the stored events cover.
    covered: u64,
}

/// What is read of a stored event.
#[derive(Deserialize)]
struct Stored {
    source: Source,
}

/// Measures a command inside a private journald, counts the entries that the stored events cover, writes both to
/// `result`.
pub fn measure_inside(command: &[String], result: &Path) -> anyhow::Result<()> {
    let (program, arguments) = command.split_first().context("no command to measure")?;
    let usage = measure::run(Command::new(program).args(arguments), &result.with_extension("log"))?;
    let stored = format!("{}={}", fields::FORMAT, fields::FORMAT_VERSION);
    let wanted = format!("--output-fields={}", fields::JSON);
    let out =
        output(Command::new("journalctl").args(["--quiet", "--no-pager", "--output=cat", &wanted, &stored]))?;
    let mut covered = 0;
    for event in serde_json::Deserializer::from_slice(&out).into_iter::<Stored>() {
        covered += event?.source.entries;
    }
    std::fs::write(result, serde_json::to_vec(&Inside { usage, covered })?)?;
    Ok(())
}

/// Number of lines that a command prints.
fn lines(command: &mut Command) -> anyhow::Result<u64> {
    Ok(u64::try_from(memchr::memchr_iter(b'\n', &output(command)?).count())?)
}

/// What a command prints.
fn output(command: &mut Command) -> anyhow::Result<Vec<u8>> {
    let out = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {command:?}"))?;
    if !out.status.success() {
        bail!("{command:?} ended with {}: {}", out.status, String::from_utf8_lossy(&out.stderr));
    }
    Ok(out.stdout)
}
