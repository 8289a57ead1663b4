//! What tools print about devices: lsblk, udevadm, mount tables.

use serde_json::Value;

use super::seen::Devices;

/// Nested devices in lsblk's JSON.
const DEEPEST: usize = 32;

/// Takes a text in, whatever it is. False: it is no list that is known.
pub fn take(devices: &mut Devices, text: &str) -> bool {
    let first = text.trim_start();
    if first.starts_with('{') && first.contains("\"blockdevices\"") {
        return lsblk_json(devices, first);
    }
    if first.starts_with("NAME=\"") || first.starts_with("KNAME=\"") || first.contains(" KNAME=\"") {
        return lsblk_pairs(devices, first);
    }
    if first.starts_with("P: /") {
        return udev_database(devices, first);
    }
    false
}

fn lsblk_json(devices: &mut Devices, text: &str) -> bool {
    let Ok(value) = serde_json::from_str::<Value>(text) else { return false };
    let all = value.get("blockdevices").and_then(Value::as_array);
    all.into_iter().flatten().for_each(|device| lsblk_object(devices, device, None, 0));
    all.is_some()
}

fn lsblk_object(devices: &mut Devices, object: &Value, parent: Option<&str>, depth: usize) {
    let text = |name: &str| match object.get(name) {
        Some(Value::String(text)) => Some(text.trim().to_owned()),
        Some(Value::Number(number)) => Some(number.to_string()),
        Some(Value::Bool(flag)) => Some(u8::from(*flag).to_string()),
        _ => None,
    };
    let Some(kname) = text("kname").or_else(|| text("name")) else { return };
    let Some(seen) = devices.of(&kname) else { return };
    for (name, _) in object.as_object().into_iter().flatten() {
        if let Some(value) = text(name) {
            seen.facts.insert(column(name), value);
        }
    }
    seen.below.extend(text("pkname").filter(|name| *name != kname));
    seen.below.extend(parent.map(str::to_owned));
    let points = object.get("mountpoints").and_then(Value::as_array).into_iter().flatten();
    let points = points.filter_map(Value::as_str).chain(object.get("mountpoint").and_then(Value::as_str));
    for point in points {
        if !seen.mounted.iter().any(|known| known == point) {
            seen.mounted.push(point.to_owned());
        }
    }
    let children = object.get("children").and_then(Value::as_array).into_iter().flatten();
    if depth < DEEPEST {
        children.for_each(|child| lsblk_object(devices, child, Some(&kname), depth + 1));
    }
}

/// The name of a column as it is kept. `MAJ_MIN`: lsblk -P may write it so.
fn column(name: &str) -> String {
    match name.to_ascii_uppercase().as_str() {
        "MAJ_MIN" => "MAJ:MIN".to_owned(),
        "DISK-SEQ" | "DISK_SEQ" => "DISKSEQ".to_owned(),
        other => other.to_owned(),
    }
}

/// `KEY="value" KEY="value"`, a device a line.
fn lsblk_pairs(devices: &mut Devices, text: &str) -> bool {
    for line in text.lines() {
        let pairs = pairs(line);
        let value = |name: &str| {
            pairs
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.as_str())
                .filter(|v| !v.is_empty())
        };
        let Some(kname) = value("KNAME").or_else(|| value("NAME")) else { continue };
        let Some(seen) = devices.of(kname) else { continue };
        seen.below.extend(value("PKNAME").map(str::to_owned));
        let points = value("MOUNTPOINTS").or_else(|| value("MOUNTPOINT"));
        for point in points.into_iter().flat_map(|points| points.split("\\x0a")) {
            if !seen.mounted.iter().any(|known| known == point) {
                seen.mounted.push(point.to_owned());
            }
        }
        seen.facts.extend(pairs.iter().map(|(key, value)| (key.clone(), value.trim().to_owned())));
    }
    true
}

fn pairs(line: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = line;
    while let Some((key, behind)) = rest.split_once("=\"") {
        let Some((value, behind)) = behind.split_once('"') else { break };
        pairs.push((column(key.trim()), value.to_owned()));
        rest = behind;
    }
    pairs
}

