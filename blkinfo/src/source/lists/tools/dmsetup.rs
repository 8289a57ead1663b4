//! `dmsetup info` (also `-c`), `dmsetup table`, `dmsetup status` and `dmsetup ls --tree`.

use std::collections::BTreeMap;

use super::super::devices::ListedDevices;
use super::super::fact::Fact;
use super::super::named::{is_number, Named};
use super::super::note::Note;
use super::super::table::{value, Table};

/// A line that only dmsetup prints.
pub fn prints(line: &str) -> bool {
    is_head(line)
        || target(line).is_some()
        || line.trim_end() == "Major, minor:"
        || numbers_of(line).is_some()
        || node(line).is_some_and(|(depth, name, _)| depth == 0 && name.is_some())
}

/// Takes what it printed, whichever command it was.
pub fn take(devices: &mut ListedDevices, _command: &str, text: &str) {
    info_columns(devices, text);
    info_long(devices, text);
    let mut sizes: BTreeMap<&str, u64> = BTreeMap::new();
    for Target { map, end, below } in text.lines().filter_map(target) {
        let size = sizes.entry(map).or_default();
        *size = end.max(*size);
        devices.note(Named::Any(format!("mapper/{map}")), Note::default().below(below));
    }
    for (map, sectors) in sizes {
        let bytes = sectors.saturating_mul(512).to_string();
        devices.note(Named::Any(format!("mapper/{map}")), Note::default().fact(Fact::Size, &bytes));
    }
    tree(devices, text);
}

fn map(name: &str, minor: &str, number: &str, uuid: Option<&str>) -> (Named, Note) {
    let note = Note::default().fact(Fact::DmName, name).fact(Fact::Number, number);
    let note = uuid.map_or(note.clone(), |uuid| note.fact(Fact::DmUuid, uuid));
    (Named::Kernel(format!("dm-{minor}")), note)
}

fn is_head(line: &str) -> bool {
    let mut words = line.split_whitespace();
    words.next() == Some("Name") && words.next() == Some("Maj") && words.next() == Some("Min")
}

/// `dmsetup info -c`.
fn info_columns(devices: &mut ListedDevices, text: &str) {
    let mut table: Option<Table> = None;
    for line in text.lines() {
        if is_head(line) {
            table = Some(Table::new(line));
        } else if line.trim().is_empty() {
            table = None;
        } else if let Some(table) = &table {
            let row = table.row(line);
            let (Some(name), Some(major), Some(minor)) =
                (value(&row, "Name"), value(&row, "Maj"), value(&row, "Min"))
            else {
                continue;
            };
            let number = format!("{major}:{minor}");
            if is_number(&number) {
                let (device, note) = map(name, minor, &number, value(&row, "UUID"));
                devices.note(device, note);
            }
        }
    }
}

/// `Major, minor:      253, 0`.
fn numbers_of(line: &str) -> Option<(&str, &str)> {
    let (major, minor) = line.strip_prefix("Major, minor:")?.split_once(',')?;
    Some((major.trim(), minor.trim()))
}

/// `dmsetup info`: `Name:`, `Major, minor:`, `UUID:`, each in a line.
fn info_long(devices: &mut ListedDevices, text: &str) {
    let mut name = "";
    let mut numbers: Option<(&str, &str)> = None;
    for line in text.lines().chain([""]) {
        if let Some(found) = line.strip_prefix("Name:") {
            (name, numbers) = (found.trim(), None);
        } else if let Some(found) = numbers_of(line) {
            numbers = Some(found);
            let (device, note) = map(name, found.1, &format!("{}:{}", found.0, found.1), None);
            devices.note(device, note);
        } else if let (Some(uuid), Some((_, minor))) = (line.strip_prefix("UUID:"), numbers) {
            devices.note(Named::Kernel(format!("dm-{minor}")), Note::default().fact(Fact::DmUuid, uuid));
        }
    }
}

/// `NAME: 0 819200 linear 253:0 411648`: the map, and the devices that its target names.
fn target(line: &str) -> Option<Target<'_>> {
    let (name, rest) = line.split_once(": ")?;
    let mut words = rest.split_whitespace();
    let (start, length, kind) = (words.next()?, words.next()?, words.next()?);
    let (start, length): (u64, u64) = (start.parse().ok()?, length.parse().ok()?);
    let fits = TARGETS.contains(&kind) && !name.contains(char::is_whitespace);
    let below = words.filter(|word| is_number(word)).map(|word| Named::Number(word.to_owned()));
    fits.then(|| Target { map: name, end: start.saturating_add(length), below: below.collect() })
}

