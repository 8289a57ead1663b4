//! A table of block devices.

use std::io::{self, Write};

use super::table::{self, or_dash};
use super::text::size;
use super::Style;
use crate::api::BlockInfo;

const COLUMNS: usize = 8;

const HEADER: [&str; COLUMNS] =
    ["NAME", "PATH", "TYPE", "SIZE", "WWID", "TRANSPORT", "CONTENT", "MOUNT POINTS"];

/// Writes a heading and one line a device.
pub fn write<W: Write>(out: &mut W, infos: &[BlockInfo], style: &Style) -> io::Result<()> {
    let rows: Vec<_> = infos.iter().map(row).collect();
    table::write(out, HEADER, &rows, style)
}

fn row(info: &BlockInfo) -> [String; COLUMNS] {
    let mount_points = info.mount_points.join(", ");
    [
        info.kdev.clone(),
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
#[allow(clippy::unwrap_used)]
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
