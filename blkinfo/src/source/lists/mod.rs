//! Devices as tools listed them: a [`Tree`] made of what a support archive has in place of sysfs.
//!
//! Each tool's file in [`tools`] extracts facts from the output of that tool. [`devices`] merges the facts of several lists about one
//! device, whatever name each list uses, and [`tree`] arranges them like the files of a running machine. The same code therefore
//! determines what a device is, on a machine and in an archive.

mod budget;
mod depth;
mod devices;
mod fact;
mod log_line;
mod mount_table;
mod named;
mod note;
mod nvme;
mod table;
mod tools;
mod tree;
mod wwid;

use crate::tree::Tree;
use devices::ListedDevices;

/// Names of files that are logs, whatever commands they name.
const LOGS: [&str; 7] = ["dmesg", "messages", "syslog", "kern", "journal", "console", ".log"];

/// A text is the output of a tool that lists devices, by its file's name, as sosreport gives it, or by its first bytes. A log may quote
/// such output, and is none.
pub fn is_list(file_name: &str, begin: &[u8]) -> bool {
    if begin.contains(&0) {
        return false;
    }
    let file = file_name.to_ascii_lowercase();
    let is_log = LOGS.iter().any(|word| file.contains(word));
    let text = String::from_utf8_lossy(begin);
    !is_log && tools::is_command(file_name) || tools::is_list(&text)
}

/// The files of supportconfig, and the programs whose output they contain.
pub fn programs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let sections = text.contains(tools::SUPPORTCONFIG).then(|| tools::sections(text));
    sections.into_iter().flatten().filter_map(|section| {
        let program = section.command.split_whitespace().next()?;
        Some((program.rsplit('/').next()?, section.text))
    })
}

/// The lists of one machine.
#[derive(Clone, Debug, Default)]
pub struct Lists(ListedDevices);

impl Lists {
    /// Reads a text. `command`: the file name, which may name the command. Returns what is wrong in it, with line numbers.
    pub fn take(&mut self, command: &str, text: &str) -> Vec<(usize, String)> {
        tools::take(&mut self.0, command, text);
        self.0.take_problems()
    }

    /// All lists are read.
    pub fn settle(&mut self) {
        self.0.settle();
    }

    /// No device is listed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// There was more than is kept.
    pub fn is_full(&self) -> bool {
        self.0.is_full()
    }

    /// Devices to which lists give several identities, which contradict each other, so that none counts.
    pub fn contradictions(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        self.0.iter().filter_map(|(kname, seen)| Some((kname, seen.contradictions()?)))
    }

    /// The machine.
    pub fn tree(&self) -> Tree {
        Tree::new(tree::of(&self.0))
    }
}
