//! How lists name devices.

use crate::name::{lvm_name, DevNumber, ScsiAddress};

/// What a list calls a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// The kernel's name.
    Kernel(String),
    /// The number, `8:16`.
    Number(String),
    /// The SCSI address, `2:0:0:1`.
    Address(String),
    /// An array, by its UUID.
    Array(String),
    /// A node, the name of a map, or the kernel's name.
    Any(String),
}

impl Named {
    /// The kernel's name.
    pub fn kernel(name: &str) -> Self {
        // Some tools spell a `/` in a name as sysfs does.
        Named::Kernel(name.replace('!', "/"))
    }

    /// A node, or any name.
    pub fn any(name: &str) -> Self {
        match name.strip_prefix("/dev/").filter(|name| is_kernel_name(name)) {
            Some(kname) => Named::kernel(kname),
            None => Named::Any(name.to_owned()),
        }
    }
}

/// `8:16`, as kernel and tools write a device's number.
pub fn is_number(text: &str) -> bool {
    DevNumber::parse(text).is_some()
}

/// `2:0:0:1`, the address of a SCSI disk.
pub fn is_address(text: &str) -> bool {
    ScsiAddress::parse(text).is_some()
}

/// A name that only the kernel gives.
pub fn is_kernel_name(name: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let letters = ["sd", "vd", "xvd", "hd", "dasd"].iter().filter_map(|begin| name.strip_prefix(begin));
    let mut lettered = letters.map(|rest| rest.trim_end_matches(|c: char| c.is_ascii_digit()));
    let is_lettered =
        lettered.any(|rest| (1..=4).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_lowercase()));
    const NUMBERED: [&str; 11] =
        ["dm-", "md", "loop", "nvme", "mmcblk", "nbd", "rbd", "zram", "pmem", "sr", "bcache"];
    let numbered = NUMBERED.iter().filter_map(|begin| name.strip_prefix(begin));
    is_lettered
        || numbered.into_iter().any(|rest| {
            // nvme0n1p2, nvme0c1n1, mmcblk0boot1p1
            rest.replace("boot", "p").split(['p', 'n', 'c']).all(digits)
        })
}

/// The disk of a partition, by the kernel's way of naming, and the partition's number.
pub fn partition(name: &str) -> Option<(&str, &str)> {
    let disk = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = name.get(disk.len()..).filter(|number| !number.is_empty())?;
    if ["sd", "vd", "xvd", "hd", "dasd"].iter().any(|begin| disk.starts_with(begin)) {
        return Some((disk, number)).filter(|_| is_kernel_name(disk));
    }
    let disk = disk.strip_suffix('p').filter(|disk| disk.ends_with(|c: char| c.is_ascii_digit()))?;
    is_kernel_name(disk).then_some((disk, number))
}

/// The link below /dev to the map of a logical volume.
pub fn volume(vg: &str, lv: &str) -> String {
    format!("mapper/{}", lvm_name(vg, lv))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_kernel() {
        for name in [
            "sda",
            "sdaa12",
            "vdb",
            "dm-0",
            "md127",
            "md0p1",
            "nvme0n1",
            "nvme0n1p2",
            "nvme0c1n1",
            "loop7",
            "mmcblk0p1",
            "dasda1",
        ] {
            assert!(is_kernel_name(name), "{name}");
        }
        for name in ["mpatha", "sda-x", "sd", "sdA", "vg-lv", "dm", "home", "md-x", "rhel-root", "nvme"] {
            assert!(!is_kernel_name(name), "{name}");
        }
        assert_eq!(partition("sda12"), Some(("sda", "12")));
        assert_eq!(partition("nvme0n1p2"), Some(("nvme0n1", "2")));
        assert_eq!(partition("mmcblk0p1"), Some(("mmcblk0", "1")));
        for name in ["sda", "nvme0n1", "dm-3", "md127", "loop7", "mpathap1"] {
            assert_eq!(partition(name), None, "{name}");
        }
        assert!(is_number("253:0") && !is_number("2:0:0:1") && !is_number("a:1") && is_address("2:0:0:1"));
    }
}
