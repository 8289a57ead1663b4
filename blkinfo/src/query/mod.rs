//! From any string that means a block device to the device.

mod content;
mod dm;
mod kernel;
mod path;

use crate::device::Device;
use crate::error::Error;
use crate::info::{BlkType, BlockInfo};
use crate::name::{natural_cmp, DevNumber, ScsiAddress};
use crate::tree::Tree;

/// One way to read a device string.
struct Form {
    /// What it looks for and where, for the error message.
    looked: &'static str,
    /// `None`: there is no such device.
    find: fn(&Tree, &str) -> Result<Option<Device>, Error>,
}

/// Names that only the kernel gives.
const KERNEL_NAMES: &[Form] = &[
    Form { looked: "a kernel name in /sys/class/block", find: kernel::name },
    Form { looked: "an NVMe controller in /sys/class/nvme", find: kernel::nvme_controller },
    Form { looked: "an ATA device in /sys/bus/scsi/devices", find: kernel::ata },
    Form { looked: "a jbd2 journal of a device", find: kernel::journal },
];
/// Names that people give.
const USER_NAMES: &[Form] = &[
    Form { looked: "a device-mapper name", find: dm::name },
    Form { looked: "a link below /dev", find: path::below_dev },
    Form { looked: "a WWID", find: content::wwid },
    Form { looked: "a UUID of a file system, array or partition", find: content::uuid },
];
const NUMBER: &[Form] = &[Form { looked: "that number in /sys/dev/block", find: kernel::number }];
const CHAR_NUMBER: &[Form] =
    &[Form { looked: "an NVMe controller of that number in /sys/dev/char", find: kernel::char_number }];
const SCSI: &[Form] = &[Form { looked: "that address in /sys/bus/scsi/devices", find: kernel::scsi }];
const TAGGED: &[Form] = &[Form { looked: "that tag in udev's database", find: content::tagged }];
const NODE: &[Form] = &[Form { looked: "that node or link, in udev's database too", find: path::node }];
const SYSFS: &[Form] = &[Form { looked: "a block device's folder there", find: path::sysfs }];
const MOUNT: &[Form] = &[Form {
    looked: "a block device mounted at or above that path (/proc/self/mountinfo)",
    find: path::mounted,
}];

/// Which forms a string can have at all.
enum Kind {
    /// What the kernel writes.
    Kernel(&'static [Form]),
    /// What only people and tools write.
    User(&'static [Form]),
    /// A name: the kernel's, else a user's.
    Name,
}

impl Kind {
    fn of(device: &str) -> Self {
        if device.starts_with("/dev/") {
            Self::User(NODE)
        } else if device.starts_with("/sys/") {
            Self::User(SYSFS)
        } else if device.starts_with('/') {
            Self::User(MOUNT)
        } else if DevNumber::parse(device.strip_prefix('b').unwrap_or(device)).is_some() {
            Self::Kernel(NUMBER)
        } else if device.strip_prefix('c').is_some_and(|number| DevNumber::parse(number).is_some()) {
            Self::Kernel(CHAR_NUMBER)
        } else if ScsiAddress::parse(device).is_some() {
            Self::Kernel(SCSI)
        } else if content::tag(device).is_some() {
            Self::User(TAGGED)
        } else {
            Self::Name
        }
    }

    /// The forms of this kind that a kernel message can have.
    fn kernel(&self) -> impl Iterator<Item = &'static Form> {
        match self {
            Self::Kernel(forms) => forms.iter(),
            Self::User(_) => [].iter(),
            Self::Name => KERNEL_NAMES.iter(),
        }
    }

    /// The forms of this kind that only people and tools use.
    fn user(&self) -> impl Iterator<Item = &'static Form> {
        match self {
            Self::Kernel(_) => [].iter(),
            Self::User(forms) => forms.iter(),
            Self::Name => USER_NAMES.iter(),
        }
    }
}

impl Tree {
    /// The block device that any device string means:
    ///
    /// * as the kernel writes it: see [`Tree::kernel_block`];
    /// * `/dev/sdb`, `/dev/disk/by-id/…`, `/dev/mapper/mpatha`, `/dev/vg/lv` and any other link in /dev;
    /// * a device-mapper name `mpatha`, `vg-lv`, a logical volume `vg/lv`;
    /// * a WWID (of several paths the map on top of them), a file system's, array's or partition's UUID,
    ///   `UUID=`, `LABEL=`, `PARTUUID=`, `PARTLABEL=` as in fstab(5);
    /// * a mount point or a path below one. That path is compared as text and never touched.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Ambiguous`], or [`Error::Source`] when a table that is needed cannot be read.
    pub fn block(&self, device: &str) -> Result<BlockInfo, Error> {
        Ok(self.describe(&self.any_device(device)?))
    }

