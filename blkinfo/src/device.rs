//! One block device's folder in sysfs, and how to get there.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::name::{is_component, numbered, nvme_head, DevNumber};
use crate::tree::Tree;

/// A block device that is in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Device {
    /// The kernel's name as sysfs spells it: `sdb`, `cciss!c0d0`.
    pub name: String,
    /// Its folder below /sys/devices.
    pub dir: PathBuf,
}

/// Where the kernel has all block devices.
pub(crate) const CLASS: &str = "/sys/class/block";

impl Tree {
    /// The device of that kernel name; a `/` in it is spelled `!` in sysfs.
    pub(crate) fn device(&self, name: &str) -> Option<Device> {
        let name = name.replace('/', "!");
        if !is_component(&name) {
            return None;
        }
        let dir = self.follow(&Path::new(CLASS).join(&name))?;
        self.device_at(dir).filter(|device| device.name == name)
    }

    /// The device of that number.
    pub(crate) fn device_by_number(&self, number: DevNumber) -> Option<Device> {
        let link = format!("/sys/dev/block/{number}");
        self.device_at(self.follow(Path::new(&link))?)
    }

    /// All block devices, hidden ones too, in natural order.
    pub(crate) fn devices(&self) -> Result<Vec<Device>, Error> {
        let names = self.try_names(Path::new(CLASS))?;
        Ok(names.iter().filter_map(|name| self.device(name)).collect())
    }

    /// The disks whose folder lies below one of that name: those behind a host, target, port, PCI function … A path node of
    /// NVMe stands for its namespace.
    pub(crate) fn disks_behind(&self, folder: &str) -> Result<Vec<Device>, Error> {
        let names = self.try_names(Path::new(CLASS))?;
        let dirs = names.iter().filter_map(|name| self.follow(&Path::new(CLASS).join(name)));
        let behind = dirs.filter(|dir| dir.iter().any(|name| name == folder));
        let devices = behind.filter_map(|dir| self.device_at(dir));
        let disks = devices.filter(|device| device.partition(self).is_none());
        Ok(disks
            .filter_map(|disk| match nvme_head(&disk.name) {
                Some(namespace) => self.device(&namespace),
                None => Some(disk),
            })
            .collect())
    }

    /// The device whose folder this is, if it is one: a dangling link leads nowhere.
    pub(crate) fn device_at(&self, dir: PathBuf) -> Option<Device> {
        let name = dir.file_name()?.to_str()?.to_owned();
        let there = dir.starts_with("/sys/devices") && self.is_filled(&dir);
        there.then_some(Device { name, dir })
    }

    /// The folder that describes the hardware behind a block device (its `device` link).
    pub(crate) fn hardware(&self, device: &Device) -> Option<PathBuf> {
        self.follow(&device.dir.join("device"))
    }
}

impl Device {
    /// An attribute below the device's folder, as [`Tree::attr`].
    pub fn attr(&self, tree: &Tree, name: &str) -> Option<String> {
        tree.attr(&self.dir.join(name))
    }

    /// Its number; hidden devices (NVMe path nodes) have none.
    pub fn number(&self, tree: &Tree) -> Option<DevNumber> {
        DevNumber::parse(&self.attr(tree, "dev")?)
    }

    /// The number of a partition, when it is one the kernel made.
    pub fn partition(&self, tree: &Tree) -> Option<u32> {
        crate::name::number(&self.attr(tree, "partition")?)
    }

    /// The disk on which a kernel partition lies.
    pub fn disk(&self, tree: &Tree) -> Option<Device> {
        self.partition(tree)?;
        tree.device_at(self.dir.parent()?.to_path_buf())
    }

    /// The partition number and the rest of a device-mapper uuid of the form `part1-…`, which kpartx gives to the
    /// partitions that it maps.
    pub fn dm_partition(&self, tree: &Tree) -> Option<(u32, String)> {
        let uuid = self.attr(tree, "dm/uuid")?;
        let (partition, rest) = uuid.split_once('-')?;
        Some((numbered(partition, "part")?, rest.to_owned()))
    }

    /// Kernel device that lsblk hides as well (a path of a multipathed NVMe namespace).
    pub fn is_hidden(&self, tree: &Tree) -> bool {
        self.attr(tree, "hidden").as_deref() == Some("1")
    }

    /// The names of the folders on the way to the device, outermost first.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.dir.iter().filter_map(|name| name.to_str())
    }
}
