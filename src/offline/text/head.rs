//! The head of a line is what precedes its message: quote marks, priorities, dates, hosts, writers, the kernel's time stamps.
//!
//! Heads nest (`<6>Nov 24 12:48:14 host kernel: [  12.345678] …`), so they are removed one after the other until none is left.

mod console;
mod kernel;
mod programs;
mod relay;
mod syslog;
#[cfg(test)]
mod tests;
mod writer;

use super::stamp::{self, Wall};
use syslog::{level_word, selector};
pub use writer::is_kernel;
use writer::{is_host, own_host, NamePrefix, MAX_NAME_BYTES};

/// The head of a line, and its message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head<'l> {
    /// The message, including blanks at its beginning that belong to it.
    pub body: &'l [u8],
    /// An alternative message, if it is not certain where the message begins.
    pub other: Option<&'l [u8]>,
    /// The program that wrote it; `None` for the kernel, or if no program is named.
    pub tool: Option<&'l [u8]>,
    /// The name of the tool has a process number, so it certainly is one.
    pub process: bool,
    /// The host.
    pub host: Option<&'l [u8]>,
    /// syslog level.
    pub level: Option<u8>,
    /// Identifiers under which rules know the writer, if its log has another name for it.
    pub aliases: &'static [&'static str],
    /// µs since boot.
    pub boot: Option<u64>,
    /// µs since the previous line, if dmesg shows that.
    pub delta: Option<u64>,
    /// Date and time.
    pub wall: Option<Wall>,
    /// The kernel is named as the writer.
    pub kernel: bool,
    /// Something was removed that only logs have.
    pub headed: bool,
    /// The date is in the form of dmesg, which is not followed by a host.
    pub ring: bool,
    /// It began with one of the words in brackets that systemd prints on the console.
    pub console: bool,
    /// The fields of a container runtime were removed.
    pub stream: bool,
    /// It is in the form of /dev/kmsg, with escapes such as `\x0a`.
    pub kmsg: bool,
    /// Bytes between quote marks and message.
    pub width: usize,
}

/// Maximum number of nested heads.
const MAX_HEADS: usize = 12;

/// Splits a line into head and message. `known`: there are rules for this writer.
pub fn read<'l>(whole: &'l [u8], known: &dyn Fn(&[u8]) -> bool) -> Head<'l> {
    let line = unquoted(whole);
    let line = if is_row(whole) {
        line.trim_ascii_end().strip_suffix(b"|").unwrap_or(line).trim_ascii_end()
    } else {
        line
    };
    let mut head = Head { body: line, ..Head::default() };
    for _ in 0..MAX_HEADS {
        if !head.take(known) {
            break;
        }
    }
    head.width = line.len() - head.body.len();
    head
}

/// Whether the line is a row of a table, with a bar at both ends.
fn is_row(line: &[u8]) -> bool {
    line.last().is_some_and(|last| matches!(last, b'|' | b' ')) && line.trim_ascii_start().starts_with(b"|")
}

/// Removes the quote marks of mails and the blanks before them.
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
    // Blanks after the last mark may belong to the message, or to the next head.
    inner
}

impl<'l> Head<'l> {
    /// Removes one head; false if there is none.
    fn take(&mut self, known: &dyn Fn(&[u8]) -> bool) -> bool {
        let rest = self.body.trim_ascii_start();
        let taken = match rest.first() {
            Some(b'<') => self.priority(rest),
            Some(b'[' | b'(') => self.bracket(rest),
            Some(b'-') => self.corpus(rest),
            Some(b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'*' | b'_' | 0x80..) => self.word(rest, known),
            _ => None,
        };
        match taken {
            Some(body) => {
                self.body = body;
                self.headed = true;
            }
            None => return false,
        }
        match self.tool {
            Some(tool) => !known(tool) && self.forwards(),
            None => true,
        }
    }

    /// The line has a date or the kernel's time stamp.
    fn timed(&self) -> bool {
        self.wall.is_some() || self.boot.is_some()
    }

