//! Mounts, and the block device of a mount point.

use std::collections::HashMap;
use std::path::Path;

use crate::device::Device;
use crate::error::Error;
use crate::escape::{decode_octal, visible};
use crate::name::{number, DevNumber};
use crate::tree::Tree;

/// One line of /proc/self/mountinfo (proc(5)), escapes decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Mount {
    /// The kernel's number of the mount; used again after an unmount.
    pub id: u32,
    /// The device of the file system. For btrfs and bcachefs, which the kernel shows under an anonymous number, the
    /// device that was named when mounting.
    pub major_minor: DevNumber,
    /// The directory of the file system that is mounted; other than `/` for a bind mount or a subvolume.
    pub root: String,
    /// Where.
    pub mount_point: String,
    /// `ext4`, `xfs`, `nfs4` …
    pub fs_type: String,
    /// The mount source: a device path, or whatever the file system uses instead.
    pub source: String,
}

impl Mount {
    fn parse(line: &str) -> Option<Self> {
        // 36 35 98:0 /root /mnt rw,noatime shared:1 - ext3 /dev/root rw     (any number of fields before the dash)
        let (fixed, file_system) = line.split_once(" - ")?;
        let mut fixed = fixed.split(' ');
        let mut file_system = file_system.split(' ');
        Some(Self {
            id: number(fixed.next()?)?,
            major_minor: DevNumber::parse(fixed.nth(1)?)?,
            root: decode_octal(fixed.next()?),
            mount_point: decode_octal(fixed.next()?),
            fs_type: decode_octal(file_system.next()?),
            source: decode_octal(file_system.next()?),
        })
    }

    /// The other side of a network file system: `nas` of `nas:/export`, `[fe80::1]:/export` without the brackets, and
    /// `//nas/share`.
    pub fn server(&self) -> Option<&str> {
        if let Some(share) = self.source.strip_prefix("//") {
            return share.split('/').next().filter(|server| !server.is_empty());
        }
        let (server, _) = self.source.split_once(":/").filter(|(server, _)| !server.contains('/'))?;
        Some(server.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(server))
    }

    /// Whether `path` is at or below the mount point, as text.
    fn covers(&self, path: &str) -> bool {
        let Some(rest) = path.strip_prefix(self.mount_point.as_str()) else {
            return false;
        };
        rest.is_empty() || rest.starts_with('/') || self.mount_point.ends_with('/')
    }
}

/// File systems of several devices, which have a number of their own.
const MANY_DEVICES: [&str; 2] = ["btrfs", "bcachefs"];

impl Tree {
    /// All mounts in the order of /proc/self/mountinfo: the oldest first. Left out are lines that make no sense, and
    /// directories that are mounted on themselves: they show what would be there without them. A service's sandbox makes such
    /// mounts (`StateDirectory=`, `ReadWritePaths=`, `ProtectHome=read-only`: systemd.exec(5)), which the machine does not have.
    ///
    /// # Errors
    /// [`Error::Source`] when the table cannot be read.
    pub fn mounts(&self) -> Result<Vec<Mount>, Error> {
        let table = visible(&self.read(Path::new("/proc/self/mountinfo"))?);
        let mut mounts = without_same(table.lines().filter_map(Mount::parse).collect());
        for mount in mounts.iter_mut().filter(|m| MANY_DEVICES.contains(&m.fs_type.as_str())) {
            let device = mount.source.split(':').next().and_then(|path| self.device_of_node(path));
            mount.major_minor = device.and_then(|d| d.number(self)).unwrap_or(mount.major_minor);
        }
        Ok(mounts)
    }

    /// The mounts of one device, the oldest first; none when the mount table cannot be read.
    pub fn mount_of(&self, major_minor: DevNumber) -> Vec<Mount> {
        let mounts = self.mounts().unwrap_or_default();
        mounts.into_iter().filter(|mount| mount.major_minor == major_minor).collect()
    }

    /// The mount on which an absolute path lies: the longest mount point that begins it, and of several on the same
    /// one the last. The path is compared as text and never touched, so that a dead file system cannot hang us.
    ///
    /// # Errors
    /// [`Error::Source`] when the mount table cannot be read.
    pub fn mount_at(&self, path: &str) -> Result<Option<Mount>, Error> {
        Ok(covering(&self.mounts()?, path).cloned())
    }

    /// The block device on which a mount's file system lies: by its number, and of a device without one by the node that was
    /// mounted.
    pub(crate) fn device_of_mount(&self, mount: &Mount) -> Option<Device> {
        self.device_by_number(mount.major_minor).or_else(|| self.unnumbered_of_mount(mount))
    }

    /// The device without a number that was mounted.
    pub(crate) fn unnumbered_of_mount(&self, mount: &Mount) -> Option<Device> {
        let by_node = mount.major_minor.major == 0 && mount.source.starts_with("/dev/");
        let device = by_node.then(|| self.device_of_node(&mount.source)).flatten()?;
        device.number(self).is_none().then_some(device)
    }

    /// The block device of a node or link in /dev, as a mount's or swap's source names it.
    pub(crate) fn device_of_node(&self, path: &str) -> Option<Device> {
        let path = Path::new(path);
        let node = self.follow_node(path)?;
        let name = node.strip_prefix("/dev").ok()?.to_str()?.to_owned();
        self.device(&name).or_else(|| self.device_by_dm_name(name.strip_prefix("mapper/")?))
    }

