//! What a device is built from, and what is built on it.

use std::collections::BTreeSet;

use crate::describe::{describe, Common};
use crate::device::Device;
use crate::error::Error;
use crate::info::{BlkType, BlockInfo};
use crate::name::{natural_cmp, nvme_head};
use crate::tree::Tree;

/// A device with all that is below and above it, as two trees.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Topology {
    /// The device.
    pub block: BlockInfo,
    /// What it is built from. Within this tree `above` is empty.
    pub below: Vec<Topology>,
    /// What is built on it. Within this tree `below` is empty.
    pub above: Vec<Topology>,
}

impl Topology {
    /// A device with the trees below and above it.
    pub fn new(block: BlockInfo, below: Vec<Topology>, above: Vec<Topology>) -> Self {
        Self { block, below, above }
    }

    /// All devices below, nearest first, each once.
    pub fn all_below(&self) -> Vec<&BlockInfo> {
        flat(&self.below, |topology| &topology.below)
    }

    /// All devices above, nearest first, each once.
    pub fn all_above(&self) -> Vec<&BlockInfo> {
        flat(&self.above, |topology| &topology.above)
    }

    /// All devices; a device that is reached in two ways twice.
    pub(crate) fn blocks_mut(&mut self) -> Vec<&mut BlockInfo> {
        let mut blocks = Vec::new();
        let mut rest = vec![self];
        while let Some(Topology { block, below, above }) = rest.pop() {
            blocks.push(block);
            rest.extend(below.iter_mut().chain(above));
        }
        blocks
    }
}

fn flat(side: &[Topology], next: impl Fn(&Topology) -> &[Topology]) -> Vec<&BlockInfo> {
    let mut found: Vec<&BlockInfo> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut level: Vec<&Topology> = side.iter().collect();
    while !level.is_empty() {
        found.extend(
            level.iter().map(|topology| &topology.block).filter(|block| seen.insert(block.kdev.as_str())),
        );
        level = level.into_iter().flat_map(&next).collect();
    }
    found
}

/// Levels of devices on devices that are followed: the kernel allows eight for file systems
/// (FILESYSTEM_MAX_STACK_DEPTH is 2, device-mapper has no limit), people build five.
const MAX_LEVELS: usize = 32;
/// Devices in one topology: a thin pool has thousands of volumes on each of its disks.
const MAX_DEVICES: usize = 65_536;

impl Tree {
    /// A device with all that is below and above it. A device that is reached in two ways is listed twice; a cycle (which no
    /// kernel makes) ends where it closes.
    ///
    /// # Errors
    /// As [`Tree::block`].
    pub fn topology(&self, device: &str) -> Result<Topology, Error> {
        let tree = self.asked();
        let found = tree.any_device(device)?;
        Ok(tree.topology_of(&found))
    }

    fn topology_of(&self, device: &Device) -> Topology {
        let mut way = vec![device.clone()];
        let mut left = MAX_DEVICES;
        let below = self.branch(&mut way, &mut left, &|device| self.slaves(device));
        let above = self.branch(&mut way, &mut left, &|device| self.holders(device));
        let common = Common::read(self);
        let side = |blocks: Vec<Branch>, down: bool| -> Vec<Topology> {
            blocks.into_iter().map(|branch| branch.into_topology(self, &common, down)).collect()
        };
        Topology {
            block: describe(self, device, &common),
            below: side(below, true),
            above: side(above, false),
        }
    }

    fn branch(
        &self,
        way: &mut Vec<Device>,
        left: &mut usize,
        next: &impl Fn(&Device) -> Vec<Device>,
    ) -> Vec<Branch> {
        let Some(last) = way.last().filter(|_| way.len() <= MAX_LEVELS) else {
            return Vec::new();
        };
        let mut branches = Vec::new();
        for device in next(last) {
            if *left == 0 || way.contains(&device) {
                continue;
            }
            *left -= 1;
            way.push(device.clone());
            let further = self.branch(way, left, next);
            way.pop();
            branches.push(Branch { device, further });
        }
        branches
    }

    /// The devices directly below: the disk of a partition, the `slaves` of anything else.
    pub(crate) fn slaves(&self, device: &Device) -> Vec<Device> {
        if let Some(disk) = device.disk(self) {
            return vec![disk];
        }
        // Only device-mapper, md and bcache enter what they are built from there (block/holder.c); a SCSI disk is not.
        if self.blk_type(device) == BlkType::Scsi {
            return Vec::new();
        }
        let names = device.slaves.get_or_init(|| device.names_below(self, "slaves"));
        names.iter().filter_map(|name| self.device(name)).collect()
    }

    /// The devices directly above, in natural order: `holders`, partitions, and the namespace of an NVMe path.
    pub(crate) fn holders(&self, device: &Device) -> Vec<Device> {
        let names = device.holders.get_or_init(|| {
            let mut names = device.names_below(self, "holders");
            names.extend(device.names(self, |name| name.starts_with(device.name.as_str())));
            names.extend(nvme_head(&device.name));
            names.sort_by(|a, b| natural_cmp(a, b));
            names.dedup();
            names
        });
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
        let tree = self.asked();
        let above = tree.all_holders(&tree.kernel_device(kdev).ok()?);
        let found = above.iter().find(|device| tree.blk_type(device) == blk_type)?;
        Some(tree.describe(found))
    }
}

/// A device and what comes behind it on one side.
struct Branch {
    device: Device,
    further: Vec<Branch>,
}

impl Branch {
    fn into_topology(self, tree: &Tree, common: &Common, down: bool) -> Topology {
        let further = self.further.into_iter();
        let further = further.map(|branch| branch.into_topology(tree, common, down)).collect();
        let (below, above) = if down { (further, Vec::new()) } else { (Vec::new(), further) };
        Topology { block: describe(tree, &self.device, common), below, above }
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
