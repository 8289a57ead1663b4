//! /proc/mounts, /etc/mtab, /proc/self/mountinfo, `mount`, `findmnt` and `df`.

use super::super::devices::Devices;
use super::super::named::{is_number, Named};
use super::super::note::Note;
use super::super::table::{value, Table};
use crate::escape::decode_octal;

/// A line that only these print.
pub fn prints(line: &str) -> bool {
    is_tree(line)
        || is_df(line)
        || table_of_kernel(line).is_some()
        || printed(line).is_some()
        || numbered(line).is_some()
}

/// Takes where devices are mounted.
pub fn take(devices: &mut Devices, _command: &str, text: &str) {
    let mut tree: Option<Table> = None;
    let mut space = false;
    // df breaks a line behind a long name.
    let mut broken: Option<&str> = None;
    for line in text.lines() {
        if is_tree(line) {
            (tree, space) = (Some(Table::new(line)), false);
        } else if is_df(line) {
            (tree, space) = (None, true);
        } else if let Some(found) = numbered(line).or_else(|| table_of_kernel(line)).or_else(|| printed(line))
        {
            note(devices, found);
        } else if let Some(table) = &tree {
            let plain = line.replace(['├', '└', '│', '─', '|', '`'], " ");
            let row = table.row(&plain);
            let target = value(&row, "TARGET").map(|target| target.trim_start_matches(['-', ' ']));
            if let (Some(target), Some(source)) = (target, value(&row, "SOURCE")) {
                // A subvolume or a directory stands in brackets.
                let source = source.split('[').next().unwrap_or(source);
                let fs_type = value(&row, "FSTYPE").unwrap_or_default().to_owned();
                note(devices, Mounted { device: Named::any(source), point: target.to_owned(), fs_type });
            }
        } else if space {
            let begins = line.starts_with("/dev/");
            let whole = line.contains("% /");
            let point = line.split_once("% ").map(|(_, point)| point.trim().to_owned());
            let node = if begins { line.split_whitespace().next() } else { broken };
            if let (Some(node), Some(point), true) = (node, point, whole) {
                note(devices, Mounted { device: Named::any(node), point, fs_type: String::new() });
            }
            broken = (begins && !whole).then(|| line.trim());
        }
    }
}

/// A file system, where it is mounted, and its type, which is empty where the list does not say it.
struct Mounted {
    device: Named,
    point: String,
    fs_type: String,
}

fn note(devices: &mut Devices, Mounted { device, point, fs_type }: Mounted) {
    let is_node = |device: &Named| !matches!(device, Named::Any(node) if !node.starts_with("/dev/"));
    if is_node(&device) && point.starts_with('/') {
        devices.note(device, Note::default().mounted(&point, &fs_type));
    }
}

/// The head of `findmnt`.
fn is_tree(line: &str) -> bool {
    line.starts_with("TARGET ") && line.contains(" SOURCE ")
}

/// The head of `df`.
fn is_df(line: &str) -> bool {
    line.starts_with("Filesystem ") && line.contains("Use%") && line.trim_end().ends_with("Mounted on")
}

/// `/dev/mapper/vg-a /data xfs rw 0 0`.
fn table_of_kernel(line: &str) -> Option<Mounted> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [node, point, fs_type, _, dump, pass] = words.as_slice() else { return None };
    let digit = |word: &str| word.len() == 1 && word.bytes().all(|b| b.is_ascii_digit());
    (point.starts_with('/') && digit(dump) && digit(pass)).then(|| Mounted {
        device: Named::any(node),
        point: decode_octal(point),
        fs_type: decode_octal(fs_type),
    })
}

/// `/dev/mapper/vg-a on /data type xfs (rw)`.
fn printed(line: &str) -> Option<Mounted> {
    let (node, rest) = line.split_once(" on /")?;
    let (point, rest) = rest.split_once(" type ")?;
    let fits = !node.contains(' ') && rest.contains(" (");
    let fs_type = rest.split(' ').next().unwrap_or_default().to_owned();
    fits.then(|| Mounted { device: Named::any(node), point: format!("/{point}"), fs_type })
}

/// `26 1 254:0 / / rw,noatime shared:1 - ext4 /dev/vda rw` of /proc/self/mountinfo.
fn numbered(line: &str) -> Option<Mounted> {
    let (fixed, file_system) = line.split_once(" - ")?;
    let mut words = fixed.split_whitespace();
    let number = words.nth(2).filter(|number| is_number(number))?;
    let point = words.nth(1).filter(|point| point.starts_with('/'))?;
    let fs_type = decode_octal(file_system.split_whitespace().next().unwrap_or_default());
    Some(Mounted { device: Named::Number(number.to_owned()), point: decode_octal(point), fs_type })
}

#[cfg(test)]
mod tests {
    use super::super::testing::block;

    #[test]
    fn all_forms() {
        let names =
            "Name     Maj Min Stat Open Targ Event  UUID\nvg-a     253   2 L--w    1    1      0 LVM-abc\n";
        for (name, text) in [
            ("mounts", "proc /proc proc rw 0 0\n/dev/mapper/vg-a /my\\040data xfs rw,relatime 0 0\n"),
            ("mount", "/dev/mapper/vg-a on /my data type xfs (rw,relatime)\n"),
            ("mountinfo", "26 1 0:5 / /proc rw - proc proc rw\n27 1 253:2 / /my\\040data rw shared:1 - xfs /dev/mapper/vg-a rw\n"),
            ("findmnt", "TARGET       SOURCE             FSTYPE OPTIONS\n/            /dev/sda1[/@]      btrfs  rw\n└─/my data   /dev/mapper/vg-a   xfs    rw\n"),
            ("df", "Filesystem       1K-blocks  Used Available Use% Mounted on\n/dev/mapper/vg-a      1000   100       900  10% /my data\n"),
            ("df", "Filesystem       1K-blocks  Used Available Use% Mounted on\n/dev/mapper/vg-a\n                      1000   100       900  10% /my data\n"),
        ] {
            let volume = block(&[(name, text), ("", names)], "dm-2").unwrap();
            assert_eq!(volume.mount_points, ["/my data"], "{text}");
        }
    }
}
