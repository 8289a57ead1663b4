//! Archives of tar, read as a stream: nothing is written anywhere, names are only shown.
//!
//! The format is that of POSIX pax with GNU's long names (tar(5) of libarchive). An archive is never trusted: what is kept
//! of it is bounded, whatever its headers say.

use std::io::{self, Read};

/// Bytes of a header and of what everything is padded to.
const BLOCK: usize = 512;
/// Longest name or pax header that is looked at.
const MAX_HEAD_BYTES: u64 = 64 * 1024;

/// These first bytes are of an archive.
pub fn is_archive(begin: &[u8]) -> bool {
    begin.get(257..262) == Some(b"ustar") && begin.get(..BLOCK).is_some_and(checksum_fits)
}

/// Sum of the header's bytes, with blanks in place of the sum.
fn checksum_fits(head: &[u8]) -> bool {
    let sum = head.iter().enumerate().map(|(at, byte)| {
        let counts = if (148..156).contains(&at) { b' ' } else { *byte };
        u64::from(counts)
    });
    head.get(148..156).and_then(number) == Some(sum.sum())
}

/// A number: octal digits, or GNU's form of 255 and more bits.
fn number(field: &[u8]) -> Option<u64> {
    if field.first().is_some_and(|byte| byte & 0x80 != 0) {
        let tail = field.get(field.len().saturating_sub(8)..)?;
        return Some(tail.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)));
    }
    let digits =
        field.iter().skip_while(|byte| **byte == b' ').take_while(|byte| matches!(byte, b'0'..=b'7'));
    Some(digits.take(21).fold(0, |value, byte| value << 3 | u64::from(byte - b'0')))
}

fn text(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(field.get(..end).unwrap_or_default()).into_owned()
}

/// An archive that is being read.
pub struct Archive<R> {
    input: R,
    /// Bytes of the member that are not read yet, and of its padding.
    left: u64,
    padding: u64,
}

impl<R: Read> Archive<R> {
    /// From its first byte on.
    pub fn new(input: R) -> Self {
        Archive { input, left: 0, padding: 0 }
    }

    /// Moves to the next file in it and gives its name and when it was written, seconds since the epoch; directories, links and
    /// devices are passed over.
    pub fn next_file(&mut self) -> io::Result<Option<(String, Option<u64>)>> {
        let mut long_name: Option<String> = None;
        let mut long_size: Option<u64> = None;
        let mut long_time: Option<u64> = None;
        loop {
            let rest = self.left.saturating_add(self.padding);
            (self.left, self.padding) = (0, 0);
            self.skip(rest)?;
            let mut head = [0; BLOCK];
            if !self.read_block(&mut head)? || head.iter().all(|byte| *byte == 0) {
                return Ok(None);
            }
            if !checksum_fits(&head) {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "damaged archive: a header is no header",
                ));
            }
            let size = head.get(124..136).and_then(number).unwrap_or(0);
            let kind = head.get(156).copied().unwrap_or(0);
            self.begin(size);
            match kind {
                b'L' => long_name = Some(text(&self.head_text()?)),
                b'x' => {
                    let records = self.head_text()?;
                    long_name = pax(&records, b"path").map(text).or(long_name);
                    long_size = pax(&records, b"size").and_then(|size| text(size).parse().ok()).or(long_size);
                    let seconds = |time: &[u8]| text(time).split('.').next()?.parse().ok();
                    long_time = pax(&records, b"mtime").and_then(seconds).or(long_time);
                }
                b'0' | 0 | b'7' => {
                    if let Some(size) = long_size {
                        self.begin(size);
                    }
                    let time =
                        long_time.or_else(|| head.get(136..148).and_then(number)).filter(|time| *time > 0);
                    return Ok(Some((long_name.unwrap_or_else(|| name(&head)), time)));
                }
                // A link, a directory, a device: no text of its own.
                b'1'..=b'6' => {
                    self.begin(0);
                    (long_name, long_size, long_time) = (None, None, None);
                }
                _ => {}
            }
        }
    }

    fn begin(&mut self, size: u64) {
        self.left = size;
        self.padding = (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64;
    }

    /// The text of a header member, as far as it is looked at.
    fn head_text(&mut self) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        let most = self.left.min(MAX_HEAD_BYTES);
        self.input.by_ref().take(most).read_to_end(&mut text)?;
        self.left -= most;
        Ok(text)
    }

    fn read_block(&mut self, block: &mut [u8; BLOCK]) -> io::Result<bool> {
        let mut filled = 0;
        while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.input.read(rest) {
                Ok(0) if filled == 0 => return Ok(false),
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => filled += read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(true)
    }

    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        let skipped = io::copy(&mut self.input.by_ref().take(bytes), &mut io::sink())?;
        if skipped < bytes {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}

/// The text of the present member.
impl<R: Read> Read for Archive<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.input.read(buffer.get_mut(..most).unwrap_or_default())?;
        self.left -= read as u64;
        if read == 0 && self.left > 0 && most > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(read)
    }
}

/// The name in a header: prefix and name.
fn name(head: &[u8; BLOCK]) -> String {
    let own = text(head.get(..100).unwrap_or_default());
    // GNU's format has other data in the place of the prefix.
    let posix = head.get(257..263) == Some(b"ustar\0");
    let prefix = text(head.get(345..500).filter(|_| posix).unwrap_or_default());
    if prefix.is_empty() {
        own
    } else {
        format!("{prefix}/{own}")
    }
}

/// The value of a record `LENGTH KEY=VALUE\n`.
fn pax<'r>(records: &'r [u8], key: &[u8]) -> Option<&'r [u8]> {
    let mut rest = records;
    while !rest.is_empty() {
        let digits = rest.iter().position(|byte| *byte == b' ')?;
        let length: usize = std::str::from_utf8(rest.get(..digits)?).ok()?.parse().ok()?;
        let record = rest.get(digits + 1..length.checked_sub(1)?)?;
        if let Some(value) = record.strip_prefix(key).and_then(|rest| rest.strip_prefix(b"=")) {
            return Some(value);
        }
        rest = rest.get(length..)?;
    }
    None
}
