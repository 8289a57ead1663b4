//! `lsblk` for people: a table, in its first column a tree or a list (`-l`), with any columns.

use super::super::devices::ListedDevices;
use super::super::fact::Fact;
use super::super::named::{is_number, Named};
use super::super::note::Note;
use super::super::table::{value, Row as Values, Table};
use super::lsblk;

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
pub fn take(devices: &mut ListedDevices, _command: &str, text: &str) {
    let mut table: Option<(Table, Vec<String>)> = None;
    let mut rows: Vec<TreeRow> = Vec::new();
    for line in text.lines() {
        if prints(line) {
            note_all(devices, std::mem::take(&mut rows));
            table = Some((Table::new(line), line.split_whitespace().map(str::to_owned).collect()));
        } else if let Some((table, columns)) = &table {
            rows.extend(row(table, columns, line));
        }
    }
    note_all(devices, rows);
}

/// A line of the table, behind what draws the tree.
struct TreeRow {
    /// Where the name begins.
    depth: usize,
    values: Values,
}

fn row(table: &Table, columns: &[String], line: &str) -> Option<TreeRow> {
    let depth = line.chars().take_while(|c| DRAWN.contains(c)).count();
    let plain: String = std::iter::repeat_n(' ', depth).chain(line.chars().skip(depth)).collect();
    let mut values = table.row(&plain);
    if table.has(NUMBER) && name(&values).is_some() && !fits(&values) {
        // A name of another length than the one that was there (`sos clean`, `lsblk -r`) shifts what stands behind it.
        values = by_words(columns, &plain).unwrap_or(values);
    }
    (!values.is_empty()).then_some(TreeRow { depth, values })
}

const NUMBER: &str = "MAJ:MIN";

/// The columns hold what they must.
fn fits(values: &Values) -> bool {
    let is_word = |kind: &str| !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_alphanumeric());
    value(values, NUMBER).is_some_and(is_number) && value(values, "TYPE").is_none_or(is_word)
}

/// The values by their order: the number is known by its form, what stands before it is the name. A column that may be empty ends it,
/// but for a mount point, which is known by its form too.
fn by_words(columns: &[String], line: &str) -> Option<Values> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = words.iter().position(|word| is_number(word)).filter(|at| *at > 0)?;
    let column = columns.iter().position(|column| column == NUMBER)?;
    let (before, behind) = (words.get(..at)?, words.get(at..)?);
    let mut values = vec![(columns.first()?.clone(), before.join(" "))];
    for (column, word) in columns.get(column..)?.iter().zip(behind) {
        let filled = [NUMBER, "RM", "SIZE", "RO", "TYPE", "ROTA"].contains(&column.as_str());
        let mounted = column.starts_with("MOUNTPOINT") && (word.starts_with('/') || *word == SWAP);
        if !filled && !mounted {
            break;
        }
        values.push((column.clone(), (*word).to_owned()));
    }
    Some(values)
}

/// Where swap is shown.
const SWAP: &str = "[SWAP]";

fn note_all(devices: &mut ListedDevices, rows: Vec<TreeRow>) {
    // `lsblk -s` draws the owners of a device below it.
    let inverse =
        rows.iter().any(|row| row.depth > 0 && matches!(value(&row.values, "TYPE"), Some("disk" | "rom")));
    // Devices above the present line, with the places of their names.
    let mut above: Vec<(usize, Named)> = Vec::new();
    let mut last: Option<Named> = None;
    for TreeRow { depth, values } in rows {
        let Some((device, note)) = device(&values) else {
            // A second mount point of the device before.
            let point = mount_point(&values).filter(|_| values.len() == 1);
            if let (Some(point), Some(device)) = (point, &last) {
                devices.note(device.clone(), Note::default().mounted(point, ""));
            }
            continue;
        };
        above.retain(|(place, _)| *place < depth);
        let parent = above.last().map(|(_, parent)| parent.clone());
        let listed = value(&values, "PKNAME").map(Named::kernel);
        match parent.filter(|_| inverse) {
            Some(holder) => {
                devices.note(holder, Note::default().below([device.clone()]));
                devices.note(device.clone(), note);
            }
            None => {
                let below = above.last().map(|(_, parent)| parent.clone()).filter(|_| !inverse).or(listed);
                devices.note(device.clone(), note.below(below));
            }
        }
        above.push((depth, device.clone()));
        last = Some(device);
    }
}

fn name(values: &Values) -> Option<&str> {
    value(values, "NAME").or_else(|| value(values, "KNAME"))
}

fn mount_point(values: &Values) -> Option<&str> {
    let point = value(values, "MOUNTPOINTS").or_else(|| value(values, "MOUNTPOINT"));
    point.filter(|point| point.starts_with('/') || *point == SWAP)
}

fn device(values: &Values) -> Option<(Named, Note)> {
    let name = name(values)?;
    let known = values
        .iter()
        .map(|(column, value)| (column.as_str(), value.as_str()))
        .filter(|(column, _)| !matches!(*column, "NAME" | "KNAME" | "PKNAME" | "SIZE"))
        .filter(|(column, _)| !column.starts_with("MOUNTPOINT"));
    let (device, map) =
        lsblk::device(value(values, "KNAME"), name, value(values, NUMBER), value(values, "TYPE"));
    let mut note = Note::of_columns(known).maybe(Fact::DmName, map.as_deref());
    if let Some(point) = mount_point(values) {
        note = note.mounted(point, value(values, "FSTYPE").unwrap_or_default());
    }
    Some((device, note))
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
    fn shifted_columns_and_trees_upside_down() {
        let cleaned = "NAME                      MAJ:MIN RM  SIZE RO TYPE MOUNTPOINT\n\
            vda                       252:0    0   10G  0 disk \n\
            `-vda2                    252:2    0    9G  0 part \n\
            \u{20} |-rhel_host0-root 253:0    0    8G  0 lvm  /\n\
            \u{20} `-rhel_host0-swap 253:1    0    1G  0 lvm  [SWAP]\n";
        let root = block(&[("lsblk", cleaned)], "dm-0").unwrap();
        assert_eq!(
            (root.dev_path.as_str(), root.mount_points.as_slice()),
            ("/dev/mapper/rhel_host0-root", &["/".to_owned()][..])
        );
        assert_eq!(root.owners_paths(), ["/dev/vda2", "/dev/vda"]);
        assert_eq!(block(&[("lsblk", cleaned)], "dm-1").unwrap().mount_points, ["[SWAP]"]);
        let raw = "NAME MAJ:MIN RM SIZE RO TYPE MOUNTPOINTS\nvda 252:0 0 10G 0 disk \nvda2 252:2 0 9G 0 part /boot\n";
        assert_eq!(block(&[("lsblk -r", raw)], "vda2").unwrap().mount_points, ["/boot"]);
        let inverse = "NAME        MAJ:MIN RM SIZE RO TYPE MOUNTPOINTS\n\
            rhel-root   253:0    0   8G  0 lvm  /\n\
            └─vda2      252:2    0   9G  0 part \n\
            \u{20} └─vda     252:0    0  10G  0 disk \n";
        let root = block(&[("lsblk -s", inverse)], "dm-0").unwrap();
        assert_eq!(root.owners_paths(), ["/dev/vda2", "/dev/vda"]);
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
