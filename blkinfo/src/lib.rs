//! What block device is this?
//!
//! Log messages, mount tables and administrators all name the same disk differently: `sdb`, `8:16`, `2:0:0:1`, `/dev/disk/by-id/…`,
//! `mpatha`, `vg/lv`, a file system UUID, a mount point. This crate takes any of these strings and returns one [`BlockInfo`]: the WWID,
//! which survives reboots and renames ([`BlockInfo::dev_wwid`]), the devices it is built from ([`BlockInfo::owners`]), its content, and
//! how it is attached.
//!
//! It reads only sysfs, the symbolic links in /dev, udev's database in /run/udev/data, /proc/self/mountinfo and /proc/swaps. **It never
//! opens a device node and never accesses a path that it is asked about**: a lookup causes no I/O on a dead disk and cannot block.
//! multipathd is queried only through [`Multipathd`].
//!
//! Everything is read through a [`Source`], so that a [`Tree`] is the running machine, a directory with a copy of another machine's
//! files, or a recorded text file (see [`Recorded`]).
//!
//! ```no_run
//! let tree = peripety_blkinfo::Tree::live();
//! let disk = tree.block("/dev/mapper/mpatha")?;
//! println!("{:?} is built from {:?}", disk.dev_wwid, disk.owners_paths());
//! # Ok::<(), peripety_blkinfo::Error>(())
//! ```

#[cfg(feature = "archive")]
pub mod archive;
mod describe;
mod device;
mod error;
mod escape;
mod extension;
mod hardware;
pub mod history;
mod identity;
mod info;
mod mounts;
mod multipathd;
mod name;
mod paths;
mod presence;
mod query;
mod share;
mod source;
mod topology;
mod transport;
mod tree;
mod udev;

pub use error::Error;
pub use extension::Extension;
pub use info::{BlkType, BlockInfo, Owner, Path};
pub use mounts::Mount;
pub use multipathd::Multipathd;
pub use name::{natural_cmp, DevNumber};
pub use source::{Directory, Recorded, Source};
pub use topology::Topology;
pub use tree::Tree;

/// The examples of the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
