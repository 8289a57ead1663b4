//! Support archives: what another machine's files say of its block devices.
//!
//! A sosreport, a supportconfig, a directory with the output of `lsblk` and `multipath -ll`, or a single file with one of them:
//! [`read`] finds the lists in it, and [`Machine::tree`] answers as [`Tree::live`] does on the machine itself. What is read of which
//! list is in docs/offline.md.
//!
//! An archive is never trusted. No name in it is used as a path, everything that is kept is bounded, and what cannot be read is
//! left out and told ([`Contents::problems`]).
//!
//! ```no_run
//! let tree = peripety_blkinfo::Tree::from_archive("sosreport-host1.tar.xz", None)?;
//! println!("{}", tree.block("/dev/sdq")?);
//! # Ok::<(), peripety_blkinfo::Error>(())
//! ```

mod contents;
mod members;
mod spool;
mod tar;
mod unpack;
mod utf16;

use std::path::Path;

use crate::error::Error;
use crate::tree::Tree;

pub use contents::{read, Contents, Machine, Problem};
pub use members::{members, Kind, MAX_NESTED};
pub use spool::unnamed_copy;
pub use unpack::{Stream, SAMPLE};

impl Tree {
    /// The machine of which a support archive, a directory or a file with a list of devices tells. Of several, `host` names
    /// one: its host name, or the directory in the archive in which all about it lies.
    ///
    /// # Errors
    /// [`Error::Source`] when the path cannot be read, [`Error::NoLists`] when there is no list of devices in it, [`Error::Machine`]
    /// when it tells of several machines, or not of that one.
    pub fn from_archive(path: impl AsRef<Path>, host: Option<&str>) -> Result<Self, Error> {
        Ok(read(path.as_ref(), &|_| None)?.machine(host)?.tree())
    }
}
