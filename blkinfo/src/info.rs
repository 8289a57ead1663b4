//! What is known about one block device.

use std::fmt;

use crate::extension::Extension;
use crate::name::DevNumber;

/// The kind of a block device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum BlkType {
    /// A disk of the SCSI layer: SCSI, SATA, SAS, FC, iSCSI, USB.
    Scsi,
    /// An NVMe namespace, or a path to one.
    Nvme,
    /// A multipath map.
    DmMultipath,
    /// A logical volume of LVM, inner ones (`vg-pool_tdata`) too.
    DmLvm,
    /// A mapping of cryptsetup.
    DmCrypt,
    /// Any other device-mapper device.
    Dm,
    /// A software RAID array.
    Md,
    /// A partition, the kernel's or kpartx's.
    Partition,
    /// A file or device that is looped back.
    Loop,
    /// A virtio disk.
    Virtio,
    /// An MMC or SD card.
    Mmc,
    /// Compressed memory.
    Zram,
    /// Anything else.
    Other,
}

impl fmt::Display for BlkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Scsi => "scsi",
            Self::Nvme => "nvme",
            Self::DmMultipath => "dm-multipath",
            Self::DmLvm => "dm-lvm",
            Self::DmCrypt => "dm-crypt",
            Self::Dm => "dm",
            Self::Md => "md",
            Self::Partition => "partition",
            Self::Loop => "loop",
            Self::Virtio => "virtio",
            Self::Mmc => "mmc",
            Self::Zram => "zram",
            Self::Other => "other",
        })
    }
}

/// A block device that another one is built from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Owner {
    /// The kernel's name.
    pub kdev: String,
    /// The node, as [`BlockInfo::dev_path`].
    pub dev_path: String,
    /// The identity, as [`BlockInfo::dev_wwid`].
    pub dev_wwid: Option<String>,
}

/// One way to a multipath map or to a multipathed NVMe namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Path {
    /// The kernel's name: `sdb`, `nvme0c1n1`.
    pub kdev: String,
    /// The SCSI address `2:0:0:1`; the name of the controller `nvme1`.
    pub address: Option<String>,
    /// What the kernel says of the SCSI device (`running`, `offline`, `blocked`, `transport-offline` …:
    /// drivers/scsi/scsi_sysfs.c, sdev_states) or of the NVMe controller (`live`, `connecting` …).
    pub state: Option<String>,
    /// The access state: ALUA's (`active/optimized`, `standby` …: drivers/scsi/scsi.c, sdev_access_states), or for NVMe
    /// the ANA state (`optimized`, `inaccessible` …).
    pub access_state: Option<String>,
    /// The target prefers this path (ALUA).
    pub preferred: Option<bool>,
    /// What device-mapper does with a path of a multipath map, from [`crate::Multipathd`]: `active`, `failed`, `unknown`.
    /// `None` when it was not asked.
    pub dm_state: Option<String>,
    /// Details of the path, as [`BlockInfo::extension`].
    pub extension: Extension,
}

/// One block device.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BlockInfo {
    /// The kernel's name: `sdb`, `dm-3`, `cciss/c0d0`.
    pub kdev: String,
    /// The device number. A path of a multipathed NVMe namespace (`nvme0c1n1`) has none.
    pub major_minor: Option<DevNumber>,
    /// The SCSI address `2:0:0:1` (host, channel, target, LUN) of a SCSI disk.
    pub address: Option<String>,
    /// The node to use: `/dev/sdb`, for device-mapper `/dev/mapper/NAME`, for an NVMe path its namespace's.
    pub dev_path: String,
    /// A link to the node that stays the same after a reboot: below /dev/disk/by-id, else /dev/disk/by-path; for
    /// device-mapper the node itself. `None` when udev made none that leads here.
    pub stable_path: Option<String>,
    /// The kind.
    pub blk_type: BlkType,
    /// The identity: the same on every path, after a reboot, under another name. Never invented, so that a device
    /// without any (a USB stick without a serial number, zram) has none.
    pub dev_wwid: Option<String>,
    /// What it is built from, all levels, nearest first, each device once. Begins with the disk for a partition.
    pub owners: Vec<Owner>,
    /// Kernel names of what it is directly built from: the disk of a partition, the paths of a map.
    pub slaves: Vec<String>,
    /// Kernel names of what is directly built on it: partitions, maps, arrays.
    pub holders: Vec<String>,
    /// The size in bytes.
    pub size_bytes: u64,
    /// The serial number of the disk.
    pub serial: Option<String>,
    /// The model of the disk.
    pub model: Option<String>,
    /// The vendor of the disk.
    pub vendor: Option<String>,
    /// The medium can be taken out.
    pub removable: Option<bool>,
    /// The medium turns, or the driver does not say that it does not.
    pub rotational: Option<bool>,
    /// It cannot be written.
    pub read_only: Option<bool>,
    /// What lies on it: a file system (`ext4`), or what makes it part of something (`LVM2_member`). From udev, else
    /// from the mount.
    pub fs_type: Option<String>,
    /// The UUID of that.
    pub fs_uuid: Option<String>,
    /// The label of that.
    pub fs_label: Option<String>,
    /// Where it is mounted, bind mounts included (but for directories mounted on themselves): first where its root directory is,
    /// and the oldest first. At the end `[SWAP]` when it is in use as swap.
    pub mount_points: Vec<String>,
    /// How it is attached: `FC`, `iSCSI`, `SAS`, `SATA`, `ATA`, `USB`, `SPI`, `UFS`, `MMC`,
    /// `virtio`, `NVMe-PCIe`, `NVMe-TCP` …
    pub transport: Option<String>,
    /// Details of that path, and of what backs a loop device.
    pub extension: Extension,
    /// The ways to a multipath map or to a multipathed NVMe namespace.
    pub paths: Vec<Path>,
    /// From when on the device certainly carried its name, in µs of CLOCK_MONOTONIC; 0 is since boot. `None`: not
    /// known, as for a loop device, whose node stays when its file changes.
    pub present_since: Option<u64>,
    /// The kernel's sequence number of the disk (5.15 and later), never used twice in one boot.
    pub diskseq: Option<u64>,
}

