//! One block device's directory in sysfs, how it is found, and a cache of frequently used attributes.

use std::fmt;
use std::ops::Deref;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::error::Error;
use crate::extension::Extension;
use crate::info::BlkType;
use crate::name::{is_component, number, numbered, nvme_head, DevNumber};
use crate::share::shared_out;
use crate::source::DirRef;
use crate::tree::Tree;
use crate::udev::Record;

/// A block device in the tree. It is cheap to copy; during one lookup all copies share cached values.
#[derive(Clone)]
pub(crate) struct Device {
    place: DirRef,
    facts: Arc<Facts>,
}

/// What is known of a device.
pub(crate) struct Facts {
    /// The kernel's name as sysfs spells it: `sdb`, `cciss!c0d0`.
    pub name: String,
    /// Its directory below /sys/devices.
    pub dir: PathBuf,
    // Cached values.
    number: OnceLock<Option<DevNumber>>,
    diskseq: OnceLock<Option<u64>>,
    partition: OnceLock<Option<u32>>,
    dm_name: OnceLock<Option<String>>,
    dm_uuid: OnceLock<Option<String>>,
    events: OnceLock<Events>,
    pub blk_type: OnceLock<BlkType>,
    pub detail: OnceLock<Extension>,
    pub record: OnceLock<Arc<Record>>,
    pub slaves: OnceLock<Vec<String>>,
    pub holders: OnceLock<Vec<String>>,
}

/// The properties of a device that the kernel reports to udev, in one file.
#[derive(Clone, Copy, Default)]
struct Events {
    number: Option<DevNumber>,
    diskseq: Option<u64>,
}

/// Where the kernel has all block devices.
pub(crate) const CLASS: &str = "/sys/class/block";

impl Deref for Device {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        &self.facts
    }
}

impl PartialEq for Device {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.facts, &other.facts) || self.dir == other.dir
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Device").field(&self.dir).finish()
    }
}

impl Facts {
    fn new(name: &str, dir: &Path) -> Self {
        Self {
            name: name.to_owned(),
            dir: dir.to_path_buf(),
            number: OnceLock::new(),
            diskseq: OnceLock::new(),
            partition: OnceLock::new(),
            dm_name: OnceLock::new(),
            dm_uuid: OnceLock::new(),
            events: OnceLock::new(),
            blk_type: OnceLock::new(),
            detail: OnceLock::new(),
            record: OnceLock::new(),
            slaves: OnceLock::new(),
            holders: OnceLock::new(),
        }
    }
}

impl Tree {
    /// The device of that kernel name; a `/` in it is spelled `!` in sysfs.
    pub(crate) fn device(&self, name: &str) -> Option<Device> {
        let name = name.replace('/', "!");
        if !is_component(&name) {
            return None;
        }
        let place = self.followed(&Path::new(CLASS).join(&name))?;
        self.device_at(&place).filter(|device| device.name == name)
    }

    /// The device of that number.
    pub(crate) fn device_by_number(&self, number: DevNumber) -> Option<Device> {
        let link = format!("/sys/dev/block/{number}");
        self.device_at(&self.followed(Path::new(&link))?)
    }

    /// All block devices, hidden ones too, in natural order.
    pub(crate) fn devices(&self) -> Result<Vec<Device>, Error> {
        let names = self.try_names(Path::new(CLASS))?;
        Ok(shared_out(&names, |name| self.device(name)))
    }

    /// The disks whose directory lies below one of that name: those behind a host, target, port, PCI function … A path node of
    /// NVMe stands for its namespace.
    pub(crate) fn disks_behind(&self, directory: &str) -> Result<Vec<Device>, Error> {
        let names = self.try_names(Path::new(CLASS))?;
        let places = names.iter().filter_map(|name| self.followed(&Path::new(CLASS).join(name)));
        let behind = places.filter(|place| place.path.iter().any(|name| name == directory));
        let devices = behind.filter_map(|place| self.device_at(&place));
        let disks = devices.filter(|device| device.partition(self).is_none());
        Ok(disks
            .filter_map(|disk| match nvme_head(&disk.name) {
                Some(namespace) => self.device(&namespace),
                None => Some(disk),
            })
            .collect())
    }

    /// The device that this directory belongs to, if any: a dangling link resolves to nothing.
    fn device_at(&self, place: &DirRef) -> Option<Device> {
        if let Some(facts) = place.device.get() {
            return Some(Device { place: place.clone(), facts: facts.clone() });
        }
        let name = place.path.file_name()?.to_str()?;
        if !place.path.starts_with("/sys/devices") || !self.is_filled(place) {
            return None;
        }
        let facts = place.device.get_or_init(|| Arc::new(Facts::new(name, &place.path)));
        Some(Device { place: place.clone(), facts: facts.clone() })
    }

