//! What specific rules recognised in earlier kernels: `known.tsv`.
//!
//! A line with the path of a file is followed by a line for each format, with tabs: the function, the type of the event, the words of the
//! format as hashes (see [`crate::words`]; the kernel's texts themselves are not kept), and the kernels that have it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::Context;

use crate::judge::{How, Judged};
use crate::words::Words;

/// A format that a specific rule recognised.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The path of the file.
    pub file: String,
    /// The function.
    pub function: String,
    /// Its words.
    pub words: Words,
}

/// The type of the event, and kernels.
#[derive(Clone, Debug, Default)]
struct Seen {
    event_type: String,
    kernels: BTreeSet<Version>,
}

/// The first two numbers of a version.
type Version = (u32, u32);

/// Everything that was recognised.
#[derive(Clone, Debug, Default)]
pub struct Known(BTreeMap<Entry, Seen>);

/// The first two numbers of a version such as `6.12.117`.
pub fn version(text: &str) -> Option<Version> {
    let mut numbers = text.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

impl Known {
    /// Reads the text of the file.
    ///
    /// # Errors
    /// A line is wrong.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let (mut known, mut file) = (Known::default(), "");
        for (number, line) in (1..).zip(text.lines()) {
            match line.strip_prefix('\t') {
                None => file = line,
                Some(columns) => {
                    let (entry, seen) = entry(file, columns).with_context(|| {
                        format!("line {number} is damaged: restore the file, or write it anew with BLESS=1")
                    })?;
                    known.0.insert(entry, seen);
                }
            }
        }
        Ok(known)
    }

    /// The text of the file.
    pub fn written(&self) -> String {
        let (mut text, mut file) = (String::new(), "");
        for (entry, seen) in &self.0 {
            if entry.file != file {
                file = &entry.file;
                text += &format!("{file}\n");
            }
            let kernels: Vec<String> = seen.kernels.iter().map(|(a, b)| format!("{a}.{b}")).collect();
            let columns = [&entry.function, &seen.event_type, &entry.words.shown(), &kernels.join(" ")];
            let _ = writeln!(text, "\t{}", columns.map(String::as_str).join("\t"));
        }
        text
    }

    /// Takes over what is recognised in a kernel.
    pub fn bless(&mut self, kernel: Version, all: &[Judged]) {
        self.0.values_mut().for_each(|seen| {
            seen.kernels.remove(&kernel);
        });
        for judged in all.iter().filter(|judged| judged.how == How::Specific) {
            let seen = self.0.entry(entry_of(judged)).or_default();
            seen.event_type =
                judged.event.as_ref().map_or_else(String::new, |event| event.event_type.clone());
            seen.kernels.insert(kernel);
        }
        self.0.retain(|_, seen| !seen.kernels.is_empty());
    }

    /// The kernel with which this one is compared: itself, else the newest that is no newer, else the oldest.
    pub fn nearest(&self, kernel: Version) -> Option<Version> {
        let kernels: BTreeSet<Version> = self.0.values().flat_map(|seen| &seen.kernels).copied().collect();
        kernels.range(..=kernel).next_back().or(kernels.first()).copied()
    }

    /// What was recognised in a kernel, and the types of the events.
    pub fn of(&self, kernel: Version) -> impl Iterator<Item = (&Entry, &str)> {
        let has = move |seen: &Seen| seen.kernels.contains(&kernel);
        self.0
            .iter()
            .filter(move |(_, seen)| has(seen))
            .map(|(entry, seen)| (entry, seen.event_type.as_str()))
    }
}

fn entry_of(judged: &Judged) -> Entry {
    let format = &judged.format;
    Entry { file: format.file.clone(), function: format.function.clone(), words: judged.words.clone() }
}

fn entry(file: &str, columns: &str) -> Option<(Entry, Seen)> {
    let mut columns = columns.split('\t');
    let (function, event_type) = (columns.next()?.to_owned(), columns.next()?.to_owned());
    let words = Words::parse(columns.next()?)?;
    let kernels = columns.next()?.split(' ').map(version).collect::<Option<_>>()?;
    Some((Entry { file: file.to_owned(), function, words }, Seen { event_type, kernels }))
}
