//! Command blocks (SPC-6, SBC-5).

use std::collections::BTreeMap;

/// Operation codes of disks, tapes and optical drives, as the kernel names them.
const OPCODES: [(u8, &str); 79] = [
    (0x00, "Test Unit Ready"),
    (0x01, "Rezero Unit/Rewind"),
    (0x03, "Request Sense"),
    (0x04, "Format Unit/Medium"),
    (0x05, "Read Block Limits"),
    (0x07, "Reassign Blocks"),
    (0x08, "Read(6)"),
    (0x0a, "Write(6)"),
    (0x0b, "Seek(6)"),
    (0x0f, "Read Reverse"),
    (0x10, "Write Filemarks"),
    (0x11, "Space"),
    (0x12, "Inquiry"),
    (0x13, "Verify(6)"),
    (0x15, "Mode Select(6)"),
    (0x16, "Reserve(6)"),
    (0x17, "Release(6)"),
    (0x19, "Erase"),
    (0x1a, "Mode Sense(6)"),
    (0x1b, "Start/Stop Unit"),
    (0x1c, "Receive Diagnostic"),
    (0x1d, "Send Diagnostic"),
    (0x1e, "Prevent/Allow Medium Removal"),
    (0x23, "Read Format Capacities"),
    (0x25, "Read Capacity(10)"),
    (0x28, "Read(10)"),
    (0x2a, "Write(10)"),
    (0x2b, "Seek(10)"),
    (0x2e, "Write Verify(10)"),
    (0x2f, "Verify(10)"),
    (0x34, "Prefetch/Read Position"),
    (0x35, "Synchronize Cache(10)"),
    (0x37, "Read Defect Data(10)"),
    (0x3b, "Write Buffer"),
    (0x3c, "Read Buffer"),
    (0x41, "Write Same(10)"),
    (0x42, "Unmap/Read sub-channel"),
    (0x43, "Read TOC/PMA/ATIP"),
    (0x44, "Report density"),
    (0x46, "Get configuration"),
    (0x48, "Sanitize"),
    (0x4a, "Get event/status"),
    (0x4c, "Log Select"),
    (0x4d, "Log Sense"),
    (0x51, "Read disk info"),
    (0x52, "Read track info"),
    (0x55, "Mode Select(10)"),
    (0x56, "Reserve(10)"),
    (0x57, "Release(10)"),
    (0x5a, "Mode Sense(10)"),
    (0x5e, "Persistent reserve in"),
    (0x5f, "Persistent reserve out"),
    (0x83, "Third-party copy out"),
    (0x84, "Third-party copy in"),
    (0x85, "ATA command pass through(16)"),
    (0x88, "Read(16)"),
    (0x89, "Compare and Write"),
    (0x8a, "Write(16)"),
    (0x8c, "Read attributes"),
    (0x8d, "Write attributes"),
    (0x8e, "Write Verify(16)"),
    (0x8f, "Verify(16)"),
    (0x90, "Pre-fetch(16)"),
    (0x91, "Synchronize cache(16)"),
    (0x93, "Write Same(16)"),
    (0x94, "ZBC out"),
    (0x95, "ZBC in"),
    (0x9c, "Write Atomic(16)"),
    (0x9e, "Service Action in(16)"),
    (0x9f, "Service Action out(16)"),
    (0xa0, "Report luns"),
    (0xa1, "ATA command pass through(12)"),
    (0xa2, "Security protocol in"),
    (0xa3, "Maintenance in"),
    (0xa4, "Maintenance out"),
    (0xa8, "Read(12)"),
    (0xaa, "Write(12)"),
    (0xae, "Write Verify(12)"),
    (0xb5, "Security protocol out"),
];

/// Where a command names its blocks: first byte and length of the address, then of the number of blocks.
const BLOCKS: [(&[u8], [usize; 4]); 3] = [
    (&[0x28, 0x2a, 0x2e, 0x2f, 0x35, 0x41], [2, 4, 7, 2]),
    (&[0xa8, 0xaa, 0xae], [2, 4, 6, 4]),
    (&[0x88, 0x8a, 0x8e, 0x8f, 0x91, 0x93], [2, 8, 10, 4]),
];

/// The bytes of a command as the kernel prints them, `28 00 …`, perhaps behind the command's name.
pub fn bytes(text: &str) -> Option<Vec<u8>> {
    let byte = |word: &str| (word.len() == 2).then(|| u8::from_str_radix(word, 16).ok()).flatten();
    let bytes: Vec<u8> =
        text.split_ascii_whitespace().skip_while(|word| byte(word).is_none()).map_while(byte).collect();
    (!bytes.is_empty()).then_some(bytes)
}

/// Adds operation, first block and number of blocks.
pub fn explain(block: &[u8], extension: &mut BTreeMap<String, String>) {
    let Some(opcode) = block.first() else { return };
    // A line may give the name in its place.
    extension.insert("opcode".into(), format!("0x{opcode:02x}"));
    let mut add = |key: &str, value: String| {
        extension.entry(key.to_owned()).or_insert(value);
    };
    if let Some((_, name)) = OPCODES.iter().find(|(code, _)| code == opcode) {
        add("opcode_name", (*name).to_owned());
    }
    if let Some((lba, blocks)) = blocks_of(*opcode, block) {
        add("lba", lba.to_string());
        add("blocks", blocks.to_string());
    }
}

fn blocks_of(opcode: u8, block: &[u8]) -> Option<(u64, u64)> {
    if matches!(opcode, 0x08 | 0x0a) {
        let lba = number(block.get(1..4)?) & 0x1f_ffff;
        let blocks = u64::from(*block.get(4)?);
        return Some((lba, if blocks == 0 { 256 } else { blocks }));
    }
    let (_, [from, length, count_from, count_length]) =
        BLOCKS.iter().find(|(codes, _)| codes.contains(&opcode))?;
    let lba = number(block.get(*from..from + length)?);
    Some((lba, number(block.get(*count_from..count_from + count_length)?)))
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
