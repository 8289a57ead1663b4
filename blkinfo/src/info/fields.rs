// Generated from io.peripety.varlink by `make generate`: do not edit.

//! What is known of a block device, of what it is built from, and of its paths.

use super::BlkType;
use crate::extension::Extension;
use crate::name::DevNumber;

/// A block device that another one is built from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Owner {
    /// Kernel name.
    pub kdev: String,
    /// Device node, as `dev_path` of BlockInfo.
    pub dev_path: String,
    /// World wide id, as `dev_wwid` of BlockInfo.
    pub dev_wwid: Option<String>,
}

/// A path of a multipath map or of a multipathed NVMe namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Path {
    /// Kernel name: `sdb`, `nvme0c1n1`.
    pub kdev: String,
    /// SCSI address `2:0:0:1`, or the NVMe controller `nvme1`.
    pub address: Option<String>,
    /// State of the SCSI device (`running`, `offline`, `blocked`, `transport-offline` …:
    /// `drivers/scsi/scsi_sysfs.c`, `sdev_states`) or of the NVMe controller (`live`, `connecting` …).
    pub state: Option<String>,
    /// ALUA state (`active/optimized`, `standby` …: `drivers/scsi/scsi.c`, `sdev_access_states`) or ANA
    /// state (`optimized`, `inaccessible` …).
    pub access_state: Option<String>,
    /// The target prefers this path (ALUA).
    pub preferred: Option<bool>,
    /// State of a path of a multipath map in device-mapper, as reported by multipathd: `active` or
    /// `failed`; `unknown` when multipathd does not answer within 100 ms. `None` when it was not asked,
    /// and for other paths.
    pub dm_state: Option<String>,
    /// Further properties of the path, as in BlockInfo.
    pub extension: Extension,
}

/// A block device. Values come from sysfs, udev's database and the mount table;
/// the device itself is never opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct BlockInfo {
    /// Kernel name: `sdb`, `dm-3`, `nvme0n1`, `cciss/c0d0`.
    pub kdev: String,
    /// Device number, `MAJOR:MINOR`; `None` for a hidden path of an NVMe namespace.
    pub major_minor: Option<DevNumber>,
    /// SCSI address (host, channel, target, LUN) of a SCSI disk: `2:0:0:1`.
    pub address: Option<String>,
    /// The kernel's sequence number of the disk (Linux 5.15 and later), unique within a boot.
    pub diskseq: Option<u64>,
    /// Device node to use: `/dev/sdb`, `/dev/mapper/NAME` for a device-mapper device, the node of the
    /// namespace for a path of an NVMe namespace.
    pub dev_path: String,
    /// Symbolic link to that node that survives reboots, in `/dev/disk/by-id` or else in
    /// `/dev/disk/by-path`; for device-mapper the node itself. `None` when udev made none.
    pub stable_path: Option<String>,
    /// Kind of block device: `scsi`, `nvme`, `dm-multipath`, `dm-lvm`, `dm-crypt`,
    /// `dm`, `md`, `partition`, `loop`, `virtio`, `mmc`, `zram` or `other`.
    pub blk_type: BlkType,
    /// World wide id: the same on every path, after a reboot and under another name. `None` when the
    /// device has no identifier of its own; none is made up.
    pub dev_wwid: Option<String>,
    /// The block devices it is built from, on all levels, nearest first, each once. A partition has
    /// its disk first.
    pub owners: Vec<Owner>,
    /// Kernel names of the block devices directly below it: the disk of a partition, the paths of a
    /// map.
    pub slaves: Vec<String>,
    /// Kernel names of the block devices directly on top of it: partitions, maps, arrays.
    pub holders: Vec<String>,
    /// The paths of a multipath map or of a multipathed NVMe namespace.
    pub paths: Vec<Path>,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Serial number of the disk. For a virtio disk it is also the `dev_wwid`.
    pub serial: Option<String>,
    /// Model of the disk; for an MMC or SD card the product name.
    pub model: Option<String>,
    /// Vendor of the disk.
    pub vendor: Option<String>,
    /// The medium is removable. A partition has the value of its disk.
    pub removable: Option<bool>,
    /// The medium rotates, or the driver does not know. A partition has the value of its disk.
    pub rotational: Option<bool>,
    /// The device is read-only.
    pub read_only: Option<bool>,
    /// Maximum number of commands that the kernel sends to a SCSI disk at once. The driver may lower it
    /// while the disk reports a full queue. `None` for other devices.
    pub queue_depth: Option<u64>,
    /// NUMA node that the controllers of an NVMe namespace are attached to. `None` when there is none, when
    /// they are attached to different nodes, and for other devices.
    pub numa_node: Option<u64>,
    /// Type of its content: a file system (`ext4`) or a member of something else (`LVM2_member`).
    /// From udev, else from the mount table.
    pub fs_type: Option<String>,
    /// UUID of the content.
    pub fs_uuid: Option<String>,
    /// Label of the content.
    pub fs_label: Option<String>,
    /// Where it is mounted, bind mounts included (except directories mounted on themselves): mounts of
    /// its root directory first, each group with the oldest mount first. `[SWAP]` comes last when it is
    /// in use as swap. On the wire these are the mounts in the daemon's mount namespace.
    pub mount_points: Vec<String>,
    /// How it is attached: `FC`, `iSCSI`, `SAS`, `SATA`, `ATA`, `USB`, `SPI`, `UFS`, `MMC`, `virtio`,
    /// `NVMe-PCIe`, `NVMe-TCP` …
    pub transport: Option<String>,
    /// Further properties by name, as in StorageEvent.extension: how it is attached, and what backs a
    /// loop device.
    pub extension: Extension,
    /// Since when the device has certainly had its name, in microseconds of `CLOCK_MONOTONIC`; 0 is since
    /// boot. `None` when unknown, as for a loop device, whose node stays when its file changes.
    pub present_since: Option<u64>,
}

impl BlockInfo {
    /// What is known and is one value, by the names of the fields, in the order of the text.
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let facts = [
            ("kdev", Some(self.kdev.clone())),
            ("major_minor", self.major_minor.map(|value| value.to_string())),
            ("address", self.address.clone()),
            ("dev_path", Some(self.dev_path.clone())),
            ("blk_type", Some(self.blk_type.to_string())),
            ("dev_wwid", self.dev_wwid.clone()),
            ("stable_path", self.stable_path.clone()),
            ("size_bytes", Some(self.size_bytes.to_string())),
            ("serial", self.serial.clone()),
            ("model", self.model.clone()),
            ("vendor", self.vendor.clone()),
            ("removable", self.removable.map(|value| value.to_string())),
            ("rotational", self.rotational.map(|value| value.to_string())),
            ("read_only", self.read_only.map(|value| value.to_string())),
            ("queue_depth", self.queue_depth.map(|value| value.to_string())),
            ("numa_node", self.numa_node.map(|value| value.to_string())),
            ("fs_type", self.fs_type.clone()),
            ("fs_uuid", self.fs_uuid.clone()),
            ("fs_label", self.fs_label.clone()),
            ("transport", self.transport.clone()),
            ("present_since", self.present_since.map(|value| value.to_string())),
            ("diskseq", self.diskseq.map(|value| value.to_string())),
        ];
        facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// Lists of strings, each with the name of one value, in the order of the text.
    pub(super) fn lists(&self) -> [(&'static str, &[String]); 3] {
        [("mount_point", &self.mount_points), ("slave", &self.slaves), ("holder", &self.holders)]
    }
}
