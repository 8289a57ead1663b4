//! A table of block devices.

use std::io::{self, Write};

use super::text::{size, styled, BOLD};
use super::Style;
use crate::api::BlockInfo;
use crate::sanitize::visible;

const COLUMNS: usize = 8;
type Row = [String; COLUMNS];

const HEADER: [&str; COLUMNS] =
    ["NAME", "PATH", "TYPE", "SIZE", "WWID", "TRANSPORT", "CONTENT", "MOUNT POINTS"];

/// Writes a heading and one line a device.
pub fn write<W: Write>(out: &mut W, infos: &[BlockInfo], style: &Style) -> io::Result<()> {
    let header = HEADER.map(str::to_owned);
    let rows: Vec<Row> = infos.iter().map(row).collect();
    let widths = widths(&header, &rows);
    writeln!(out, "{}", styled(&line(&header, &widths), BOLD, style.color))?;
    rows.iter().try_for_each(|row| writeln!(out, "{}", line(row, &widths)))
}

fn row(info: &BlockInfo) -> Row {
    let or_dash = |value: &Option<String>| match value {
        Some(value) => visible(value).into_owned(),
        None => "-".to_owned(),
    };
    let mount_points = match info.mount_points.is_empty() {
        true => "-".to_owned(),
        false => visible(&info.mount_points.join(", ")).into_owned(),
    };
    [
        visible(&info.kdev).into_owned(),
        visible(&info.dev_path).into_owned(),
        visible(&info.blk_type).into_owned(),
        size(info.size),
        or_dash(&info.dev_wwid),
        or_dash(&info.transport),
        or_dash(&info.fs_type),
        mount_points,
    ]
}

fn widths(header: &Row, rows: &[Row]) -> [usize; COLUMNS] {
    let mut widths = [0; COLUMNS];
    for row in std::iter::once(header).chain(rows) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    widths
}

/// Cells two blanks apart, without blanks at the end of the line.
fn line(row: &Row, widths: &[usize; COLUMNS]) -> String {
    let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
    cells.join("  ").trim_end().to_owned()
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
