//! `udevadm info --export-db`.

use super::super::seen::Devices;
use super::super::wwid;

/// A line that only udevadm prints.
pub fn prints(line: &str) -> bool {
    line.starts_with("P: /devices/")
}

/// Takes all block devices of the database.
pub fn take(devices: &mut Devices, _command: &str, text: &str) {
    text.replace('\r', "").split("\n\n").for_each(|text| {
        let _ = record(devices, text);
    });
}

fn record(devices: &mut Devices, record: &str) -> Option<()> {
    let property = |name: &str| {
        let properties = record.lines().filter_map(|line| line.strip_prefix("E: ")?.split_once('='));
        properties.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    if property("SUBSYSTEM") != Some("block") {
        return None;
    }
    let path = record.lines().find_map(|line| line.strip_prefix("P: "))?;
    let mut parents = path.rsplit('/');
    let (kname, above) = (parents.next()?.replace('!', "/"), parents.next());
    let seen = devices.of(&kname)?;
    for (theirs, ours) in PROPERTIES {
        if let Some(value) = property(theirs) {
            seen.add(ours, value);
        }
    }
    seen.identify(property("MD_UUID").filter(|_| kname.starts_with("md")).and_then(wwid::of_md));
    let serial = property("ID_SERIAL").filter(|_| kname.starts_with("vd"));
    seen.identify(serial.map(|serial| serial.split_whitespace().collect::<Vec<_>>().join("-")));
    if let (Some(major), Some(minor)) = (property("MAJOR"), property("MINOR")) {
        seen.add("MAJ:MIN", &format!("{major}:{minor}"));
    }
    if property("DEVTYPE") == Some("partition") {
        seen.add("TYPE", "part");
        seen.below.extend(above.map(|name| name.replace('!', "/")));
    } else if kname.starts_with("sd") {
        // /devices/…/2:0:0:1/block/sdb
        let address = path.rsplit('/').nth(2).filter(|address| address.split(':').count() == 4);
        address.into_iter().for_each(|address| seen.add("HCTL", address));
    }
    seen.since = property("USEC_INITIALIZED").and_then(|usec| usec.parse().ok()).or(seen.since);
    Some(())
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

#[cfg(test)]
mod tests {
    use super::super::testing::block;

    #[test]
    fn arrays_and_virtual_disks() {
        let text = "P: /devices/virtual/block/md127\nE: SUBSYSTEM=block\nE: MD_UUID=93ba32ed:1dac9cdb:d4c2e7d8:6aa4ff51\n\n\
            P: /devices/pci/virtio1/block/vda\nE: SUBSYSTEM=block\nE: ID_SERIAL=a  b\n\n\
            P: /devices/pci/virtio1/block/vda/vda1\nE: SUBSYSTEM=block\nE: DEVTYPE=partition\nE: ID_PART_ENTRY_NUMBER=1\n";
        let wwid = |kname: &str| block(&[("", text)], kname).unwrap().dev_wwid;
        assert_eq!(wwid("md127").as_deref(), Some("93ba32ed-1dac-9cdb-d4c2-e7d86aa4ff51"));
        assert_eq!((wwid("vda").as_deref(), wwid("vda1").as_deref()), (Some("a-b"), Some("a-b-part1")));
    }
}
