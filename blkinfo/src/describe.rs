//! From a device in sysfs to everything that is known about it.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::device::{Device, CLASS};
use crate::error::Error;
use crate::escape::mangle;
use crate::hardware;
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
    /// Where the mounts of each device stand in the table.
    mounted: MountIndex,
    /// Kernel names of the devices that are used as swap.
    swaps: HashSet<String>,
}

/// Places in the mount table.
#[derive(Default)]
struct MountIndex {
    by_number: HashMap<DevNumber, Vec<usize>>,
    /// Of devices without a number.
    by_name: HashMap<String, Vec<usize>>,
    btrfs: Vec<usize>,
}

impl MountIndex {
    fn of(tree: &Tree, mounts: &[Mount]) -> Self {
        let mut mounted = Self::default();
        for (at, mount) in mounts.iter().enumerate() {
            match tree.unnumbered_of_mount(mount) {
                Some(device) => mounted.by_name.entry(device.name.clone()).or_default().push(at),
                None => mounted.by_number.entry(mount.major_minor).or_default().push(at),
            }
            if mount.fs_type == "btrfs" {
                mounted.btrfs.push(at);
            }
        }
        mounted
    }
}

impl Common {
    pub fn read(tree: &Tree) -> Self {
        let context = Context::read(tree);
        let mounted = MountIndex::of(tree, &context.mounts);
        Self { context, mounted, swaps: tree.swaps().into_iter().map(|device| device.name.clone()).collect() }
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
    let number = device.number(tree);
    // Only path nodes have none in the kernel; a list may leave it out.
    if device.is_hidden(tree) || number.is_none() && nvme_head(&device.name).is_some() {
        return false;
    }
    let empty_loop = || {
        let empty = device.attr(tree, "size").is_some_and(|size| size == "0")
            && device.attr(tree, "loop/backing_file").is_none();
        empty && tree.blk_type(device) == BlkType::Loop
    };
    number.is_none_or(|number| number.major != RAM_MAJOR) && !empty_loop()
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
    let mounts = mounts_of(tree, device, &record, common);
    let blk_type = tree.blk_type(device);
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
        read_only: hardware::flag(tree, device, "ro"),
        fs_type: record.encoded("ID_FS_TYPE").or_else(|| {
            // A list may not say it.
            let mut types = mounts.iter().map(|mount| &mount.fs_type).filter(|fs_type| !fs_type.is_empty());
            types.next().cloned()
        }),
        fs_uuid: record.encoded("ID_FS_UUID"),
        fs_label: record.encoded("ID_FS_LABEL"),
        mount_points: mount_points(&mounts, common.swaps.contains(&device.name)),
        transport: extension.get("transport").map(str::to_owned),
        extension,
        paths: tree.paths(device),
        // udev records the node, whose backing file may change later.
        present_since: tree.present_since(&record).filter(|_| blk_type != BlkType::Loop),
        diskseq: device.diskseq(tree),
        ..hardware::read(tree, device, &record)
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

/// The mounts of a device, and those of a btrfs with several devices that it is a member of.
fn mounts_of<'a>(tree: &Tree, device: &Device, record: &Record, common: &'a Common) -> Vec<&'a Mount> {
    let Common { context, mounted, .. } = common;
    let own = match device.number(tree) {
        Some(number) => mounted.by_number.get(&number),
        None => mounted.by_name.get(&device.name),
    };
    let own = own.map(Vec::as_slice).unwrap_or_default();
    let btrfs = record.get("ID_FS_UUID").filter(|_| record.get("ID_FS_TYPE") == Some("btrfs"));
    let same_btrfs = |mount: &Mount| {
        let named = tree.device_of_mount(mount);
        named.is_some_and(|named| tree.udev(&named).get("ID_FS_UUID") == btrfs)
    };
    let mount = |at: &usize| context.mounts.get(*at);
    if btrfs.is_none() {
        return own.iter().filter_map(mount).collect();
    }
    // In the order of the table.
    let mut places = own.to_vec();
    places.extend(mounted.btrfs.iter().filter(|at| !own.contains(at) && mount(at).is_some_and(same_btrfs)));
    places.sort_unstable();
    places.iter().filter_map(mount).collect()
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
