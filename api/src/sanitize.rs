//! Makes text from logs and devices safe to display.
//!
//! The strings of an event come from kernel logs, volume labels, device serial numbers and mount
//! points: whoever can write one of those must not move the reader's cursor, rename his terminal
//! or make a line appear different from its content (bidirectional overrides, "Trojan Source").

use std::borrow::Cow;
use std::fmt::Write;

/// Characters with no glyph of their own that change how others are shown: control characters,
/// line separators, zero-width and bidirectional controls, annotations, tags.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// The text with every hidden character written out: `\n`, `\t`, `\r`, `\x1b`, `\u{202e}`.
///
/// Idempotent, because what it writes has no hidden character. A backslash stays as it is: the
/// result is for reading, JSON output is the form to parse.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c if !is_hidden(c) => shown.push(c),
            // Writing to a String cannot fail.
            c if u32::from(c) < 0x80 => _ = write!(shown, "\\x{:02x}", u32::from(c)),
            c => _ = write!(shown, "\\u{{{:x}}}", u32::from(c)),
        }
    }
    Cow::Owned(shown)
}

/// JSON text with every hidden character inside its strings as a `\uXXXX` escape: the same JSON
/// value, but safe on a terminal.
///
/// A JSON writer escapes U+0000 to U+001F only; outside of strings there is nothing to escape but
/// the line feeds of indented JSON, which stay.
pub fn visible_json(json: &str) -> Cow<'_, str> {
    let must_go = |c: char| is_hidden(c) && c != '\n';
    if !json.chars().any(must_go) {
        return Cow::Borrowed(json);
    }
    let mut shown = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if must_go(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_not_copied() {
        for text in ["", "sd 2:0:0:1: [sdb] tag#3", "Straße – データ", r"a\x2db"] {
            assert!(matches!(visible(text), Cow::Borrowed(t) if t == text));
            assert!(matches!(visible_json(text), Cow::Borrowed(t) if t == text));
        }
    }

    #[test]
    fn hidden_characters_are_written_out() {
        let table = [
            ("a\nb\r\tc", r"a\nb\r\tc"),
            ("\x1b[2J\x07\0", r"\x1b[2J\x07\x00"),
            ("\x7f", r"\x7f"),
            ("\u{9b}31m", r"\u{9b}31m"),
            ("sd\u{202e}b", r"sd\u{202e}b"),
            ("\u{2066}x\u{2069}", r"\u{2066}x\u{2069}"),
            ("a\u{200b}b\u{feff}", r"a\u{200b}b\u{feff}"),
            ("\u{2028}", r"\u{2028}"),
            ("\u{e0041}", r"\u{e0041}"),
        ];
        for (text, expected) in table {
            assert_eq!(visible(text), expected);
            assert_eq!(visible(&visible(text)), expected, "idempotent");
        }
    }

    #[test]
    fn json_keeps_its_value() {
        let value = "a\u{9b}b\u{202e}c\u{7f}d\u{e0041}e\nf";
        let json = serde_json::to_string_pretty(&[value]).unwrap();
        let safe = visible_json(&json);
        assert!(!safe.chars().any(|c| is_hidden(c) && c != '\n'), "{safe}");
        let back: Vec<String> = serde_json::from_str(&safe).unwrap();
        assert_eq!(back, [value]);
    }
}