/// A piece of a map.
struct Target<'l> {
    map: &'l str,
    /// Where it ends, in sectors of 512 bytes.
    end: u64,
    below: Vec<Named>,
}

/// Targets whose tables name devices.
const TARGETS: [&str; 23] = [
    "linear",
    "striped",
    "multipath",
    "crypt",
    "mirror",
    "raid",
    "snapshot",
    "snapshot-origin",
    "snapshot-merge",
    "thin",
    "thin-pool",
    "cache",
    "writecache",
    "era",
    "integrity",
    "verity",
    "delay",
    "flakey",
    "error",
    "dust",
    "vdo",
    "log-writes",
    "clone",
];

/// `dmsetup ls --tree`: the depth, the name if there is one, and the number of a line.
fn node(line: &str) -> Option<(usize, Option<&str>, &str)> {
    let plain = line.trim_start_matches([' ', '|', '`', '-', '│', '├', '└', '─', '\u{a0}']);
    let depth = line.chars().count() - plain.chars().count();
    let (name, number) = plain.trim_end().rsplit_once('(')?;
    let number = number.strip_suffix(')').filter(|number| is_number(number))?;
    let name = Some(name.trim()).filter(|name| !name.is_empty());
    // With -o device, the name is in brackets: <vda1>.
    let named = name.is_none_or(|name| !name.contains(char::is_whitespace));
    named.then_some((depth, name.map(|name| name.trim_matches(['<', '>'])), number))
}

fn tree(devices: &mut ListedDevices, text: &str) {
    // Maps above the present line, with their depths.
    let mut above: Vec<(usize, Named)> = Vec::new();
    for (depth, name, number) in text.lines().filter_map(node) {
        above.retain(|(place, _)| *place < depth);
        let device = Named::Number(number.to_owned());
        // Only maps have others below them, and stand at the left.
        if let Some(name) = name.filter(|_| depth == 0) {
            if let Some((_, minor)) = number.split_once(':') {
                let (map, note) = map(name, minor, number, None);
                devices.note(map, note);
            }
        }
        if let Some((_, holder)) = above.last() {
            devices.note(holder.clone(), Note::default().below([device.clone()]));
        }
        above.push((depth, device));
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::block;

    const COLUMNS: &str = "\
Name             Maj Min Stat Open Targ Event  UUID
labvg-x          253   2 L--w    1    1      0 LVM-Wo2teEqKSFVuYD3K23swOGY1o3OHfzjzysbjHDzRA26zfOFf5eoXgiGj0Qw2Epoc
mpathb           253   0 L--w    2    1     31 mpath-1Linux_scsi_debug_2000
";

    #[test]
    fn columns_and_tables() {
        let table = "labvg-x: 0 819200 linear 253:0 411648\n\
            mpathb: 0 1638400 multipath 0 1 alua 2 1 service-time 0 2 2 8:16 1 1 8:64 1 1 service-time 0 2 2 8:80 1 1 8:32 1 1 \n";
        let paths = "`- 3:0:0:0 sdb 8:16 failed faulty offline\n";
        let all = [("", table), ("", COLUMNS), ("", paths)];
        let volume = block(&all, "dm-2").unwrap();
        assert_eq!(
            volume.dev_wwid.as_deref(),
            Some("LVM-Wo2teEqKSFVuYD3K23swOGY1o3OHfzjzysbjHDzRA26zfOFf5eoXgiGj0Qw2Epoc")
        );
        assert_eq!(volume.owners_paths(), ["/dev/mapper/mpathb", "/dev/sdb"]);
        assert_eq!(volume.owners_wwids(), ["mpath-1Linux_scsi_debug_2000"]);
        assert_eq!(volume.size_bytes, 819_200 * 512);
    }

    #[test]
    fn the_long_form_and_the_tree() {
        let long = "Name:              vg-a\nState:             ACTIVE\nMajor, minor:      253, 7\nNumber of targets: 1\nUUID: LVM-abc\n";
        assert_eq!(block(&[("", long)], "dm-7").unwrap().dev_wwid.as_deref(), Some("LVM-abc"));
        let tree = "labvg-x (253:2)\n └─mpathb (253:0)\n    ├─ (8:32)\n    └─ (8:16)\nmpathb (253:0)\n ├─ (8:32)\n └─ (8:16)\n";
        let lsblk = "NAME MAJ:MIN TYPE\nsdb  8:16    disk\nsdc  8:32    disk\n";
        let volume = block(&[("", tree), ("", lsblk)], "dm-2").unwrap();
        assert_eq!(volume.owners_paths(), ["/dev/mapper/mpathb", "/dev/sdb", "/dev/sdc"]);
    }
}
