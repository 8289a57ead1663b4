//! What programs did to a line on its way: colours, mark-up, escapes.

use std::borrow::Cow;

use memchr::{memchr, memchr3, memchr_iter, memmem};

/// The line without line ends, terminal colours, no-break blanks and mark-up characters.
pub fn line(raw: &[u8]) -> Cow<'_, [u8]> {
    let mut raw = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw);
    while let Some((b'\r' | b'\n', rest)) = raw.split_last() {
        raw = rest;
    }
    if memchr3(0x1b, 0xc2, b'&', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut text = without_colours(raw);
    for (written, meant) in MARK_UP {
        if has(&text, written) {
            text = replaced(&text, written, meant);
        }
    }
    Cow::Owned(text)
}

/// What stands in pages and mails for a character.
const MARK_UP: [(&[u8], &[u8]); 7] = [
    (b"\xc2\xa0", b" "),
    (b"&nbsp;", b" "),
    (b"&lt;", b"<"),
    (b"&gt;", b">"),
    (b"&quot;", b"\""),
    (b"&#39;", b"'"),
    (b"&amp;", b"&"),
];

fn without_colours(raw: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr(0x1b, rest) {
        text.extend_from_slice(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + 1..).unwrap_or_default();
        let Some(inner) = rest.strip_prefix(b"[") else { continue };
        let end = inner.iter().take(32).position(|byte| (0x40..=0x7e).contains(byte));
        rest = end.and_then(|end| inner.get(end + 1..)).unwrap_or(inner);
    }
    text.extend_from_slice(rest);
    text
}

fn replaced(text: &[u8], written: &[u8], meant: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut from = 0;
    for at in memmem::find_iter(text, written) {
        out.extend_from_slice(text.get(from..at).unwrap_or_default());
        out.extend_from_slice(meant);
        from = at + written.len();
    }
    out.extend_from_slice(text.get(from..).unwrap_or_default());
    out
}

/// The message with the control characters that a syslog daemon wrote as `#012` (rsyslog), or the kernel's interface as
/// `\x0a`.
pub fn message(body: &[u8], kmsg: bool) -> Cow<'_, [u8]> {
    if kmsg && has(body, b"\\x") {
        return Cow::Owned(unescaped(body, b"\\x", 16, 2));
    }
    match has(body, b"#01") {
        true => Cow::Owned(unescaped(body, b"#0", 8, 2)),
        false => Cow::Borrowed(body),
    }
}

/// The mark is in the text. Most texts lack its first byte even: nothing is prepared for a search.
fn has(text: &[u8], mark: &[u8]) -> bool {
    let begins = mark.first().map(|first| memchr_iter(*first, text));
    begins.into_iter().flatten().any(|at| text.get(at..).is_some_and(|rest| rest.starts_with(mark)))
}

fn unescaped(body: &[u8], mark: &[u8], radix: u32, digits: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut from = 0;
    for at in memmem::find_iter(body, mark) {
        let number = body.get(at + mark.len()..at + mark.len() + digits);
        let byte = number.and_then(|text| u8::from_str_radix(std::str::from_utf8(text).ok()?, radix).ok());
        // rsyslog escapes control characters only; the kernel's interface others, too.
        let Some(byte) = byte.filter(|byte| at >= from && (radix == 16 || *byte < 0x20)) else { continue };
        out.extend_from_slice(body.get(from..at).unwrap_or_default());
        out.push(byte);
        from = at + mark.len() + digits;
    }
    out.extend_from_slice(body.get(from..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_of_the_line_goes() {
        let cases: [(&[u8], &[u8]); 5] = [
            (b"\x1b[32m[    1.000000] \x1b[0m\x1b[31msd\x1b[0m x\r\n", b"[    1.000000] sd x"),
            (b"[\xc2\xa0 1.0] a\xc2\xa0b", b"[  1.0] a b"),
            (b"Emask 0x409 (media error) &lt;F&gt;", b"Emask 0x409 (media error) <F>"),
            (b"plain & simple", b"plain & simple"),
            (b"\x1b", b""),
        ];
        for (raw, clean) in cases {
            assert_eq!(line(raw).as_ref(), clean);
        }
    }

    #[test]
    fn escaped_line_breaks_are_line_breaks() {
        assert_eq!(message(b"a#012#011b #01 tag#012", false).as_ref(), b"a\n\tb #01 tag\n");
        assert_eq!(message(b"tag#012 x", false).as_ref(), b"tag\n x");
        assert_eq!(message(b"a\\x0ab\\x5c", true).as_ref(), b"a\nb\\");
        assert_eq!(message(b"a\\x0ab tag#3", false).as_ref(), b"a\\x0ab tag#3");
    }
}
