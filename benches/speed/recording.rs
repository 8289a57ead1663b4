//! A recorded incident, as export text (<https://systemd.io/JOURNAL_EXPORT_FORMATS/>).

use std::path::{Path, PathBuf};

use anyhow::{bail, Context};
use peripety::rules::RuleSet;

/// Fields of one entry, in order.
pub type Fields = Vec<(String, Vec<u8>)>;

/// What the machine of the recording logged, and its devices.
#[derive(Debug)]
pub struct Recording {
    /// Entries that a rule matches.
    pub storage: Vec<Fields>,
    /// Kernel entries that none matches.
    pub other_kernel: Vec<Fields>,
    /// Its last entry was received then, µs since the epoch.
    pub realtime: u64,
    /// The same, µs since the boot.
    pub monotonic: u64,
    /// Its device tree.
    pub tree: PathBuf,
}

/// Reads the incident whose devices are the richest: file systems on LVM on multipath.
pub fn read(rules: &RuleSet) -> anyhow::Result<Recording> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/incidents/fs-lvm-multipath");
    let file = directory.join("journal.export");
    let text = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let entries = parse(&text).with_context(|| format!("cannot read {}", file.display()))?;
    let latest = |name| entries.iter().filter_map(|entry| number(entry, name)).max().unwrap_or(0);
    let (realtime, monotonic) = (latest("__REALTIME_TIMESTAMP"), latest("__MONOTONIC_TIMESTAMP"));
    let matches = |entry: &Fields| {
        rules.find_slowly(value(entry, "SYSLOG_IDENTIFIER"), value(entry, "MESSAGE")).is_some()
    };
    let (storage, rest): (Vec<_>, Vec<_>) = entries.into_iter().partition(matches);
    let of_kernel = |entry: &Fields| value(entry, "SYSLOG_IDENTIFIER") == b"kernel";
    let other_kernel: Vec<_> = rest.into_iter().filter(of_kernel).collect();
    if storage.is_empty() || other_kernel.is_empty() {
        bail!("{} holds no storage entry, or no other kernel entry", file.display());
    }
    Ok(Recording { storage, other_kernel, realtime, monotonic, tree: directory.join("tree.txt") })
}

/// The first value of a field; empty when there is none.
pub fn value<'e>(entry: &'e Fields, name: &str) -> &'e [u8] {
    entry.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_slice()).unwrap_or_default()
}

fn number(entry: &Fields, name: &str) -> Option<u64> {
    std::str::from_utf8(value(entry, name)).ok()?.parse().ok()
}

fn parse(mut text: &[u8]) -> anyhow::Result<Vec<Fields>> {
    let mut entries = vec![Fields::new()];
    while !text.is_empty() {
        let line = take_line(&mut text);
        if line.is_empty() {
            entries.push(Fields::new());
            continue;
        }
        let (name, value) = match line.iter().position(|byte| *byte == b'=') {
            Some(at) => (line.get(..at).unwrap_or_default(), line.get(at + 1..).unwrap_or_default()),
            None => (line, take_binary(&mut text).context("a binary field is cut short")?),
        };
        if let Some(entry) = entries.last_mut() {
            entry.push((String::from_utf8_lossy(name).into_owned(), value.to_vec()));
        }
    }
    entries.retain(|entry| !entry.is_empty());
    Ok(entries)
}

fn take_line<'t>(text: &mut &'t [u8]) -> &'t [u8] {
    let end = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
    let line = text.get(..end).unwrap_or_default();
    *text = text.get(end + 1..).unwrap_or_default();
    line
}

/// Length (64 bits, little endian), that many bytes, a line break.
fn take_binary<'t>(text: &mut &'t [u8]) -> Option<&'t [u8]> {
    let (length, rest) = text.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let value = rest.get(..length)?;
    *text = rest.get(length + 1..)?;
    Some(value)
}
