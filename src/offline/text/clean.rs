//! Removes what other programs added to a line: colours, mark-up, escapes.

use std::borrow::Cow;

use memchr::{memchr, memchr3, memchr_iter, memmem};

/// The line without line ends, terminal colours, the bars of tables, no-break blanks and mark-up characters.
pub fn line(raw: &[u8]) -> Cow<'_, [u8]> {
    let mut raw = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw);
    while let Some((b'\r' | b'\n', rest)) = raw.split_last() {
        raw = rest;
    }
    let raw = without_tags(without_progress(raw));
    let special = memchr3(0x1b, b'&', b'^', raw).is_some() || raw.starts_with(b"[[");
    if !special && raw.is_ascii() {
        return Cow::Borrowed(raw);
    }
    let raw = without_bars(raw);
    if !special && memchr(0xc2, raw).is_none() {
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

/// Removes the mark-up for code and line breaks that web pages and tickets have around a line.
fn without_tags(raw: &[u8]) -> &[u8] {
    const ENDS: [&[u8]; 6] = [b"<br>", b"<br/>", b"<br />", b"</code>", b"</pre>", b"</p>"];
    const BEGINS: [&[u8]; 4] = [b"<br>", b"<code>", b"<pre>", b"<p>"];
    let mut text = raw;
    if let [b'`', inner @ .., b'`'] = text {
        text = inner;
    }
    while text.last() == Some(&b'>') {
        let Some(inner) = ENDS.iter().find_map(|end| text.strip_suffix(*end)) else { break };
        text = inner;
    }
    while text.first() == Some(&b'<') {
        let Some(inner) = BEGINS.iter().find_map(|begin| text.strip_prefix(*begin)) else { break };
        text = inner;
    }
    text
}

/// Removes what a console overwrote: everything before the last carriage return.
fn without_progress(raw: &[u8]) -> &[u8] {
    let shown = memchr::memrchr(b'\r', raw).and_then(|at| raw.get(at + 1..));
    shown.filter(|shown| !shown.trim_ascii().is_empty()).unwrap_or(raw)
}

/// Vertical bars of Unicode's box-drawing characters and blocks, with which terminal programs frame their lines.
const BARS: [&[u8]; 9] = [
    "│".as_bytes(),
    "┃".as_bytes(),
    "║".as_bytes(),
    "┆".as_bytes(),
    "┊".as_bytes(),
    "╎".as_bytes(),
    "▌".as_bytes(),
    "▎".as_bytes(),
    "▏".as_bytes(),
];

/// Removes the bars at both ends. Blanks after the first one may belong to the message, except for one blank if the frame has one.
fn without_bars(raw: &[u8]) -> &[u8] {
    let begin = raw.trim_ascii_start();
    let Some(inner) = BARS.iter().find_map(|bar| begin.strip_prefix(*bar)) else {
        let end = raw.trim_ascii_end();
        return BARS.iter().find_map(|bar| end.strip_suffix(*bar)).map_or(raw, <[u8]>::trim_ascii_end);
    };
    let end = inner.trim_ascii_end();
    match BARS.iter().find_map(|bar| end.strip_suffix(*bar)) {
        Some(inner) => inner.trim_ascii_end(),
        None => inner,
    }
}

/// How web pages and mails write some characters.
const MARK_UP: [(&[u8], &[u8]); 7] = [
    (b"\xc2\xa0", b" "),
    (b"&nbsp;", b" "),
    (b"&lt;", b"<"),
    (b"&gt;", b">"),
    (b"&quot;", b"\""),
    (b"&#39;", b"'"),
    (b"&amp;", b"&"),
];

/// Removes the sequences that set colours, even if the escape character was lost or spelt out: `[0;32m`, `^[[0m`.
fn without_colours(raw: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr3(0x1b, b'^', b'[', rest) {
        let behind = rest.get(at..).unwrap_or_default();
        let (mark, inner) = match behind {
            [0x1b, b'[', inner @ ..] => (true, inner),
            [b'^', b'[', b'[', inner @ ..] => (true, inner),
            [b'[', inner @ ..] => (false, inner),
            _ => (false, &b""[..]),
        };
        let end = sequence(inner).filter(|end| mark || is_colour(inner.get(..*end).unwrap_or_default()));
        let escape = behind.first() == Some(&0x1b);
        text.extend_from_slice(rest.get(..at).unwrap_or_default());
        rest = match end {
            Some(end) => inner.get(end..).unwrap_or_default(),
            None if escape && mark => inner,
            None => {
                text.extend(behind.first().filter(|_| !escape));
                behind.get(1..).unwrap_or_default()
            }
        };
    }
    text.extend_from_slice(rest);
    text
}

/// The length of a control sequence after its bracket: parameters and a letter.
fn sequence(inner: &[u8]) -> Option<usize> {
    let end = inner.iter().take(32).position(|byte| !matches!(byte, b'0'..=b'9' | b';' | b'?'))?;
    inner.get(end).filter(|byte| (0x40..=0x7e).contains(*byte) && **byte != b'[').map(|_| end + 1)
}

/// `0m`, `0;1;31m`, `32m`. Without the escape character, other numbers are text (`[5m]`).
fn is_colour(sequence: &[u8]) -> bool {
    let Some(numbers) = sequence.strip_suffix(b"m") else { return false };
    numbers == b"0" || numbers.contains(&b';') || matches!(numbers, [b'3' | b'4' | b'9', b'0'..=b'7'])
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

/// The message with the control characters that rsyslog escaped as `#012`, or /dev/kmsg as `\x0a`.
pub fn message(body: &[u8], kmsg: bool) -> Cow<'_, [u8]> {
    if kmsg && has(body, b"\\x") {
        return Cow::Owned(unescaped(body, b"\\x", 16, 2));
    }
    match has(body, b"#01") {
        true => Cow::Owned(unescaped(body, b"#0", 8, 2)),
        false => Cow::Borrowed(body),
    }
}

/// Whether the text contains the mark. Most texts do not even contain its first byte, so that no searcher is built.
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
        // rsyslog escapes control characters only; /dev/kmsg escapes others, too.
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
        let cases: [(&[u8], &[u8]); 14] = [
            (b"\x1b[32m[    1.000000] \x1b[0m\x1b[31msd\x1b[0m x\r\n", b"[    1.000000] sd x"),
            (b"[\xc2\xa0 1.0] a\xc2\xa0b", b"[  1.0] a b"),
            (b"Emask 0x409 (media error) &lt;F&gt;", b"Emask 0x409 (media error) <F>"),
            (b"plain & simple", b"plain & simple"),
            ("│ [    1.0] sd x       │".as_bytes(), b" [    1.0] sd x"),
            ("┃[    1.0] sd x".as_bytes(), b"[    1.0] sd x"),
            ("Gr\u{f6}\u{df}e".as_bytes(), "Gr\u{f6}\u{df}e".as_bytes()),
            (b"[[0;1;31mFAILED[0m] Failed to mount [0;1;39m/data[0m.", b"[FAILED] Failed to mount /data."),
            (b"[^[[0;32m  OK  ^[[0m] Mounted /data.", b"[  OK  ] Mounted /data."),
            (b"\x1b[0;32m[    1.0] a [sda] tag#1\x1b[0m", b"[    1.0] a [sda] tag#1"),
            (b"`[    1.0] sd x`", b"[    1.0] sd x"),
            (b"<pre>[    1.0] sd x<br />", b"[    1.0] sd x"),
            (b"[***   ] A job is running\r[ TIME ] Timed out", b"[ TIME ] Timed out"),
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
