//! The device of a line while no device has the name for certain: a disk that is being probed, or a removed one.
//!
//! The kernel reads a new disk's partition table before it sends the uevent about it, and goes on writing about a removed
//! one as long as somebody has it open. Both are answered only where no other device can be meant.

use std::sync::Arc;

use crate::info::BlockInfo;

use super::tenure::Tenure;
use super::{keys, History};

/// How long a disk may be probed until the uevent about it comes, µs.
pub const MAX_PROBE_US: u64 = 4_000_000;
/// Without an address, a device must be known to have come within a span no longer than this, µs: in a longer one another
/// may have come and gone.
const NARROW: u64 = 1_000_000;
/// Maximum number of removed SCSI devices without a block device whose time is remembered.
const MAX_VANISHED: usize = 1024;

/// Evidence that a name was an address's: a line of the kernel that names both, `sd 2:0:0:1: [sdb]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The kernel name.
    pub name: String,
    /// The SCSI address.
    pub address: String,
    /// When the line was written, µs of CLOCK_MONOTONIC.
    pub time: u64,
}

/// Which device was being probed under a name?
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probed {
    /// This one, which has come since.
    By(Arc<BlockInfo>),
    /// No device has got the name since: it may still appear.
    NotYet,
    /// Nobody who is certain.
    Nobody,
}

impl History {
    /// The device that was being probed under this kernel name at that time, and has come since. `claims` are of lines not
    /// later than `time`, the newest first; the first of them for this name counts if it is of that time or close before it.
    ///
    /// With the address of a claim, it is the device that came under both names, if nobody else had either of them in
    /// between. By the name alone it is the first that ever had it.
    pub fn probed<'c>(&self, name: &str, time: u64, claims: impl IntoIterator<Item = &'c Claim>) -> Probed {
        let mut claims = claims.into_iter().filter(|claim| claim.name == name && claim.time <= time);
        let claim = claims.find(|claim| time - claim.time <= MAX_PROBE_US);
        let tenures = self.tenures(&keys::name(name));
        let Some(at) = tenures.iter().position(|tenure| tenure.came.by > time) else {
            let held = tenures.last().is_some_and(|tenure| tenure.went.is_none());
            let free = |claim: &Claim| !self.has_address(&claim.address, time);
            // Without an address, the line may be about an earlier holder of the name.
            let comes = !held && claim.map_or(tenures.is_empty(), free);
            return if comes { Probed::NotYet } else { Probed::Nobody };
        };
        let (before, from) = tenures.split_at(at);
        let Some(next) = from.first().filter(|next| next.came.by - time <= MAX_PROBE_US) else {
            return Probed::Nobody;
        };
        let Some(block) = self.blocks.get(&next.block) else { return Probed::Nobody };
        let proven = match claim {
            Some(claim) => self.is_of(claim, next, block) && before.iter().all(|t| t.went_before(claim.time)),
            None => before.is_empty() && next.came.by - next.came.after <= NARROW && self.since <= time,
        };
        if proven {
            Probed::By(block.clone())
        } else {
            Probed::Nobody
        }
    }

    /// The device that came (`next`) is the one of which a line gave name and address before.
    fn is_of(&self, claim: &Claim, next: &Tenure, block: &BlockInfo) -> bool {
        let between = |tenure: &Tenure| {
            tenure.block != next.block
                && tenure.came.after < next.came.by
                && tenure.went.is_none_or(|went| went.by >= claim.time)
        };
        let gone = self.vanished.get(&claim.address).is_some_and(|gone| *gone >= claim.time);
        block.address.as_deref() == Some(&claim.address)
            && !gone
            && !self.tenures(&keys::address(&claim.address)).iter().any(between)
    }

    /// The device that last had a name (or SCSI address) at that time, and lost it before or about then. `None` when one has
    /// it, or when the next one may have had it already. For lines that are written only of a device that goes.
    pub fn last_holder(&self, name: &str, time: u64) -> Option<Arc<BlockInfo>> {
        let Some(key) = keys::asked(name).find(|key| self.names.contains_key(key)) else {
            return self.last_behind(name, time);
        };
        let tenures = self.tenures(&key);
        let at = tenures.iter().rposition(|tenure| tenure.came.by <= time)?;
        let (last, next) = (tenures.get(at)?, tenures.get(at + 1));
        let only = last.went.is_some() && next.is_none_or(|next| next.came.after >= time);
        only.then(|| self.blocks.get(&last.block).cloned()).flatten()
    }

    /// The same of a device that is gone and whose file system was mounted still: as long as that is so, the kernel gives
    /// neither its name nor its number to another one (drivers/scsi/sd.c, scsi_disk_release). With its mount points.
    pub fn mounted_and_gone(&self, name: &str, time: u64) -> Option<Arc<BlockInfo>> {
        let last = self.last_holder(name, time)?;
        let numbers = self.blocks.iter().filter(|(_, block)| Arc::ptr_eq(block, &last));
        let places: Vec<String> =
            numbers.flat_map(|(number, _)| self.mounted.of(*number, time)).map(str::to_owned).collect();
        (!places.is_empty()).then(|| {
            let mut block = BlockInfo::clone(&last);
            block.mount_points = places;
            Arc::new(block)
        })
    }

    /// Has the device of this kernel name had it for less than [`MAX_PROBE_US`] at this time?
    pub fn is_young(&self, name: &str, time: u64) -> bool {
        let last = self.tenures(&keys::name(name)).last();
        last.is_some_and(|last| last.went.is_none() && last.came.by.saturating_add(MAX_PROBE_US) >= time)
    }

    fn has_address(&self, address: &str, time: u64) -> bool {
        self.tenures(&keys::address(address)).iter().any(|tenure| tenure.possible(time))
    }

    /// A SCSI device without a block device was removed.
    pub(super) fn note_vanished(&mut self, address: &str, by: u64) {
        if self.vanished.len() >= MAX_VANISHED {
            let oldest = self.vanished.iter().min_by_key(|(_, time)| **time).map(|(name, _)| name.clone());
            oldest.and_then(|oldest| self.vanished.remove(&oldest));
        }
        self.vanished.insert(address.to_owned(), by);
    }

    fn tenures(&self, key: &str) -> &[Tenure] {
        self.names.get(key).map_or(&[], Vec::as_slice)
    }
}
