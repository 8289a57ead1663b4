//! Who is it? The kind of a device and the identity that survives reboots and renames.

mod backed;
mod disk;

#[cfg(feature = "archive")]
pub(crate) use disk::array_uuid;
pub(crate) use disk::joined;

use crate::device::Device;
use crate::info::BlkType;
use crate::mounts::Mount;
use crate::name::ScsiAddress;
use crate::tree::Tree;
use crate::udev::LISTED_TYPE;

/// How deep an identity may be made from other devices' (partition of a map of …). Real stacks need four.
const MAX_DEPTH: u8 = 8;

/// What identities are made from besides the device's own directory.
pub(crate) struct Context {
    pub mounts: Vec<Mount>,
}

impl Context {
    pub fn read(tree: &Tree) -> Self {
        Self { mounts: tree.mounts().unwrap_or_default() }
    }

    /// The identity of a device, if it has any.
    pub fn wwid(&self, tree: &Tree, device: &Device) -> Option<String> {
        self.wwid_within(tree, device, MAX_DEPTH)
    }

    fn wwid_within(&self, tree: &Tree, device: &Device, depth: u8) -> Option<String> {
        let depth = depth.checked_sub(1)?;
        match tree.blk_type(device) {
            BlkType::Partition => self.partition(tree, device, depth),
            BlkType::Loop => self.loop_device(tree, device, depth),
            BlkType::DmMultipath | BlkType::DmLvm | BlkType::DmCrypt | BlkType::Dm => {
                device.dm_uuid(tree).map(str::to_owned)
            }
            BlkType::Scsi => disk::scsi(tree, device),
            BlkType::Nvme => disk::nvme(tree, device),
            BlkType::Md => disk::md(tree, device),
            BlkType::Virtio => disk::virtio(tree, device),
            BlkType::Mmc => disk::mmc(tree, device),
            BlkType::Zram => None,
            BlkType::Other => disk::other(tree, device),
        }
    }
}

impl Tree {
    /// The kind of a device, by what sysfs has about it and only then by its name.
    pub(crate) fn blk_type(&self, device: &Device) -> BlkType {
        *device.blk_type.get_or_init(|| self.kind_of(device))
    }

    fn kind_of(&self, device: &Device) -> BlkType {
        let begins = |prefix| device.name.starts_with(prefix);
        if device.partition(self).is_some() {
            BlkType::Partition
        } else if begins("dm-") {
            self.dm_type(device)
        } else if scsi_address(device).is_some() {
            BlkType::Scsi
        } else if begins("nvme") {
            BlkType::Nvme
        } else if is_virtio(device) {
            BlkType::Virtio
        } else {
            // The first three where a list has no more than the name.
            const BY_NAME: [(&str, BlkType); 7] = [
                ("sd", BlkType::Scsi),
                ("sr", BlkType::Scsi),
                ("vd", BlkType::Virtio),
                ("md", BlkType::Md),
                ("loop", BlkType::Loop),
                ("zram", BlkType::Zram),
                ("mmcblk", BlkType::Mmc),
            ];
            let known = BY_NAME.into_iter().find(|(prefix, _)| begins(prefix));
            known.map_or(BlkType::Other, |(_, blk_type)| blk_type)
        }
    }

    /// Device-mapper's users mark their devices with a prefix of the uuid.
    fn dm_type(&self, device: &Device) -> BlkType {
        if device.dm_partition(self).is_some() {
            return BlkType::Partition;
        }
        let uuid = device.dm_uuid(self).unwrap_or_default();
        match uuid.split_once('-').map(|(user, _)| user) {
            Some("mpath") => BlkType::DmMultipath,
            Some("LVM") => BlkType::DmLvm,
            Some("CRYPT") => BlkType::DmCrypt,
            Some(_) => BlkType::Dm,
            None => match self.udev(device).get(LISTED_TYPE) {
                Some("mpath") => BlkType::DmMultipath,
                Some("lvm") => BlkType::DmLvm,
                Some("crypt") => BlkType::DmCrypt,
                Some("part") => BlkType::Partition,
                _ => BlkType::Dm,
            },
        }
    }
}

/// The address of a SCSI disk: its directory is `…/2:0:0:1/block/sdb`.
pub(crate) fn scsi_address(device: &Device) -> Option<ScsiAddress> {
    let mut components = device.components().rev().skip(1);
    let address = components.by_ref().find(|name| *name != "block")?;
    ScsiAddress::parse(address)
}

/// A virtio disk's directory is `…/virtio1/block/vda`.
fn is_virtio(device: &Device) -> bool {
    let mut components = device.components().rev().skip(1).skip_while(|name| *name == "block");
    components.next().is_some_and(|name| crate::name::numbered(name, "virtio").is_some())
}
