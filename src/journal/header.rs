//! The header of a journal file, read with pread(2), without libsystemd and without mapping the file.
//!
//! The layout is that of `struct Header` in systemd's src/libsystemd/sd-journal/journal-def.h, described in
//! docs/JOURNAL_FILE_FORMAT.md. All numbers are little-endian.

use std::fs::File;
use std::os::unix::fs::FileExt;

/// First bytes of every journal file.
const SIGNATURE: &[u8] = b"LPKSHHRH";
/// Length of the header in the oldest version of the format.
const LENGTH: usize = 208;
/// `HEADER_INCOMPATIBLE_COMPACT`: offsets in entry arrays have four bytes instead of eight.
const COMPACT: u32 = 1 << 4;
/// `STATE_ONLINE`: journald writes to the file, or did not end well.
const ONLINE: u8 = 1;

/// The header of a journal file, as far as it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Entries are still added.
    pub online: bool,
    /// Bytes of an offset in an entry array.
    pub item: usize,
    /// Boot of the last entry, in hexadecimal digits.
    pub boot_id: String,
    /// The sequence that the entries' numbers belong to, in hexadecimal digits.
    pub seqnum_id: String,
    /// Number of entries.
    pub entries: u64,
    /// Offset of the first entry array.
    pub entry_array: u64,
    /// Number of the last entry in its sequence.
    pub tail_seqnum: u64,
    /// When the last entry was received, µs since the epoch.
    pub tail_realtime: u64,
    /// The same, µs since the boot.
    pub tail_monotonic: u64,
}

/// Why a journal file cannot be read at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    /// What is wrong.
    pub why: &'static str,
    /// Number of its entries, where the header still has it.
    pub entries: Option<u64>,
}

impl Header {
    /// Reads the header of a file.
    pub fn read(file: &File) -> Result<Header, Unreadable> {
        let unreadable = |why| Unreadable { why, entries: None };
        let bytes = first_bytes(file).map_err(|_| unreadable("its header cannot be read"))?;
        // The file may grow: its length is read after its header.
        let length = file.metadata().map_err(|_| unreadable("its header cannot be read"))?.len();
        if bytes.is_empty() {
            return Err(unreadable("it is empty"));
        }
        if !bytes.starts_with(SIGNATURE) {
            return Err(unreadable("it does not begin as a journal file"));
        }
        let (header, end) = parse(&bytes).ok_or(unreadable("its end is missing"))?;
        match end.is_some_and(|end| end <= length) {
            true => Ok(header),
            false => Err(Unreadable { why: "its end is missing", entries: Some(header.entries) }),
        }
    }
}

/// Up to [`LENGTH`] bytes from the beginning of a file.
fn first_bytes(file: &File) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; LENGTH];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// The header, and where the file must end at the earliest.
fn parse(bytes: &[u8]) -> Option<(Header, Option<u64>)> {
    let flags = u32::from_le_bytes(bytes.get(12..16)?.try_into().ok()?);
    let header = Header {
        online: bytes.get(16) == Some(&ONLINE),
        item: if flags & COMPACT == 0 { 8 } else { 4 },
        boot_id: hexadecimal(bytes.get(56..72)?),
        seqnum_id: hexadecimal(bytes.get(72..88)?),
        entries: number(bytes, 152)?,
        tail_seqnum: number(bytes, 160)?,
        entry_array: number(bytes, 176)?,
        tail_realtime: number(bytes, 192)?,
        tail_monotonic: number(bytes, 200)?,
    };
    Some((header, number(bytes, 88)?.checked_add(number(bytes, 96)?)))
}

/// The 64-bit number at an offset.
pub(super) fn number(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
