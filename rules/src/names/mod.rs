//! Kernel lines that begin with a name which a user chooses.
//!
//! Any user may name a process `XFS (dm-0): x` or, in a user namespace, a network interface `SPLError`, and have the kernel
//! print a genuine line that begins so. What the kernel prints behind such a name is known: `formats.tsv` holds its format
//! strings, made from its sources by `scripts/kernel-names.py`. A line that one of them can have printed is not a rule's
//! whatever it begins with, unless storage code prints it and the rule is of that code's sub-system.

pub mod format;

use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use format::{Class, PrintkFormat, PrintkPart, PROCESS_NUMBERS};

static TABLE: &str = include_str!("formats.tsv");

/// All formats of the kernel that begin with a name which a user chooses.
pub fn formats() -> impl Iterator<Item = PrintkFormat> {
    TABLE.lines().filter_map(PrintkFormat::parse)
}

/// Whether the line may begin with a user-chosen name, so that no rule of this sub-system may match it.
pub fn speaks(line: &[u8], sub_system: &str) -> bool {
    is_of_any_process(line) || known().may_print(line, sub_system)
}

/// The formats that can be recognised, and their longest texts: nearly all lines contain none of these.
struct FormatIndex {
    /// `None`: all formats are tried.
    longest_texts: Option<AhoCorasick>,
    /// Their lines in the table, which are parsed again for the few log lines that contain their text.
    formats: Vec<&'static str>,
}

fn known() -> &'static FormatIndex {
    static KNOWN: OnceLock<FormatIndex> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let is_distinctive =
            |line: &&'static str| PrintkFormat::parse(line).is_some_and(|format| format.is_distinctive());
        let formats: Vec<&str> = TABLE.lines().filter(is_distinctive).collect();
        let texts =
            formats.iter().filter_map(|line| PrintkFormat::parse(line)).map(|format| longest_text(&format));
        let longest_texts = AhoCorasick::builder().kind(Some(AhoCorasickKind::ContiguousNFA)).build(texts);
        FormatIndex { longest_texts: longest_texts.ok(), formats }
    })
}

impl FormatIndex {
    fn may_print(&self, line: &[u8], sub_system: &str) -> bool {
        let prints = |format: PrintkFormat| format.owner != Some(sub_system) && format.may_print(line);
        match &self.longest_texts {
            Some(texts) => {
                let found = texts.find_overlapping_iter(line);
                let formats = found.filter_map(|found| self.formats.get(found.pattern().as_usize()));
                formats.filter_map(|format| PrintkFormat::parse(format)).any(prints)
            }
            None => self.formats.iter().filter_map(|format| PrintkFormat::parse(format)).any(prints),
        }
    }
}

/// The text behind the name that is in every line; at its end there may be no white space.
fn longest_text(format: &PrintkFormat) -> Vec<u8> {
    let texts = format.parts().into_iter().map(|part| match part {
        PrintkPart::Text(text) => text.trim_ascii_end().to_vec(),
        PrintkPart::Any(_) => Vec::new(),
    });
    texts.max_by_key(Vec::len).unwrap_or_default()
}

impl PrintkFormat {
    /// Whether the kernel can print this line with the format.
    fn may_print(&self, line: &[u8]) -> bool {
        let (before, source, parts) = (self.split().0, self.source, self.parts());
        let Some(rest) = line.strip_prefix(before.as_bytes()) else { return false };
        let ends = 0..=source.longest().min(rest.len());
        ends.filter_map(|end| rest.get(end..)).any(|rest| {
            let mut behind =
                source.suffixes().iter().filter_map(|suffix| rest.strip_prefix(suffix.as_bytes()));
            behind.any(|rest| is_printed(&parts, rest))
        })
    }
}

