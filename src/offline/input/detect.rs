//! Determines the type of an input from its first bytes.

use memchr::memmem;
use peripety_blkinfo::archive::ArchiveFormat;

use crate::offline::chunk::Format;
use crate::offline::record::json;
use crate::offline::text::{clean, head};

/// Number of lines examined.
const LINES: usize = 400;

/// The type of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A log.
    Log(Format),
    /// A journal file.
    Journal,
    /// A supported archive.
    Archive(ArchiveFormat),
    /// An unsupported archive.
    Foreign,
    /// None of these.
    Other,
}

/// Determines the type of an input. `named`: the user named it, so that text counts as a log unless it is clearly something else.
pub fn content(name: &str, begin: &[u8], named: bool) -> Content {
    if begin.starts_with(b"LPKSHHRH") {
        return Content::Journal;
    }
    if let Some(format) = ArchiveFormat::of(begin) {
        return Content::Archive(format);
    }
    if begin.starts_with(b"7z\xbc\xaf\x27\x1c") || begin.starts_with(b"Rar!") {
        return Content::Foreign;
    }
    let text = begin.trim_ascii_start();
    if is_export(text) {
        return Content::Log(Format::Export);
    }
    if is_objects(text) {
        return Content::Log(Format::Objects);
    }
    let log = match (is_binary(begin), named || is_log_name(name)) {
        (false, true) => true,
        _ => has_heads(begin),
    };
    if log {
        Content::Log(Format::Text)
    } else {
        Content::Other
    }
}

fn is_export(text: &[u8]) -> bool {
    const NAMES: [&[u8]; 4] =
        [b"__CURSOR=", b"__REALTIME_TIMESTAMP=", b"__MONOTONIC_TIMESTAMP=", b"_BOOT_ID="];
    NAMES.iter().any(|name| text.starts_with(name))
}

/// JSON with objects that span several lines, or several objects per line.
fn is_objects(text: &[u8]) -> bool {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii();
    let array = line == b"[" || line.starts_with(b"[{") || line.starts_with(b"[ {");
    let whole = line.ends_with(b"}") && json::of_line(line).is_some();
    let dmesg = memmem::find(line.get(..64).unwrap_or(line), b"\"dmesg\"").is_some();
    array || line.starts_with(b"{") && (!whole || dmesg)
}

fn is_binary(begin: &[u8]) -> bool {
    let strange = |byte: &&u8| matches!(byte, 0..=6 | 14..=26 | 28 | 29 | 31 | 127);
    begin.iter().filter(strange).count() * 20 > begin.len()
}

/// Files with this name are logs.
pub fn is_log_name(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    ["dmesg", "messages", "syslog", "kern", "journal", "console", "checkfs", "checkroot", ".log"]
        .iter()
        .any(|word| file.contains(word))
}

/// At least one line has a head that only logs have.
pub fn has_heads(begin: &[u8]) -> bool {
    let none = |_: &[u8]| false;
    begin.split(|byte| *byte == b'\n').take(LINES).any(|raw| {
        let line = clean::line(raw.get(..1024).unwrap_or(raw));
        let head = head::read(&line, &none);
        let timed =
            head.boot.is_some() || head.wall.is_some_and(|wall| wall.month > 0 || wall.epoch.is_some());
        head.kernel
            || head.console
            || timed && head.body.len() > 3
            || json::of_line(&line).is_some_and(is_entry)
    })
}

fn is_entry(object: &[u8]) -> bool {
    memmem::find(object, b"\"MESSAGE\"").is_some() || memmem::find(object, b"\"__CURSOR\"").is_some()
}
