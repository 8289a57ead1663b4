//! A directory that is open: what is in it is read without walking its long path again.

use std::ffi::OsStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, RawDir, ResolveFlags};

use super::directory::content_of;
use super::names::Names;

/// The kind of a name in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A symbolic link.
    Link,
    /// A directory.
    Dir,
    /// A device node, a socket …
    Other,
    /// The file system does not say.
    Unknown,
}

impl From<FileType> for FileKind {
    fn from(kind: FileType) -> Self {
        match kind {
            FileType::RegularFile => Self::File,
            FileType::Symlink => Self::Link,
            FileType::Directory => Self::Dir,
            FileType::Unknown => Self::Unknown,
            _ => Self::Other,
        }
    }
}

/// A directory that is open.
pub trait Opened: Send + Sync {
    /// The names in it.
    fn names(&self) -> io::Result<Names>;
    /// The names in a subdirectory.
    fn names_below(&self, name: &OsStr) -> io::Result<Names>;
    /// The content of a regular file in it, or in a directory in it, of which it may be known that it is one; else
    /// `InvalidInput`. No link is followed.
    fn read(&self, name: &OsStr, kind: Option<FileKind>) -> io::Result<Vec<u8>>;
    /// The target of a link in it.
    fn read_link(&self, name: &OsStr) -> io::Result<PathBuf>;
}

/// A directory of this machine.
#[derive(Debug)]
pub(super) struct OpenDir {
    directory: OwnedFd,
    /// It is one of sysfs, in which there are no nodes and no pipes.
    harmless: bool,
}

/// How a directory is opened, and what may not be on the way.
const OPEN_DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const NO_LINKS: ResolveFlags = ResolveFlags::NO_SYMLINKS.union(ResolveFlags::NO_MAGICLINKS);

impl OpenDir {
    /// The directory of that path below another one, if neither the path nor what it leads to has a link. `None`: this kernel
    /// cannot do it (openat2(2) came with 5.6).
    pub fn below(root: impl AsFd, path: &OsStr, harmless: bool) -> Option<io::Result<Self>> {
        match fs::openat2(root, path, OPEN_DIRECTORY, Mode::empty(), NO_LINKS) {
            Ok(directory) => Some(Ok(Self { directory, harmless })),
            Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM | rustix::io::Errno::INVAL) => None,
            Err(error) => Some(Err(error.into())),
        }
    }

    fn kind(&self, name: &OsStr) -> io::Result<FileKind> {
        let stat = fs::statat(&self.directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(FileType::from_raw_mode(stat.st_mode).into())
    }
}

/// Room for the entries of a device's directory in one call.
const ENTRIES: usize = 8192;

fn names(directory: &OwnedFd) -> io::Result<Names> {
    let mut names = Names::default();
    let mut room = [MaybeUninit::uninit(); ENTRIES];
    let mut entries = RawDir::new(directory, &mut room);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if !matches!(name, b"." | b"..") {
            names.add(name, entry.file_type().into());
        }
    }
    Ok(names.sorted())
}

impl Opened for OpenDir {
    fn names(&self) -> io::Result<Names> {
        names(&self.directory)
    }

    fn names_below(&self, name: &OsStr) -> io::Result<Names> {
        names(&fs::openat(&self.directory, name, OPEN_DIRECTORY, Mode::empty())?)
    }

    fn read(&self, name: &OsStr, kind: Option<FileKind>) -> io::Result<Vec<u8>> {
        // What it is must be known before it is opened: opening a fifo would wait, and opening a device may do I/O.
        let kind = match kind {
            Some(FileKind::Unknown) | None if self.harmless => FileKind::File,
            Some(FileKind::Unknown) | None => self.kind(name)?,
            Some(kind) => kind,
        };
        let other = || io::Error::new(io::ErrorKind::InvalidInput, "not a regular file");
        if kind != FileKind::File {
            return Err(other());
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match name.as_bytes().contains(&b'/') {
            true => fs::openat2(&self.directory, name, flags, Mode::empty(), NO_LINKS),
            false => fs::openat(&self.directory, name, flags, Mode::empty()),
        };
        match file {
            Ok(file) => content_of(file.into(), false),
            Err(rustix::io::Errno::LOOP) => Err(other()),
            Err(error) => Err(error.into()),
        }
    }

    fn read_link(&self, name: &OsStr) -> io::Result<PathBuf> {
        let target = fs::readlinkat(&self.directory, name, Vec::with_capacity(256))?;
        Ok(PathBuf::from(OsStr::from_bytes(target.as_bytes())))
    }
}
