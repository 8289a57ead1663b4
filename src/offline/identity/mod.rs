//! What the input says of the machines that its logs come from: their devices, their names, when they were booted.
//!
//! Only what tools printed for whole machines counts, in directories and archives: a support archive (sosreport,
//! supportconfig), or a directory into which somebody put the logs and the output of `lsblk`, `multipath -ll` and so on. Several
//! machines in one archive are kept apart.

mod blocks;
mod named;
mod seen;
mod table;
mod tools;
mod wwid;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use jiff::tz::TimeZone;
use peripety_blkinfo::history::{History, Window};

use super::input::archive::{self, Kind};
use super::input::detect;
use super::input::unpack::Stream;
use super::stage::unknown_boot;
use super::text::stamp;
use seen::Devices;

/// Longest list that is read.
const MAX_LIST_BYTES: u64 = 64 * 1024 * 1024;
/// Directories within directories.
const DEEPEST: usize = 12;
/// Machines in one input.
const MOST_MACHINES: usize = 1024;
/// Directories at the top of a machine's files, by which a machine is told from the next.
const TOPS: [&str; 4] = ["sos_commands", "proc", "etc", "var"];

/// The machine that logs come from.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// Its name.
    pub hostname: String,
    /// The boot whose devices are known.
    pub boot_id: Option<String>,
    /// When that began, µs since the epoch.
    pub booted: Option<u64>,
    /// Its devices.
    pub devices: Option<History>,
}

impl Machine {
    /// It is not known to which boot a line belongs: it has a date, and the machine's boot time is not known.
    pub fn blind(&self, dated: bool) -> bool {
        self.devices.is_some() && dated && self.booted.is_none()
    }
}

/// The machines of which a directory or archive tells, each with the directory or archive in which all about it lies; the input
/// itself comes first. Of another file nothing is known.
pub fn of(path: &Path) -> Vec<(String, Machine)> {
    let base = path.display().to_string();
    let mut looking = Looking::default();
    looking.of(&base);
    if path.is_dir() {
        looking.directory(&base, path, 0);
    } else if let Some(file) = path.is_file().then(|| File::open(path).ok()).flatten() {
        looking.archive(&base, file);
    }
    looking.found.into_iter().map(|(root, found)| (root, found.machine())).collect()
}

/// What is found, by the place in which all about one machine lies.
#[derive(Default)]
struct Looking {
    found: BTreeMap<String, Found>,
}

impl Looking {
    fn of(&mut self, root: &str) -> Option<&mut Found> {
        let fits = self.found.len() < MOST_MACHINES || self.found.contains_key(root);
        fits.then(|| self.found.entry(root.to_owned()).or_default())
    }

    fn directory(&mut self, base: &str, path: &Path, depth: usize) {
        let mut paths: Vec<_> =
            fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let Ok(about) = fs::symlink_metadata(&path) else { continue };
            if about.is_dir() && depth < DEEPEST {
                self.directory(base, &path, depth + 1);
            } else if about.is_file() {
                if let Ok(file) = File::open(&path) {
                    self.stream(base, &path.display().to_string(), file, 0);
                }
            }
        }
    }

    /// The files of an archive. The logs are read later: the lists may come behind them.
    fn archive(&mut self, base: &str, file: File) {
        let Ok(stream) = Stream::open(&file) else { return };
        if let Some(kind) = Kind::of(&stream.begin) {
            self.members(base, kind, stream, Some(&file), 0);
        }
    }

    fn members(&mut self, base: &str, kind: Kind, stream: Stream<'_>, file: Option<&File>, depth: usize) {
        // What is wrong with the archive is said when its logs are read.
        let _ = archive::members(kind, stream, file, &mut |member, input| {
            self.stream(base, &format!("{base}/{member}"), input, depth + 1);
            true
        });
    }

    fn stream(&mut self, base: &str, name: &str, input: impl Read, depth: usize) {
        let Ok(stream) = Stream::open(input) else { return };
        match Kind::of(&stream.begin) {
            Some(kind) if depth < archive::MOST_NESTED => self.members(name, kind, stream, None, depth),
            Some(_) => {}
            None => {
                let Some(list) = List::of(name, &stream.begin) else { return };
                if let Some(found) = self.of(root(base, name)) {
                    found.take(list, name, stream.whole());
                }
            }
        }
    }
}

/// The place in which all about the machine of a file lies.
fn root<'n>(base: &'n str, name: &'n str) -> &'n str {
    let inside = name.get(base.len()..).unwrap_or_default();
    let mut at = base.len();
    for part in inside.split_inclusive('/') {
        if TOPS.contains(&part.trim_end_matches('/')) && part.ends_with('/') {
            return name.get(..at).unwrap_or(base).trim_end_matches('/');
        }
        at += part.len();
    }
    base
}

