//! A table of block devices, drawn as trees.

use std::io::{self, Write};

use peripety_api::BlockInfo;

use super::stack::{Branch, DevicesByName};
use super::table::{self, or_dash};
use super::text::size;
use super::Style;

const COLUMNS: usize = 8;

const HEADER: [&str; COLUMNS] =
    ["NAME", "PATH", "TYPE", "SIZE", "WWID", "TRANSPORT", "CONTENT", "MOUNT POINTS"];

/// Writes a heading and, as trees, a line for each device: the roots are the devices that are built on no other.
pub fn write<W: Write>(out: &mut W, infos: &[BlockInfo], style: &Style) -> io::Result<()> {
    let devices = DevicesByName::new(infos);
    let roots = infos.iter().filter(|info| devices.is_root(info));
    let lines = roots.flat_map(|root| devices.tree(root, |info| &info.holders));
    let rows: Vec<_> = lines.map(|line| row(&line)).collect();
    table::write(out, HEADER, &rows, style)
}

fn row(branch: &Branch<'_>) -> [String; COLUMNS] {
    let info = branch.info;
    let mount_points = info.mount_points.join(", ");
    [
        format!("{}{}", branch.drawing, info.kdev),
        info.dev_path.clone(),
        info.blk_type.clone(),
        size(info.size),
        or_dash(info.dev_wwid.as_deref()),
        or_dash(info.transport.as_deref()),
        or_dash(info.fs_type.as_deref()),
        or_dash((!mount_points.is_empty()).then_some(&mount_points)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::samples;
    use jiff::tz::TimeZone;

    fn text(infos: &[BlockInfo]) -> String {
        let mut out = Vec::new();
        write(&mut out, infos, &Style { color: false, zone: TimeZone::UTC }).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn aligned() {
        let expected = "\
NAME   PATH               TYPE    SIZE    WWID        TRANSPORT  CONTENT  MOUNT POINTS
dm-1   /dev/mapper/vg-lv  dm-lvm  10GiB   LVM-jM0Tz8  iSCSI      ext4     /mnt/data, /srv/with space
loop0  /dev/loop0         loop    512KiB  -           -          -        -
";
        assert_eq!(text(&[samples::info(), samples::bare_info()]), expected);
    }

    #[test]
    fn what_stands_on_others_is_below_them() {
        let device = |kdev: &str, slaves: &[&str], holders: &[&str]| {
            let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            let (slaves, holders) = (names(slaves), names(holders));
            peripety_api::BlockInfo { kdev: kdev.to_owned(), slaves, holders, ..samples::bare_info() }
        };
        let infos = [
            device("sda", &[], &["sda1", "sda2"]),
            device("sda1", &["sda"], &[]),
            device("sda2", &["sda"], &["dm-0"]),
            device("sdb", &[], &["dm-0"]),
            device("dm-0", &["sda2", "sdb"], &[]),
            device("dm-1", &["gone"], &[]),
        ];
        let text = text(&infos);
        let names: Vec<&str> =
            text.lines().skip(1).map(|line| line.split("  /dev").next().unwrap().trim_end()).collect();
        assert_eq!(names, ["sda", "├─sda1", "└─sda2", "  └─dm-0", "sdb", "└─dm-0", "dm-1"]);
    }

    #[test]
    fn a_cycle_ends() {
        let mut info = samples::bare_info();
        info.holders = vec![info.kdev.clone()];
        assert!(text(&[info]).lines().count() < 100);
    }

    #[test]
    fn no_devices_leave_the_heading() {
        assert_eq!(text(&[]).lines().count(), 1);
    }

    #[test]
    fn a_mount_point_cannot_forge_a_line() {
        let mut info = samples::info();
        info.mount_points = vec!["/a\nsda".to_owned()];
        assert_eq!(text(&[info]).lines().count(), 2);
    }
}
