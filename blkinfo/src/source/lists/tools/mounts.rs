//! /proc/mounts, /etc/mtab, /proc/self/mountinfo, `mount`, `findmnt` and `df`; /proc/swaps and `swapon -s`.

use super::super::devices::ListedDevices;
use super::super::fact::Fact;
use super::super::named::{is_kernel_name, is_number, Named};
use super::super::note::Note;
use super::super::table::{value, Table};
use crate::escape::decode_octal;

/// A line that only these print.
pub fn prints(line: &str) -> bool {
    is_tree(line)
        || is_df(line)
        || is_swaps(line)
        || table_of_kernel(line).is_some()
        || printed(line).is_some()
        || numbered(line).is_some()
}

/// Takes where devices are mounted.
pub fn take(devices: &mut ListedDevices, _command: &str, text: &str) {
    let mut tree: Option<Table> = None;
    let mut space = false;
    let mut swaps = false;
    // df breaks a line behind a long name.
    let mut broken: Option<&str> = None;
    for line in text.lines() {
        if is_tree(line) {
            (tree, space, swaps) = (Some(Table::new(line)), false, false);
        } else if is_df(line) {
            (tree, space, swaps) = (None, true, false);
        } else if is_swaps(line) {
            (tree, space, swaps) = (None, false, true);
        } else if swaps {
            let node = line.split_whitespace().next().filter(|node| node.starts_with("/dev/"));
            node.into_iter()
                .for_each(|node| devices.note(Named::any(node), Note::default().mounted("[SWAP]", "")));
        } else if let Some(found) = numbered(line).or_else(|| table_of_kernel(line)).or_else(|| printed(line))
        {
            note(devices, found);
        } else if let Some(table) = &tree {
            let plain = line.replace(['├', '└', '│', '─', '|', '`'], " ");
            let row = table.row(&plain);
            let target = value(&row, "TARGET").map(|target| target.trim_start_matches(['-', ' ']));
            if let (Some(target), Some(source)) = (target, value(&row, "SOURCE")) {
                // A subvolume or directory is in brackets.
                let (source, root) = source.split_once('[').unwrap_or((source, "/]"));
                let fs_type = value(&row, "FSTYPE").unwrap_or_default().to_owned();
                let whole = Mounted::whole(Named::any(source), target.to_owned(), fs_type);
                note(devices, Mounted { root: root.trim_end_matches(']').to_owned(), ..whole });
            }
        } else if space {
            let begins = line.starts_with("/dev/");
            let whole = line.contains("% /");
            let point = line.split_once("% ").map(|(_, point)| point.trim().to_owned());
            let node = if begins { line.split_whitespace().next() } else { broken };
            if let (Some(node), Some(point), true) = (node, point, whole) {
                note(devices, Mounted::whole(Named::any(node), point, String::new()));
            }
            broken = (begins && !whole).then(|| line.trim());
        }
    }
}

/// A file system, and where it is mounted.
struct Mounted {
    device: Named,
    /// Other facts about the device.
    about: Note,
    point: String,
    /// Empty if the list does not contain it.
    fs_type: String,
    /// The directory of the file system that is mounted.
    root: String,
}

impl Mounted {
    fn whole(device: Named, point: String, fs_type: String) -> Self {
        Mounted { device, about: Note::default(), point, fs_type, root: "/".to_owned() }
    }
}

fn note(devices: &mut ListedDevices, Mounted { device, about, point, fs_type, root }: Mounted) {
    let is_node = |device: &Named| !matches!(device, Named::Any(node) if !node.starts_with("/dev/"));
    if is_node(&device) && point.starts_with('/') {
        devices.note(device, about.mounted_part(&point, &fs_type, &root));
    }
}

/// The head of `findmnt`.
fn is_tree(line: &str) -> bool {
    line.starts_with("TARGET ") && line.contains(" SOURCE ")
}

/// The head of `df`.
fn is_df(line: &str) -> bool {
    line.starts_with("Filesystem ")
        && (line.contains("Use%") || line.contains(" Capacity "))
        && line.trim_end().ends_with("Mounted on")
}

/// The head of /proc/swaps (mm/swapfile.c, swap_show).
fn is_swaps(line: &str) -> bool {
    let mut words = line.split_whitespace();
    words.next() == Some("Filename") && words.next() == Some("Type") && words.next() == Some("Size")
}

