//! The machines that logs come from: their devices, host names, boot times and time zones, as far as the input contains them.
//!
//! Only what tools printed for whole machines counts, in directories and archives: a support archive (sosreport,
//! supportconfig), or a directory into which somebody put the logs and the output of `lsblk`, `multipath -ll` and so on. Several
//! machines in one archive are kept apart.

mod logs;
mod times;

use std::path::Path;

use jiff::tz::TimeZone;
use peripety_blkinfo::history::{History, Window};
use peripety_blkinfo::{archive, BlockInfo};

use super::stage::unknown_boot;
pub use logs::is_below;
pub use times::Booted;
use times::Times;

/// The machine that logs come from.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// Its name.
    pub hostname: String,
    /// The boot whose devices are known.
    pub boot_id: Option<String>,
    /// The time of that boot.
    pub booted: Option<Booted>,
    /// When its data was collected, µs since the epoch: no line is later.
    pub gathered: Option<u64>,
    /// The zone of the dates in its logs.
    pub zone: Option<TimeZone>,
    /// Its devices.
    pub devices: Option<History>,
}

impl Machine {
    /// Whether the boot of a line cannot be determined: it has a date, but the boot time of the machine is unknown.
    pub fn blind(&self, dated: bool) -> bool {
        self.devices.is_some() && dated && self.booted.is_none()
    }
}

/// The machines in a directory, archive or file, each with the directory or archive that contains all its files; the input itself comes
/// first.
pub fn of(path: &Path) -> Vec<(String, Machine)> {
    let regular = path.is_dir() || path.is_file();
    // Errors in the archive are reported when its logs are read.
    let found = regular.then(|| archive::read(path, &note).ok()).flatten();
    match found {
        Some(found) => {
            let mut all: Vec<(String, Machine)> =
                found.machines.iter().map(|found| (found.root.clone(), machine(found))).collect();
            ask_logs(path, &mut all);
            all
        }
        None => vec![(path.display().to_string(), Machine::default())],
    }
}

/// Finds missing boot times in the logs, for machines whose devices are known.
fn ask_logs(path: &Path, all: &mut [(String, Machine)]) {
    let unknown = |machine: &Machine| machine.devices.is_some() && machine.booted.is_none();
    let requests =
        all.iter().filter(|(_, machine)| unknown(machine)).map(|(root, machine)| logs::BootTimeRequest {
            root: root.clone(),
            zone: machine.zone.clone().unwrap_or_else(TimeZone::system),
            not_after: machine.gathered.unwrap_or(u64::MAX),
        });
    let requests: Vec<logs::BootTimeRequest> = requests.collect();
    if requests.is_empty() {
        return;
    }
    let found = logs::booted(path, &requests);
    for (root, machine) in all {
        machine.booted = machine.booted.or_else(|| found.get(root).copied());
    }
}

/// Files, and programs in a supportconfig, that contain times: a key, and how their paths end, without `.txt`.
const NOTES: [(&str, &[&str]); 6] = [
    (PROC_UPTIME, &["proc/uptime"]),
    (PROC_STAT, &["proc/stat"]),
    (DATE, &["date"]),
    ("uptime", &["uptime"]),
    ("timedatectl", &["timedatectl", "timedatectl_status"]),
    ("who", &["who", "who_-b", "who_-a"]),
];
/// Seconds since boot at the time of collection.
const PROC_UPTIME: &str = "proc/uptime";
/// The time of collection.
const DATE: &str = "date";
/// The kernel's counters, with the time of the boot among them.
const PROC_STAT: &str = "proc/stat";

/// The key of a file that contains times.
fn note(name: &str) -> Option<&'static str> {
    let stem = name.strip_suffix(".txt").unwrap_or(name).to_ascii_lowercase();
    let is = |end: &str| stem.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'));
    NOTES.iter().find(|(_, ends)| ends.iter().any(|end| is(end))).map(|(note, _)| *note)
}

/// The times in the files of a machine.
fn times(found: &archive::Machine) -> Times {
    let mut times = Times::default();
    for (note, text) in &found.notes {
        match *note {
            PROC_UPTIME => times.take_proc_uptime(text),
            PROC_STAT => times.take_proc_stat(text),
            DATE => {
                times.take_date(text);
                times.take(text);
            }
            _ => times.take(text),
        }
    }
    times
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
    let (times, local) = (times(found), TimeZone::system());
    let zone = times.zone(&local);
    let (booted, gathered) = (times.booted(&local), times.gathered(&local));
    Machine { hostname, boot_id, booted, gathered, zone: Some(zone), devices }
}

/// Its devices. If udev does not say since when a device exists, it is assumed to have existed since the boot.
fn blocks(found: &archive::Machine) -> Vec<BlockInfo> {
    let mut blocks = found.tree().list_all().unwrap_or_default();
    for block in &mut blocks {
        block.present_since = block.present_since.or(Some(0));
    }
    blocks
}
