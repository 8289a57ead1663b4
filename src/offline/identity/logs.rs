//! Boot times from logs: from a line with both a date and the kernel's time stamp, or from the date of the kernel's first line.
//!
//! This requires reading the logs twice. It is done only if devices are known and no tool printed the boot time.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use jiff::tz::TimeZone;
use memchr::{memchr, memmem, memrchr};

use super::times::Booted;
use crate::collector::early::BANNER;
use crate::journal;
use crate::offline::chunk::Format;
use crate::offline::input::{walk, Visitor};
use crate::offline::progress::Progress;
use crate::offline::text::{clean, head};

/// Bytes that are searched at a time.
const BLOCK: usize = 256 * 1024;
/// Bytes of a line that are examined, and that a block keeps of the previous one.
const MAX_LINE_BYTES: usize = 1024;
/// Inaccuracy of the boot time, µs: dates may have no fraction, and the kernel's first line is logged late.
const SLACK: u64 = 5_000_000;

/// A machine whose boot time is to be found.
#[derive(Clone, Debug)]
pub struct BootTimeRequest {
    /// The directory or archive with its files.
    pub root: String,
    /// The time zone of its dates.
    pub zone: TimeZone,
    /// Upper limit of all time stamps, µs since the epoch.
    pub not_after: u64,
}

/// The last boot of each machine according to the logs below a path, by the root of the machine.
pub fn booted(path: &Path, requests: &[BootTimeRequest]) -> BTreeMap<String, Booted> {
    let mut scan = Scan { requests, found: BTreeMap::new() };
    walk::named(&mut scan, path, None, &Progress::new(None, true));
    scan.found.into_iter().map(|(root, (_, booted))| (root, booted)).collect()
}

struct Scan<'w> {
    requests: &'w [BootTimeRequest],
    /// The time of the line that was used, and the boot time.
    found: BTreeMap<String, (u64, Booted)>,
}

impl Visitor for Scan<'_> {
    fn log(
        &mut self,
        name: &str,
        begin: Vec<u8>,
        rest: &mut dyn Read,
        format: Format,
        modified: Option<u64>,
    ) -> bool {
        let machines = self.requests.iter().filter(|request| is_below(&request.root, name));
        let machine = machines.max_by_key(|request| request.root.len());
        if let Some(machine) = machine.filter(|_| format == Format::Text) {
            let limit = modified.unwrap_or_else(journal::now).min(machine.not_after);
            if let Some(found) = last_boot(begin, rest, limit, &machine.zone) {
                let known = self.found.entry(machine.root.clone()).or_insert(found);
                if found.0 > known.0 {
                    *known = found;
                }
            }
        }
        true
    }
}

/// The file is in the directory or archive.
pub fn is_below(root: &str, name: &str) -> bool {
    let rest = name.strip_prefix(root);
    rest.is_some_and(|rest| {
        root.is_empty() || rest.is_empty() || rest.starts_with('/') || root.ends_with('/')
    })
}

/// The boot time from the last suitable line, and the time of that line.
fn last_boot(begin: Vec<u8>, rest: &mut dyn Read, limit: u64, zone: &TimeZone) -> Option<(u64, Booted)> {
    let mut block = begin;
    let mut last = None;
    loop {
        last = in_block(&block, limit, zone).or(last);
        let keep = block.len().saturating_sub(MAX_LINE_BYTES);
        block.drain(..keep);
        let read = rest.take(BLOCK as u64).read_to_end(&mut block);
        if !read.is_ok_and(|read| read > 0) {
            return last;
        }
    }
}

fn in_block(block: &[u8], limit: u64, zone: &TimeZone) -> Option<(u64, Booted)> {
    const MARKS: [&[u8]; 2] = [b"kernel: [", BANNER];
    let lines = MARKS.iter().filter_map(|mark| line_at(block, memmem::rfind(block, mark)?));
    lines.filter_map(|line| boot_of(line, limit, zone)).max_by_key(|(written, _)| *written)
}

fn line_at(block: &[u8], at: usize) -> Option<&[u8]> {
    let begin = memrchr(b'\n', block.get(..at)?).map_or(0, |newline| newline + 1);
    let end = memchr(b'\n', block.get(at..)?).map_or(block.len(), |newline| at + newline);
    block.get(begin..end.min(begin + MAX_LINE_BYTES))
}

fn boot_of(line: &[u8], limit: u64, zone: &TimeZone) -> Option<(u64, Booted)> {
    let line = clean::line(line);
    let head = head::read(&line, &|_| false);
    let written = head.wall?.micros_since_epoch(limit, zone)?;
    let since = match head.boot {
        Some(boot) => boot,
        None if head.body.trim_ascii_start().starts_with(BANNER) => 0,
        None => return None,
    };
    Some((written, Booted { at: written.checked_sub(since)?, slack: SLACK }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_with_both_times_tells_the_boot() {
        let log = "\
May  5 07:00:00 h kernel: [   60.000000] x\n\
May  6 08:00:00 h kernel: Linux version 5.14\n\
May  6 09:00:00 h kernel: [ 3600.000000] x\n\
May  6 10:00:00 h app[7]: x\n";
        // 2024-05-07 00:00:00 UTC; the boot was at 2024-05-06 08:00:00.
        let found = last_boot(log.into(), &mut std::io::empty(), 1_715_040_000_000_000, &TimeZone::UTC);
        assert_eq!(found.map(|(_, booted)| booted.at), Some(1_714_982_400_000_000));
        let none =
            last_boot(b"May  6 10:00:00 h app[7]: x\n".into(), &mut std::io::empty(), 0, &TimeZone::UTC);
        assert_eq!(none, None);
    }
}
