//! The one error type of this crate.

use std::io;
use std::path::PathBuf;

/// Why a lookup has no answer. Each message states what was searched, and the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No block device of this tree goes by that string.
    #[error("no block device {device:?}: looked for {looked}; `lsblk` lists the devices of this machine")]
    NotFound {
        /// The string as it was given.
        device: String,
        /// What was searched for, and where.
        looked: String,
    },
    /// Several block devices go by that string.
    #[error("{device:?} means several block devices ({}): name one of them", candidates.join(", "))]
    Ambiguous {
        /// The string as it was given.
        device: String,
        /// Kernel names of the devices, in natural order.
        candidates: Vec<String>,
    },
    /// A file or directory that is needed could not be read.
    #[error("cannot read {}: {source}; is it there, and may this user read it?", path.display())]
    Source {
        /// The path, as seen inside the tree.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A recorded device tree is not in the text format that [`crate::Recorded`] describes.
    #[error("device tree, line {line}: {problem}; {remedy}")]
    BadText {
        /// Line number, from 1.
        line: usize,
        /// What is wrong with the line.
        problem: String,
        /// What would be right.
        remedy: &'static str,
    },
    /// An archive, directory or file contains no list of devices.
    #[error(
        "{} contains no list of block devices{}; give a sosreport, a supportconfig, or the output of lsblk, multipath -ll or similar tools",
        path.display(), because(problem)
    )]
    NoLists {
        /// The archive.
        path: PathBuf,
        /// What could not be read in it, with file and line.
        problem: Option<String>,
    },
    /// An archive contains several machines, or not the requested one.
    #[error("{} contains the machines {}{}; select one of them", path.display(), machines.join(", "), and_not(host))]
    Machine {
        /// The archive.
        path: PathBuf,
        /// The requested machine.
        host: Option<String>,
        /// Those that it contains.
        machines: Vec<String>,
    },
    /// The boot id is not one.
    #[error("{} holds {found:?}, which is not a boot id of 32 hexadecimal digits; record the tree again", path.display())]
    BadBootId {
        /// Where it was read.
        path: PathBuf,
        /// What was found there.
        found: String,
    },
}

/// ` (PROBLEM)`.
fn because(problem: &Option<String>) -> String {
    problem.as_ref().map(|problem| format!(" ({problem})")).unwrap_or_default()
}

/// `, and not of HOST`.
fn and_not(host: &Option<String>) -> String {
    host.as_ref().map(|host| format!(", and not of {host:?}")).unwrap_or_default()
}

impl Error {
    /// The same, of the device string as it was given.
    pub(crate) fn about(self, given: &str) -> Self {
        match self {
            Self::Ambiguous { candidates, .. } => Self::Ambiguous { device: given.to_owned(), candidates },
            other => other,
        }
    }
}
