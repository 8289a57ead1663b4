//! The quoted-printable encoding of mail (RFC 2045, section 6.7): `=3D` is an equals sign, and a line that ends with `=` continues in the
//! next one.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter};

/// The header of a mail that names the encoding of what follows.
const HEADER: &[u8] = b"content-transfer-encoding:";

/// A header names the encoding. Otherwise every equals sign of the text must belong to an escape, and at least one be a soft line break or
/// an escaped sign.
pub fn is_quoted(text: &[u8]) -> bool {
    names_encoding(text) || has_escapes_only(text)
}

/// A line of the text is such a header, of this encoding.
fn names_encoding(text: &[u8]) -> bool {
    memchr::memmem::find_iter(text, b"-Encoding: quoted-printable").next().is_some()
        && text.split(|byte| *byte == b'\n').any(|line| encoding(line) == Some(true))
}

/// Of a header with the encoding: whether it is this one.
fn encoding(line: &[u8]) -> Option<bool> {
    let (name, value) = line.split_at_checked(HEADER.len())?;
    name.eq_ignore_ascii_case(HEADER).then(|| value.trim_ascii().eq_ignore_ascii_case(b"quoted-printable"))
}

fn has_escapes_only(text: &[u8]) -> bool {
    let mut telling = false;
    for at in memchr_iter(b'=', text) {
        match text.get(at + 1..).unwrap_or_default() {
            // The end of the chunk.
            [] | [_] => {}
            [b'\n', ..] | [b'\r', b'\n', ..] => telling = true,
            escape => match byte_of(escape) {
                Some(b'=' | b' ' | b'\t') => telling = true,
                Some(_) => {}
                None => return false,
            },
        }
    }
    telling
}

/// The byte of an escape; its digits must be in upper case.
fn byte_of(escape: &[u8]) -> Option<u8> {
    let digits = escape
        .get(..2)
        .filter(|digits| digits.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F')))?;
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// The decoded lines, and of how many lines of the file each consists. A joined line is followed by empty ones, so that line numbers do
/// not change. If headers name the encoding, each counts up to the next one, or to the next mail of a mailbox.
pub fn unquoted<'t>(lines: &[&'t [u8]], longest: usize) -> (Vec<Cow<'t, [u8]>>, Vec<u64>) {
    let (mut out, mut spans) = (Vec::with_capacity(lines.len()), Vec::with_capacity(lines.len()));
    let mut open: Option<usize> = None;
    let mut quoted = !lines.iter().any(|line| encoding(line).is_some());
    let is_mailbox = !quoted;
    for line in lines {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        quoted = encoding(line).unwrap_or(quoted && !(is_mailbox && line.starts_with(b"From ")));
        if !quoted {
            out.push(Cow::Borrowed(line));
            spans.push(1);
            open = None;
            continue;
        }
        let (text, goes_on) = line.strip_suffix(b"=").map_or((line, false), |text| (text, true));
        let decoded = decoded(text);
        let at = open.unwrap_or(out.len());
        match open.and_then(|at| out.get_mut(at)) {
            Some(first) => {
                let first: &mut Vec<u8> = Cow::to_mut(first);
                let room = longest.saturating_sub(first.len());
                first.extend_from_slice(decoded.get(..room).unwrap_or(&decoded));
                out.push(Cow::Borrowed(&b""[..]));
                spans.push(1);
                if let Some(span) = spans.get_mut(at) {
                    *span += 1;
                }
            }
            None => {
                out.push(decoded);
                spans.push(1);
            }
        }
        open = goes_on.then_some(at);
    }
    (out, spans)
}

fn decoded(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr(b'=', text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr(b'=', rest) {
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + 1..).unwrap_or_default();
        match byte_of(rest) {
            Some(byte) => {
                out.push(byte);
                rest = rest.get(2..).unwrap_or_default();
            }
            None => out.push(b'='),
        }
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_mails_are_unquoted() {
        assert!(is_quoted(b"[    1.0] sda: =\nx\n"));
        assert!(is_quoted(b"a=3D0x10 b=C3=A4\n"));
        assert!(is_quoted(b"Content-Type: text/plain; charset=us-ascii\nContent-Transfer-Encoding: quoted-printable\n\nx =\ny\n"));
        assert!(!is_quoted(b"> Content-Transfer-Encoding: quoted-printable\na=0x10\n"));
        for text in ["a=0x10\n", "a=3d\n", "no sign\n", "a=3D b=c\n", ""] {
            assert!(!is_quoted(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn lines_are_put_together_and_keep_their_numbers() {
        let (lines, spans) = unquoted(&[b"a=3D1 =", b"b =\r", b"c", b"d=E9"], 100);
        let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_ref()).collect();
        assert_eq!(lines, [&b"a=1 b c"[..], b"", b"", b"d\xe9"]);
        assert_eq!(spans, [3, 1, 1, 1]);
    }

    #[test]
    fn each_mail_of_a_mailbox_has_its_encoding() {
        let mailbox: [&[u8]; 9] = [
            b"From a",
            b"Content-Transfer-Encoding: Quoted-Printable",
            b"error=3D-5 =",
            b"x",
            b"From b",
            b"error=10",
            b"From c",
            b"content-transfer-encoding: 8bit",
            b"error=20",
        ];
        let (lines, _) = unquoted(&mailbox, 100);
        let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_ref()).collect();
        assert_eq!(lines.get(2..4), Some(&[&b"error=-5 x"[..], b""][..]));
        assert_eq!(
            lines.get(5..),
            Some(&[&b"error=10"[..], b"From c", b"content-transfer-encoding: 8bit", b"error=20"][..])
        );
    }
}
