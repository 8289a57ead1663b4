//! What the numbers and words of SCSI mean: commands, host bytes, sense keys, additional sense codes.
//!
//! The kernel prints some of them by name and some by number. [`explain`] adds the other form to an event, and takes the
//! command block apart: operation, first block, number of blocks. Sources: SPC-6 and SBC-5 of T10 (operation codes, sense keys,
//! additional sense codes), include/scsi/scsi_status.h (host bytes).

mod command;
mod sense;

use std::collections::BTreeMap;

/// Adds values derived from the line; existing values are kept.
pub fn explain(extension: &mut BTreeMap<String, String>) {
    // Lines that give a command's name give no number: `failed command: READ DMA EXT`.
    if let Some(name) = extension.remove("opcode") {
        let key = if hexadecimal(&name).is_some() { "opcode" } else { "opcode_name" };
        extension.entry(key.into()).or_insert(name);
    }
    if let Some(block) = extension.get("cdb").and_then(|text| command::bytes(text)) {
        command::explain(&block, extension);
    }
    both(extension, "host_byte", "host_byte_code", "host_byte_name", &sense::HOST_BYTES);
    both(extension, "sense_key", "sense_key_code", "sense_key_name", &sense::SENSE_KEYS);
    additional_sense(extension);
}

/// A value by name gets its number beside it, a value by number its name.
fn both(extension: &mut BTreeMap<String, String>, key: &str, code: &str, name: &str, table: &[(u8, &str)]) {
    let Some(value) = extension.get(key) else { return };
    let found = match number(value) {
        Some(wanted) => table.iter().find(|(number, _)| *number == wanted),
        None => table.iter().find(|(_, name)| name.eq_ignore_ascii_case(value)),
    };
    if let Some((number, text)) = found {
        extension.entry(code.to_owned()).or_insert(format!("0x{number:02x}"));
        extension.entry(name.to_owned()).or_insert((*text).to_owned());
    }
}

/// `asc_text` gets its numbers, and the numbers `asc` and `ascq` their text.
fn additional_sense(extension: &mut BTreeMap<String, String>) {
    if let Some(text) = extension.get("asc_text") {
        if let Some(code) = sense::code_of(text) {
            extension.entry("asc".into()).or_insert(format!("0x{:02x}", code >> 8));
            extension.entry("ascq".into()).or_insert(format!("0x{:02x}", code & 0xff));
        }
        return;
    }
    let hex = |key: &str| extension.get(key).and_then(|value| hexadecimal(value));
    if let (Some(asc), Some(ascq)) = (hex("asc"), hex("ascq")) {
        extension.insert("asc".into(), format!("0x{asc:02x}"));
        extension.insert("ascq".into(), format!("0x{ascq:02x}"));
        if let Some(text) = sense::text_of(asc, ascq) {
            extension.insert("asc_text".into(), text.to_owned());
        }
    }
}

/// `0x1f` or `31`.
fn number(text: &str) -> Option<u8> {
    match text.strip_prefix("0x") {
        Some(hex) => u8::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

/// `0x1f` or `1f`.
fn hexadecimal(text: &str) -> Option<u8> {
    u8::from_str_radix(text.trim_start_matches("0x"), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(given: &[(&str, &str)]) -> BTreeMap<String, String> {
        let mut extension =
            given.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        explain(&mut extension);
        extension
    }

    #[test]
    fn commands_are_taken_apart() {
        let cases = [
            ("28 00 00 00 12 30 00 00 08 00", "0x28", "Read(10)", Some(("4656", "8"))),
            ("Write(10): 2a 00 1d 1c 58 10 00 00 80 00", "0x2a", "Write(10)", Some(("488396816", "128"))),
            (
                "88 00 00 00 00 01 00 00 00 02 00 00 00 08 00 00",
                "0x88",
                "Read(16)",
                Some(("4294967298", "8")),
            ),
            ("08 01 02 03 00 00", "0x08", "Read(6)", Some(("66051", "256"))),
            ("35 00 00 00 00 00 00 00 00 00", "0x35", "Synchronize Cache(10)", Some(("0", "0"))),
            ("12 00 00 00 24 00", "0x12", "Inquiry", None),
            ("c1 00", "0xc1", "", None),
        ];
        for (cdb, opcode, name, blocks) in cases {
            let found = explained(&[("cdb", cdb)]);
            let text = |key: &str| found.get(key).map(String::as_str);
            assert_eq!(text("opcode"), Some(opcode), "{cdb}");
            assert_eq!(text("opcode_name").unwrap_or_default(), name, "{cdb}");
            assert_eq!(text("lba").zip(text("blocks")), blocks, "{cdb}");
        }
        assert!(!explained(&[("cdb", "no bytes")]).contains_key("opcode"));
        assert_eq!(
            explained(&[("opcode", "READ DMA EXT")]).get("opcode_name").map(String::as_str),
            Some("READ DMA EXT")
        );
        assert_eq!(explained(&[("opcode", "0x2")]).get("opcode").map(String::as_str), Some("0x2"));
        // A truncated line: what is there counts.
        let cut = explained(&[("cdb", "28 00 00 00")]);
        assert_eq!((cut.get("opcode").map(String::as_str), cut.get("lba")), (Some("0x28"), None));
    }

    #[test]
    fn names_get_numbers_and_numbers_names() {
        let found = explained(&[
            ("host_byte", "DID_NO_CONNECT"),
            ("sense_key", "Medium Error"),
            ("asc_text", "Unrecovered read error"),
        ]);
        for (key, value) in
            [("host_byte_code", "0x01"), ("sense_key_code", "0x03"), ("asc", "0x11"), ("ascq", "0x00")]
        {
            assert_eq!(found.get(key).map(String::as_str), Some(value), "{key}");
        }
        let found = explained(&[("host_byte", "0x03"), ("sense_key", "0x4"), ("asc", "44"), ("ascq", "0")]);
        for (key, value) in [
            ("host_byte_name", "DID_TIME_OUT"),
            ("sense_key_name", "Hardware Error"),
            ("asc_text", "Internal target failure"),
        ] {
            assert_eq!(found.get(key).map(String::as_str), Some(value), "{key}");
        }
        assert_eq!(explained(&[("asc", "80"), ("ascq", "3f")]).get("asc_text"), None);
    }
}
