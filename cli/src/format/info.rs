//! A block device in full: a label and a value a line, lists with one value a line.

use std::io::{self, Write};

use super::text::{size, styled, BOLD};
use super::Style;
use crate::api::BlockInfo;
use crate::sanitize::visible;

/// Writes the device; what it does not have is left out.
pub fn write<W: Write>(out: &mut W, info: &BlockInfo, style: &Style) -> io::Result<()> {
    let rows = rows(info);
    let width = rows.iter().map(|(label, _)| label.chars().count() + 1).max().unwrap_or(0);
    for (label, values) in &rows {
        let mut label = format!("{label}:");
        for value in values {
            let padded = format!("{label:width$}");
            writeln!(out, "{} {}", styled(&padded, BOLD, style.color), visible(value))?;
            label.clear();
        }
    }
    Ok(())
}

fn rows(info: &BlockInfo) -> Vec<(String, Vec<String>)> {
    let row = |label: &str, values: Vec<String>| (label.to_owned(), values);
    let one = |label: &str, value: &str| row(label, vec![value.to_owned()]);
    let maybe = |label: &str, value: &Option<String>| row(label, value.iter().cloned().collect());
    let mut rows = vec![
        one("Device", &info.kdev),
        one("Path", &info.dev_path),
        maybe("Number", &info.major_minor),
        one("Type", &info.blk_type),
        one("WWID", info.dev_wwid.as_deref().unwrap_or("-")),
        one("Size", &format!("{} ({} bytes)", size(info.size), info.size)),
        maybe("Transport", &info.transport),
        maybe("Content", &info.fs_type),
        maybe("UUID", &info.fs_uuid),
        maybe("Label", &info.fs_label),
        row("Mounted on", info.mount_points.clone()),
        row("Built from", info.owners_paths.clone()),
        row("Built from WWID", info.owners_wwids.clone()),
        row("Used by", info.holders.clone()),
    ];
    let extension = info.extension.iter();
    rows.extend(extension.map(|(key, value)| one(&visible(key), value)));
    rows.retain(|(_, values)| !values.is_empty());
    rows
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::format::samples;
    use jiff::tz::TimeZone;

    fn text(info: &BlockInfo) -> String {
        let mut out = Vec::new();
        write(&mut out, info, &Style { color: false, zone: TimeZone::UTC }).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn aligned_and_complete() {
        let expected = "\
Device:          dm-1
Path:            /dev/mapper/vg-lv
Number:          253:1
Type:            dm-lvm
WWID:            LVM-jM0Tz8
Size:            10GiB (10737418240 bytes)
Transport:       iSCSI
Content:         ext4
UUID:            47841ee5-047d-4f73-8951-5a3d7a4c770e
Label:           data
Mounted on:      /mnt/data
                 /srv/with space
Built from:      /dev/mapper/mpatha
                 /dev/sda
Built from WWID: mpath-333333330000007d0
Used by:         dm-2
lv_name:         lv
";
        assert_eq!(text(&samples::info()), expected);
    }

    #[test]
    fn what_is_missing_is_left_out() {
        let text = text(&samples::bare_info());
        assert!(text.contains("WWID:   -\n"), "{text}");
        for label in ["Transport", "Content", "UUID", "Label", "Mounted on", "Used by"] {
            assert!(!text.contains(label), "{text}");
        }
    }

    #[test]
    fn a_label_cannot_forge_a_line() {
        let mut info = samples::info();
        info.fs_label = Some("x\nWWID: forged\x1b[1m".to_owned());
        info.extension.insert("a\nb".to_owned(), "c".to_owned());
        let text = text(&info);
        assert!(text.contains(r"x\nWWID: forged\x1b[1m"), "{text}");
        assert!(text.contains(r"a\nb: "), "{text}");
    }
}
