//! Text in UTF-16, as some programs on Windows write copies of logs.

use std::io::{self, Read};

/// Bytes read at once.
const PIECE: usize = 16 * 1024;
/// Number of characters that are examined if there is no byte order mark.
const LOOKED_AT: usize = 64;

/// How the bytes of a character stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The low byte first.
    Little,
    /// The high byte first.
    Big,
}

impl Order {
    /// By the mark at the beginning of a text, or because every second byte of plain text is zero.
    pub fn of(begin: &[u8]) -> Option<Self> {
        match begin {
            // UTF-32 is another form.
            [0xff, 0xfe, 0, 0, ..] => None,
            [0xff, 0xfe, ..] => Some(Order::Little),
            [0xfe, 0xff, ..] => Some(Order::Big),
            _ => [Order::Little, Order::Big].into_iter().find(|order| order.is_plain(begin)),
        }
    }

    fn is_plain(self, begin: &[u8]) -> bool {
        let text = |unit: u16| matches!(unit, 9 | 10 | 13 | 32..=126);
        let mut units = begin.chunks_exact(2).take(LOOKED_AT).map(|pair| self.unit(pair));
        begin.len() >= 2 * 8 && units.all(text)
    }

    fn unit(self, pair: &[u8]) -> u16 {
        match (self, pair) {
            (Order::Little, [low, high]) | (Order::Big, [high, low]) => u16::from_be_bytes([*high, *low]),
            _ => 0xfffd,
        }
    }
}

/// Gives UTF-8. Halves of characters become U+FFFD.
pub struct Utf8<R> {
    input: R,
    order: Order,
    /// Bytes that are no whole unit or character yet.
    rest: Vec<u8>,
    ready: Vec<u8>,
    given: usize,
    at_begin: bool,
}

impl<R: Read> Utf8<R> {
    /// Of a text in this order, from its mark on.
    pub fn new(input: R, order: Order) -> Self {
        Utf8 { input, order, rest: Vec::new(), ready: Vec::new(), given: 0, at_begin: true }
    }

    /// Makes more ready; nothing at the end.
    fn fill(&mut self) -> io::Result<()> {
        (self.given, self.ready) = (0, Vec::new());
        while self.ready.is_empty() {
            let read = self.input.by_ref().take(PIECE as u64).read_to_end(&mut self.rest)?;
            let ends = read < PIECE;
            let mut units: Vec<u16> = self.rest.chunks_exact(2).map(|pair| self.order.unit(pair)).collect();
            let odd = self.rest.len() % 2;
            // The first half of a character waits for the second.
            let half = !ends && units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit));
            if half {
                units.pop();
            }
            let keep = odd + 2 * usize::from(half);
            self.rest.drain(..self.rest.len() - keep);
            let marked = std::mem::take(&mut self.at_begin) && units.first() == Some(&0xfeff);
            let text = units.into_iter().skip(usize::from(marked));
            let text: String =
                char::decode_utf16(text).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
            self.ready = text.into_bytes();
            if ends {
                break;
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Utf8<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given >= self.ready.len() {
            self.fill()?;
        }
        let left = self.ready.get(self.given..).unwrap_or_default();
        let count = left.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), left.get(..count)) {
            to.copy_from_slice(from);
        }
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_with_and_without_a_mark() {
        let text = "[    1.000000] é 𝄞\r\n".repeat(5000);
        for (order, mark) in [(Order::Little, true), (Order::Big, true), (Order::Little, false)] {
            let marked = if mark { format!("\u{feff}{text}") } else { text.clone() };
            let bytes: Vec<u8> = marked
                .encode_utf16()
                .flat_map(|unit| if order == Order::Big { unit.to_be_bytes() } else { unit.to_le_bytes() })
                .collect();
            assert_eq!(mark.then(|| Order::of(&bytes)), mark.then_some(Some(order)));
            let mut decoded = String::new();
            Utf8::new(bytes.as_slice(), order).read_to_string(&mut decoded).unwrap();
            assert_eq!(decoded, text);
        }
        assert_eq!(Order::of(b"[\0 \0 \0\x31\0.\0\x30\0]\0x\0"), Some(Order::Little));
        for none in [&b"plain text of a log\n"[..], &[0; 64], b"", b"\xff\xfe\0\0"] {
            assert_eq!(Order::of(none), None);
        }
    }
}