    /// See [`Tree::block`].
    pub(crate) fn any_device(&self, device: &str) -> Result<Device, Error> {
        self.find(device, |kind| kind.kernel().chain(kind.user()).collect())
    }

    /// The block device that a string means which the kernel (or journald for it) wrote. Unlike [`Tree::block`], it
    /// never takes the name of a disk that is gone for a map, label or identity of the same spelling.
    ///
    /// `8:16`, `b8:16`, `sdb`, `[sdb]`, `sdb3`, `dm-3`, `md127`, `nvme0n1`, `nvme0c0n1`, the SCSI address `2:0:0:1` and
    /// `+scsi:2:0:0:1`, an NVMe controller with one namespace `nvme0`, `+nvme:nvme0`, `c244:0`, `ata3.00`, the
    /// journals `dm-0-8` and `sda1-8`.
    ///
    /// # Errors
    /// As [`Tree::block`].
    pub fn kernel_block(&self, kdev: &str) -> Result<BlockInfo, Error> {
        Ok(self.describe(&self.kernel_device(kdev)?))
    }

    /// The block device on which the file system of that UUID lies: of several (a mirror's halves, paths) the topmost.
    ///
    /// # Errors
    /// As [`Tree::block`].
    pub fn identity_of_fs(&self, uuid: &str) -> Result<BlockInfo, Error> {
        let found = self.find(&format!("UUID={uuid}"), |_| TAGGED.iter().collect())?;
        Ok(self.describe(&found))
    }

    /// See [`Tree::kernel_block`].
    pub(crate) fn kernel_device(&self, kdev: &str) -> Result<Device, Error> {
        self.find(kdev, |kind| kind.kernel().collect())
    }

    fn find(&self, device: &str, forms: impl Fn(&Kind) -> Vec<&'static Form>) -> Result<Device, Error> {
        let plain = plain(device);
        let forms = match plain.is_empty() || plain.len() > MAX_LENGTH || plain.contains('\0') {
            true => Vec::new(),
            false => forms(&Kind::of(plain)),
        };
        for form in &forms {
            if let Some(found) = (form.find)(self, plain)? {
                return Ok(found);
            }
        }
        let looked: Vec<&str> = forms.iter().map(|form| form.looked).collect();
        let looked = match looked.is_empty() {
            true => "a form of device string, and it has none".to_owned(),
            false => looked.join(", "),
        };
        Err(Error::NotFound { device: device.to_owned(), looked })
    }
}

/// PATH_MAX: no device string is longer.
const MAX_LENGTH: usize = 4096;

/// Without blanks around it, the brackets of `sd 2:0:0:1: [sdb]`, and the subsystem of journald's `+scsi:2:0:0:1`.
fn plain(device: &str) -> &str {
    let device = device.trim();
    let device = device.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(device);
    let bare = ["+scsi:", "+nvme:", "+block:"].iter().find_map(|prefix| device.strip_prefix(prefix));
    bare.unwrap_or(device)
}

/// The one device that all of these mean: the topmost when they lie on each other, the map or array when they are its
/// paths or members.
fn only(tree: &Tree, device: &str, mut found: Vec<Device>) -> Result<Option<Device>, Error> {
    if found.len() > 1 {
        let below: Vec<Device> = found.iter().flat_map(|device| tree.all_slaves(device)).collect();
        let tops: Vec<Device> = found.iter().filter(|device| !below.contains(device)).cloned().collect();
        if !tops.is_empty() {
            found = tops;
        }
    }
    if found.len() > 1 {
        found = common_holder(tree, &found).map_or(found, |map| vec![map]);
    }
    if found.len() < 2 {
        return Ok(found.pop());
    }
    let mut candidates: Vec<String> = found.iter().map(crate::describe::kernel_name).collect();
    candidates.sort_by(|a, b| natural_cmp(a, b));
    Err(Error::Ambiguous { device: device.to_owned(), candidates })
}

/// The one multipath map or array that all of these are in. One that is in none (yet) does not count.
fn common_holder(tree: &Tree, found: &[Device]) -> Option<Device> {
    let joins = |device: &Device| matches!(tree.blk_type(device), BlkType::DmMultipath | BlkType::Md);
    let mut holders: Vec<Device> = Vec::new();
    for holder in found.iter().flat_map(|device| tree.holders(device)).filter(joins) {
        if !holders.contains(&holder) {
            holders.push(holder);
        }
    }
    holders.pop().filter(|_| holders.is_empty())
}
