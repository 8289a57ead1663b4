//! From a device in sysfs to everything that is known about it.

use std::path::Path;

use crate::device::{Device, CLASS};
use crate::error::Error;
use crate::escape::mangle;
use crate::hardware::{self, Hardware};
use crate::identity::{scsi_address, Context};
use crate::info::{BlkType, BlockInfo, Owner};
use crate::mounts::Mount;
use crate::name::{nvme_head, DevNumber};
use crate::share::shared_out;
use crate::tree::Tree;
use crate::udev::{Record, DATABASE};

/// The unit of sysfs' `size`, whatever the device's own block size (include/linux/blk_types.h, SECTOR_SIZE).
const SECTOR: u64 = 512;

/// What many devices have in common and is read once.
pub(crate) struct Common {
    context: Context,
    swaps: Vec<DevNumber>,
}

impl Common {
    pub fn read(tree: &Tree) -> Self {
        Self { context: Context::read(tree), swaps: tree.swaps() }
    }
}

impl Tree {
    /// Everything about one device. What cannot be read is left out.
    pub(crate) fn describe(&self, device: &Device) -> BlockInfo {
        describe(self, device, &Common::read(self))
    }

    /// All block devices in natural order of their names. Left out are those that lsblk does not show either: loop
    /// devices without a backing file, RAM disks (major 1), and devices that the kernel hides (NVMe paths).
    ///
    /// # Errors
    /// [`Error::Source`] when /sys/class/block cannot be read.
    pub fn list(&self) -> Result<Vec<BlockInfo>, Error> {
        describe_all(&self.asked(), is_shown)
    }
}

impl Tree {
    /// All block devices, those too that [`Tree::list`] leaves out.
    ///
    /// # Errors
    /// [`Error::Source`] when /sys/class/block cannot be read.
    pub fn list_all(&self) -> Result<Vec<BlockInfo>, Error> {
        describe_all(&self.asked(), |_, _| true)
    }
}

/// Devices are looked up and described one after the other while their directories are open.
fn describe_all(
    tree: &Tree,
    wanted: impl Fn(&Tree, &Device) -> bool + Sync,
) -> Result<Vec<BlockInfo>, Error> {
    let names = tree.try_names(Path::new(CLASS))?;
    let common = Common::read(tree);
    // Listed values need not be looked up one by one.
    let _ = tree.listable(Path::new(DATABASE));
    let described = |name: &String| {
        let device = tree.device(name).filter(|device| wanted(tree, device))?;
        Some(describe(tree, &device, &common))
    };
    Ok(shared_out(&names, described))
}

fn is_shown(tree: &Tree, device: &Device) -> bool {
    const RAM_MAJOR: u32 = 1;
    let Some(number) = device.number(tree).filter(|_| !device.is_hidden(tree)) else {
        return false;
    };
    let empty_loop = || {
        let empty = size_bytes(tree, device) == 0 && device.attr(tree, "loop/backing_file").is_none();
        empty && tree.blk_type(device) == BlkType::Loop
    };
    number.major != RAM_MAJOR && !empty_loop()
}

pub(crate) fn describe(tree: &Tree, device: &Device, common: &Common) -> BlockInfo {
    let context = &common.context;
    let record = tree.udev(device);
    let number = device.number(tree);
    let owner = |owner: &Device| Owner {
        kdev: kernel_name(owner),
        dev_path: dev_path(tree, owner),
        dev_wwid: context.wwid(tree, owner),
    };
    let extension = tree.path_detail(device);
    let mounts = mounts_of(tree, number, &record, &context.mounts);
    let blk_type = tree.blk_type(device);
    let hardware = Hardware::read(tree, device, &record);
    BlockInfo {
        kdev: kernel_name(device),
        major_minor: number,
        address: (blk_type == BlkType::Scsi).then(|| scsi_address(device)).flatten().map(|a| a.to_string()),
        dev_path: dev_path(tree, device),
        blk_type,
        dev_wwid: context.wwid(tree, device),
        owners: tree.all_slaves(device).iter().map(owner).collect(),
        slaves: tree.slaves(device).iter().map(kernel_name).collect(),
        holders: tree.holders(device).iter().map(kernel_name).collect(),
        stable_path: hardware::stable_path(tree, device, &record),
        size_bytes: size_bytes(tree, device),
        serial: hardware.serial,
        model: hardware.model,
        vendor: hardware.vendor,
        removable: hardware.removable,
        rotational: hardware.rotational,
        read_only: hardware::flag(tree, device, "ro"),
        fs_type: record.encoded("ID_FS_TYPE").or_else(|| mounts.first().map(|mount| mount.fs_type.clone())),
        fs_uuid: record.encoded("ID_FS_UUID"),
        fs_label: record.encoded("ID_FS_LABEL"),
        mount_points: mount_points(&mounts, number.is_some_and(|number| common.swaps.contains(&number))),
        transport: extension.get("transport").map(str::to_owned),
        extension,
        paths: tree.paths(device),
        // udev records the node, whose backing file may change later.
        present_since: tree.present_since(&record).filter(|_| blk_type != BlkType::Loop),
        diskseq: device.diskseq(tree),
    }
}

/// sysfs spells a `/` in a name `!`.
pub(crate) fn kernel_name(device: &Device) -> String {
    device.name.replace('!', "/")
}

pub(crate) fn dev_path(tree: &Tree, device: &Device) -> String {
    match (device.dm_name(tree), nvme_head(&device.name)) {
        (Some(name), _) => format!("/dev/mapper/{}", mangle(name)),
        (None, Some(head)) => format!("/dev/{head}"),
        (None, None) => format!("/dev/{}", kernel_name(device)),
    }
}

fn size_bytes(tree: &Tree, device: &Device) -> u64 {
    let sectors: Option<u64> = device.attr(tree, "size").and_then(|size| crate::name::number(&size));
    sectors.unwrap_or(0).saturating_mul(SECTOR)
}

/// The mounts of a device, and those of a btrfs of which it is one of several members.
fn mounts_of<'a>(
    tree: &Tree,
    number: Option<DevNumber>,
    record: &Record,
    all: &'a [Mount],
) -> Vec<&'a Mount> {
    let btrfs = record.get("ID_FS_UUID").filter(|_| record.get("ID_FS_TYPE") == Some("btrfs"));
    let same_btrfs = |mount: &Mount| {
        let named = tree.device_by_number(mount.major_minor);
        named.is_some_and(|named| tree.udev(&named).get("ID_FS_UUID") == btrfs)
    };
    let mine = |mount: &&Mount| {
        Some(mount.major_minor) == number
            || (btrfs.is_some() && mount.fs_type == "btrfs" && same_btrfs(mount))
    };
    all.iter().filter(mine).collect()
}

fn mount_points(mounts: &[&Mount], swap: bool) -> Vec<String> {
    let (whole, parts): (Vec<&Mount>, Vec<&Mount>) = mounts.iter().partition(|mount| mount.root == "/");
    let mut points: Vec<String> = Vec::new();
    for mount in whole.into_iter().chain(parts) {
        if !points.contains(&mount.mount_point) {
            points.push(mount.mount_point.clone());
        }
    }
    points.extend(swap.then(|| "[SWAP]".to_owned()));
    points
}