/// `/dev/mapper/vg-a /data xfs rw 0 0`.
fn table_of_kernel(line: &str) -> Option<Mounted> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [node, point, fs_type, _, dump, pass] = words.as_slice() else { return None };
    let digit = |word: &str| word.len() == 1 && word.bytes().all(|b| b.is_ascii_digit());
    (point.starts_with('/') && digit(dump) && digit(pass))
        .then(|| Mounted::whole(Named::any(&decode_octal(node)), decode_octal(point), decode_octal(fs_type)))
}

/// `/dev/mapper/vg-a on /data type xfs (rw)`.
fn printed(line: &str) -> Option<Mounted> {
    let (node, rest) = line.split_once(" on /")?;
    let (point, rest) = rest.split_once(" type ")?;
    let fits = !node.contains(' ') && rest.contains(" (");
    let fs_type = rest.split(' ').next().unwrap_or_default().to_owned();
    fits.then(|| Mounted::whole(Named::any(node), format!("/{point}"), fs_type))
}

/// `26 1 254:0 / / rw,noatime shared:1 - ext4 /dev/vda rw` of /proc/self/mountinfo.
fn numbered(line: &str) -> Option<Mounted> {
    let (fixed, file_system) = line.split_once(" - ")?;
    let mut words = fixed.split_whitespace();
    let number = words.nth(2).filter(|number| is_number(number))?;
    let root = decode_octal(words.next()?);
    let point = words.next().filter(|point| point.starts_with('/'))?;
    let mut words = file_system.split_whitespace();
    let (fs_type, node) = (decode_octal(words.next()?), decode_octal(words.next().unwrap_or_default()));
    let (device, about) = numbered_device(number, &node);
    Some(Mounted { device, about, point: decode_octal(point), fs_type, root })
}

/// The device of a number and a node, which identify each other. A file system of several devices has a number of its own.
fn numbered_device(number: &str, node: &str) -> (Named, Note) {
    let about = Note::default().fact(Fact::Number, number);
    let Some((_, minor)) = number.split_once(':').filter(|(major, _)| *major != "0") else {
        return (Named::any(node), Note::default());
    };
    let Some(name) = node.strip_prefix("/dev/") else {
        return (Named::Number(number.to_owned()), Note::default());
    };
    match name.strip_prefix("mapper/") {
        Some(map) => (Named::Kernel(format!("dm-{minor}")), about.fact(Fact::DmName, map)),
        None if is_kernel_name(name) => (Named::kernel(name), about),
        None => (Named::Number(number.to_owned()), Note::default()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::block;

    /// The mount table alone gives numbers and names of maps; parts of file systems that are mounted, and swap.
    #[test]
    fn the_mount_table_alone() {
        let text = "21 1 253:1 / / rw shared:1 - ext4 /dev/mapper/vgsys-root rw\n22 21 8:1 / /boot rw - xfs /dev/sda1 rw\n\
            23 21 253:1 /srv /srv/bound rw - ext4 /dev/mapper/vgsys-root rw\n24 21 0:40 /@ /pool rw - btrfs /dev/sdb rw\n";
        let swaps = "Filename\t\t\t\tType\t\tSize\tUsed\tPriority\n/dev/sda2                               partition\t2097148\t0\t-2\n";
        let get = |kname: &str| block(&[("mountinfo", text), ("swaps", swaps)], kname).unwrap();
        let root = get("dm-1");
        assert_eq!(
            (root.dev_path.as_str(), root.mount_points),
            ("/dev/mapper/vgsys-root", vec!["/".to_owned(), "/srv/bound".into()])
        );
        assert_eq!(
            (get("sda1").mount_points, get("sdb").mount_points),
            (vec!["/boot".to_owned()], vec!["/pool".to_owned()])
        );
        assert_eq!(
            (get("sda2").mount_points, get("sdb").fs_type.as_deref()),
            (vec!["[SWAP]".to_owned()], Some("btrfs"))
        );
        let posix = "Filesystem                1024-blocks  Used Available Capacity Mounted on\n/dev/sda1                     1000   100       900      10% /boot\n";
        assert_eq!(block(&[("df_-P", posix)], "sda1").unwrap().mount_points, ["/boot"]);
    }

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
