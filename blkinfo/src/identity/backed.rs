//! Identities that are made from another device's: partitions and loop devices.

use crate::device::Device;
use crate::mounts::covering;
use crate::tree::Tree;

use super::Context;

impl Context {
    /// `<identity of the disk or map>-part<N>`.
    pub(super) fn partition(&self, tree: &Tree, device: &Device, depth: u8) -> Option<String> {
        if let Some(number) = device.partition(tree) {
            let disk = self.wwid_within(tree, &device.disk(tree)?, depth)?;
            return Some(format!("{disk}-part{number}"));
        }
        // kpartx writes the map's uuid behind its own prefix. For other disks it writes a device number there, which
        // the next boot may give to another disk.
        let (number, of) = device.dm_partition(tree)?;
        let whole = match of.starts_with("devnode") {
            false => of.to_owned(),
            true => {
                let below = tree.slaves(device);
                let whole = below.first().filter(|_| below.len() == 1)?;
                self.wwid_within(tree, whole, depth)?
            }
        };
        Some(format!("{whole}-part{number}"))
    }

    /// `loop-<file system UUID>-<path of the backing file inside that file system>`, for a looped device
    /// `loop-<its identity>`, else `loop-<path of the backing file>`.
    pub(super) fn loop_device(&self, tree: &Tree, device: &Device, depth: u8) -> Option<String> {
        let file = device.attr(tree, "loop/backing_file")?;
        // The kernel marks a file that has no name any more; another file may have that name by now (fs/d_path.c).
        if file.ends_with(" (deleted)") {
            return None;
        }
        if file.starts_with("/dev/") {
            if let Some(below) = tree.device_of_node(&file) {
                return self.wwid_within(tree, &below, depth).map(|wwid| format!("loop-{wwid}"));
            }
        }
        let inside = self.place_of(tree, &file).map(|(uuid, path)| format!("loop-{uuid}-{path}"));
        Some(inside.unwrap_or_else(|| format!("loop-{file}")))
    }

    /// The UUID of the file system that contains a file, and the path of the file in it.
    fn place_of(&self, tree: &Tree, file: &str) -> Option<(String, String)> {
        let mount = covering(&self.mounts, file)?;
        let device = tree.device_by_number(mount.major_minor)?;
        let uuid = tree.udev(&device).encoded("ID_FS_UUID")?;
        let below = file.strip_prefix(mount.mount_point.as_str())?.trim_start_matches('/');
        Some((uuid, format!("{}/{below}", mount.root.trim_end_matches('/'))))
    }
}