/// `udevadm info --export-db`.
fn udev_database(devices: &mut Devices, text: &str) -> bool {
    for record in text.split("\n\n") {
        let property = |name: &str| {
            let lines = record.lines().filter_map(|line| line.strip_prefix("E: "));
            lines
                .filter_map(|line| line.split_once('='))
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value)
        };
        if property("SUBSYSTEM") != Some("block") {
            continue;
        }
        let path = record.lines().find_map(|line| line.strip_prefix("P: ")).unwrap_or_default();
        let mut parents = path.rsplit('/');
        let (kname, above) = (parents.next().unwrap_or_default().replace('!', "/"), parents.next());
        let Some(seen) = devices.of(&kname) else { continue };
        for (theirs, ours) in PROPERTIES {
            if let Some(value) = property(theirs) {
                seen.facts.entry(ours.to_owned()).or_insert_with(|| value.to_owned());
            }
        }
        if let (Some(major), Some(minor)) = (property("MAJOR"), property("MINOR")) {
            seen.facts.insert("MAJ:MIN".into(), format!("{major}:{minor}"));
        }
        if property("DEVTYPE") == Some("partition") {
            seen.facts.insert("TYPE".into(), "part".into());
            seen.below.extend(above.map(|name| name.replace('!', "/")));
        } else if kname.starts_with("sd") {
            // /devices/…/2:0:0:1/block/sdb
            let address = path.rsplit('/').nth(2).filter(|address| address.split(':').count() == 4);
            seen.facts.extend(address.map(|address| ("HCTL".to_owned(), address.to_owned())));
        }
        seen.since = property("USEC_INITIALIZED").and_then(|usec| usec.parse().ok()).or(seen.since);
    }
    true
}

/// Properties of udev, and lsblk's columns.
const PROPERTIES: [(&str, &str); 12] = [
    ("DM_UUID", "DM_UUID"),
    ("DM_NAME", "DM_NAME"),
    ("DISKSEQ", "DISKSEQ"),
    ("ID_WWN_WITH_EXTENSION", "WWN"),
    ("ID_WWN", "WWN"),
    ("ID_SERIAL_SHORT", "SERIAL"),
    ("ID_MODEL", "MODEL"),
    ("ID_VENDOR", "VENDOR"),
    ("ID_FS_TYPE", "FSTYPE"),
    ("ID_FS_UUID", "UUID"),
    ("ID_FS_LABEL", "LABEL"),
    ("ID_PART_ENTRY_NUMBER", "PARTN"),
];

/// /proc/mounts, /etc/mtab, and what `mount` prints.
pub fn mounts(devices: &mut Devices, text: &str) {
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (node, point) = match words.as_slice() {
            [node, "on", point, ..] | [node, point, ..] => (node, point),
            _ => continue,
        };
        if node.starts_with("/dev/") && point.starts_with('/') {
            devices.mounted(node, &point.replace("\\040", " "));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn lists_complete_each_other() {
        let mut devices = Devices::default();
        let json = r#"{"blockdevices":[{"kname":"sdb","maj:min":"8:16","path":"/dev/sdb","type":"disk",
            "wwn":"0x5000c500a1b2c3d4","hctl":"2:0:0:1","tran":"sas","children":[{"kname":"dm-0","maj:min":"253:0",
            "type":"mpath","path":"/dev/mapper/mpatha","mountpoints":[null]}]}]}"#;
        assert!(take(&mut devices, json));
        let udev = "P: /devices/virtual/block/dm-0\nE: SUBSYSTEM=block\nE: MAJOR=253\nE: MINOR=0\nE: DM_NAME=mpatha\n\
            E: DM_UUID=mpath-35000c500a1b2c3d4\nE: USEC_INITIALIZED=7\n";
        assert!(take(&mut devices, udev));
        mounts(&mut devices, "/dev/mapper/mpatha on /data type xfs (rw)\n");
        let blocks = devices.blocks();
        let map = blocks.iter().find(|block| block.kdev == "dm-0").unwrap();
        assert_eq!(map.dev_wwid.as_deref(), Some("mpath-35000c500a1b2c3d4"));
        assert_eq!(
            (map.owners_paths(), map.owners_wwids()),
            (vec!["/dev/sdb"], vec!["naa.5000c500a1b2c3d4"])
        );
        assert_eq!((map.mount_points.as_slice(), map.present_since), (&["/data".to_owned()][..], Some(7)));
        let disk = blocks.iter().find(|block| block.kdev == "sdb").unwrap();
        assert_eq!(
            (disk.holders.as_slice(), disk.transport.as_deref()),
            (&["dm-0".to_owned()][..], Some("SAS"))
        );
    }

    #[test]
    fn pairs_of_lsblk() {
        let mut devices = Devices::default();
        let text = "NAME=\"sda\" KNAME=\"sda\" MAJ:MIN=\"8:0\" WWN=\"0x5\" PKNAME=\"\"\n\
            NAME=\"sda1\" KNAME=\"sda1\" MAJ_MIN=\"8:1\" TYPE=\"part\" PARTN=\"1\" PKNAME=\"sda\" MOUNTPOINT=\"/\"\n";
        assert!(take(&mut devices, text));
        let blocks = devices.blocks();
        assert_eq!(blocks.last().unwrap().dev_wwid.as_deref(), Some("naa.5-part1"));
        assert!(!take(&mut Devices::default(), "sda 8:0 disk"));
    }
}