impl BlockInfo {
    /// The distinct identities of the owners, in their order.
    pub fn owners_wwids(&self) -> Vec<&str> {
        let mut wwids: Vec<&str> = Vec::new();
        for wwid in self.owners.iter().filter_map(|owner| owner.dev_wwid.as_deref()) {
            if !wwids.contains(&wwid) {
                wwids.push(wwid);
            }
        }
        wwids
    }

    /// The nodes of the owners, in their order.
    pub fn owners_paths(&self) -> Vec<&str> {
        self.owners.iter().map(|owner| owner.dev_path.as_str()).collect()
    }

    /// Seen again later, under the same name, is it the same device? A sequence number is never used twice in a boot, but
    /// a loop device keeps it for a moment after its file is gone: an identity may be learned, not lost. Where there is no
    /// number, udev's first sight of a device and its identity stay; a device of which neither is known may be another
    /// one.
    pub fn is_same(&self, later: &BlockInfo) -> bool {
        let seen = self.present_since.is_some() && self.present_since == later.present_since;
        let numbers = match (self.diskseq, later.diskseq) {
            (Some(before), Some(now)) => before == now,
            _ => seen && later.dev_wwid == self.dev_wwid,
        };
        let identity = self.dev_wwid.is_none() || self.dev_wwid == later.dev_wwid;
        self.kdev == later.kdev && numbers && identity && self.major_minor == later.major_minor
    }
}

/// One fact a line, what is not known left out.
impl fmt::Display for BlockInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |key: &str, value: &str| writeln!(f, "{key:<14}{value}");
        line("kdev", &self.kdev)?;
        let optional = [
            ("major_minor", self.major_minor.map(|number| number.to_string())),
            ("address", self.address.clone()),
            ("dev_path", Some(self.dev_path.clone())),
            ("blk_type", Some(self.blk_type.to_string())),
            ("dev_wwid", self.dev_wwid.clone()),
            ("stable_path", self.stable_path.clone()),
            ("size_bytes", Some(self.size_bytes.to_string())),
            ("serial", self.serial.clone()),
            ("model", self.model.clone()),
            ("vendor", self.vendor.clone()),
            ("removable", self.removable.map(|flag| flag.to_string())),
            ("rotational", self.rotational.map(|flag| flag.to_string())),
            ("read_only", self.read_only.map(|flag| flag.to_string())),
            ("fs_type", self.fs_type.clone()),
            ("fs_uuid", self.fs_uuid.clone()),
            ("fs_label", self.fs_label.clone()),
            ("transport", self.transport.clone()),
            ("present_since", self.present_since.map(|time| time.to_string())),
            ("diskseq", self.diskseq.map(|number| number.to_string())),
        ];
        for (key, value) in &optional {
            if let Some(value) = value {
                line(key, value)?;
            }
        }
        for mount_point in &self.mount_points {
            line("mount_point", mount_point)?;
        }
        for owner in &self.owners {
            let wwid = owner.dev_wwid.as_deref().unwrap_or("-");
            line("owner", &format!("{} {} {wwid}", owner.kdev, owner.dev_path))?;
        }
        for slave in &self.slaves {
            line("slave", slave)?;
        }
        for holder in &self.holders {
            line("holder", holder)?;
        }
        for path in &self.paths {
            let or_unknown = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
            let [address, state, access] = [&path.address, &path.state, &path.access_state].map(or_unknown);
            let dm = path.dm_state.as_deref().map(|state| format!(" {state}")).unwrap_or_default();
            line("path", &format!("{} {address} {state} {access}{dm}", path.kdev))?;
        }
        for (key, value) in self.extension.iter() {
            line("extension", &format!("{key}={value}"))?;
        }
        Ok(())
    }
}