/// A file that says something of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    Devices,
    Host,
    Uptime,
    Booted,
    Date,
}

impl List {
    /// By its name and its first bytes.
    fn of(name: &str, begin: &[u8]) -> Option<Self> {
        let file = file_name(name);
        let stem = file.strip_suffix(".txt").unwrap_or(file);
        Some(match stem.to_ascii_lowercase().as_str() {
            "hostname" => List::Host,
            "uptime" if name.ends_with("proc/uptime") => List::Uptime,
            "stat" if name.ends_with("proc/stat") => List::Booted,
            "date" => List::Date,
            _ => return Self::is_devices(file, begin).then_some(List::Devices),
        })
    }

    /// What a tool printed. A log may quote it, and is none.
    fn is_devices(file: &str, begin: &[u8]) -> bool {
        if memchr::memchr(0, begin).is_some() {
            return false;
        }
        let is_log = detect::is_log_name(file);
        let by_name = !is_log && tools::is_command(file);
        by_name || tools::is_list(&String::from_utf8_lossy(begin)) && !detect::has_heads(begin)
    }
}

fn file_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// What is found of one machine.
#[derive(Default)]
struct Found {
    devices: Devices,
    hostname: String,
    /// Seconds since boot, when the data were gathered.
    uptime: Option<f64>,
    /// When that was, µs since the epoch.
    date: Option<u64>,
    /// When it was booted, seconds since the epoch, as the kernel counts it.
    booted: Option<u64>,
}

impl Found {
    fn take(&mut self, list: List, name: &str, input: impl Read) {
        let mut bytes = Vec::new();
        if input.take(MAX_LIST_BYTES).read_to_end(&mut bytes).is_err() {
            return;
        }
        let text = String::from_utf8_lossy(&bytes);
        match list {
            List::Devices => tools::take(&mut self.devices, file_name(name), &text),
            List::Host => self.hostname = text.trim().lines().next().unwrap_or_default().to_owned(),
            List::Uptime => self.uptime = text.split_whitespace().next().and_then(|word| word.parse().ok()),
            List::Booted => {
                let line = text.lines().find_map(|line| line.strip_prefix("btime "));
                self.booted = line.and_then(|seconds| seconds.trim().parse().ok());
            }
            List::Date => {
                let wall = stamp::wall(text.trim().as_bytes()).map(|(wall, _)| wall);
                self.date = wall.and_then(|wall| wall.micros_since_epoch(u64::MAX >> 2, &TimeZone::system()));
            }
        }
    }

    fn machine(mut self) -> Machine {
        self.devices.settle();
        let counted = self.date.zip(self.uptime).and_then(|(date, uptime)| {
            // `as` saturates; a negative or absurd uptime leads to no time.
            date.checked_sub((uptime * 1e6) as u64).filter(|_| uptime >= 0.0)
        });
        let booted = counted.or_else(|| self.booted?.checked_mul(1_000_000));
        let boot_id = (!self.devices.is_empty()).then(|| format!("{}of {}", unknown_boot(), self.hostname));
        let boot_id = boot_id
            .map(|name| uuid::Uuid::new_v5(&crate::event::NAMESPACE, name.as_bytes()).simple().to_string());
        let looked = Window { after: u64::MAX, by: u64::MAX };
        let devices = boot_id.as_deref().map(|boot_id| History::new(boot_id, looked, self.devices.blocks()));
        Machine { hostname: self.hostname, boot_id, booted, devices }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_machine_has_its_place() {
        for (base, name, place) in [
            ("case", "case/sos-a/sos_commands/block/lsblk", "case/sos-a"),
            ("case", "case/proc/mounts", "case"),
            ("case", "case/lists/lsblk.txt", "case"),
            ("/var/x", "/var/x/lsblk", "/var/x"),
            ("a.zip/b.tar", "a.zip/b.tar/sos/proc/uptime", "a.zip/b.tar/sos"),
        ] {
            assert_eq!(root(base, name), place, "{name}");
        }
    }

    #[test]
    fn a_log_that_quotes_a_tool_is_no_list() {
        let quoted = b"mpatha (36001405abea000100000000000000000) dm-0 LIO-ORG,FILEIO\n`- 3:0:0:0 sda 8:0 active ready running\n";
        let mut log = quoted.to_vec();
        log.extend(b"Nov 24 12:48:14 host kernel: XFS (dm-0): log I/O error -5\n");
        assert_eq!(List::of("x/paths.txt", quoted), Some(List::Devices));
        assert_eq!(List::of("x/case.txt", &log), None);
        assert_eq!(List::of("x/messages", b"Nov 24 12:48:14 host app: lsblk\n"), None);
    }
}
