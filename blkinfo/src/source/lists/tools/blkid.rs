//! `blkid`.

use super::super::devices::ListedDevices;
use super::super::named::Named;
use super::super::note::Note;
use super::lsblk;

/// `/dev/sda1: UUID="…" TYPE="xfs"`.
pub fn prints(line: &str) -> bool {
    line.strip_prefix("/dev/")
        .and_then(|line| line.split_once(": "))
        .is_some_and(|(_, rest)| rest.contains("=\""))
}

/// Takes the content of the devices.
pub fn take(devices: &mut ListedDevices, _command: &str, text: &str) {
    for line in text.lines().filter(|line| prints(line)) {
        let Some((node, rest)) = line.split_once(": ") else { continue };
        let pairs = lsblk::pairs(rest);
        let known = pairs.iter().filter_map(|(name, value)| match name.as_str() {
            "UUID" | "LABEL" | "PARTUUID" | "PARTLABEL" => Some((name.as_str(), value.as_str())),
            "TYPE" => Some(("FSTYPE", value.as_str())),
            _ => None,
        });
        devices.note(Named::any(node), Note::of_columns(known));
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::block;

    #[test]
    fn what_lies_on_devices() {
        let text = "/dev/sda1: LABEL=\"boot\" UUID=\"8ab1a8a5-8b41-4779-88a5-ab738b864914\" BLOCK_SIZE=\"512\" TYPE=\"xfs\" PARTUUID=\"x-01\"\n";
        let part = block(&[("", text)], "sda1").unwrap();
        assert_eq!(
            (part.fs_uuid.as_deref(), part.fs_type.as_deref()),
            (Some("8ab1a8a5-8b41-4779-88a5-ab738b864914"), Some("xfs"))
        );
    }
}
