//! The escapes that kernel, udev and device-mapper use in their text files.

/// Bytes as text: what is not UTF-8, and control characters other than white space, become `\xNN`, so that two
/// different values never look alike.
pub(crate) fn visible(bytes: &[u8]) -> String {
    // Nearly everything is.
    if is_visible(bytes) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match u8::try_from(c) {
                Ok(b) if c.is_control() && !c.is_ascii_whitespace() && b < 0x80 => push_hex(&mut text, b),
                _ => text.push(c),
            }
        }
        chunk.invalid().iter().for_each(|b| push_hex(&mut text, *b));
    }
    text
}

/// Is it text without control characters other than white space?
pub(crate) fn is_visible(bytes: &[u8]) -> bool {
    let control = |b: &u8| b.is_ascii_control() && !b.is_ascii_whitespace();
    !bytes.iter().any(control) && std::str::from_utf8(bytes).is_ok()
}

/// Appends `\xNN`.
pub(crate) fn push_hex(text: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    text.push_str("\\x");
    for nibble in [byte >> 4, byte & 15] {
        text.extend(DIGITS.get(usize::from(nibble)).map(|d| char::from(*d)));
    }
}

/// Decodes `\xNN` as udev writes it in `ID_FS_LABEL_ENC` (libblkid's encode_string). An escape cut short stays.
pub(crate) fn decode_hex(text: &str) -> String {
    decode(text, |rest| match rest {
        [b'x', high, low, ..] => byte_of(&[*high, *low], 16).map(|b| (b, 3)),
        _ => None,
    })
}

/// Decodes `\040` as the kernel writes blanks in /proc/self/mountinfo (fs/proc_namespace.c, mangle).
pub(crate) fn decode_octal(text: &str) -> String {
    decode(text, |rest| match rest {
        [a, b, c, ..] => byte_of(&[*a, *b, *c], 8).map(|b| (b, 3)),
        _ => None,
    })
}

/// A byte from its digits; signs and blanks are no digits.
fn byte_of(digits: &[u8], radix: u32) -> Option<u8> {
    let text = std::str::from_utf8(digits).ok()?;
    let plain = text.chars().all(|c| c.is_digit(radix));
    plain.then(|| u8::from_str_radix(text, radix).ok()).flatten()
}

/// Replaces each backslash sequence that `escape` knows (it gets what follows the backslash, and says the byte and
/// how much of it is used up).
fn decode(text: &str, escape: impl Fn(&[u8]) -> Option<(u8, usize)>) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escaped = (*first == b'\\').then(|| escape(tail)).flatten();
        let (byte, used) = escaped.unwrap_or((*first, 0));
        bytes.push(byte);
        rest = tail.get(used..).unwrap_or_default();
    }
    visible(&bytes)
}

/// A device-mapper name as in /dev/mapper: everything but letters, digits and `#+-.:=@_` as `\xNN`
/// (libdevmapper's hex mangling). Sequences that are mangled already stay.
pub(crate) fn mangle(dm_name: &str) -> String {
    let mut text = String::with_capacity(dm_name.len());
    let mut rest = dm_name.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let mangled = matches!(rest, [b'\\', b'x', high, low, ..] if byte_of(&[*high, *low], 16).is_some());
        if mangled || first.is_ascii_alphanumeric() || b"#+-.:=@_".contains(first) {
            text.push(char::from(*first));
        } else {
            push_hex(&mut text, *first);
        }
        rest = tail;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding() {
        assert_eq!(decode_hex(r"my\x20disk"), "my disk");
        assert_eq!(decode_hex(r"caf\xc3\xa9"), "café");
        assert_eq!(decode_hex(r"cut\x2"), r"cut\x2");
        assert_eq!(decode_hex(r"\x+1"), r"\x+1");
        assert_eq!(decode_octal(r"/mnt/a\040b\134c"), r"/mnt/a b\c");
        assert_eq!(decode_octal(r"/mnt/\999"), r"/mnt/\999");
    }

    #[test]
    fn mangling_is_idempotent() {
        assert_eq!(mangle("my disk"), r"my\x20disk");
        assert_eq!(mangle(r"my\x20disk"), r"my\x20disk");
        assert_eq!(mangle("vg-lv#1+2.3:4=5@_"), "vg-lv#1+2.3:4=5@_");
    }

    #[test]
    fn bytes_stay_distinct() {
        assert_eq!(visible(b"a\xff\x00b"), r"a\xff\x00b");
        assert_eq!(visible("é\n".as_bytes()), "é\n");
    }
}
