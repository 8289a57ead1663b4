//! `peripetyd parse` on logs of text and JSON, beside `grep -E` and `journalctl -o json | jq`'s second half.
//!
//! grep looks for the beginnings of the same lines and makes nothing of them; jq picks the kernel's entries out of the JSON.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;

use anyhow::Context;
use peripety::rules::builtin;

use crate::measure::{median_usage, run as measured, Usage};
use crate::random::Random;
use crate::{lines, table};

const DAEMON: &str = env!("CARGO_BIN_EXE_peripetyd");
/// One line in so many is a storage event; one in three is the kernel's.
const ONE_IN: u64 = 1000;
const KERNEL_ONE_IN: u64 = 3;
/// What storage lines of the kernel begin with.
const BEGINNINGS: &str = "kernel: (\\[[ 0-9.]+\\] )?(sd [0-9]|scsi|ata[0-9]|nvme|blk_update_request|I/O error|Buffer I/O|critical|\
    EXT4-fs|XFS|BTRFS|JBD2|md|device-mapper|raid|nbd|mmc|F2FS|FAT-fs|Aborting journal|end_request)";

/// Makes logs of so many MB and measures.
pub fn run(megabytes: u64, repeat: u32) -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let (text, json) = (directory.path().join("messages"), directory.path().join("journal.json"));
    let count = write(&text, &json, megabytes * 1_000_000)?;
    let log = directory.path().join("log");
    let mut rows = Vec::new();
    for file in [&text, &json] {
        let size = file.metadata()?.len() as f64;
        let mut row = |what: &str, command: &mut dyn FnMut() -> Command| -> anyhow::Result<()> {
            let runs =
                (0..repeat).map(|_| measured(&mut command(), &log)).collect::<Result<Vec<Usage>, _>>()?;
            let usage = median_usage(&runs);
            rows.push(vec![
                what.to_owned(),
                format!("{:.2}", usage.seconds),
                table::grouped(count as f64 / usage.seconds),
                table::grouped(count as f64 / usage.processor),
                format!("{:.0}", size / usage.seconds / 1e6),
                format!("{:.0}", usage.peak),
            ]);
            Ok(())
        };
        let name = file.display().to_string();
        let parse = || {
            let mut command = Command::new(DAEMON);
            command.args(["parse", "--no-progress", "-o", "json", &name]);
            command
        };
        if file == &text {
            row("peripetyd parse, text", &mut { parse })?;
            row("grep -E, text", &mut || {
                // grep stops at the first match when it sees that nobody reads it.
                let mut command = Command::new("sh");
                command.args(["-c", "grep -E \"$1\" \"$2\" | cat", "sh", BEGINNINGS, &name]);
                command
            })?;
        } else {
            row("peripetyd parse, JSON", &mut { parse })?;
            if Command::new("jq").arg("--version").output().is_ok() {
                row("jq, JSON", &mut || {
                    let mut command = Command::new("jq");
                    command.args(["-c", "select(.SYSLOG_IDENTIFIER == \"kernel\") | .MESSAGE", &name]);
                    command
                })?;
            } else {
                println!("\njq is not installed: not measured");
            }
        }
    }
    let head = ["", "s", "lines/s", "lines/s a core", "MB/s", "memory MiB"];
    table::print(&format!("Logs of {megabytes} MB and {} lines", table::grouped(count as f64)), &head, &rows);
    Ok(())
}

/// The same lines as text and as JSON; how many.
fn write(text: &Path, json: &Path, bytes: u64) -> anyhow::Result<u64> {
    let create = |path: &Path| File::create(path).with_context(|| format!("cannot write {}", path.display()));
    let (mut text, mut json) = (BufWriter::new(create(text)?), BufWriter::new(create(json)?));
    let rules = builtin::rules()?;
    let examples =
        rules.iter().filter(|rule| rule.identifier == "kernel").flat_map(|rule| rule.example_lines());
    let storage: Vec<String> =
        examples.map(|line| line.trim_end().to_owned()).filter(|line| !line.contains('\n')).collect();
    let mut random = Random(7);
    let (mut written, mut count) = (0, 0);
    while written < bytes {
        let usec = count * 1_700;
        let (minute, second) = (usec / 60_000_000 % 60, usec / 1_000_000 % 60);
        let kernel = random.below(KERNEL_ONE_IN) == 0;
        let message = match random.below(ONE_IN) {
            0 => random.pick(&storage),
            _ if kernel => lines::kernel(&mut random),
            _ => lines::service(&mut random),
        };
        let (name, stamp) = match kernel {
            true => ("kernel", format!("[{:5}.{:06}] ", usec / 1_000_000, usec % 1_000_000)),
            false => ("app[4242]", String::new()),
        };
        let line = format!("Nov 24 12:{minute:02}:{second:02} host {name}: {stamp}{message}\n");
        text.write_all(line.as_bytes())?;
        let identifier = if kernel { "kernel" } else { "app" };
        let object = serde_json::json!({
            "__CURSOR": format!("s=1;i={count:x};b=2;m={usec:x};t={usec:x};x=3"), "__REALTIME_TIMESTAMP": usec.to_string(),
            "__MONOTONIC_TIMESTAMP": usec.to_string(), "_BOOT_ID": "2", "_TRANSPORT": identifier,
            "SYSLOG_FACILITY": "0", "SYSLOG_IDENTIFIER": identifier, "PRIORITY": "6", "MESSAGE": message,
        });
        writeln!(json, "{object}")?;
        written += line.len() as u64;
        count += 1;
    }
    text.flush()?;
    json.flush()?;
    Ok(count)
}
