//! How much of a log was understood.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::LazyLock;

use regex_automata::meta::Regex;

/// Counters of a chunk, or of all inputs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines that are not blank, and entries.
    pub lines: u64,
    /// Those with a time.
    pub timed: u64,
    /// Those known to be from the kernel.
    pub kernel: u64,
    /// Those that look like a problem but match no rule.
    pub unmatched: u64,
    /// The first line without a known head.
    pub first: Option<Shown>,
    /// The lines that look like a problem but match no rule, if they are to be printed.
    pub shown: Vec<Shown>,
}

/// A line to be printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its number, from 1; 0 in a journal file.
    pub line: u64,
    /// The beginning of its text.
    pub text: String,
}

/// Bytes of a line that are shown.
const MAX_SHOWN_BYTES: usize = 1024;

impl Shown {
    /// Of a line.
    pub fn new(line: u64, text: &[u8]) -> Self {
        let text = text.get(..MAX_SHOWN_BYTES).unwrap_or(text);
        Shown { line, text: String::from_utf8_lossy(text).into_owned() }
    }
}

/// What happens to lines that match no rule.
#[derive(Debug, Default)]
pub struct UnmatchedLines {
    /// They are printed.
    pub print: bool,
    /// There is an event, so that the counters are not reported.
    pub found: AtomicBool,
}

impl UnmatchedLines {
    /// Whether such lines are examined.
    pub fn looks(&self) -> bool {
        self.print || !self.found.load(Ordering::Relaxed)
    }
}

/// Words that are common in messages about problems.
static TROUBLE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(WORDS).ok());
const WORDS: &str = r"(?i)\b(?:fail(?:ed|ure|ures|ing|s)?|err(?:or|ors)?|timed[ -]?out|timeouts?|abort(?:ed|ing|s)?|corrupt(?:ed|ion)?|offlined?|lost|unable|cannot|could not|couldn't|not responding|not ready|degraded|dead|unexpected|exception|mismatch|inconsisten(?:t|cy)|unrecover(?:ed|able)|uncorrect(?:ed|able)|faulty|fatal|panic|broken|stuck|hung|blocked for|giving up|gave up|read-only|rejecting|i/o|warning|critical|bad (?:block|sector|crc|checksum|magic)|disconnect(?:ed)?|reset)\b";

/// The text looks like a problem.
pub fn is_trouble(text: &[u8]) -> bool {
    TROUBLE.as_ref().is_some_and(|words| words.is_match(text.get(..MAX_SHOWN_BYTES).unwrap_or(text)))
}

impl Counts {
    /// Counts a line or an entry.
    pub fn add(&mut self, timed: bool, kernel: bool) {
        self.lines += 1;
        self.timed += u64::from(timed);
        self.kernel += u64::from(kernel);
    }

    /// Counts a line that matches no rule, if it looks like a problem.
    pub fn unmatched(&mut self, unmatched: &UnmatchedLines, line: u64, message: &[u8], whole: &[u8]) {
        if unmatched.looks() && is_trouble(message) {
            self.unmatched += 1;
            if unmatched.print {
                self.shown.push(Shown::new(line, whole));
            }
        }
    }

    /// Adds those of a later chunk.
    pub fn extend(&mut self, other: &Counts) {
        self.lines += other.lines;
        self.timed += other.timed;
        self.kernel += other.kernel;
        self.unmatched += other.unmatched;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_recognised_by_its_words() {
        for text in ["foo: request Timed Out", "sdx: I/O problem", "giving up on x", "bad sector 7"] {
            assert!(is_trouble(text.as_bytes()), "{text}");
        }
        for text in ["sd 0:0:0:0: [sda] Attached SCSI disk", "usb 1-1: new device", "badge 7", ""] {
            assert!(!is_trouble(text.as_bytes()), "{text}");
        }
    }
}
