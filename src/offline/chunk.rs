//! Splits an input into chunks that can be processed independently.
//!
//! The size of a chunk is bounded, and so is what is buffered between two of them, however long the input or a single line is.

use std::io::{self, Read};
use std::sync::Arc;

use memchr::{memchr, memchr_iter, memmem, memrchr};

use super::record::{export, json};
use crate::journal::LOG_VALUE;

/// Size of a chunk in bytes.
const SIZE: usize = 128 * 1024;
/// Bytes after the chunk that it also contains, because a message may continue there.
const AHEAD: usize = 4 * 1024;
/// Maximum size of a record of several lines.
const MAX_CHUNK_BYTES: usize = 4 * 1024 * 1024;

/// The format of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One entry per line: text in any form, including `journalctl -o json`.
    Text,
    /// One entry per JSON object, which may span several lines.
    Objects,
    /// journald's export format.
    Export,
}

/// Part of an input.
#[derive(Debug)]
pub struct Chunk {
    /// Its format.
    pub format: Format,
    /// Its bytes, followed by some of the next chunk.
    pub data: Vec<u8>,
    /// Where those of the next chunk begin.
    pub end: usize,
    /// Number of its first line, from 1.
    pub first_line: u64,
    /// Identifiers of the program that writes the file, if the name of the file implies them.
    pub writers: Arc<[Box<str>]>,
}

/// Splits an input into chunks.
pub struct Chunks<R> {
    input: R,
    format: Format,
    buffer: Vec<u8>,
    line: u64,
    at_end: bool,
    /// The rest of an overlong line or record is being skipped.
    passing: bool,
    /// Identifiers of the program that writes the input, if its name implies them.
    pub writers: Arc<[Box<str>]>,
    /// Why the input ended early.
    pub error: Option<io::Error>,
}

impl<R: Read> Chunks<R> {
    /// `begin`: the bytes that have been read already.
    pub fn new(begin: Vec<u8>, input: R, format: Format) -> Self {
        Chunks {
            input,
            format,
            buffer: begin,
            line: 1,
            at_end: false,
            passing: false,
            writers: Arc::default(),
            error: None,
        }
    }

    /// The next chunk; `None` at the end. If reading fails, what was read before is returned first.
    pub fn next_chunk(&mut self) -> Option<Chunk> {
        loop {
            self.fill(SIZE + AHEAD);
            if self.passing {
                self.pass();
                if self.passing && self.at_end {
                    return None;
                }
                continue;
            }
            if self.buffer.is_empty() {
                return None;
            }
            if let Some(end) = self.cut() {
                return Some(self.take(end));
            }
            match self.format {
                Format::Text => return Some(self.take_long_line()),
                _ if self.at_end => return Some(self.take(self.buffer.len())),
                _ if self.buffer.len() < MAX_CHUNK_BYTES => self.fill(self.buffer.len() * 2),
                _ => self.passing = true,
            }
        }
    }

    fn fill(&mut self, size: usize) {
        while !self.at_end && self.buffer.len() < size {
            let begin = self.buffer.len();
            self.buffer.resize(begin + SIZE, 0);
            let read = match self.input.read(self.buffer.get_mut(begin..).unwrap_or_default()) {
                Ok(read) => read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {
                    self.buffer.truncate(begin);
                    continue;
                }
                Err(e) => {
                    self.error = Some(e);
                    0
                }
            };
            self.buffer.truncate(begin + read);
            self.at_end = read == 0;
        }
    }

    /// Where the last complete line or record ends.
    fn cut(&self) -> Option<usize> {
        let whole = self.at_end && self.buffer.len() <= SIZE;
        match self.format {
            Format::Text if whole => Some(self.buffer.len()),
            Format::Text => memrchr(b'\n', self.buffer.get(..SIZE)?).map(|at| at + 1),
            Format::Objects => json::last_end(&self.buffer),
            Format::Export => export::last_end(&self.buffer),
        }
        .filter(|end| *end > 0)
    }

    fn take(&mut self, end: usize) -> Chunk {
        let ahead = if self.format == Format::Text { AHEAD } else { 0 };
        let mut data = self.buffer.get(..self.buffer.len().min(end + ahead)).unwrap_or_default().to_vec();
        if data.len() > end {
            // Complete lines only.
            data.truncate(memrchr(b'\n', &data).map_or(end, |at| at + 1).max(end));
        }
        let writers = self.writers.clone();
        let chunk = Chunk { format: self.format, data, end, first_line: self.line, writers };
        self.consume(end);
        chunk
    }

    fn take_long_line(&mut self) -> Chunk {
        let mut data = self.buffer.get(..LOG_VALUE).unwrap_or(&self.buffer).to_vec();
        data.push(b'\n');
        self.passing = true;
        Chunk {
            format: self.format,
            end: data.len(),
            data,
            first_line: self.line,
            writers: self.writers.clone(),
        }
    }

    /// Drops bytes up to the end of the line (or the blank line after the record).
    fn pass(&mut self) {
        let end = match self.format {
            Format::Text => memchr(b'\n', &self.buffer).map(|at| at + 1),
            Format::Objects => memmem::find(&self.buffer, b"}\n").map(|at| at + 2),
            Format::Export => memmem::find(&self.buffer, b"\n\n").map(|at| at + 2),
        };
        self.passing = end.is_none();
        // The chunk may end within a separator of two bytes.
        let keep = usize::from(self.format != Format::Text && !self.at_end);
        self.consume(end.unwrap_or_else(|| self.buffer.len().saturating_sub(keep)));
    }

    fn consume(&mut self, end: usize) {
        let gone = self.buffer.drain(..end.min(self.buffer.len()));
        let newlines = memchr_iter(b'\n', gone.as_slice()).count();
        drop(gone);
        self.line += u64::try_from(newlines).unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<(u64, usize)> {
        let mut chunks = Chunks::new(Vec::new(), text, Format::Text);
        std::iter::from_fn(|| chunks.next_chunk()).map(|chunk| (chunk.first_line, chunk.end)).collect()
    }

    #[test]
    fn lines_are_numbered_over_chunks() {
        let text = "0123456789\n".repeat(100_000);
        let chunks = lines(text.as_bytes());
        assert!(chunks.len() > 8);
        let mut line = 1;
        for (first, bytes) in chunks {
            assert_eq!(first, line);
            line += u64::try_from(bytes / 11).unwrap();
        }
        assert_eq!(line, 100_001);
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_counts_as_one() {
        let mut text = b"first\n".to_vec();
        text.extend(vec![b'x'; 3_000_000]);
        text.extend(b"\nlast\n");
        let chunks = lines(&text);
        assert_eq!(chunks.first(), Some(&(1, 6)));
        assert_eq!(chunks.get(1), Some(&(2, LOG_VALUE + 1)));
        assert_eq!(chunks.get(2), Some(&(3, 5)));
    }
}
