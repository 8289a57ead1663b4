//! Devices that have no name yet, or no longer have one, when a line is logged: a disk that is being probed, a removed one
//! whose file system is still mounted.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use peripety_blkinfo::history::{Claim, Probed, MAX_PROBE_US};
use peripety_blkinfo::{BlkType, BlockInfo};

use super::{Devices, Name, Watch};
use crate::bus::raw::EntryInfo;
use crate::bus::RawEvent;

/// How long an event waits for the device that is being probed, µs.
pub const PROBING: u64 = MAX_PROBE_US;
/// Lines kept that name a disk and its address.
const MAX_CLAIMS: usize = 256;

/// Lines that name a disk and its address, the newest first.
#[derive(Debug, Default)]
pub struct Claims(Mutex<VecDeque<Claim>>);

impl Claims {
    fn add(&self, claim: Claim) {
        let mut claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Every parser sees every line.
        if claims.contains(&claim) {
            return;
        }
        let at = claims.iter().position(|other| other.time <= claim.time).unwrap_or(claims.len());
        claims.insert(at, claim);
        claims.truncate(MAX_CLAIMS);
    }

    fn of(&self, name: &str) -> Vec<Claim> {
        let claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        claims.iter().filter(|claim| claim.name == name).cloned().collect()
    }
}

impl Devices {
    /// Takes note of a line that names a disk and its SCSI address, or a USB port with storage. Lines must be noted in their order, before events are made
    /// of later ones.
    pub fn note_line(&self, raw: &RawEvent) {
        self.attached.note(raw);
        let (Some(name), Some(address)) = (raw.captures.get("kdev"), raw.captures.get("hctl")) else {
            return;
        };
        if raw.entry.identifier == "kernel" && self.knows(&raw.entry) && !is_last_word(raw) {
            let (name, address) = (name.clone(), address.clone());
            self.claims.add(Claim { name, address, time: raw.entry.monotonic });
        }
    }

    /// The device that a kernel name referred to although no device had it for certain.
    pub(super) fn near(&self, watch: &Watch, time: u64, name: Name<'_>) -> Option<Arc<BlockInfo>> {
        let Name::Kernel(name) = name else { return None };
        let gone = watch.mounted_and_gone(name, time);
        gone.or_else(|| match watch.probed(name, time, &self.claims.of(name)) {
            Probed::By(block) => Some(self.at_present(watch, block)),
            Probed::NotYet | Probed::Nobody => None,
        })
    }

    /// The device that had the name last, for a line that is written only of a device that goes.
    pub fn last_holder(&self, entry: &EntryInfo, name: &str) -> Option<Arc<BlockInfo>> {
        let watch = self.watch.as_ref().filter(|_| self.knows(entry))?;
        watch.last_holder(name, entry.monotonic)
    }

    /// Whoever had this kernel name when the line was logged, `is` true of it, has it no more.
    pub fn is_gone(&self, entry: &EntryInfo, kdev: &str, is: &dyn Fn(&BlockInfo) -> bool) -> bool {
        let Some(watch) = self.watch.as_ref().filter(|_| self.knows(entry)) else { return false };
        match watch.present(kdev) {
            Some(block) => !is(&block),
            // Paths of a multipathed NVMe namespace come without a message.
            None => watch.last_holder(kdev, self.clock.now()).is_some(),
        }
    }

    /// The device of this kernel name may be one that is being probed, and appear soon.
    pub fn may_come(&self, entry: &EntryInfo, name: &str) -> bool {
        let Some(watch) = self.watch.as_ref().filter(|_| is_disk(name)) else { return false };
        watch.probed(name, entry.monotonic, &self.claims.of(name)) == Probed::NotYet
    }

    /// Whether the device is so new that its WWID may be unknown yet: that of an array comes from udev.
    pub fn is_unidentified(&self, entry: &EntryInfo, block: &BlockInfo) -> bool {
        let identified = block.dev_wwid.is_some() || !matches!(block.blk_type, BlkType::Md | BlkType::Scsi);
        let watch = self.watch.as_ref().filter(|_| !identified);
        watch.is_some_and(|watch| watch.is_young(&block.kdev, entry.monotonic))
    }

    /// Records the file system that the kernel reports mounting from a device.
    pub fn note_file_system(&self, block: &BlockInfo, uuid: &str) {
        if let Some(watch) = &self.watch {
            watch.note_file_system(&block.kdev, uuid);
        }
    }

    /// The UUID of the file system on a device: of a mounted one, that with which it was mounted.
    pub fn file_system(&self, block: &BlockInfo) -> Option<String> {
        match &self.watch {
            Some(watch) => watch.mounted_uuid(block),
            None => block.fs_uuid.clone(),
        }
    }
}

/// Whether the line is logged only about a device that is being removed or was removed; if no device has the name, about a removed one.
pub fn is_last_word(raw: &RawEvent) -> bool {
    let is = |name: &str, value: &str| raw.captures.get(name).is_some_and(|found| found == value);
    is_deleted(raw)
        || is_failed_write(raw)
        || is("detail", "Synchronizing SCSI cache")
        || is("detail", "Stopping disk")
        || LAST_WORDS.contains(&&*raw.rule.event_type)
}

/// Whether the line is about a deleted disk, perhaps before its uevent: it has no sectors (block/genhd.c, del_gendisk).
pub fn is_deleted(raw: &RawEvent) -> bool {
    raw.captures.get("limit").is_some_and(|limit| limit == "0")
}

/// Whether a file system could not write: if no device has the name, its disk was removed. A disk that is being probed is only read.
fn is_failed_write(raw: &RawEvent) -> bool {
    let lost = raw.captures.get("detail").is_some_and(|detail| detail.starts_with("lost "));
    lost || raw.rule.event_type == "FS_IO_ERROR"
}

/// Event types of an NVMe controller, of a remote port, or of a path, that is removed; a path fails when it is. What is being probed
/// is no path of a map yet.
const LAST_WORDS: [&str; 7] = [
    "FC_RPORT_LOST",
    "NVME_CTRL_REMOVED",
    "NVME_FABRICS_GIVEN_UP",
    "DM_MPATH_PATH_REMOVED",
    "DM_MPATH_PATH_FAILED",
    "DM_MPATH_PATH_DOWN",
    "DM_MPATH_PATH_MARKED_FAILED",
];

/// A name that the kernel gives to a disk or an array before the uevent about it.
fn is_disk(name: &str) -> bool {
    let is = |prefix: &str, fits: fn(&u8) -> bool| {
        name.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| fits(&byte)))
    };
    let lettered = ["sd", "vd", "hd", "xvd"].iter().any(|prefix| is(prefix, u8::is_ascii_lowercase));
    lettered
        || is("md", u8::is_ascii_digit)
        || is("sr", u8::is_ascii_digit)
        || is("mmcblk", u8::is_ascii_digit)
}