    fn word(&mut self, rest: &'l [u8], known: &dyn Fn(&[u8]) -> bool) -> Option<&'l [u8]> {
        if let Some(body) =
            self.kmsg_record(rest).or_else(|| self.decoded(rest)).or_else(|| self.wall_of(rest))
        {
            return Some(body);
        }
        if !self.timed() {
            if let Some(body) = self.wall_message(rest) {
                return Some(body);
            }
            if let Some((wall, behind)) = stamp::wall(rest) {
                return self.dated(wall, behind);
            }
        } else if let Some(body) = self.nested(rest).or_else(|| self.program(rest)) {
            return Some(body);
        }
        if let Some((level, behind)) = selector(rest) {
            self.level = Some(level);
            return Some(behind);
        }
        self.writer(rest, known)
    }

    /// Removes what follows a date: `|` in the output of multipath, or a blank.
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
        // After the kernel's time stamp, a word with a colon is part of the message of a driver.
        let dated = self.wall.is_some() && self.boot.is_none() && !self.ring;
        if let Some(writer) = NamePrefix::at(rest) {
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
        let behind = match selector(behind).or_else(|| level_word(behind)) {
            Some((level, behind)) => {
                self.level = Some(level);
                behind
            }
            None => behind,
        };
        if let Some(body) = self.decoded(behind) {
            self.host = Some(own_host(host));
            return Some(body);
        }
        if let Some(writer) = NamePrefix::at(behind) {
            if self.takes(&writer, known) || dated {
                self.host = Some(own_host(host));
                return self.written_by(behind, &writer);
            }
            return None;
        }
        // The name of a relay precedes that of the host.
        let relayed = split(behind).filter(|(host, _)| dated && is_host(host));
        let relayed = relayed.and_then(|(host, behind)| Some((host, behind, NamePrefix::at(behind)?)));
        if let Some((host, text, writer)) = relayed.filter(|(_, _, writer)| self.takes(writer, known)) {
            self.host = Some(own_host(host));
            return self.written_by(text, &writer);
        }
        if dated {
            // `Nov 24 12:48:14 host text of the kernel`, or without the host.
            self.host = Some(own_host(host));
            self.other = Some(rest);
            return Some(behind);
        }
        None
    }

    /// Whether the name is that of the kernel, or of a tool that has rules. After the kernel's time stamp it must have a process number, because
    /// messages of drivers begin with a word and a colon, too.
    fn takes(&self, writer: &NamePrefix<'_>, known: &dyn Fn(&[u8]) -> bool) -> bool {
        let tool = known(writer.program()) && !self.kernel && (self.boot.is_none() || writer.process);
        writer.is_kernel() || tool
    }

    fn written_by(&mut self, text: &'l [u8], writer: &NamePrefix<'l>) -> Option<&'l [u8]> {
        if writer.is_kernel() {
            self.kernel = true;
            return Some(writer.rest.strip_prefix(b": ").unwrap_or(writer.rest));
        }
        self.tool = Some(writer.program());
        self.process = writer.process;
        if !writer.process {
            // `ata3.00: …` after a date: a kernel message may have lost its writer.
            self.other = Some(text);
        }
        Some(writer.rest)
    }
}

/// Whether a cell can be the name of a host: not a number, level or facility.
pub fn is_host_name(cell: &[u8]) -> bool {
    let word = cell.to_ascii_lowercase();
    is_host(cell)
        && cell.len() > 1
        && cell.iter().any(u8::is_ascii_alphabetic)
        && syslog::level_of(&word).is_none()
        && !syslog::is_facility(&word)
}

/// The first word, and what follows it and one blank.
fn split(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().take(MAX_NAME_BYTES + 1).position(|byte| *byte == b' ')?;
    (end > 0).then(|| Some((text.get(..end)?, text.get(end + 1..)?))).flatten()
}

/// The message after a mark and one blank, which belongs to the mark.
fn message(rest: &[u8]) -> &[u8] {
    rest.strip_prefix(b" ").unwrap_or(rest)
}
