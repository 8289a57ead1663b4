//! What stands before the message of a line: quote marks, priorities, dates, hosts, writers, the kernel's time stamps.
//!
//! Forms nest (`<6>Nov 24 12:48:14 host kernel: [  12.345678] …`), so each is taken off in turn until none is left.

mod kernel;
mod syslog;
#[cfg(test)]
mod tests;
mod writer;

use super::stamp::{self, Wall};
use syslog::selector;
use writer::{is_host, Writer, LONGEST_NAME};

/// What the line said before its message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head<'l> {
    /// The message; may begin with the blanks that belong to it.
    pub body: &'l [u8],
    /// A second reading, when it is not certain where the message begins.
    pub other: Option<&'l [u8]>,
    /// Who wrote it: `None` for the kernel, also where nothing says so.
    pub tool: Option<&'l [u8]>,
    /// The tool's name came with a process number: it is certainly one.
    pub process: bool,
    /// The host.
    pub host: Option<&'l [u8]>,
    /// syslog level.
    pub level: Option<u8>,
    /// µs since boot.
    pub boot: Option<u64>,
    /// Date and time.
    pub wall: Option<Wall>,
    /// The kernel was named as the writer.
    pub kernel: bool,
    /// Something was taken off that only logs have.
    pub headed: bool,
    /// The date is one that dmesg writes: no host follows.
    pub ring: bool,
    /// In the form of /dev/kmsg, where a byte may be written `\x0a`.
    pub kmsg: bool,
    /// Bytes between quote marks and message.
    pub width: usize,
}

/// Nested heads are taken off so many times at most.
const MAX_HEADS: usize = 12;

/// Takes a line apart. `known`: there are rules for this writer.
pub fn read<'l>(line: &'l [u8], known: &dyn Fn(&[u8]) -> bool) -> Head<'l> {
    let line = unquoted(line);
    let mut head = Head { body: line, ..Head::default() };
    for _ in 0..MAX_HEADS {
        if !head.take(known) {
            break;
        }
    }
    head.width = line.len() - head.body.len();
    head
}

/// Without quote marks of mail and the blanks before them.
pub fn unquoted(line: &[u8]) -> &[u8] {
    let mut rest = line;
    let mut inner = line;
    while let Some(byte) = rest.first() {
        match byte {
            b'>' | b'|' => {
                rest = rest.get(1..).unwrap_or_default();
                inner = rest.strip_prefix(b" ").unwrap_or(rest);
            }
            b' ' | b'\t' | 0 => rest = rest.get(1..).unwrap_or_default(),
            _ => break,
        }
    }
    // Blanks behind the last mark may belong to the message, or to what is taken off next.
    inner
}

impl<'l> Head<'l> {
    /// Takes one form off; false when the message is reached.
    fn take(&mut self, known: &dyn Fn(&[u8]) -> bool) -> bool {
        let rest = self.body.trim_ascii_start();
        let taken = match rest.first() {
            Some(b'<') => self.priority(rest),
            Some(b'[' | b'(') => self.bracket(rest),
            Some(b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'*' | b'_') => self.word(rest, known),
            _ => None,
        };
        match taken {
            Some(body) => {
                self.body = body;
                self.headed = true;
            }
            None => return false,
        }
        self.tool.is_none()
    }

    /// The line has a date or the kernel's time stamp.
    fn timed(&self) -> bool {
        self.wall.is_some() || self.boot.is_some()
    }

    fn word(&mut self, rest: &'l [u8], known: &dyn Fn(&[u8]) -> bool) -> Option<&'l [u8]> {
        if let Some(body) = self.kmsg_record(rest).or_else(|| self.decoded(rest)) {
            return Some(body);
        }
        if !self.timed() {
            if let Some((wall, behind)) = stamp::wall(rest) {
                return self.dated(wall, behind);
            }
        }
        if let Some((level, behind)) = selector(rest) {
            self.level = Some(level);
            return Some(behind);
        }
        self.writer(rest, known)
    }

    /// Behind a date: `|` of multipath's own output, or a blank.
    fn dated(&mut self, wall: Wall, behind: &'l [u8]) -> Option<&'l [u8]> {
        self.wall = Some(wall);
        self.ring |= wall.comma && wall.offset.is_some();
        if let Some(body) = behind.strip_prefix(b" | ") {
            self.tool = Some(b"multipath");
            return Some(body);
        }
        let behind = behind.strip_prefix(b":").unwrap_or(behind);
        Some(message(behind))
    }

    /// `host kernel: `, `kernel: `, `host tool[12]: `, `tool: `.
    fn writer(&mut self, rest: &'l [u8], known: &dyn Fn(&[u8]) -> bool) -> Option<&'l [u8]> {
        if self.other.is_some() {
            return None;
        }
        // Behind the kernel's time stamp, a word and a colon is what drivers write.
        let dated = self.wall.is_some() && self.boot.is_none() && !self.ring;
        if let Some(writer) = Writer::at(rest) {
            let takes = self.takes(&writer, known) || dated && !self.kernel && self.host.is_none();
            return takes.then(|| self.written_by(rest, &writer)).flatten();
        }
        if self.host.is_some() || self.kernel {
            return None;
        }
        let (host, behind) = split(rest)?;
        if !is_host(host) {
            return None;
        }
        let behind = behind.trim_ascii_start();
        let behind = match selector(behind) {
            Some((level, behind)) => {
                self.level = Some(level);
                behind
            }
            None => behind,
        };
        if let Some(writer) = Writer::at(behind) {
            if self.takes(&writer, known) || dated {
                self.host = Some(host);
                return self.written_by(behind, &writer);
            }
            return None;
        }
        if dated {
            // `Nov 24 12:48:14 host text of the kernel`, or without the host.
            self.host = Some(host);
            self.other = Some(rest);
            return Some(behind);
        }
        None
    }

    /// The writer is the kernel, or a tool that has rules. Behind the kernel's time stamp a tool has a process number:
    /// drivers write a word and a colon, too.
    fn takes(&self, writer: &Writer<'_>, known: &dyn Fn(&[u8]) -> bool) -> bool {
        let tool = known(writer.program()) && !self.kernel && (self.boot.is_none() || writer.process);
        writer.is_kernel() || tool
    }

    fn written_by(&mut self, text: &'l [u8], writer: &Writer<'l>) -> Option<&'l [u8]> {
        if writer.is_kernel() {
            self.kernel = true;
            return Some(writer.rest);
        }
        self.tool = Some(writer.program());
        self.process = writer.process;
        if !writer.process {
            // `ata3.00: …` behind a date: the kernel's own text may have lost its writer.
            self.other = Some(text);
        }
        Some(writer.rest)
    }
}

/// One word, and what follows the blank behind it.
fn split(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().take(LONGEST_NAME + 1).position(|byte| *byte == b' ')?;
    (end > 0).then(|| Some((text.get(..end)?, text.get(end + 1..)?))).flatten()
}

/// The message behind a mark: one blank is the mark's own.
fn message(rest: &[u8]) -> &[u8] {
    rest.strip_prefix(b" ").unwrap_or(rest)
}
