//! A folder as a device tree: the root of the running machine, or a copy of another one's.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::{resolve, Last, Source};

/// No attribute of sysfs and no record of udev is larger than a page or a few.
const FILE_LIMIT: u64 = 1 << 20;
/// The mount table of a container host grows beyond that.
const PROC_LIMIT: u64 = 64 << 20;

/// The files below a root folder. For `/` the kernel follows links; for any other root they are followed relative to
/// that root, so that a copied tree never shows the files of the machine it is looked at on.
#[derive(Debug)]
pub struct Directory {
    root: PathBuf,
    live: bool,
}

impl Directory {
    /// A tree below `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        let live = root == Path::new("/");
        Self { root, live }
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
        let link = |inside: &Path| fs::read_link(self.below(inside)).ok();
        resolve(path, last, link).map(|inside| self.below(&inside))
    }

    fn below(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }
}

impl Source for Directory {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let outside = self.outside(path, Last::Follow)?;
        // Asked before it is opened: opening a fifo would wait, and opening a device may do I/O.
        if !fs::metadata(&outside)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        let limit = if path.starts_with("/proc") { PROC_LIMIT } else { FILE_LIMIT };
        let mut content = Vec::new();
        fs::File::open(&outside)?.take(limit + 1).read_to_end(&mut content)?;
        if content.len() as u64 > limit {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("larger than {limit} bytes")));
        }
        Ok(content)
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        fs::read_link(self.outside(path, Last::Keep)?)
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let entries = fs::read_dir(self.outside(path, Last::Follow)?)?;
        entries.map(|entry| entry.map(|e| e.file_name())).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// A folder that is removed at the end.
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
    fn huge_files_and_folders_are_refused() {
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
