//! `lsscsi`, also with `-t`, `-i`, `-u`, `-w`, `-g` and `-s`.

use super::super::devices::ListedDevices;
use super::super::fact::Fact;
use super::super::named::{is_address, Named};
use super::super::note::Note;
use super::super::wwid;

/// A line that only lsscsi prints.
pub fn prints(line: &str) -> bool {
    parts(line).is_some()
}

/// Takes disks.
pub fn take(devices: &mut ListedDevices, command: &str, text: &str) {
    text.lines().filter_map(parts).for_each(|(address, rest)| disk(devices, command, address, rest));
}

/// The address, and what follows the type of the device.
fn parts(line: &str) -> Option<(&str, &str)> {
    let (address, rest) = line.strip_prefix('[')?.split_once(']')?;
    let known = is_address(address)
        || address.strip_prefix("N:").is_some_and(|rest| is_address(&format!("0:{rest}")));
    let rest = rest.strip_prefix("    ").or_else(|| rest.strip_prefix("  ")).filter(|_| known)?.trim_start();
    TYPES
        .iter()
        .find_map(|kind| rest.strip_prefix(kind))
        .filter(|rest| rest.starts_with(' '))
        .map(|rest| (address, rest))
}

/// Words for what a device is, by the SCSI type.
const TYPES: [&str; 14] = [
    "disk", "tape", "printer", "process", "worm", "cd/dvd", "scanner", "optical", "mediumx", "comms",
    "storage", "enclosu", "zbc", "no dev",
];

fn disk(devices: &mut ListedDevices, command: &str, address: &str, rest: &str) {
    let Some((before, behind)) = rest.split_once("/dev/") else { return };
    let mut behind = behind.split_whitespace();
    let Some(kname) = behind.next() else { return };
    let mut note = Note::default();
    if is_address(address) {
        note = note.fact(Fact::Address, address);
    }
    let word = before.trim();
    if let Some(transport) =
        ["sas:", "fc:", "iqn.", "sata:", "usb:", "ata:"].iter().find(|begin| word.starts_with(**begin))
    {
        note = note.fact(
            Fact::Transport,
            if *transport == "iqn." { "iscsi" } else { transport.trim_end_matches(':') },
        );
    } else if let (Some(vendor), Some(model)) = (text_at(before, 4, 12), text_at(before, 13, 29)) {
        note = note.fact(Fact::Vendor, vendor).fact(Fact::Model, model);
    }
    // lsscsi -i writes the identity behind the node, -u and -w before it.
    let after = behind.next().and_then(wwid::of_scsi_id);
    let named = || match command.contains("-u") || command.contains("-w") {
        true => wwid::of_wwn(word).or_else(|| wwid::of_scsi_id(word)).or_else(|| wwid::of_naa_digits(word)),
        false => None,
    };
    let by_wwn = || word.starts_with("0x").then(|| wwid::of_wwn(word)).flatten();
    devices.note(Named::kernel(kname), note.wwid(after.or_else(by_wwn).or_else(named)));
}

/// The text between two places, as lsscsi lays a line out: `    VENDOR   MODEL            REV   /dev/sda`.
fn text_at(text: &str, from: usize, to: usize) -> Option<&str> {
    let between = text.get(from..to)?;
    Some(between.trim()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::testing::block;

    #[test]
    fn all_its_forms() {
        let plain = "[0:0:0:0]    enclosu HP       P420i            8.32  -        \n\
            [2:0:0:1]    disk    LIO-ORG  FILEIO DISK 9    4.0   /dev/sdb \n[N:0:4:1]    disk    INTEL SSDPE2KX__1                          /dev/nvme0n1\n";
        let disk = block(&[("lsscsi", plain)], "sdb").unwrap();
        assert_eq!(
            (disk.address.as_deref(), disk.vendor.as_deref(), disk.model.as_deref()),
            (Some("2:0:0:1"), Some("LIO-ORG"), Some("FILEIO DISK 9"))
        );
        assert!(block(&[("", plain)], "nvme0n1").is_some());
        let transport = "[2:0:0:1]    disk    iqn.2026-01.lab:t1,t,0x1        /dev/sdb \n";
        assert_eq!(block(&[("lsscsi_-t", transport)], "sdb").unwrap().transport.as_deref(), Some("iSCSI"));
        let id = "[2:0:0:1]    disk    LIO-ORG  FILEIO           4.0   /dev/sdb   36001405abea000100000000000000000  /dev/sg1 \n";
        let unit = "[2:0:0:1]    disk    6001405abea000100000000000000000  /dev/sdb \n";
        let wwn = "[2:0:0:1]    disk    0x6001405abea000100000000000000000  /dev/sdb \n";
        for (command, text) in [("lsscsi -i", id), ("lsscsi -u", unit), ("", wwn)] {
            let disk = block(&[(command, text)], "sdb").unwrap();
            assert_eq!(disk.dev_wwid.as_deref(), Some("naa.6001405abea000100000000000000000"), "{command}");
        }
        assert_eq!(block(&[("lsscsi", plain)], "sdb").unwrap().dev_wwid, None);
    }
}
