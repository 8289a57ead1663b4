//! Heads inside a line, after the prefixes of `grep` and people.

use memchr::{memchr_iter, memmem};

use super::head::{self, Head};

/// Number of colons after which a head is searched.
const MAX_COLONS: usize = 4;
/// Number of bars after which a head is searched: the name of a container precedes one.
const MAX_BARS: usize = 2;
/// Number of bytes of a line that are examined.
const WITHIN: usize = 512;

/// Interpretations of a line that have a head inside it, the first position first.
pub fn heads<'l, 'k>(
    line: &'l [u8],
    known: &'k dyn Fn(&[u8]) -> bool,
) -> impl Iterator<Item = Head<'l>> + use<'l, 'k> {
    let near = line.get(..WITHIN).unwrap_or(line);
    let colons = memchr_iter(b':', near).take(MAX_COLONS).map(|at| at + 1);
    let kernel =
        memmem::find(near, b"kernel:").into_iter().chain(memmem::find(near, b" kern").map(|at| at + 1));
    let brackets = memchr_iter(b'[', near).take(MAX_COLONS).filter(move |at| is_stamp(near, *at));
    let bars = memchr_iter(b'|', near).take(MAX_BARS).map(|at| at + 1);
    let number = near.trim_ascii_start().iter().position(|byte| !is_mark(*byte));
    let number =
        number.filter(|digits| *digits > 0).map(|digits| near.len() - near.trim_ascii_start().len() + digits);
    let places = bars.chain(number).chain(colons).chain(kernel).chain(brackets).filter(|at| *at > 0);
    places.filter_map(move |at| {
        let head = head::read(line.get(at..)?, known);
        let sure = head.boot.is_some()
            || head.kernel
            || head.wall.is_some() && (head.tool.is_some() || head.host.is_some());
        sure.then_some(head)
    })
}

/// Whether people and programs number or mark lines with this character.
fn is_mark(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'-' | b'*' | b'+' | b'.' | b')' | b'#')
}

/// Whether a `[` is followed by a blank or digit, as in the kernel's time stamp.
fn is_stamp(text: &[u8], at: usize) -> bool {
    text.get(at + 1).is_some_and(|byte| *byte == b' ' || byte.is_ascii_digit())
}
