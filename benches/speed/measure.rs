//! Runs a program and measures it: time, processor time, memory.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{bail, Context};
use rustix::process::{waitid, Pid, WaitId, WaitIdOptions};
use serde::{Deserialize, Serialize};

/// Pause between two looks at a program's memory.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// Unit of the times in /proc/PID/stat, per second (proc(5), USER_HZ).
const TICKS: f64 = 100.0;

/// What a run took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// From start to end, s.
    pub seconds: f64,
    /// Processor time, s.
    pub processor: f64,
    /// Most memory resident, MiB; pages of the mapped journal files count.
    pub peak: f64,
    /// Most anonymous memory resident, MiB: its own heap and stacks.
    pub own: f64,
}

/// Runs a program to its end; it must succeed. Its output is passed over, its messages go to
/// `log`.
pub fn run(command: &mut Command, log: &Path) -> anyhow::Result<Usage> {
    let messages = std::fs::File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(messages);
    let start = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
    let watched = watch(&child, start);
    let status = child.wait()?;
    if !status.success() {
        let messages = std::fs::read_to_string(log).unwrap_or_default();
        bail!("{command:?} ended with {status}: {messages}");
    }
    watched
}

/// Watches a child until it has ended; it is not reaped, so that its times can still be read.
fn watch(child: &Child, start: Instant) -> anyhow::Result<Usage> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("no process id")?;
    let ended = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let mut usage = Usage::default();
    while waitid(WaitId::Pid(pid), ended)?.is_none() {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        usage.peak = usage.peak.max(mebibytes(&status, "VmHWM:"));
        usage.own = usage.own.max(mebibytes(&status, "RssAnon:"));
        std::thread::sleep(LOOK_EVERY);
    }
    usage.seconds = start.elapsed().as_secs_f64();
    usage.processor = processor_time(child.id())?;
    Ok(usage)
}

/// Anonymous memory of a process that is resident, MiB.
pub fn own_memory(pid: u32) -> anyhow::Result<f64> {
    Ok(mebibytes(&std::fs::read_to_string(format!("/proc/{pid}/status"))?, "RssAnon:"))
}

fn mebibytes(status: &str, field: &str) -> f64 {
    let value = status.lines().find_map(|line| line.strip_prefix(field)?.trim().strip_suffix(" kB"));
    value.and_then(|kibibytes| kibibytes.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

/// User and system time of all of a process's threads.
fn processor_time(pid: u32) -> anyhow::Result<f64> {
    // utime and stime are fields 14 and 15.
    times(&std::fs::read_to_string(format!("/proc/{pid}/stat"))?, 11)
}

/// User and system time of all children that were waited for.
pub fn processor_time_of_children() -> anyhow::Result<f64> {
    // cutime and cstime are the two fields behind.
    times(&std::fs::read_to_string("/proc/self/stat")?, 13)
}

/// The sum of two times, s; `skipped`: fields before them, behind the name.
fn times(stat: &str, skipped: usize) -> anyhow::Result<f64> {
    // The name before the last ')' may hold anything.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(skipped).take(2);
    Ok(fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS)
}

/// The median of each figure.
pub fn median_usage(runs: &[Usage]) -> Usage {
    let of = |figure: fn(&Usage) -> f64| median(runs.iter().map(figure).collect());
    Usage {
        seconds: of(|usage| usage.seconds),
        processor: of(|usage| usage.processor),
        peak: of(|usage| usage.peak),
        own: of(|usage| usage.own),
    }
}

/// The median; of an even number of values the upper one of the two in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
