//! A directory as a device tree: the root of the running machine, or a copy of another one's.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustix::fs::{Mode, OFlags, CWD};

use super::opened::{OpenDir, Opened};
use super::{is_within, resolve, Last, Source};

/// No attribute of sysfs and no record of udev is larger than a page or a few.
const FILE_LIMIT: u64 = 1 << 20;
/// What is read at first. More than an attribute has.
const PAGE: usize = 4096 + 1;
/// The mount table of a container host grows beyond that.
const PROC_LIMIT: u64 = 64 << 20;

/// The files below a root directory. For `/` the kernel follows links; for any other root they are followed relative to
/// that root, so that a copied tree never shows the files of the machine it is looked at on.
#[derive(Debug)]
pub struct Directory {
    below: Below,
    live: bool,
}

/// Paths below the root, without following links.
#[derive(Debug)]
struct Below {
    root: PathBuf,
    /// The root, once a directory below it was opened; `None`: it cannot be.
    open: OnceLock<Option<OwnedFd>>,
}

impl Directory {
    /// A tree below `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        let live = root == Path::new("/");
        Self { below: Below { root, open: OnceLock::new() }, live }
    }

    /// Is this the running machine?
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// The path on this machine of a path in the tree.
    fn outside(&self, path: &Path, last: Last) -> io::Result<PathBuf> {
        if self.live {
            return Ok(path.to_path_buf());
        }
        let link = |inside: &Path| self.below.read_link(inside).ok();
        resolve(path, last, link).map(|inside| self.below.path(&inside))
    }
}

impl Below {
    fn open(&self) -> Option<&OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let open = || rustix::fs::openat(CWD, &self.root, flags, Mode::empty()).ok();
        self.open.get_or_init(open).as_ref()
    }

    fn path(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }
}

/// The content of a file of this machine, which is `inside` a tree. What it is was asked before it is opened: opening a fifo
/// would wait, and opening a device may do I/O.
fn content(inside: &Path, outside: &Path, kind: fs::Metadata) -> io::Result<Vec<u8>> {
    if !kind.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let in_proc = inside.starts_with("/proc");
    content_of(fs::File::open(outside)?, in_proc)
}

/// The content of an open file.
pub(super) fn content_of(mut file: fs::File, in_proc: bool) -> io::Result<Vec<u8>> {
    let limit = if in_proc { PROC_LIMIT } else { FILE_LIMIT };
    let mut page = [0; PAGE];
    let first = file.read(&mut page)?;
    let mut content = page.get(..first).unwrap_or_default().to_vec();
    // Outside /proc a short answer is the whole file: sysfs gives an attribute at once (fs/sysfs/file.c).
    if first == PAGE || in_proc {
        file.take(limit + 1).read_to_end(&mut content)?;
    }
    if content.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("larger than {limit} bytes")));
    }
    Ok(content)
}

impl Source for Directory {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let outside = self.outside(path, Last::Follow)?;
        content(path, &outside, fs::metadata(&outside)?)
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        fs::read_link(self.outside(path, Last::Keep)?)
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<OsString>> {
        names(&self.outside(path, Last::Follow)?)
    }

    fn straight(&self) -> Option<&dyn Source> {
        (!self.live).then_some(&self.below)
    }

    fn open(&self, path: &Path) -> Option<io::Result<Box<dyn Opened>>> {
        let opened = match self.live {
            true => OpenDir::below(CWD, path.as_os_str(), is_within(path, "/sys"))?,
            false => {
                let path = path.strip_prefix("/").ok()?;
                OpenDir::below(self.below.open()?, path.as_os_str(), false)?
            }
        };
        Some(opened.map(|directory| Box::new(directory) as Box<dyn Opened>))
    }
}

impl Source for Below {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let outside = self.path(path);
        content(path, &outside, fs::symlink_metadata(&outside)?)
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        fs::read_link(self.path(path))
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<OsString>> {
        names(&self.path(path))
    }
}

fn names(outside: &Path) -> io::Result<Vec<OsString>> {
    fs::read_dir(outside)?.map(|entry| entry.map(|e| e.file_name())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A directory that is removed at the end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("blkinfo-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn nothing_escapes_the_root() {
        let scratch = Scratch::new("escape");
        let root = scratch.0.join("root");
        fs::create_dir_all(root.join("sys/block")).unwrap();
        fs::create_dir_all(root.join("etc")).unwrap();
        fs::write(scratch.0.join("secret"), "outside").unwrap();
        fs::write(root.join("etc/inside"), "inside").unwrap();
        symlink("/etc/inside", root.join("sys/absolute")).unwrap();
        symlink("../../../../../secret", root.join("sys/block/dots")).unwrap();
        symlink(scratch.0.join("secret"), root.join("sys/real")).unwrap();
        let tree = Directory::new(&root);
        assert!(!tree.is_live());
        assert_eq!(tree.read(Path::new("/sys/absolute")).unwrap(), b"inside");
        for path in ["/sys/block/dots", "/sys/real", "/../secret", "/sys/../../secret"] {
            assert_eq!(tree.read(Path::new(path)).unwrap_err().kind(), io::ErrorKind::NotFound, "{path}");
        }
        assert_eq!(tree.read_link(Path::new("/sys/absolute")).unwrap(), Path::new("/etc/inside"));
        assert_eq!(tree.read_dir(Path::new("/etc")).unwrap(), ["inside"]);
    }

    #[test]
    fn huge_files_and_directories_are_refused() {
        let scratch = Scratch::new("huge");
        let file = fs::File::create(scratch.0.join("huge")).unwrap();
        file.set_len(FILE_LIMIT + 1).unwrap();
        let tree = Directory::new(&scratch.0);
        assert_eq!(tree.read(Path::new("/huge")).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(tree.read(Path::new("/")).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        file.set_len(FILE_LIMIT).unwrap();
        assert_eq!(tree.read(Path::new("/huge")).unwrap().len() as u64, FILE_LIMIT);
    }
}
