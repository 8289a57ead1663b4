//! `smartctl -i` and what contains it. The device is in the command only.

use super::super::devices::ListedDevices;
use super::super::fact::Fact;
use super::super::named::{is_kernel_name, Named};
use super::super::note::Note;
use super::super::wwid;

/// Its first line.
pub fn prints(line: &str) -> bool {
    line.starts_with("smartctl ") && line.contains("Copyright")
        || line.starts_with("=== START OF INFORMATION SECTION")
}

/// Takes a disk's identity.
pub fn take(devices: &mut ListedDevices, command: &str, text: &str) {
    // smartctl_-a_.dev.sda, smartctl -i /dev/sda
    let words = command.split(|c: char| !c.is_ascii_alphanumeric());
    let Some(kname) = words.into_iter().rev().find(|word| is_kernel_name(word)) else { return };
    let mut note = Note::default();
    for (name, value) in text.lines().filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        note = match name {
            "LU WWN Device Id" => note.wwid(wwid::of_naa_digits(value)),
            // A bare number may be an EUI-64, too: NAA 5 and 6 are certain enough.
            "Logical Unit id" => note.wwid(value.strip_prefix("0x").and_then(wwid::of_naa_digits)),
            "Serial Number" | "Serial number" => note.fact(Fact::Serial, value),
            "Device Model" | "Product" | "Model Number" => note.fact(Fact::Model, value),
            "Vendor" => note.fact(Fact::Vendor, value),
            _ => note,
        };
    }
    devices.note(Named::kernel(kname), note);
}

#[cfg(test)]
mod tests {
    use super::super::testing::block;

    #[test]
    fn the_disk_is_in_the_command() {
        let text = "smartctl 7.3 2022-02-28 r5338 (local build)\nCopyright (C) 2002-22\n\n=== START OF INFORMATION SECTION ===\n\
            Device Model:     ST1000\nSerial Number:    ZA1\nLU WWN Device Id: 5 000c50 0a1b2c3d4\n";
        let disk = block(&[("smartctl_-a_.dev.sda", text)], "sda").unwrap();
        assert_eq!(
            (disk.dev_wwid.as_deref(), disk.serial.as_deref()),
            (Some("naa.5000c500a1b2c3d4"), Some("ZA1"))
        );
        assert!(block(&[("smartctl.txt", text)], "sda").is_none());
    }
}