    /// The directory that describes the hardware behind a block device (its `device` link).
    pub(crate) fn hardware(&self, device: &Device) -> Option<PathBuf> {
        self.follow(&device.dir.join("device"))
    }
}

impl Device {
    /// A device with a name only.
    #[cfg(test)]
    pub fn absent(tree: &Tree, name: &str) -> Self {
        let place = tree.place(&Path::new("/sys/devices").join(name)).unwrap();
        let facts = Arc::new(Facts::new(name, &place.path));
        Self { place, facts }
    }

    /// An attribute in the device's directory, or one directory below it (`dm/name`), as [`Tree::attr`].
    pub fn attr(&self, tree: &Tree, name: &str) -> Option<String> {
        tree.attr_in(&self.place, name)
    }

    /// The content of such a file.
    pub fn content(&self, tree: &Tree, name: &str) -> Option<Arc<[u8]>> {
        tree.content_in(&self.place, name)
    }

    /// The names in the device's directory that fit, in natural order.
    pub fn names(&self, tree: &Tree, fits: impl Fn(&str) -> bool) -> Vec<String> {
        tree.names_in(&self.place, fits)
    }

    /// The names in a directory in it, in natural order.
    pub fn names_below(&self, tree: &Tree, directory: &str) -> Vec<String> {
        tree.names_below(&self.place, directory)
    }

    /// Its number; hidden devices (NVMe path nodes) have none.
    pub fn number(&self, tree: &Tree) -> Option<DevNumber> {
        let attr = || DevNumber::parse(&self.attr(tree, "dev")?);
        *self.number.get_or_init(|| self.events(tree).number.or_else(attr))
    }

    /// The kernel's sequence number of the disk (5.15 and later): unlike its name, never used twice in a boot.
    pub fn diskseq(&self, tree: &Tree) -> Option<u64> {
        *self.diskseq.get_or_init(|| {
            let disk = self.disk(tree);
            let disk = disk.as_ref().unwrap_or(self);
            disk.events(tree).diskseq.or_else(|| number(&disk.attr(tree, "diskseq")?))
        })
    }

    /// From `uevent`, which has both at once (drivers/base/core.c, dev_uevent; block/genhd.c, block_uevent).
    fn events(&self, tree: &Tree) -> Events {
        let read = || {
            let text = self.attr(tree, "uevent")?;
            let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            let major = value("MAJOR").and_then(number);
            Some(Events {
                number: major
                    .zip(value("MINOR").and_then(number))
                    .map(|(major, minor)| DevNumber { major, minor }),
                diskseq: value("DISKSEQ").and_then(number),
            })
        };
        *self.events.get_or_init(|| read().unwrap_or_default())
    }

    /// The number of a partition, when it is one the kernel made.
    pub fn partition(&self, tree: &Tree) -> Option<u32> {
        *self.partition.get_or_init(|| number(&self.attr(tree, "partition")?))
    }

    /// The disk of a kernel partition.
    pub fn disk(&self, tree: &Tree) -> Option<Device> {
        self.partition(tree)?;
        tree.device_at(&tree.place(self.dir.parent()?)?)
    }

    /// The name of a device of device-mapper.
    pub fn dm_name(&self, tree: &Tree) -> Option<&str> {
        self.facts.dm_name.get_or_init(|| self.attr(tree, "dm/name")).as_deref()
    }

    /// Its uuid: who made it, and what it is.
    pub fn dm_uuid(&self, tree: &Tree) -> Option<&str> {
        self.facts.dm_uuid.get_or_init(|| self.attr(tree, "dm/uuid")).as_deref()
    }

    /// The partition number and the rest of a device-mapper uuid of the form `part1-…`, which kpartx gives to the
    /// partitions that it maps.
    pub fn dm_partition(&self, tree: &Tree) -> Option<(u32, &str)> {
        let (partition, rest) = self.dm_uuid(tree)?.split_once('-')?;
        Some((numbered(partition, "part")?, rest))
    }

    /// Kernel device that lsblk hides as well (a path of a multipathed NVMe namespace).
    pub fn is_hidden(&self, tree: &Tree) -> bool {
        self.attr(tree, "hidden").as_deref() == Some("1")
    }

    /// The names of the directories on the way to the device, outermost first.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        let names = self.facts.dir.as_os_str().as_bytes().split(|byte| *byte == b'/');
        names.filter_map(|name| std::str::from_utf8(name).ok()).filter(|name| !name.is_empty())
    }
}
