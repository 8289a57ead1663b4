//! Cursors of journald in few bytes.

use std::fmt;

/// A cursor (sd_journal_get_cursor(3)), `s=…;i=…;b=…;m=…;t=…;x=…`: 64 bytes instead of 140.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// `s` and `b`, then `i`, `m`, `t` and `x`.
    Parts([u128; 2], [u64; 4]),
    /// Of another form.
    Text(Box<str>),
}

impl Cursor {
    /// Of the text that journald gave.
    pub fn new(text: String) -> Self {
        let short = Self::parse(&text).filter(|cursor| cursor.to_string() == text);
        short.unwrap_or_else(|| Cursor::Text(text.into_boxed_str()))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';');
        let mut part = |name: &str| parts.next()?.strip_prefix(name)?.strip_prefix('=');
        let long = |text: Option<&str>| u128::from_str_radix(text?, 16).ok();
        let short = |text: Option<&str>| u64::from_str_radix(text?, 16).ok();
        let (s, i, b) = (long(part("s"))?, short(part("i"))?, long(part("b"))?);
        Some(Cursor::Parts([s, b], [i, short(part("m"))?, short(part("t"))?, short(part("x"))?]))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cursor::Parts([s, b], [i, m, t, x]) => {
                write!(f, "s={s:032x};i={i:x};b={b:032x};m={m:x};t={t:x};x={x:x}")
            }
            Cursor::Text(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cursor_changes() {
        let usual = "s=00a5b0d1c2e34f5a8b7c6d5e4f3a2b1c;i=1f3;b=0123456789abcdef0123456789abcdef;m=9f1;t=6;x=fedcba9876543210";
        assert!(matches!(Cursor::new(usual.into()), Cursor::Parts(..)));
        for text in
            [usual, "", "rubbish", "s=1;i=2;b=3;m=4;t=5;x=6", &format!("{usual};y=1"), &usual.to_uppercase()]
        {
            assert_eq!(Cursor::new(text.into()).to_string(), text);
        }
    }
}
