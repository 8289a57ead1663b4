//! Journals made to order: real files, as systemd-journal-remote writes them.

use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{bail, Context};

use crate::lines;
use crate::random::Random;
use crate::recording::{value, Fields, Recording};

/// Where distributions put systemd-journal-remote.
const REMOTE: [&str; 2] = ["/usr/lib/systemd/systemd-journal-remote", "/lib/systemd/systemd-journal-remote"];
/// Of a thousand entries that are no storage events, so many are the kernel's.
const KERNEL_PER_MILLE: u64 = 100;
/// Services that log.
const SERVICES: u64 = 120;

/// Writes a journal file of `entries` entries, of which `per_mille` of a thousand are storage
/// events; returns how many these are.
pub fn write(file: &Path, recording: &Recording, entries: u32, per_mille: u64) -> anyhow::Result<u64> {
    let remote = REMOTE.iter().find(|path| Path::new(path).exists());
    let remote = remote.context("systemd-journal-remote is missing; run \"make deps\"")?;
    let mut child = Command::new(remote)
        .args(["--split-mode=none", "-o"])
        .arg(file)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {remote}"))?;
    let mut out = BufWriter::new(child.stdin.take().context("no pipe to systemd-journal-remote")?);
    let storage = export(&mut out, recording, entries, per_mille)?;
    out.flush()?;
    drop(out);
    if !child.wait()?.success() {
        bail!("systemd-journal-remote could not write {}", file.display());
    }
    Ok(storage)
}

fn export(out: &mut impl Write, recording: &Recording, entries: u32, per_mille: u64) -> anyhow::Result<u64> {
    let mut random = Random(1);
    let mut clock = Clock { realtime: recording.realtime, monotonic: recording.monotonic };
    let mut storage = recording.storage.iter().cycle();
    let mut count = 0;
    for _ in 0..entries {
        clock.step(&mut random);
        let is_storage = random.below(1000) < per_mille;
        let entry = if is_storage {
            count += 1;
            storage.next().map(|entry| recorded(entry, &clock)).unwrap_or_default()
        } else if random.below(1000) < KERNEL_PER_MILLE {
            other_kernel(recording, &mut random, &clock)
        } else {
            service(recording, &mut random, &clock)
        };
        write_entry(out, &entry, &clock)?;
    }
    Ok(count)
}

/// When an entry is received.
struct Clock {
    realtime: u64,
    monotonic: u64,
}

impl Clock {
    fn step(&mut self, random: &mut Random) {
        let passed = 1 + random.below(20_000);
        self.realtime += passed;
        self.monotonic += passed;
    }
}

/// A recorded entry, logged again now.
fn recorded(entry: &Fields, clock: &Clock) -> Fields {
    let now = |name: &str, value: &[u8]| match name {
        "_SOURCE_MONOTONIC_TIMESTAMP" => (clock.monotonic - 3).to_string().into_bytes(),
        "_SOURCE_REALTIME_TIMESTAMP" => (clock.realtime - 9).to_string().into_bytes(),
        _ => value.to_vec(),
    };
    let kept = entry.iter().filter(|(name, _)| !name.starts_with("__"));
    kept.map(|(name, value)| (name.clone(), now(name, value))).collect()
}

/// A kernel entry that is no storage event: the fields of a recorded one, with another text.
fn other_kernel(recording: &Recording, random: &mut Random, clock: &Clock) -> Fields {
    let mut entry = recorded(&random.pick(&recording.other_kernel), clock);
    entry.retain(|(name, _)| name != "MESSAGE");
    entry.push(("MESSAGE".into(), lines::kernel(random).into_bytes()));
    entry
}

/// An entry of a service, with the fields that journald gives one.
fn service(recording: &Recording, random: &mut Random, clock: &Clock) -> Fields {
    let number = random.below(SERVICES);
    let (name, pid) = (format!("svc{number}"), 300 + random.below(30_000));
    let machine = recording.storage.first().cloned().unwrap_or_default();
    let of_machine = |field: &str| String::from_utf8_lossy(value(&machine, field)).into_owned();
    let fields = [
        ("_BOOT_ID", of_machine("_BOOT_ID")),
        ("_MACHINE_ID", of_machine("_MACHINE_ID")),
        ("_HOSTNAME", of_machine("_HOSTNAME")),
        ("_RUNTIME_SCOPE", "system".into()),
        ("_TRANSPORT", random.pick(&["syslog", "stdout", "journal"]).into()),
        ("PRIORITY", (3 + random.below(5)).to_string()),
        ("SYSLOG_FACILITY", "3".into()),
        ("SYSLOG_IDENTIFIER", name.clone()),
        ("_PID", pid.to_string()),
        ("_UID", "0".into()),
        ("_GID", "0".into()),
        ("_COMM", name.clone()),
        ("_EXE", format!("/usr/sbin/{name}")),
        ("_CMDLINE", format!("/usr/sbin/{name} --foreground --instance {}", pid % 500)),
        ("_CAP_EFFECTIVE", "1ffffffffff".into()),
        ("_SYSTEMD_CGROUP", format!("/system.slice/{name}.service")),
        ("_SYSTEMD_UNIT", format!("{name}.service")),
        ("_SYSTEMD_SLICE", "system.slice".into()),
        ("_SYSTEMD_INVOCATION_ID", format!("{:032x}", number + 1)),
        ("_SOURCE_REALTIME_TIMESTAMP", (clock.realtime - 9).to_string()),
        ("MESSAGE", lines::service(random)),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())).collect()
}

fn write_entry(out: &mut impl Write, entry: &Fields, clock: &Clock) -> std::io::Result<()> {
    writeln!(out, "__REALTIME_TIMESTAMP={}", clock.realtime)?;
    writeln!(out, "__MONOTONIC_TIMESTAMP={}", clock.monotonic)?;
    for (name, value) in entry {
        if value.iter().any(|byte| *byte < b' ' && *byte != b'\t') {
            let length = u64::try_from(value.len()).map_err(std::io::Error::other)?;
            writeln!(out, "{name}")?;
            out.write_all(&length.to_le_bytes())?;
        } else {
            write!(out, "{name}=")?;
        }
        out.write_all(value)?;
        writeln!(out)?;
    }
    writeln!(out)
}
