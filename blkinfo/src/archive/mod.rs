//! Support archives: the block devices of another machine, from its files.
//!
//! A sosreport, a supportconfig, a directory with the output of `lsblk` and `multipath -ll`, or a single file with one of them:
//! [`read`] finds the lists in it, and [`Machine::tree`] answers as [`Tree::live`] does on the machine itself. What is read of which
//! list is in docs/offline.md.
//!
//! An archive is never trusted. No name in it is used as a path, everything that is kept is bounded, and what cannot be read is
//! omitted and reported ([`Contents::problems`]).
//!
//! ```no_run
//! let tree = peripety_blkinfo::Tree::from_archive("sosreport-host1.tar.xz", None)?;
//! println!("{}", tree.block("/dev/sdq")?);
//! # Ok::<(), peripety_blkinfo::Error>(())
//! ```

mod contents;
pub mod log_time;
mod members;
mod spool;
mod tar;
mod unpack;
mod utf16;

use std::path::Path;

use crate::error::Error;
use crate::tree::Tree;

pub use contents::{read, Contents, Machine, Problem};
pub use members::{members, ArchiveFormat, Member, MAX_NESTED};
pub use spool::unnamed_copy;
pub use unpack::{Stream, SAMPLE};

impl Tree {
    /// The machine in a support archive, a directory, or a file with a list of devices. `host` selects one of several: its host name,
    /// or its directory in the archive.
    ///
    /// # Errors
    /// [`Error::Source`] if the path cannot be read, [`Error::NoLists`] if it contains no list of devices, [`Error::Machine`] if it
    /// contains several machines, or not that one.
    pub fn from_archive(path: impl AsRef<Path>, host: Option<&str>) -> Result<Self, Error> {
        Ok(read(path.as_ref(), &|_| None)?.machine(host)?.tree())
    }
}
