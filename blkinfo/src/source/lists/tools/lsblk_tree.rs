//! `lsblk` for people: a table, in its first column a tree or a list (`-l`), with any columns.

use super::super::devices::Devices;
use super::super::fact::Fact;
use super::super::named::{is_kernel_name, is_number, Named};
use super::super::note::Note;
use super::super::table::{self, Row, Table};

/// Characters that the tree is drawn with.
const DRAWN: [char; 8] = ['├', '└', '│', '─', '|', '`', '-', ' '];

/// The head of the table.
pub fn prints(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let first = words.next();
    let known = |word: &str| {
        ["MAJ:MIN", "FSTYPE", "ALIGNMENT", "MOUNTPOINT", "SIZE", "KNAME", "WWN", "UUID"].contains(&word)
    };
    let capitals = |word: &str| word.chars().all(|c| c.is_ascii_uppercase() || "%:-".contains(c));
    matches!(first, Some("NAME" | "KNAME")) && words.clone().any(known) && words.all(capitals)
}

/// Takes the table.
pub fn take(devices: &mut Devices, _command: &str, text: &str) {
    let mut table: Option<Table> = None;
    // Devices above the present line, with the places of their names.
    let mut above: Vec<(usize, Named)> = Vec::new();
    let mut last: Option<Named> = None;
    for line in text.lines() {
        if prints(line) {
            (table, last) = (Some(Table::new(line)), None);
            above.clear();
            continue;
        }
        let Some(table) = &table else { continue };
        // Before the name stands what draws the tree; it takes no part in the columns.
        let depth = line.chars().take_while(|c| DRAWN.contains(c)).count();
        let plain: String = std::iter::repeat_n(' ', depth).chain(line.chars().skip(depth)).collect();
        let row = table.row(&plain);
        if name(&row).is_none() {
            // A second mount point of the device before.
            let point = mount_point(&row).filter(|_| row.len() == 1);
            if let (Some(point), Some(device)) = (point, &last) {
                devices.note(device.clone(), Note::default().mounted(point, ""));
            }
            continue;
        }
        let Some((device, note)) = device(&row) else { continue };
        above.retain(|(place, _)| *place < depth);
        let parent = above.last().map(|(_, parent)| parent.clone());
        let listed = table::value(&row, "PKNAME").map(Named::kernel);
        devices.note(device.clone(), note.below(parent.or(listed)));
        above.push((depth, device.clone()));
        last = Some(device);
    }
}

fn name(row: &Row) -> Option<&str> {
    table::value(row, "NAME").or_else(|| table::value(row, "KNAME"))
}

fn mount_point(row: &Row) -> Option<&str> {
    let point = table::value(row, "MOUNTPOINTS").or_else(|| table::value(row, "MOUNTPOINT"));
    point.filter(|point| point.starts_with('/') || *point == "[SWAP]")
}

fn device(row: &Row) -> Option<(Named, Note)> {
    let name = name(row)?;
    let number = table::value(row, "MAJ:MIN").filter(|number| is_number(number));
    let known = row
        .iter()
        .map(|(column, value)| (column.as_str(), value.as_str()))
        .filter(|(column, _)| !matches!(*column, "NAME" | "KNAME" | "PKNAME" | "SIZE"))
        .filter(|(column, _)| !column.starts_with("MOUNTPOINT"));
    let mut note = Note::of_columns(known);
    if let Some(point) = mount_point(row) {
        note = note.mounted(point, table::value(row, "FSTYPE").unwrap_or_default());
    }
    // Of device-mapper, lsblk shows the map's name; the kernel's has the minor number.
    let minor = number.and_then(|number| number.split_once(':')).map(|(_, minor)| minor);
    let device = match (table::value(row, "KNAME"), minor) {
        (Some(kname), _) => {
            if kname.starts_with("dm-") && kname != name {
                note = note.fact(Fact::DmName, name);
            }
            Named::kernel(kname)
        }
        (None, _) if is_kernel_name(name) => Named::kernel(name),
        (None, Some(minor)) if is_map(row) => {
            note = note.fact(Fact::DmName, name);
            Named::Kernel(format!("dm-{minor}"))
        }
        (None, _) => Named::any(name),
    };
    Some((device, note))
}