    /// The block devices that are used as swap (/proc/swaps).
    pub(crate) fn swaps(&self) -> Vec<Device> {
        let table = self.read(Path::new("/proc/swaps")).map(|content| visible(&content)).unwrap_or_default();
        let paths = table.lines().skip(1).filter_map(|line| line.split_ascii_whitespace().next());
        paths.filter_map(|path| self.device_of_node(&decode_octal(path))).collect()
    }
}

/// Without the directories that are mounted on themselves.
fn without_same(mounts: Vec<Mount>) -> Vec<Mount> {
    let at: HashMap<&str, &Mount> = mounts.iter().map(|mount| (mount.mount_point.as_str(), mount)).collect();
    let same: Vec<bool> = mounts.iter().map(|mount| is_same_below(&at, mount)).collect();
    mounts.into_iter().zip(same).filter(|(_, same)| !same).map(|(mount, _)| mount).collect()
}

/// Would the same directory be seen there if this were not mounted?
fn is_same_below(at: &HashMap<&str, &Mount>, mount: &Mount) -> bool {
    if mount.root == "/" {
        return false;
    }
    let place = Path::new(&mount.mount_point);
    let above = place.ancestors().skip(1).find_map(|above| at.get(above.to_str()?));
    above.is_some_and(|above| {
        let rest = place.strip_prefix(&above.mount_point).unwrap_or(place);
        above.major_minor == mount.major_minor && Path::new(&above.root).join(rest) == Path::new(&mount.root)
    })
}

/// See [`Tree::mount_at`].
pub(crate) fn covering<'a>(mounts: &'a [Mount], path: &str) -> Option<&'a Mount> {
    let path = path.strip_suffix('/').filter(|rest| !rest.is_empty()).unwrap_or(path);
    let covering = mounts.iter().filter(|mount| mount.covers(path));
    covering.max_by_key(|mount| mount.mount_point.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(line: &str) -> Option<Mount> {
        Mount::parse(line)
    }

    #[test]
    fn lines() {
        let parsed = mount(
            r"47 26 253:1 /sub /mnt/a\040b rw,relatime shared:67 master:1 - ext4 /dev/mapper/vg\134x rw",
        )
        .unwrap();
        assert_eq!(parsed.major_minor, DevNumber { major: 253, minor: 1 });
        assert_eq!((parsed.id, parsed.root.as_str(), parsed.mount_point.as_str()), (47, "/sub", "/mnt/a b"));
        assert_eq!((parsed.fs_type.as_str(), parsed.source.as_str()), ("ext4", r"/dev/mapper/vg\x"));
        assert!(mount("47 26 253:1 / /mnt rw - ext4 none rw").is_some());
        for bad in [
            "",
            "47 26 253:1 / /mnt rw",
            "x 26 253:1 / /mnt rw - ext4 a rw",
            "47 26 253 / /mnt rw - ext4 a rw",
            "47 26 - ext4",
        ] {
            assert_eq!(mount(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn what_a_sandbox_mounts_is_not_the_machine_s() {
        let table = [
            "1 0 254:0 / / ro - ext4 a rw",
            "2 1 254:0 /var/lib/peripety /var/lib/peripety rw - ext4 a rw",
            "3 1 254:1 / /var rw - xfs b rw",
            "4 3 254:1 /lib/peripety /var/lib/peripety rw - xfs b rw",
            "5 1 254:0 /home /home ro - ext4 a rw",
            "6 1 254:0 /srv/data /mnt/bound rw - ext4 a rw",
            "7 1 0:40 /@home /mnt/home rw - btrfs c rw",
            "8 1 254:2 /home /mnt/home/home rw - ext4 d rw",
            "9 1 254:2 / /mnt/home rw - ext4 d rw",
        ];
        let mounts = without_same(table.iter().filter_map(|line| mount(line)).collect());
        let left: Vec<u32> = mounts.iter().map(|mount| mount.id).collect();
        // The second one is hidden by a /var that was mounted over it later.
        assert_eq!(left, [1, 2, 3, 6, 7, 9]);
    }

    #[test]
    fn servers() {
        let from = |source: &str| mount(&format!("1 0 0:50 / /mnt rw - nfs4 {source} rw")).unwrap();
        for (source, server) in [
            ("nas:/export", Some("nas")),
            ("127.0.0.1:/", Some("127.0.0.1")),
            ("[fe80::1]:/a:/b", Some("fe80::1")),
            ("//nas/share", Some("nas")),
            ("/dev/sda", None),
            ("tmpfs", None),
            ("//", None),
        ] {
            assert_eq!(from(source).server(), server, "{source}");
        }
    }

    #[test]
    fn the_longest_and_last_mount_point_wins() {
        let table = [
            "1 0 8:1 / / rw - ext4 a rw",
            "2 1 8:2 / /mnt/test rw - ext4 b rw",
            "3 1 8:3 / /mnt/test rw - xfs c rw",
        ];
        let mounts: Vec<Mount> = table.iter().filter_map(|line| mount(line)).collect();
        let at = |path: &str| covering(&mounts, path).map(|mount| mount.id);
        assert_eq!(at("/mnt/test"), Some(3));
        assert_eq!(at("/mnt/test/"), Some(3));
        assert_eq!(at("/mnt/test/deep/er"), Some(3));
        assert_eq!(at("/mnt/testing"), Some(1));
        assert_eq!(at("/"), Some(1));
        assert_eq!(at("relative"), None);
    }
}
