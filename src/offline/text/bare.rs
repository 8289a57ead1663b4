//! Lines without a known head: with text from `grep` or people before the head, or console output of programs that do not print their
//! name.

use memchr::memmem;

use super::head::Head;
use super::inner;

/// Beginnings of lines that only file system checkers print.
const FSCK: [&[u8]; 5] = [b"fsck", b"e2fsck", b"Warning... fsck", b"xfs_repair", b"dosfsck"];
/// The identifiers of rules for them.
const CHECKERS: &[&str] = &["systemd-fsck", "fsck"];
/// Beginnings of systemd's messages, which boot.log also indents.
const UNITS: [&[u8]; 4] = [
    b"Failed to mount ",
    b"Dependency failed for ",
    b"Timed out waiting for device ",
    b"Timed out mounting ",
];
const SYSTEMD: &[&str] = &["systemd"];
/// Beginnings of messages of an initramfs.
const INITRAMFS: [&[u8]; 4] =
    [b"ALERT!", b"Gave up waiting for ", b"Warning: /dev/", b"Cannot open root device"];
const INITRAMFS_WRITERS: &[&str] = &["initramfs", "dracut-initqueue", "dracut"];
/// The message of a check that needs a person, also as part of another message.
const FATAL_CHECK: &[u8] = b"UNEXPECTED INCONSISTENCY";

/// Possible interpretations of a line without a head.
pub fn readings<'l, 'k>(
    line: &'l [u8],
    known: &'k dyn Fn(&[u8]) -> bool,
) -> impl Iterator<Item = Head<'l>> + use<'l, 'k> {
    spoken(line).into_iter().chain(inner::heads(line, known))
}

/// Identifies the program by text that no other program prints.
fn spoken(line: &[u8]) -> Option<Head<'_>> {
    let text = line.trim_ascii_start();
    let begins = |words: &[&[u8]]| words.iter().any(|word| text.starts_with(word));
    let (body, aliases) = match text.first()? {
        b'/' if text.starts_with(b"/dev/") => (text, CHECKERS),
        b'f' | b'e' | b'W' | b'x' | b'd' if begins(&FSCK) => (text, CHECKERS),
        b'F' | b'D' | b'T' if begins(&UNITS) => (text, SYSTEMD),
        b'A' | b'G' | b'W' | b'C' if begins(&INITRAMFS) => (text, INITRAMFS_WRITERS),
        _ => (quoted_check(text)?, CHECKERS),
    };
    let tool = aliases.first().map(|name| name.as_bytes());
    Some(Head { body, tool, aliases, ..Head::default() })
}

/// `… : /dev/sdb7: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.` further inside a line.
fn quoted_check(text: &[u8]) -> Option<&[u8]> {
    let at = memmem::find(text.get(..1024).unwrap_or(text), FATAL_CHECK)?;
    let device = memmem::rfind(text.get(..at)?, b"/dev/")?;
    text.get(device..)
}
