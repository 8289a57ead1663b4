//! `udevadm info --export-db`.

use super::super::devices::ListedDevices;
use super::super::fact::{Fact, UDEV_NAMES};
use super::super::named::{is_address, Named};
use super::super::note::Note;
use crate::identity::{array_uuid, joined};

/// A line that only udevadm prints.
pub fn prints(line: &str) -> bool {
    line.trim_start().starts_with("P: /devices/")
}

/// Takes all block devices of the database.
pub fn take(devices: &mut ListedDevices, _command: &str, text: &str) {
    // apport indents the lines of its reports.
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.split(|line| line.is_empty()).for_each(|record| {
        let _ = take_record(devices, record);
    });
}

fn take_record(devices: &mut ListedDevices, record: &[&str]) -> Option<()> {
    let properties = || record.iter().filter_map(|line| line.strip_prefix("E: ")?.split_once('='));
    let property = |name: &str| properties().find(|(key, _)| *key == name).map(|(_, value)| value);
    if property("SUBSYSTEM") != Some("block") {
        return None;
    }
    let path = record.iter().find_map(|line| line.strip_prefix("P: "))?;
    let kname = path.rsplit('/').next()?.replace('!', "/");
    let mut note = Note::default().devpath(path);
    for (theirs, fact) in FACTS.into_iter().chain(UDEV_NAMES) {
        note = note.maybe(fact, property(theirs));
    }
    note = note.wwid(property("MD_UUID").filter(|_| kname.starts_with("md")).and_then(array_uuid));
    let serial = property("ID_SERIAL").filter(|_| kname.starts_with("vd"));
    note = note.wwid(serial.map(joined));
    if let (Some(major), Some(minor)) = (property("MAJOR"), property("MINOR")) {
        note = note.fact(Fact::Number, &format!("{major}:{minor}"));
    }
    if property("DEVTYPE") == Some("partition") {
        let disk = path.rsplit('/').nth(1).map(|name| name.replace('!', "/"));
        note = note.fact(Fact::Type, "part").below(disk.map(Named::Kernel));
    } else if kname.starts_with("sd") || kname.starts_with("sr") {
        // /devices/…/2:0:0:1/block/sdb
        note = note.maybe(Fact::Address, path.rsplit('/').nth(2).filter(|address| is_address(address)));
    }
    note = note.since(property("USEC_INITIALIZED").and_then(|usec| usec.parse().ok()));
    for link in record.iter().filter_map(|line| line.strip_prefix("S: ")) {
        note = note.link(link);
    }
    let kept = properties().filter(|(key, _)| is_kept(key));
    note = kept.take(MAX_PROPERTIES).fold(note, |note, (key, value)| note.property(key, value));
    devices.note(Named::Kernel(kname), note);
    Some(())
}

/// Properties that are kept of a device.
const MAX_PROPERTIES: usize = 256;

/// Is it a property that questions are asked about? A disk's `ID_SERIAL` may be its vendor and model, and would count as an identity;
/// the kernel's own come from the facts.
fn is_kept(key: &str) -> bool {
    let asked = ["ID_", "MD_", "UDISKS_MD_", "DM_", "SCSI_"];
    key != "ID_SERIAL" && asked.iter().any(|begin| key.starts_with(begin))
}

/// Further properties of udev that are facts under another name in other lists.
const FACTS: [(&str, Fact); 6] = [
    ("DM_UUID", Fact::DmUuid),
    ("DM_NAME", Fact::DmName),
    ("DISKSEQ", Fact::DiskSeq),
    ("ID_WWN_WITH_EXTENSION", Fact::Wwn),
    ("ID_WWN", Fact::Wwn),
    ("ID_PART_ENTRY_NUMBER", Fact::Partition),
];

#[cfg(test)]
mod tests {
    use super::super::testing::block;

    #[test]
    fn arrays_and_virtual_disks() {
        let text = "P: /devices/virtual/block/md127\nE: SUBSYSTEM=block\nE: MD_UUID=93ba32ed:1dac9cdb:d4c2e7d8:6aa4ff51\n\n\
            P: /devices/pci/virtio1/block/vda\nE: SUBSYSTEM=block\nE: ID_SERIAL=a  b\n\n\
            P: /devices/pci/virtio1/block/vda/vda1\nE: SUBSYSTEM=block\nE: DEVTYPE=partition\nE: ID_PART_ENTRY_NUMBER=1\n";
        let indented: String = text.lines().map(|line| format!(" {line}\n")).collect();
        let crash = format!("ProblemType: Crash\nUdevDb:\n{indented}Uname: Linux\n");
        assert!(block(&[("x.crash", &crash)], "vda1").is_some());
        let wwid = |kname: &str| block(&[("", text)], kname).unwrap().dev_wwid;
        assert_eq!(wwid("md127").as_deref(), Some("93ba32ed-1dac-9cdb-d4c2-e7d86aa4ff51"));
        assert_eq!((wwid("vda").as_deref(), wwid("vda1").as_deref()), (Some("a-b"), Some("a-b-part1")));
    }
}