/// The device is one of device-mapper's, by its type, or because nothing else has a name that is not the kernel's.
fn is_map(row: &Row) -> bool {
    !matches!(table::value(row, "TYPE"), Some("disk" | "rom" | "loop"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::block;

    const TREE: &str = "\
NAME          MAJ:MIN RM  SIZE RO TYPE  MOUNTPOINTS
sda             8:0    0   20G  0 disk  
├─sda1          8:1    0    1G  0 part  /boot
│                                       /srv/boot
└─sda2          8:2    0   19G  0 part  
  └─rhel-root 253:2    0   17G  0 lvm   /
sdb             8:16   0  100G  0 disk  
└─mpatha      253:0    0  100G  0 mpath 
  └─mpatha1   253:1    0  100G  0 part  /data
sdc             8:32   0  100G  0 disk  
└─mpatha      253:0    0  100G  0 mpath 
  └─mpatha1   253:1    0  100G  0 part  /data
sr0            11:0    1 1024M  0 rom   
";

    #[test]
    fn a_tree_of_devices() {
        let root = block(&[("lsblk", TREE)], "dm-2").unwrap();
        assert_eq!(
            (root.dev_path.as_str(), root.mount_points.as_slice()),
            ("/dev/mapper/rhel-root", &["/".to_owned()][..])
        );
        assert_eq!(root.owners_paths(), ["/dev/sda2", "/dev/sda"]);
        assert_eq!(block(&[("", TREE)], "sda1").unwrap().mount_points, ["/boot", "/srv/boot"]);
        let map = block(&[("", TREE)], "dm-0").unwrap();
        assert_eq!(
            (map.slaves, map.holders),
            (vec!["sdb".to_owned(), "sdc".to_owned()], vec!["dm-1".to_owned()])
        );
    }

    #[test]
    fn lists_with_other_columns() {
        let file_systems =
            "NAME        FSTYPE       LABEL UUID                                   MOUNTPOINT\n\
                            sda                                                                  \n\
                            ├─sda1      xfs          boot  8ab1a8a5-8b41-4779-88a5-ab738b864914   /boot\n\
                            └─rhel-root ext4               9234d564-9afd-4cb5-b1d8-316b1e68cd43   /\n";
        let all = [("lsblk_-f_-a", file_systems), ("lsblk", TREE)];
        let root = block(&all, "dm-2").unwrap();
        assert_eq!(root.fs_uuid.as_deref(), Some("9234d564-9afd-4cb5-b1d8-316b1e68cd43"));
        let boot = block(&all, "sda1").unwrap();
        assert_eq!((boot.fs_label.as_deref(), boot.fs_type.as_deref()), (Some("boot"), Some("xfs")));
        let names = "NAME MAJ:MIN TYPE HCTL    WWN                MODEL\nsdb  8:16   disk 2:0:0:1 0x5000c500a1b2c3d4 ST 9 x\n";
        let disk = block(&[("", names)], "sdb").unwrap();
        assert_eq!(
            (disk.dev_wwid.as_deref(), disk.model.as_deref()),
            (Some("naa.5000c500a1b2c3d4"), Some("ST 9 x"))
        );
        assert_eq!(disk.address.as_deref(), Some("2:0:0:1"));
        let topology = "NAME    ALIGNMENT MIN-IO OPT-IO PHY-SEC LOG-SEC ROTA SCHED RQ-SIZE  RA WSAME\n\
                        sdb             0    512      0     512     512    1 bfq        60 128    0B\n\
                        `-md0           0    512      0     512     512    1            60 128    0B\n";
        assert_eq!(block(&[("", topology)], "md0").unwrap().slaves, ["sdb"]);
    }
}
