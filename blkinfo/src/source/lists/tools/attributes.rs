//! `udevadm info -a` (`--attribute-walk`): the attributes that a device and those above it have in sysfs.

use super::super::devices::ListedDevices;
use super::super::fact::Fact;
use super::super::named::Named;
use super::super::note::Note;
use crate::identity::joined;

/// The head of a device's attributes.
pub fn prints(line: &str) -> bool {
    line.trim_start().starts_with("looking at device '/devices/")
}

/// Takes block devices.
pub fn take(devices: &mut ListedDevices, _command: &str, text: &str) {
    let mut walk: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with("looking at device '") {
            device(devices, &std::mem::take(&mut walk));
        }
        walk.push(line);
    }
    device(devices, &walk);
}

/// The lines of one device, then those of each one above it, which begin with `looking at parent device`.
fn device(devices: &mut ListedDevices, walk: &[&str]) {
    let is_head = |line: &&&str| line.starts_with("looking at parent device '");
    let own = walk.split(|line| is_head(&line)).next().unwrap_or_default();
    let path = own.iter().find_map(|line| line.strip_prefix("looking at device '")?.strip_suffix("':"));
    let (Some(path), Some("block")) = (path, value(own, "SUBSYSTEM")) else { return };
    let Some(name) = path.rsplit('/').next() else { return };
    // The parents of a SCSI disk; other disks have an identity themselves.
    let behind = walk.split(|line| is_head(&line)).find(|above| value(above, "SUBSYSTEMS") == Some("scsi"));
    let above = |name: &str| value(behind.unwrap_or_default(), name);
    let bytes = value(own, "ATTR{size}").and_then(|sectors| sectors.parse::<u64>().ok()?.checked_mul(512));
    let note = Note::default()
        .devpath(path)
        .maybe(Fact::Size, bytes.map(|bytes| bytes.to_string()).as_deref())
        .maybe(Fact::Partition, value(own, "ATTR{partition}"))
        .maybe(Fact::Removable, value(own, "ATTR{removable}"))
        .maybe(Fact::ReadOnly, value(own, "ATTR{ro}"))
        .maybe(Fact::Vendor, above("ATTRS{vendor}"))
        .maybe(Fact::Model, above("ATTRS{model}"))
        .kernel_wwid(value(own, "ATTR{wwid}").or(above("ATTRS{wwid}")).map(joined));
    devices.note(Named::kernel(name), note);
}

/// The value of a key: `ATTR{size}=="488397168"`.
fn value<'l>(lines: &[&'l str], key: &str) -> Option<&'l str> {
    let value = |line: &&'l str| line.strip_prefix(key)?.strip_prefix("==\"")?.strip_suffix('"');
    lines.iter().find_map(value).map(str::trim).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{block, tree};

    const WALK: &str = "
Udevadm info starts with the device specified by the devpath and then

  looking at device '/devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/block/sda':
    KERNEL==\"sda\"
    SUBSYSTEM==\"block\"
    ATTR{removable}==\"0\"
    ATTR{size}==\"488397168\"

  looking at parent device '/devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0':
    KERNELS==\"0:0:0:0\"
    SUBSYSTEMS==\"scsi\"
    ATTRS{model}==\"WDC WD2500JS    \"
    ATTRS{vendor}==\"ATA     \"
    ATTRS{wwid}==\"t10.ATA     WDC WD2500JS  \"

  looking at parent device '/devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0':
    KERNELS==\"target0:0:0\"
    SUBSYSTEMS==\"scsi\"
";

    /// The kernel's own identity counts, whatever udev calls the disk.
    #[test]
    fn what_the_kernel_says_of_a_disk() {
        let lsscsi = "[0:0:0:0]    disk    0x5000c500a1b2c3d4  /dev/sda \n";
        let all = [("lsscsi", lsscsi), ("udevadm_info_-a_-p_.sys.block.sda", WALK)];
        let disk = block(&all, "sda").unwrap();
        assert_eq!(disk.dev_wwid.as_deref(), Some("t10.ATA-WDC-WD2500JS"));
        assert_eq!((disk.size_bytes, disk.model.as_deref()), (488_397_168 * 512, Some("WDC WD2500JS")));
        assert_eq!(disk.transport.as_deref(), Some("SATA"));
        assert_eq!(tree(&all).kernel_block("ata1.00").unwrap().kdev, "sda");
    }
}
