//! What a device is built from, and what is built on it.

use std::collections::BTreeSet;

use crate::device::Device;
use crate::info::{BlkType, BlockInfo};
use crate::name::{natural_cmp, nvme_head};
use crate::tree::Tree;

impl Tree {
    /// The devices directly below: the disk of a partition, the `slaves` of anything else.
    pub(crate) fn slaves(&self, device: &Device) -> Vec<Device> {
        if let Some(disk) = device.disk(self) {
            return vec![disk];
        }
        let names = self.names(&device.dir.join("slaves"));
        names.iter().filter_map(|name| self.device(name)).collect()
    }

    /// The devices directly above, in natural order: `holders`, partitions, and the namespace of an NVMe path.
    pub(crate) fn holders(&self, device: &Device) -> Vec<Device> {
        let mut names = self.names(&device.dir.join("holders"));
        let entries = self.names(&device.dir);
        names.extend(entries.into_iter().filter(|name| name.starts_with(device.name.as_str())));
        names.extend(nvme_head(&device.name));
        names.sort_by(|a, b| natural_cmp(a, b));
        names.dedup();
        let above = names.iter().filter_map(|name| self.device(name));
        above.filter(|above| above != device).collect()
    }

    /// All devices below, nearest first, each once, the device itself never.
    pub(crate) fn all_slaves(&self, device: &Device) -> Vec<Device> {
        breadth_first(device, |device| self.slaves(device))
    }

    /// All devices above, nearest first, each once, the device itself never.
    pub(crate) fn all_holders(&self, device: &Device) -> Vec<Device> {
        breadth_first(device, |device| self.holders(device))
    }

    /// The nearest device of that type above a device that the kernel names so (see [`Tree::kernel_block`]): with
    /// [`BlkType::DmMultipath`] the map above the path `8:48`.
    pub fn holders_of_type(&self, kdev: &str, blk_type: BlkType) -> Option<BlockInfo> {
        let above = self.all_holders(&self.kernel_device(kdev).ok()?);
        let found = above.iter().find(|device| self.blk_type(device) == blk_type)?;
        Some(self.describe(found))
    }
}

/// A device that was met is not entered again: a tree with a cycle ends as well.
fn breadth_first(start: &Device, next: impl Fn(&Device) -> Vec<Device>) -> Vec<Device> {
    let mut seen = BTreeSet::from([start.name.clone()]);
    let mut found: Vec<Device> = Vec::new();
    let mut level = next(start);
    while !level.is_empty() {
        level.retain(|device| seen.insert(device.name.clone()));
        let below = level.iter().flat_map(&next).collect();
        found.append(&mut level);
        level = below;
    }
    found
}
