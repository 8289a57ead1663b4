//! Journal files: made of export text, and growing while they are read.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::{now, project, wait_for};

/// Turns journal export text into a journal file.
pub fn journal_file(export: &[u8], file: &Path) {
    let mut child = journal_remote(file);
    child.stdin.take().unwrap().write_all(export).unwrap();
    assert!(child.wait().unwrap().success(), "systemd-journal-remote failed");
}

/// Writes the export text on its standard input into a journal file as it comes.
fn journal_remote(file: &Path) -> Child {
    let tool = ["/lib/systemd/systemd-journal-remote", "/usr/lib/systemd/systemd-journal-remote"];
    let tool = tool
        .iter()
        .find(|path| Path::new(path).exists())
        .expect("systemd-journal-remote is missing: run scripts/deps.sh check");
    Command::new(tool)
        .args(["--split-mode=none", "-o"])
        .arg(file)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Export text of a recorded incident, moved in time so that its last entry is a minute old:
/// events are never stored before they happen, whatever this machine's clock says.
pub fn incident_export(case: &str) -> Vec<u8> {
    const TIMES: [&str; 2] = ["__REALTIME_TIMESTAMP=", "_SOURCE_REALTIME_TIMESTAMP="];
    let text = std::fs::read_to_string(project("tests/fixtures/incidents").join(case).join("journal.export"))
        .unwrap();
    let time = |line: &str| {
        let (field, value) = TIMES.iter().find_map(|field| Some((*field, line.strip_prefix(field)?)))?;
        Some((field, value.parse::<u64>().unwrap()))
    };
    let last = text.lines().filter_map(time).map(|(_, time)| time).max().unwrap();
    let moved = now() - 60_000_000;
    let lines = text.lines().map(|line| match time(line) {
        Some((field, time)) => format!("{field}{}\n", time + moved - last),
        None => format!("{line}\n"),
    });
    lines.collect::<String>().into_bytes()
}

/// A journal file that grows while a daemon reads it: lines of the kernel of another machine.
pub struct LiveJournal {
    pub file: PathBuf,
    child: Child,
    realtime: u64,
    monotonic: u64,
}

impl LiveJournal {
    pub fn start(file: PathBuf) -> Self {
        let child = journal_remote(&file);
        let mut journal = LiveJournal { file, child, realtime: 0, monotonic: 1_000_000 };
        journal.write(["a line that no rule knows".to_owned()]);
        wait_for("the live journal", || journal.file.exists().then_some(()));
        journal
    }

    /// Writes no more: the file is complete.
    pub fn finish(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }

    /// Another file, written on by the same machine.
    pub fn next(&self, file: PathBuf) -> Self {
        let mut next = LiveJournal::start(file);
        next.monotonic = self.monotonic;
        next
    }

    /// Writes lines as they are given; each has a time of its own.
    pub fn write(&mut self, lines: impl IntoIterator<Item = String>) {
        let time = now().max(self.realtime + 1);
        self.write_at(lines, time);
    }

    /// Writes lines from this time (µs since the epoch) on, whatever the time of those before.
    fn write_at(&mut self, lines: impl IntoIterator<Item = String>, time: u64) {
        let mut export = String::new();
        self.realtime = time;
        for line in lines {
            self.realtime += 1;
            self.monotonic += 10;
            export += &format!(
                "__REALTIME_TIMESTAMP={}\n__MONOTONIC_TIMESTAMP={m}\n_BOOT_ID=0123456789abcdef0123456789abcdef\n\
                 _SOURCE_MONOTONIC_TIMESTAMP={m}\n_TRANSPORT=kernel\nSYSLOG_FACILITY=0\nSYSLOG_IDENTIFIER=kernel\n\
                 PRIORITY=4\n_HOSTNAME=live\nMESSAGE={line}\n\n",
                self.realtime,
                m = self.monotonic,
            );
        }
        self.child.stdin.as_mut().unwrap().write_all(export.as_bytes()).unwrap();
    }

    /// Writes a line of this machine's kernel, logged at that time of this boot (µs of CLOCK_MONOTONIC).
    pub fn write_of_this_boot(&mut self, line: &str, monotonic: u64) {
        let boot =
            std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap().trim().replace('-', "");
        self.realtime = now().max(self.realtime + 1);
        let export = format!(
            "__REALTIME_TIMESTAMP={}\n__MONOTONIC_TIMESTAMP={}\n_BOOT_ID={boot}\n\
             _SOURCE_MONOTONIC_TIMESTAMP={monotonic}\n_TRANSPORT=kernel\nSYSLOG_FACILITY=0\n\
             SYSLOG_IDENTIFIER=kernel\nPRIORITY=3\n_HOSTNAME=live\nMESSAGE={line}\n\n",
            self.realtime,
            monotonic_now(),
        );
        self.child.stdin.as_mut().unwrap().write_all(export.as_bytes()).unwrap();
    }

    /// Writes entries in the export format.
    pub fn write_export(&mut self, export: impl AsRef<[u8]>) {
        self.child.stdin.as_mut().unwrap().write_all(export.as_ref()).unwrap();
    }

    /// Writes failures of the paths 8:`number` of a multipath device; each makes one event.
    pub fn write_failures(&mut self, numbers: std::ops::Range<usize>) {
        self.write(failures(numbers));
    }

    /// The same, at this time of a clock that may have jumped.
    pub fn write_failures_at(&mut self, numbers: std::ops::Range<usize>, time: u64) {
        self.write_at(failures(numbers), time);
    }
}

/// CLOCK_MONOTONIC, µs.
pub fn monotonic_now() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000 + now.tv_nsec as u64 / 1_000
}

fn failures(numbers: std::ops::Range<usize>) -> impl Iterator<Item = String> {
    numbers.map(|n| format!("device-mapper: multipath: 253:2: Failing path 8:{n}."))
}

impl Drop for LiveJournal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
