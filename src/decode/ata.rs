//! The taskfile of a failed ATA command, as libata prints it (drivers/ata/libata-eh.c, `ata_eh_link_report`):
//! `command/feature:nsect:lbal:lbam:lbah/hob_feature:hob_nsect:hob_lbal:hob_lbam:hob_lbah/device`, all in hexadecimal.
//! What the registers mean is in ACS-4.

use std::collections::BTreeMap;

/// Commands that read and write blocks by a 48-bit address, whose count is in the sector count registers.
const LONG: [u8; 10] = [0x24, 0x25, 0x29, 0x34, 0x35, 0x39, 0x3d, 0x42, 0x44, 0xce];
/// The same with a 28-bit address.
const SHORT: [u8; 8] = [0x20, 0x21, 0x30, 0x31, 0x40, 0xc4, 0xc8, 0xca];
/// Queued commands, whose count is in the feature registers.
const QUEUED: [u8; 2] = [0x60, 0x61];

/// Adds first block and number of blocks of the command in `cmd`, and status and error of the result in `res`.
pub fn explain(extension: &mut BTreeMap<String, String>) {
    if let Some(command @ [opcode, ..]) = extension.get("cmd").and_then(|text| registers(text)) {
        extension.insert("opcode".into(), format!("0x{opcode:02x}"));
        let mut add = |key: &str, value: String| {
            extension.entry(key.to_owned()).or_insert(value);
        };
        if let Some((lba, blocks)) = blocks_of(&command) {
            add("lba", lba.to_string());
            add("blocks", blocks.to_string());
        }
    }
    if let Some([status, error, ..]) = extension.get("res").and_then(|text| registers(text)) {
        extension.entry("status".to_owned()).or_insert(format!("0x{status:02x}"));
        extension.entry("error".to_owned()).or_insert(format!("0x{error:02x}"));
    }
}

/// Twelve registers; `None` when the text is something else.
fn registers(text: &str) -> Option<[u8; 12]> {
    let parts: Option<Vec<u8>> =
        text.split(['/', ':']).map(|part| u8::from_str_radix(part, 16).ok()).collect();
    parts?.try_into().ok()
}

fn blocks_of(registers: &[u8; 12]) -> Option<(u64, u64)> {
    let [code, feature, count, low, middle, high, long_feature, long_count, long_low, long_middle, long_high, device] =
        registers.map(u64::from);
    let lba = low | middle << 8 | high << 16;
    let long_lba = lba | long_low << 24 | long_middle << 32 | long_high << 40;
    let all = |count: u64, zero: u64| if count == 0 { zero } else { count };
    let is_in = |codes: &[u8]| codes.iter().any(|known| u64::from(*known) == code);
    if is_in(&QUEUED) {
        Some((long_lba, all(feature | long_feature << 8, 65_536)))
    } else if is_in(&LONG) {
        Some((long_lba, all(count | long_count << 8, 65_536)))
    } else if is_in(&SHORT) {
        Some((lba | (device & 0xf) << 24, all(count, 256)))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taskfiles_are_taken_apart() {
        let cases = [
            ("60/08:50:10:5b:4a/00:00:00:00:00/40", "0x60", Some(("4872976", "8"))),
            ("25/00:08:37:3e:5e/00:00:02:00:00/e0", "0x25", Some(("39730743", "8"))),
            ("ca/00:08:00:00:00/00:00:00:00:00/e1", "0xca", Some(("16777216", "8"))),
            ("c8/00:00:01:00:00/00:00:00:00:00/e0", "0xc8", Some(("1", "256"))),
            ("ea/00:00:00:00:00/00:00:00:00:00/a0", "0xea", None),
        ];
        for (cmd, opcode, blocks) in cases {
            let mut found = BTreeMap::from([("cmd".to_owned(), cmd.to_owned())]);
            explain(&mut found);
            let text = |key: &str| found.get(key).map(String::as_str);
            assert_eq!(text("opcode"), Some(opcode), "{cmd}");
            assert_eq!(text("lba").zip(text("blocks")), blocks, "{cmd}");
        }
        let mut other = BTreeMap::from([("cmd".to_owned(), "25".to_owned())]);
        explain(&mut other);
        assert_eq!(other.len(), 1);
        let mut result =
            BTreeMap::from([("res".to_owned(), "51/40:00:3c:3e:5e/40:00:02:00:00/e0".to_owned())]);
        explain(&mut result);
        assert_eq!(
            (result.get("status").map(String::as_str), result.get("error").map(String::as_str)),
            (Some("0x51"), Some("0x40"))
        );
    }
}
