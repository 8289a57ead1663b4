//! The UUID of a mounted file system.
//!
//! udev's record of it comes after the first lines about a new file system, and goes when the disk fails: the record is made
//! anew, and nothing can be read. While a file system is mounted it keeps its UUID, so that what was known at the mount holds.

use std::collections::HashMap;

use crate::info::BlockInfo;

use super::History;

/// How long a mount may take to be in the mount table after the line that gives the UUID, µs.
const APPEARS: u64 = 5_000_000;

/// What is known of the file systems that are mounted, by the number of the device.
pub(super) type FileSystems = HashMap<u64, FileSystem>;

/// A file system that is mounted, or is being mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct FileSystem {
    uuid: String,
    /// From the kernel's message about the mount; otherwise from udev.
    from_kernel: bool,
    /// It was in the mount table.
    mounted: bool,
    /// When the UUID became known.
    noted: u64,
}

impl History {
    /// A line of the kernel gave the UUID of the file system on a device that is there, at `now`.
    pub fn note_file_system(&mut self, kdev: &str, uuid: &str, now: u64) {
        let Some((number, _)) = self.holder(&super::keys::name(kdev)) else { return };
        let mounted = self.mounted.of(number, now).next().is_some();
        let noted = FileSystem { uuid: uuid.to_ascii_lowercase(), from_kernel: true, mounted, noted: now };
        let known = self.file_systems.get(&number);
        if known.is_none_or(|known| (&known.uuid, known.from_kernel) != (&noted.uuid, true)) {
            self.generation += 1;
            self.file_systems.insert(number, noted);
        }
    }

    /// The UUID of the file system that is mounted from a device, present or gone: as the kernel said when it was mounted, else
    /// what udev says now, or said last.
    pub fn mounted_uuid<'h>(&'h self, block: &'h BlockInfo) -> Option<&'h str> {
        let same = |held: &BlockInfo| {
            (&held.kdev, held.major_minor, held.diskseq) == (&block.kdev, block.major_minor, block.diskseq)
        };
        let of = |(number, known): (&u64, &'h FileSystem)| {
            self.blocks.get(number).is_some_and(|held| same(held)).then_some(known)
        };
        let known = self.file_systems.iter().find_map(of);
        let by_kernel = known.filter(|known| known.from_kernel).map(|known| known.uuid.as_str());
        let by_udev = || block.fs_uuid.as_deref().or(known.map(|known| known.uuid.as_str()));
        by_kernel.or_else(by_udev)
    }

    /// The mount table was read at this time: notes what is mounted, and forgets what is not any more.
    pub(super) fn note_mounted(&mut self, now: u64) {
        let mounted: Vec<u64> = self.mounted.present().collect();
        let before = self.file_systems.len();
        self.file_systems.retain(|number, known| {
            let there = mounted.contains(number);
            known.mounted |= there;
            there || (!known.mounted && now < known.noted.saturating_add(APPEARS))
        });
        let mut changed = self.file_systems.len() != before;
        for number in mounted {
            let uuid = self.blocks.get(&number).and_then(|block| block.fs_uuid.clone());
            let Some(uuid) = uuid.filter(|_| !self.file_systems.contains_key(&number)) else { continue };
            let known = FileSystem { uuid, from_kernel: false, mounted: true, noted: now };
            self.file_systems.insert(number, known);
            changed = true;
        }
        self.generation += u64::from(changed);
    }

    /// Of a mounted device udev knows the file system now.
    pub(super) fn note_uuid(&mut self, number: u64, block: &BlockInfo) {
        let Some(uuid) = block.fs_uuid.as_ref().filter(|_| self.mounted.present().any(|held| held == number))
        else {
            return;
        };
        let noted = self.complete_until;
        let new = || FileSystem { uuid: uuid.clone(), from_kernel: false, mounted: true, noted };
        let known = self.file_systems.entry(number).or_insert_with(new);
        if !known.from_kernel {
            known.uuid.clone_from(uuid);
        }
    }
}
