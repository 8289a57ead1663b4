//! What the input says of the machine that its logs come from: lists of its devices, its name, when it was booted.
//!
//! Only lists of whole machines count, in folders and archives: a support archive (sosreport, supportconfig), or a folder
//! into which somebody put the logs and the output of `lsblk -O -J`.

mod lists;
mod seen;

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use jiff::tz::TimeZone;
use peripety_blkinfo::history::{History, Window};

use super::input::tar::{self, Archive};
use super::input::unpack::Stream;
use super::stage::unknown_boot;
use super::text::stamp;
use seen::Devices;

/// Longest list that is read.
const LONGEST: u64 = 64 * 1024 * 1024;
/// Folders within folders.
const DEEPEST: usize = 12;

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

/// What a folder or archive says of its machine; nothing, of another file.
pub fn of(path: &Path) -> Machine {
    let mut found = Found::default();
    if path.is_dir() {
        folder(&mut found, path, 0);
    } else if path.is_file() {
        archive(&mut found, path);
    }
    found.machine()
}

fn folder(found: &mut Found, path: &Path, depth: usize) {
    let mut paths: Vec<_> =
        fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let Ok(about) = fs::symlink_metadata(&path) else { continue };
        if about.is_dir() && depth < DEEPEST {
            folder(found, &path, depth + 1);
        } else if let Some(list) = List::of(&path.to_string_lossy()).filter(|_| about.is_file()) {
            if let Ok(file) = File::open(&path) {
                found.take(list, file);
            }
        }
    }
}

/// The members of an archive that are lists. The logs are read later: the lists may come behind them.
fn archive(found: &mut Found, path: &Path) {
    let Ok(stream) = File::open(path).and_then(Stream::open) else { return };
    if !tar::is_archive(&stream.begin) {
        return;
    }
    let mut archive = Archive::new(stream.whole());
    while let Ok(Some(name)) = archive.next_file() {
        if let Some(list) = List::of(&name) {
            found.take(list, &mut archive);
        }
    }
}

/// A file that says something of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    Devices,
    Mounts,
    Host,
    Uptime,
    Date,
}

impl List {
    fn of(name: &str) -> Option<Self> {
        let file = name.rsplit('/').next()?.to_ascii_lowercase();
        let stem = file.strip_suffix(".txt").unwrap_or(&file);
        Some(match stem {
            _ if stem.contains("lsblk") => List::Devices,
            _ if stem.starts_with("udevadm_info") || stem.contains("export-db") || stem == "udev-db" => {
                List::Devices
            }
            "mounts" | "mount" | "mount_-l" => List::Mounts,
            "hostname" => List::Host,
            "uptime" if name.ends_with("proc/uptime") => List::Uptime,
            "date" => List::Date,
            _ => return None,
        })
    }
}

#[derive(Default)]
struct Found {
    devices: Devices,
    mounts: Vec<String>,
    hostname: String,
    /// Seconds since boot, when the data were gathered.
    uptime: Option<f64>,
    /// When that was, µs since the epoch.
    date: Option<u64>,
}

impl Found {
    fn take(&mut self, list: List, input: impl Read) {
        let mut bytes = Vec::new();
        if input.take(LONGEST).read_to_end(&mut bytes).is_err() {
            return;
        }
        let text = String::from_utf8_lossy(&bytes);
        match list {
            List::Devices => drop(lists::take(&mut self.devices, &text)),
            List::Mounts => self.mounts.push(text.into_owned()),
            List::Host => self.hostname = text.trim().lines().next().unwrap_or_default().to_owned(),
            List::Uptime => self.uptime = text.split_whitespace().next().and_then(|word| word.parse().ok()),
            List::Date => {
                let wall = stamp::wall(text.trim().as_bytes()).map(|(wall, _)| wall);
                self.date = wall.and_then(|wall| wall.micros_since_epoch(u64::MAX >> 2, &TimeZone::system()));
            }
        }
    }

    fn machine(mut self) -> Machine {
        for text in std::mem::take(&mut self.mounts) {
            lists::mounts(&mut self.devices, &text);
        }
        let booted = self.date.zip(self.uptime).and_then(|(date, uptime)| {
            // `as` saturates; a negative or absurd uptime leads to no time.
            date.checked_sub((uptime * 1e6) as u64).filter(|_| uptime >= 0.0)
        });
        let boot_id = (!self.devices.is_empty()).then(|| format!("{}of {}", unknown_boot(), self.hostname));
        let boot_id = boot_id
            .map(|name| uuid::Uuid::new_v5(&crate::event::NAMESPACE, name.as_bytes()).simple().to_string());
        let looked = Window { after: u64::MAX, by: u64::MAX };
        let devices = boot_id.as_deref().map(|boot_id| History::new(boot_id, looked, self.devices.blocks()));
        Machine { hostname: self.hostname, boot_id, booted, devices }
    }
}
