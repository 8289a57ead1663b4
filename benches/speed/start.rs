//! What a start costs: programs that have hardly anything to do.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{ensure, Context};
use peripety::rules::{builtin, RuleSet};

use crate::{journal, measure, recording, table};

const DAEMON: &str = env!("CARGO_BIN_EXE_peripetyd");
/// A log of a few lines.
const LOG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/offline/kmsg/input.log");
/// Starts of each program: the kernel counts processor time in hundredths of a second.
const STARTS: u32 = 50;
/// Entries in a journal.
const ENTRIES: u32 = 17;

/// Measures and prints a table.
pub fn run() -> anyhow::Result<()> {
    let work = tempfile::Builder::new().prefix("peripety").tempdir().context("no temporary directory")?;
    let recording = recording::read(&RuleSet::new(builtin::rules()?))?;
    let (file, config) = (work.path().join("small.journal"), work.path().join("empty.conf"));
    journal::write(&file, &recording, ENTRIES, 1000)?;
    std::fs::write(&config, "")?;
    let parse = |command: &mut Command, _: &Path| {
        command.args(["parse", "--no-progress", LOG]);
    };
    let daemon = |command: &mut Command, state: &Path| {
        command.args(["--no-follow", "--no-store"]).arg("--journal-file").arg(&file);
        command.arg("--device-tree").arg(&recording.tree).arg("--config").arg(&config);
        command.arg("--varlink").arg(format!("unix:{}", state.join("v").display()));
        command.arg("--state-directory").arg(state);
    };
    let lines = std::fs::read_to_string(LOG)?.lines().count();
    let rows = [
        vec![format!("peripetyd parse, {lines} lines"), milliseconds(parse)?],
        vec![format!("peripetyd --no-follow, {ENTRIES} entries"), milliseconds(daemon)?],
    ];
    table::print("Start: processor time from start to end, ms.", &["program", "ms"], &rows);
    Ok(())
}

/// Processor time of one run, with all its threads; each has a state directory that no other run has used.
fn milliseconds(arguments: impl Fn(&mut Command, &Path)) -> anyhow::Result<String> {
    let before = measure::processor_time_of_children()?;
    for _ in 0..STARTS {
        let state = tempfile::tempdir()?;
        let mut command = Command::new(DAEMON);
        arguments(&mut command, state.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.status().context("cannot start peripetyd")?;
        ensure!(status.success(), "{command:?} ended with {status}");
    }
    let took = measure::processor_time_of_children()? - before;
    Ok(format!("{:.1}", 1000.0 * took / f64::from(STARTS)))
}
