//! The machines that logs come from: their devices, host names and boot times, as far as the input contains them.
//!
//! Only what tools printed for whole machines counts, in directories and archives: a support archive (sosreport,
//! supportconfig), or a directory into which somebody put the logs and the output of `lsblk`, `multipath -ll` and so on. Several
//! machines in one archive are kept apart.

use std::path::Path;

use jiff::tz::TimeZone;
use peripety_blkinfo::history::{History, Window};
use peripety_blkinfo::{archive, BlockInfo};

use super::stage::unknown_boot;
use super::text::stamp;

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

/// The machines in a directory, archive or file, each with the directory or archive that contains all its files; the input itself comes
/// first.
pub fn of(path: &Path) -> Vec<(String, Machine)> {
    let regular = path.is_dir() || path.is_file();
    // What is wrong with the archive is reported when its logs are read.
    let found = regular.then(|| archive::read(path, &note).ok()).flatten();
    match found {
        Some(found) => {
            found.machines.into_iter().map(|found| (found.root.clone(), machine(&found))).collect()
        }
        None => vec![(path.display().to_string(), Machine::default())],
    }
}

/// Seconds since boot, when the data were gathered.
const UPTIME: &str = "uptime";
/// The same as `uptime` prints it for people.
const UP: &str = "up";
/// When that was.
const DATE: &str = "date";
/// The kernel's counters, with the time of the boot among them.
const STAT: &str = "stat";

/// The kind of a file that helps to determine the boot time.
fn note(name: &str) -> Option<&'static str> {
    let file = name.rsplit('/').next().unwrap_or(name);
    let stem = file.strip_suffix(".txt").unwrap_or(file);
    match stem.to_ascii_lowercase().as_str() {
        "uptime" if name.ends_with("proc/uptime") => Some(UPTIME),
        // supportconfig
        _ if name == "uptime" => Some(UP),
        "stat" if name.ends_with("proc/stat") => Some(STAT),
        "date" => Some(DATE),
        _ => None,
    }
}

fn machine(found: &archive::Machine) -> Machine {
    for (kname, wwids) in found.contradictions() {
        tracing::debug!("{kname}: lists give it several identities, so that none counts: {wwids:?}");
    }
    let hostname = found.hostname.clone();
    let boot_id = found.has_devices().then(|| format!("{}of {hostname}", unknown_boot()));
    let boot_id = boot_id
        .map(|name| uuid::Uuid::new_v5(&crate::event::NAMESPACE, name.as_bytes()).simple().to_string());
    let looked = Window { after: u64::MAX, by: u64::MAX };
    let devices = boot_id.as_deref().map(|boot_id| History::new(boot_id, looked, blocks(found)));
    Machine { hostname, boot_id, booted: booted(found), devices }
}

/// Its devices. If udev does not say since when a device exists, it is assumed to have existed since the boot.
fn blocks(found: &archive::Machine) -> Vec<BlockInfo> {
    let mut blocks = found.tree().list_all().unwrap_or_default();
    for block in &mut blocks {
        block.present_since = block.present_since.or(Some(0));
    }
    blocks
}

/// When it was booted, µs since the epoch.
fn booted(found: &archive::Machine) -> Option<u64> {
    let note = |name: &str| found.notes.get(name).map(String::as_str);
    let uptime = note(UPTIME).and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok());
    let uptime = uptime.or_else(|| note(UP).and_then(up));
    let wall = note(DATE).and_then(|text| stamp::wall(text.trim().as_bytes())).map(|(wall, _)| wall);
    let date = wall.and_then(|wall| wall.micros_since_epoch(u64::MAX >> 2, &TimeZone::system()));
    let counted = date.zip(uptime).and_then(|(date, uptime)| {
        // `as` saturates; a negative or absurd uptime leads to no time.
        date.checked_sub((uptime * 1e6) as u64).filter(|_| uptime >= 0.0)
    });
    let seconds = note(STAT).and_then(|text| text.lines().find_map(|line| line.strip_prefix("btime ")));
    counted.or_else(|| seconds?.trim().parse::<u64>().ok()?.checked_mul(1_000_000))
}

/// Seconds since boot, from ` 10:00:00  up 12 days,  2:05,  1 user,  load average: …` (procps, lib/whattime.c): whole minutes.
fn up(text: &str) -> Option<f64> {
    let (_, rest) = text.split_once(" up ")?;
    let mut seconds = 0.0;
    let mut known = false;
    for part in rest.split(',').map(str::trim) {
        let (number, unit) = part.split_once(' ').unwrap_or((part, ""));
        let part = match (number.split_once(':'), unit.trim()) {
            (Some((hours, minutes)), "") => {
                hours.trim().parse::<f64>().ok()? * 3600.0 + minutes.parse::<f64>().ok()? * 60.0
            }
            (None, "day" | "days") => number.parse::<f64>().ok()? * 86_400.0,
            (None, "min") => number.parse::<f64>().ok()? * 60.0,
            _ => break,
        };
        (seconds, known) = (seconds + part, true);
    }
    known.then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_a_machine_is_up() {
        for (text, seconds) in [
            (" 10:00:00  up   2:00,  1 user,  load average: 0,00, 0,01, 0,05\n", Some(7_200.0)),
            (" 10:00:00 up 12 days,  2:05,  2 users,  load average: 0.00", Some(12.0 * 86_400.0 + 7_500.0)),
            (" 10:00:00 up 1 day, 5 min,  2 users,  load average: 0.00", Some(86_700.0)),
            (" 10:00:00 up 7 min,  1 user", Some(420.0)),
            ("12345.67 2345.00\n", None),
        ] {
            assert_eq!(up(text), seconds, "{text}");
        }
    }
}
