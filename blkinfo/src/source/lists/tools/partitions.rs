//! /proc/partitions, and /proc/scsi/scsi.

use super::super::devices::ListedDevices;
use super::super::fact::Fact;
use super::super::named::{is_number, Named};
use super::super::note::Note;

/// The head of /proc/partitions (block/genhd.c, show_partition_start).
pub fn prints(line: &str) -> bool {
    line.split_whitespace().eq(["major", "minor", "#blocks", "name"])
}

/// Takes numbers and sizes.
pub fn take(devices: &mut ListedDevices, _command: &str, text: &str) {
    for line in text.lines().skip_while(|line| !prints(line)) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [major, minor, blocks, name] = words.as_slice() else { continue };
        let number = format!("{major}:{minor}");
        // Blocks of 1,024 bytes.
        let bytes = blocks.parse::<u64>().ok().and_then(|blocks| blocks.checked_mul(1024));
        if let Some(bytes) = bytes.filter(|_| is_number(&number)) {
            let note = Note::default().fact(Fact::Number, &number).fact(Fact::Size, &bytes.to_string());
            devices.note(Named::kernel(name), note);
        }
    }
}

/// A line of /proc/scsi/scsi (drivers/scsi/scsi_proc.c, proc_print_scsidevice): `Host: scsi2 Channel: 00 Id: 00 Lun: 01`.
pub fn prints_scsi(line: &str) -> bool {
    address(line).is_some()
}

/// Takes vendors and models of disks whose address another list has.
pub fn take_scsi(devices: &mut ListedDevices, _command: &str, text: &str) {
    let mut present: Option<String> = None;
    for line in text.lines() {
        if let Some(address) = address(line) {
            present = Some(address);
        } else if let Some(address) = present.take_if(|_| line.trim_start().starts_with("Vendor:")) {
            let between = |from: &str, to: &str| {
                let (_, rest) = line.split_once(from)?;
                Some(rest.split_once(to)?.0.trim())
            };
            let note = Note::default()
                .maybe(Fact::Vendor, between("Vendor:", "Model:"))
                .maybe(Fact::Model, between("Model:", "Rev:"));
            devices.note(Named::Address(address), note);
        }
    }
}

fn address(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let ["Host:", host, "Channel:", channel, "Id:", id, "Lun:", lun] = words.as_slice() else { return None };
    let number = |text: &str| text.parse::<u64>().ok();
    let host = number(host.strip_prefix("scsi")?)?;
    Some(format!("{host}:{}:{}:{}", number(channel)?, number(id)?, number(lun)?))
}

#[cfg(test)]
mod tests {
    use super::super::testing::block;

    #[test]
    fn numbers_sizes_and_models() {
        let partitions = "major minor  #blocks  name\n\n   8       16  488386584 sdb\n   8       17     512000 sdb1\n 253        0   10485760 dm-0\n";
        let part = block(&[("partitions", partitions)], "sdb1").unwrap();
        assert_eq!((part.major_minor.unwrap().to_string(), part.size_bytes), ("8:17".into(), 512_000 * 1024));
        assert_eq!(part.owners_paths(), ["/dev/sdb"]);
        let scsi = "Attached devices:\nHost: scsi2 Channel: 00 Id: 00 Lun: 01\n  Vendor: LIO-ORG  Model: FILEIO DISK 9    Rev: 4.0 \n  Type:   Direct-Access                    ANSI  SCSI revision: 05\n";
        let lsscsi = "[2:0:0:1]    disk    iqn.2026-01.lab:t1,t,0x1        /dev/sdb \n";
        let disk = block(&[("", scsi), ("lsscsi_-t", lsscsi)], "sdb").unwrap();
        assert_eq!((disk.vendor.as_deref(), disk.model.as_deref()), (Some("LIO-ORG"), Some("FILEIO DISK 9")));
    }
}
