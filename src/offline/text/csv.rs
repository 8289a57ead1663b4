//! Rows of exported tables: values separated by commas (RFC 4180), semicolons, tabs or bars.
//!
//! Columns are identified by their content: a date, a known program, a host name; the longest cells may be the message.

use std::borrow::Cow;

use super::date;
use super::head::{self, Head};
use super::wall::Wall;

/// Cells of a row that are examined.
const MAX_CELLS: usize = 64;
/// Number of cells that are tried as the message, the longest first.
const MAX_MESSAGES: usize = 3;
/// Shorter cells are not messages.
const MIN_MESSAGE_BYTES: usize = 12;

/// Bytes of a time of day in a cell of its own.
const MAX_CLOCK_BYTES: usize = 24;

/// A row, and the facts found in its cells.
pub struct CsvRow<'l> {
    cells: Vec<Cow<'l, [u8]>>,
    wall: Option<Wall>,
    boot: Option<u64>,
    tool: Option<usize>,
    host: Option<usize>,
    kernel: bool,
}

/// The row, if a line can be one of a log: a cell is a date, the kernel, or a known program.
pub fn row<'l>(line: &'l [u8], head: &Head<'_>, known: &dyn Fn(&[u8]) -> bool) -> Option<CsvRow<'l>> {
    // A separator follows the date, as in multipath's own output.
    let rest = head.body.strip_prefix(b" ").unwrap_or(head.body);
    let begins =
        rest.first().is_some_and(|byte| SEPARATORS.contains(byte)) || head.tool == Some(b"multipath");
    if head.headed && !begins && line.first() != Some(&b'"') {
        return None;
    }
    let separator = SEPARATORS.into_iter().find(|separator| {
        memchr::memchr_iter(*separator, line.get(..1024).unwrap_or(line)).nth(1).is_some()
    })?;
    let mut row = CsvRow {
        cells: cells(line, separator),
        wall: None,
        boot: None,
        tool: None,
        host: None,
        kernel: false,
    };
    row.look(known);
    (row.kernel || row.tool.is_some() || row.wall.is_some() && row.cells.len() > 2).then_some(row)
}

const SEPARATORS: [u8; 4] = [b'\t', b';', b',', b'|'];

/// Cells without quotation marks and the blanks around them.
fn cells(line: &[u8], separator: u8) -> Vec<Cow<'_, [u8]>> {
    let mut cells = Vec::new();
    let mut rest = Some(line);
    while let Some(text) = rest.filter(|_| cells.len() < MAX_CELLS) {
        let text = text.trim_ascii_start();
        let (cell, behind) = match text.strip_prefix(b"\"") {
            Some(inner) => quoted(inner),
            None => {
                let end = memchr::memchr(separator, text).unwrap_or(text.len());
                (
                    Cow::Borrowed(text.get(..end).unwrap_or_default().trim_ascii()),
                    text.get(end..).unwrap_or_default(),
                )
            }
        };
        cells.push(cell);
        let behind = behind.trim_ascii_start();
        rest = behind
            .strip_prefix(&[separator])
            .or_else(|| (separator == b'\t' && !behind.is_empty()).then_some(behind));
    }
    cells
}

/// A cell after its opening quotation mark (a doubled mark is an escaped one), and the rest of the line.
fn quoted(inner: &[u8]) -> (Cow<'_, [u8]>, &[u8]) {
    let mut from = 0;
    while let Some(at) = inner.get(from..).and_then(|rest| memchr::memchr(b'"', rest)).map(|at| at + from) {
        if inner.get(at + 1) != Some(&b'"') {
            let cell = inner.get(..at).unwrap_or_default();
            let cell = if from == 0 { Cow::Borrowed(cell) } else { Cow::Owned(unmarked(cell)) };
            return (cell, inner.get(at + 1..).unwrap_or_default());
        }
        from = at + 2;
    }
    (Cow::Borrowed(inner), b"")
}

fn unmarked(cell: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(cell.len());
    let mut marked = false;
    for byte in cell {
        marked = *byte == b'"' && !marked;
        if !marked {
            out.push(*byte);
        }
    }
    out
}

impl CsvRow<'_> {
    fn look(&mut self, known: &dyn Fn(&[u8]) -> bool) {
        for (index, cell) in self.cells.iter().enumerate() {
            let cell = cell.as_ref();
            if cell.is_empty() || cell.len() > 255 {
                continue;
            }
            let time = if self.wall.is_none() { self.time(index) } else { None };
            if let Some(wall) = time {
                self.wall = Some(wall);
                continue;
            }
            let name = cell.split(|byte| matches!(byte, b'[' | b':')).next().unwrap_or(cell);
            if head::is_kernel(cell) {
                self.kernel = true;
            } else if self.tool.is_none() && known(name) {
                self.tool = Some(index);
            } else if self.host.is_none() && head::is_host_name(cell) {
                self.host = Some(index);
            }
        }
        if self.kernel {
            self.tool = None;
        }
    }

    /// The time in a cell; the time of day may be in the next cell.
    fn time(&self, index: usize) -> Option<Wall> {
        let cell = self.cells.get(index)?;
        let next =
            || self.cells.get(index + 1).filter(|next| next.contains(&b':') && next.len() <= MAX_CLOCK_BYTES);
        date::cell(cell).or_else(|| {
            let both = [cell.as_ref(), b" ", next()?.as_ref()].concat();
            cell.first().filter(|first| first.is_ascii_digit()).and_then(|_| date::cell(&both))
        })
    }

    /// The cells that can be the message, the longest first.
    pub fn messages(&self) -> impl Iterator<Item = Head<'_>> {
        let mut cells: Vec<&[u8]> =
            self.cells.iter().map(AsRef::as_ref).filter(|cell| cell.len() >= MIN_MESSAGE_BYTES).collect();
        cells.sort_by_key(|cell| usize::MAX - cell.len());
        let tool = self.tool.and_then(|index| self.cells.get(index)).map(AsRef::as_ref);
        let tool = tool.and_then(|tool: &[u8]| tool.split(|byte| matches!(byte, b'[' | b':')).next());
        let host = self.host.and_then(|index| self.cells.get(index)).map(AsRef::as_ref);
        cells.into_iter().take(MAX_MESSAGES).map(move |cell| {
            let mut head = head::read(cell, &|_| false);
            head.tool = tool;
            head.kernel |= self.kernel;
            head.wall = head.wall.filter(Wall::is_dated).or(self.wall);
            head.boot = head.boot.or(self.boot);
            head.host = head.host.or(host);
            head.headed = true;
            head
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_of_all_kinds() {
        let texts = |line: &'static [u8], separator| -> Vec<String> {
            cells(line, separator).iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()
        };
        assert_eq!(texts(b"a, \"b \"\"c\"\", d\",,e", b','), ["a", "b \"c\", d", "", "e"]);
        assert_eq!(texts(b"a;\"open", b';'), ["a", "open"]);
        assert_eq!(texts(b"| a | b |", b'|'), ["", "a", "b", ""]);
    }
}
