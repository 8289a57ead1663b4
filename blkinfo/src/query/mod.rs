//! From any string that means a block device to the device.

mod choice;
mod content;
mod dm;
mod driver;
mod hardware;
mod kernel;
mod lookup;
mod nvme;
mod path;
mod wwid;

use lookup::Lookup;

use crate::device::Device;
use crate::error::Error;
use crate::info::BlockInfo;
use crate::name::{DevNumber, ScsiAddress};
use crate::tree::Tree;

/// One way to read a device string.
struct Form {
    /// What it searches for and where, for the error message. Empty if another form names it.
    looked: &'static str,
    /// Can the string have this form at all?
    fits: fn(&str) -> bool,
    /// `None`: there is no such device.
    find: Find,
}

/// The lookup.
enum Find {
    /// Straight for the device.
    Straight(fn(&Tree, &str) -> Result<Option<Device>, Error>),
    /// Through all devices and udev's records of them.
    Through(fn(&Lookup<'_>, &str) -> Result<Option<Device>, Error>),
}

/// See [`Form::fits`].
fn any(_: &str) -> bool {
    true
}

fn is_nvme(name: &str) -> bool {
    name.starts_with("nvme")
}

/// Names that only the kernel gives.
const KERNEL_NAMES: &[Form] = &[
    Form { looked: "a kernel name in /sys/class/block", fits: any, find: Find::Straight(kernel::name) },
    Form {
        looked: "an NVMe controller in /sys/class/nvme",
        fits: is_nvme,
        find: Find::Straight(nvme::controller),
    },
    Form { looked: "its namespace of that number", fits: is_nvme, find: Find::Straight(nvme::namespace) },
    Form {
        looked: "a generic NVMe node",
        fits: |name| name.starts_with("ng"),
        find: Find::Straight(nvme::generic),
    },
    Form {
        looked: "the name of an NVMe subsystem (NQN)",
        fits: |name| name.starts_with("nqn."),
        find: Find::Straight(nvme::qualified_name),
    },
    Form {
        looked: "an ATA device in /sys/bus/scsi/devices",
        fits: |name| name.starts_with("ata"),
        find: Find::Straight(kernel::ata),
    },
    Form {
        looked: "a generic SCSI node in /sys/class/scsi_generic",
        fits: |name| name.starts_with("sg"),
        find: Find::Straight(kernel::scsi_generic),
    },
    Form {
        looked: "hardware on the way to a disk (host, target, port, PCI, USB ...)",
        fits: hardware::is_name,
        find: Find::Straight(hardware::on_the_way),
    },
    Form {
        looked: "an iSCSI connection",
        fits: |name| name.starts_with("connection"),
        find: Find::Straight(hardware::connection),
    },
    Form {
        looked: "a jbd2 journal of a device",
        fits: kernel::is_journal,
        find: Find::Straight(kernel::journal),
    },
];
/// Names that people give.
const USER_NAMES: &[Form] = &[
    // The first two are straight; among thousands of maps a WWID need not be compared with all their names.
    Form { looked: "a device-mapper name", fits: any, find: Find::Straight(dm::linked) },
    Form { looked: "", fits: wwid::is_wwid, find: Find::Straight(wwid::map) },
    Form { looked: "", fits: any, find: Find::Straight(dm::unlinked) },
    Form {
        looked: "a link below /dev",
        fits: |name| name.contains('/'),
        find: Find::Through(path::below_dev),
    },
    Form { looked: "a Ceph image", fits: |name| name.contains('/'), find: Find::Through(driver::ceph_image) },
    Form { looked: "a DRBD resource", fits: any, find: Find::Through(driver::drbd) },
    Form { looked: "the name of an array", fits: any, find: Find::Through(driver::array) },
    Form { looked: "a WWID", fits: any, find: Find::Through(wwid::wwid) },
    Form {
        looked: "a link in /dev/disk/by-id or by-path",
        fits: crate::name::is_component,
        find: Find::Through(wwid::link),
    },
    Form {
        looked: "a UUID of a file system, array or partition",
        fits: any,
        find: Find::Through(content::uuid),
    },
    Form { looked: "a serial number", fits: any, find: Find::Through(wwid::serial) },
    Form { looked: "a label of a file system or partition", fits: any, find: Find::Through(content::label) },
];
const NUMBER: &[Form] =
    &[Form { looked: "that number in /sys/dev/block", fits: any, find: Find::Straight(kernel::number) }];
const CHAR_NUMBER: &[Form] = &[Form {
    looked: "a disk behind the character device of that number in /sys/dev/char",
    fits: any,
    find: Find::Straight(kernel::char_number),
}];
const SCSI: &[Form] = &[Form {
    looked: "that address in /sys/bus/scsi/devices",
    fits: any,
    find: Find::Straight(kernel::scsi),
}];
const TAGGED: &[Form] =
    &[Form { looked: "that tag in udev's database", fits: any, find: Find::Through(content::tagged) }];
const NODE: &[Form] = &[Form {
    looked: "that node or link, in udev's database too",
    fits: any,
    find: Find::Through(path::node),
}];
const SYSFS: &[Form] =
    &[Form { looked: "a block device's directory there", fits: any, find: Find::Straight(path::sysfs) }];
const MOUNT: &[Form] = &[
    Form {
        looked: "a mount point (/proc/self/mountinfo)",
        fits: any,
        find: Find::Straight(path::mount_point),
    },
    Form { looked: "the file behind a loop device", fits: any, find: Find::Through(path::backing_file) },
    Form { looked: "a block device mounted above that path", fits: any, find: Find::Straight(path::mounted) },
];

/// Which forms a string can have at all.
enum Candidates {
    /// What the kernel writes.
    Kernel(&'static [Form]),
    /// What only people and tools write.
    User(&'static [Form]),
    /// A name: the kernel's, else a user's.
    Name,
}

impl Candidates {
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
    /// The block device that any device string means. The first of these forms that fits counts:
    ///
    /// * as the kernel writes it: see [`Tree::kernel_block`];
    /// * `/dev/sdb`, `/dev/disk/by-id/…`, `/dev/mapper/mpatha`, `/dev/vg/lv`, `/dev/md/name` and any other link in /dev, with
    ///   or without `/dev/`; character nodes with a disk behind them `/dev/sg3`, `/dev/nvme0`, `/dev/ng0n1`;
    /// * a device-mapper name `mpatha`, `vg-lv` (those of LVM, dm-crypt, dm-integrity …), a logical volume `vg/lv`;
    /// * a Ceph image `pool/image`, `pool/namespace/image`, `pool/image@snapshot`; a DRBD resource `r0` or volume `r0/1`;
    ///   an array's name `host:name` or `name`;
    /// * a WWID (of several paths the map on top of them) in any spelling: `naa.6001…`, `0x6001…`, `36001…`, `mpath-36001…`,
    ///   `eui.…`, `uuid.…`, `t10.…`, an array's UUID with hyphens or colons;
    /// * the name of a link in /dev/disk/by-id or by-path without the directory: `wwn-0x5000…`, `scsi-3600…`, `nvme-eui.…`;
    /// * the UUID of a file system, a member of one, an array or a partition. Of a file system of several devices, that
    ///   which was named when mounting; `UUID=`, `LABEL=`, `PARTUUID=`, `PARTLABEL=` as in fstab(5);
    /// * a disk's serial number, then the label of a file system or partition;
    /// * a path: the device mounted exactly there, else the loop device whose backing file that is, else the device
    ///   mounted nearest above. So a backing file means its loop device, not the file system in which it lies. A path is
    ///   compared as text and never touched;
    /// * a block device's directory below /sys.
    ///
    /// What several devices share is [`Error::Ambiguous`], unless one of them, or one multipath map or array, stands for
    /// all of them.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Ambiguous`], or [`Error::Source`] when a table that is needed cannot be read.
    pub fn block(&self, device: &str) -> Result<BlockInfo, Error> {
        let tree = self.asked();
        Ok(tree.describe(&tree.any_device(device)?))
    }

    /// See [`Tree::block`].
    pub(crate) fn any_device(&self, device: &str) -> Result<Device, Error> {
        self.find(device, |kind| kind.kernel().chain(kind.user()).collect())
    }

    /// The block device that a string means which the kernel (or journald for it) wrote. Unlike [`Tree::block`], it
    /// never takes the name of a disk that is gone for a map, label or identity of the same spelling.
    ///
    /// * numbers `8:16`, `b8:16`, `c244:0` (of NVMe controllers and other character devices with a disk behind them);
    /// * names `sdb`, `[sdb]`, `sdb3`, `dm-3`, `md127`, `nvme0n1`, `nvme0c0n1`, `mmcblk0`, `nbd0`, `rbd0`, `drbd0`, `zram0`,
    ///   `pmem0`, `bcache0`, `loop0`, `cciss/c0d0` and any other in /sys/class/block; `sg3`, `ng0n1`;
    /// * SCSI: the address `2:0:0:1`, `target2:0:0`, `host2`; iSCSI `session3`, `connection3:0`; Fibre Channel
    ///   `rport-7:0-2`; SAS `end_device-0:0`, `port-0:0`, `expander-0:0`; ATA `ata3`, `ata3.00` (`ata3.01`: the slave, or the
    ///   second disk of a port multiplier, which itself is `ata3.15` and no disk);
    /// * NVMe: a controller `nvme0`, a subsystem `nvme-subsys0` or its NQN `nqn.…`, one of several namespaces
    ///   `nvme0 nsid 1`, `nvme0 namespace 1`, `nvme0:1`;
    /// * what a disk is plugged into: PCI `0000:04:00.0` (`04:00.0` in domain 0), USB `1-2.3`, `virtio4`, `mmc0`,
    ///   `mmc0:0001`, `namespace1.0`;
    /// * journald's `+scsi:2:0:0:1`, `+scsi:target2:0:0`, `+nvme:nvme0`, `+pci:0000:04:00.0` …;
    /// * the journals `dm-0-8` and `sda1-8`.
    ///
    /// Hardware means the one disk behind it; with several disks it is [`Error::Ambiguous`], unless they are all paths to
    /// one multipath map, which is the answer then. An array that has all of the disks is not: they stay different.
    ///
    /// # Errors
    /// As [`Tree::block`].
    pub fn kernel_block(&self, kdev: &str) -> Result<BlockInfo, Error> {
        let tree = self.asked();
        Ok(tree.describe(&tree.kernel_device(kdev)?))
    }

    /// The block device on which the file system of that UUID lies: of several (a mirror's halves, paths) the topmost.
    ///
    /// # Errors
    /// As [`Tree::block`].
    pub fn identity_of_fs(&self, uuid: &str) -> Result<BlockInfo, Error> {
        let tree = self.asked();
        let found = tree.find(&format!("UUID={uuid}"), |_| TAGGED.iter().collect())?;
        Ok(tree.describe(&found))
    }

    /// See [`Tree::kernel_block`].
    pub(crate) fn kernel_device(&self, kdev: &str) -> Result<Device, Error> {
        self.find(kdev, |kind| kind.kernel().collect())
    }

    fn find(&self, device: &str, forms: impl Fn(&Candidates) -> Vec<&'static Form>) -> Result<Device, Error> {
        let plain = plain(device);
        let forms = match plain.is_empty() || plain.len() > MAX_LENGTH || plain.contains('\0') {
            true => Vec::new(),
            false => forms(&Candidates::of(plain)),
        };
        let lookup = Lookup::of(self);
        let forms: Vec<&Form> = forms.into_iter().filter(|form| (form.fits)(plain)).collect();
        for form in &forms {
            let found = match form.find {
                Find::Straight(find) => find(self, plain),
                Find::Through(find) => find(&lookup, plain),
            };
            if let Some(found) = found.map_err(|error| error.about(device))? {
                return Ok(found);
            }
        }
        let looked: Vec<&str> =
            forms.iter().map(|form| form.looked).filter(|looked| !looked.is_empty()).collect();
        let looked = match looked.is_empty() {
            true => "a form of device string, and it has none".to_owned(),
            false => looked.join(", "),
        };
        Err(Error::NotFound { device: device.to_owned(), looked })
    }
}

/// PATH_MAX: no device string is longer.
const MAX_LENGTH: usize = 4096;

/// The subsystems of devices that journald writes before the name (sd_device_get_device_id(3)).
const SUBSYSTEMS: [&str; 13] = [
    "+scsi:",
    "+nvme:",
    "+block:",
    "+pci:",
    "+usb:",
    "+virtio:",
    "+mmc:",
    "+nd:",
    "+scsi_host:",
    "+fc_remote_ports:",
    "+iscsi_session:",
    "+iscsi_connection:",
    "+nvme-subsystem:",
];

/// Without blanks around it, the brackets of `sd 2:0:0:1: [sdb]`, and the subsystem of journald's `+scsi:2:0:0:1`.
fn plain(device: &str) -> &str {
    let device = device.trim();
    let device = device.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(device);
    let bare = SUBSYSTEMS.iter().find_map(|prefix| device.strip_prefix(prefix));
    bare.unwrap_or(device)
}
