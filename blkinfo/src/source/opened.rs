//! A folder that is open: what is in it is read without walking its long path again.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, RawDir, ResolveFlags};

use super::directory::content_of;

/// What a name in a folder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A symbolic link.
    Link,
    /// A folder.
    Folder,
    /// A device node, a socket …
    Other,
    /// The file system does not tell.
    Unknown,
}

impl From<FileType> for Kind {
    fn from(kind: FileType) -> Self {
        match kind {
            FileType::RegularFile => Self::File,
            FileType::Symlink => Self::Link,
            FileType::Directory => Self::Folder,
            FileType::Unknown => Self::Unknown,
            _ => Self::Other,
        }
    }
}

/// A folder that is open.
pub trait Opened: Send + Sync {
    /// The names in it.
    fn names(&self) -> io::Result<Vec<(OsString, Kind)>>;
    /// The content of a regular file in it, of which it may be known that it is one; else `InvalidInput`.
    fn read(&self, name: &OsStr, kind: Option<Kind>) -> io::Result<Vec<u8>>;
    /// The target of a link in it.
    fn read_link(&self, name: &OsStr) -> io::Result<PathBuf>;
}

/// A folder of this machine.
#[derive(Debug)]
pub(super) struct OpenFolder {
    folder: OwnedFd,
    /// It is one of sysfs, in which there are no nodes and no pipes.
    harmless: bool,
}

impl OpenFolder {
    /// The folder of that path below another one, if neither the path nor what it leads to has a link. `None`: this kernel
    /// cannot do it (openat2(2) came with 5.6).
    pub fn below(root: impl AsFd, path: &OsStr, harmless: bool) -> Option<io::Result<Self>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let way = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        match fs::openat2(root, path, flags, Mode::empty(), way) {
            Ok(folder) => Some(Ok(Self { folder, harmless })),
            Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM | rustix::io::Errno::INVAL) => None,
            Err(error) => Some(Err(error.into())),
        }
    }

    fn kind(&self, name: &OsStr) -> io::Result<Kind> {
        let stat = fs::statat(&self.folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(FileType::from_raw_mode(stat.st_mode).into())
    }
}

/// Room for the entries of a device's folder in one call.
const ENTRIES: usize = 8192;

impl Opened for OpenFolder {
    fn names(&self) -> io::Result<Vec<(OsString, Kind)>> {
        let mut names = Vec::new();
        let mut room = Vec::with_capacity(ENTRIES);
        let mut entries = RawDir::new(&self.folder, room.spare_capacity_mut());
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if !matches!(name, b"." | b"..") {
                names.push((OsString::from_vec(name.to_vec()), entry.file_type().into()));
            }
        }
        Ok(names)
    }

    fn read(&self, name: &OsStr, kind: Option<Kind>) -> io::Result<Vec<u8>> {
        // What it is must be known before it is opened: opening a fifo would wait, and opening a device may do I/O.
        let kind = match kind {
            Some(Kind::Unknown) | None if self.harmless => Kind::File,
            Some(Kind::Unknown) | None => self.kind(name)?,
            Some(kind) => kind,
        };
        let other = || io::Error::new(io::ErrorKind::InvalidInput, "not a regular file");
        if kind != Kind::File {
            return Err(other());
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match fs::openat(&self.folder, name, flags, Mode::empty()) {
            Ok(file) => content_of(file.into(), false),
            Err(rustix::io::Errno::LOOP) => Err(other()),
            Err(error) => Err(error.into()),
        }
    }

    fn read_link(&self, name: &OsStr) -> io::Result<PathBuf> {
        let target = fs::readlinkat(&self.folder, name, Vec::with_capacity(256))?;
        Ok(PathBuf::from(OsStr::from_bytes(target.as_bytes())))
    }
}