/// Parts of a format can print this, but for white space at its end.
fn is_printed(parts: &[PrintkPart], line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    // Where the parts so far may end, in order.
    let mut ends = vec![0];
    for (number, part) in parts.iter().enumerate() {
        ends = match part {
            PrintkPart::Text(text) => {
                let mut behind = parts.iter().skip(number + 1);
                let is_last = behind.all(|part| matches!(part, PrintkPart::Any(_)));
                // White space at the end of the line may be lost.
                let fits = |rest: &[u8]| rest.starts_with(text) || is_last && rest == text.trim_ascii_end();
                let follows = |end: &usize| line.get(*end..).is_some_and(fits);
                let after = |end: usize| (end + text.len()).min(line.len());
                ends.into_iter().filter(follows).map(after).collect()
            }
            PrintkPart::Any(class) => extended(&ends, line, *class),
        };
    }
    ends.last() == Some(&line.len())
}

/// All ends, each followed by any number of bytes of a class.
fn extended(ends: &[usize], line: &[u8], class: Class) -> Vec<usize> {
    let mut all: Vec<usize> = Vec::new();
    for end in ends {
        if all.last().is_some_and(|last| last >= end) {
            continue;
        }
        let rest = line.get(*end..).unwrap_or_default();
        let longest = rest.iter().take_while(|byte| class.has(**byte)).count();
        all.extend(*end..=end + longest);
    }
    all
}

/// Length of a process's name at most.
const PROCESS: usize = 15;
/// What kernels of all ages print right behind it (mm/oom_kill.c `dump_header`, mm/page_alloc.c `warn_alloc`), besides the
/// process's number.
const BEHIND: [&[u8]; 2] = [b" invoked oom-killer", b": page allocation failure"];

/// The line has the form of those that begin with the name of a process and its number.
fn is_of_any_process(line: &[u8]) -> bool {
    let end = line.len().min(PROCESS + 1);
    (1..end).filter_map(|at| line.get(at..)).any(|rest| {
        BEHIND.iter().any(|words| rest.starts_with(words))
            || PROCESS_NUMBERS.iter().any(|(open, close)| is_number(rest, open.as_bytes(), close.as_bytes()))
    })
}

/// Digits between two texts, and something that no storage line has behind a number so early: `[4242]: segfault`.
fn is_number(rest: &[u8], open: &[u8], close: &[u8]) -> bool {
    let Some(inner) = rest.strip_prefix(open) else { return false };
    let digits = inner.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && inner.get(digits..).is_some_and(|behind| behind.starts_with(close))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_names_are_known() {
        for line in [
            "XFS (dm-0): x[4242]: segfault at 0 ip 000055d5",
            "ata1.00: x[7] general protection fault",
            "md/raid1:md0: (4242): drop_caches: 3",
            "nvme nvme0: bad invoked oom-killer: gfp_mask=0xcc0",
            "XFS (dm-0): xxx: page allocation failure: order:4",
            "BTRFS error (de uses obsolete (PF_INET,SOCK_PACKET)",
            "SPLError: renamed from veth0",
            "dasd(eckd): renamed from SPLError",
            "SPLError (unregistering): left promiscuous mode",
            "sd 0:0:0:0: [s/7: reached RLIMIT_SIGPENDING, dropped signal 9",
        ] {
            assert!(speaks(line.as_bytes(), "other"), "{line}");
        }
    }

    #[test]
    fn lines_about_storage_are_none_of_theirs() {
        for line in [
            "XFS (dm-0): Internal error",
            "sd 0:0:0:0: [sda] tag#3 FAILED",
            "",
            "x",
            "mmc0: error -110 x",
            "ata1: link is slow to respond, please be patient (ready=0)",
            "mount: attempt to access beyond end of device\nsdb1: rw=0, sector=1, nr_sectors = 8 limit=1",
            "ata3.00: cmd 60/08:50:10:5b:4a/00:00:00:00:00/40 tag 10 ncq dma 4096 in",
        ] {
            assert!(!speaks(line.as_bytes(), "block"), "{line}");
        }
    }
}
