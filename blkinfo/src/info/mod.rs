//! What is known about one block device. The fields are generated from the interface, see `fields.rs`.

mod fields;

use std::fmt;

pub use fields::{BlockInfo, Owner, Path};

/// The kind of a block device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
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
    #[default]
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
        for (key, value) in self.facts() {
            line(key, &value)?;
        }
        let [mount_points, others @ ..] = self.lists();
        mount_points.1.iter().try_for_each(|value| line(mount_points.0, value))?;
        for owner in &self.owners {
            let wwid = owner.dev_wwid.as_deref().unwrap_or("-");
            line("owner", &format!("{} {} {wwid}", owner.kdev, owner.dev_path))?;
        }
        for (key, values) in others {
            values.iter().try_for_each(|value| line(key, value))?;
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
