//! Console output during boot: systemd's status messages, also in boot.log and from serial consoles.

use super::{message, Head};

/// systemd's status words (src/core/job.c and src/core/show-status.c of systemd).
const WORDS: [&[u8]; 9] =
    [b"OK", b"FAILED", b"TIME", b"DEPEND", b"ASSERT", b"UNSUPP", b"SKIP", b"INFO", b"WARN"];
/// Bytes between the brackets.
const MAX_WORD_BYTES: usize = 10;

impl<'l> Head<'l> {
    /// `[FAILED] Failed to mount /data.`, `[ TIME ] `, `[  OK  ] ` of systemd.
    pub(super) fn status(&mut self, rest: &'l [u8]) -> Option<&'l [u8]> {
        let inner = rest.strip_prefix(b"[")?;
        let end = inner.iter().take(MAX_WORD_BYTES).position(|byte| *byte == b']')?;
        let word = inner.get(..end)?.trim_ascii();
        if !WORDS.contains(&word) {
            return None;
        }
        let body = inner.get(end + 1..)?.strip_prefix(b" ")?;
        self.tool = Some(b"systemd");
        self.console = true;
        Some(message(body))
    }
}
