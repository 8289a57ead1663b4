//! Where a device tree is read from.

mod directory;
#[cfg(feature = "archive")]
pub(crate) mod lists;
mod memo;
#[cfg(test)]
mod memo_tests;
mod names;
mod opened;
mod place;
mod recorded;
mod text;

pub use directory::Directory;
pub(crate) use memo::{is_within, Memo};
pub(crate) use names::Names;
pub(crate) use place::DirRef;
pub use recorded::Recorded;

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path, PathBuf};

/// A read-only view of a file tree. All paths are absolute as seen inside the tree; symbolic links on the way are
/// followed inside the tree and never lead out of it.
pub trait Source: Send + Sync {
    /// The content of a regular file.
    ///
    /// # Errors
    /// The usual kinds of the file system; `FileTooLarge` past a limit that no file of sysfs or udev comes near.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// The target of a symbolic link, as it is written there.
    ///
    /// # Errors
    /// The usual kinds of the file system; `InvalidInput` when the path is no link.
    fn read_link(&self, path: &Path) -> io::Result<PathBuf>;

    /// The names in a directory, in no order.
    ///
    /// # Errors
    /// The usual kinds of the file system.
    fn read_dir(&self, path: &Path) -> io::Result<Vec<OsString>>;

    /// The same tree for somebody who has followed the links on the way already, if it is faster so. Where a link stands at
    /// the end of a path, `read` is [`io::ErrorKind::InvalidInput`].
    fn straight(&self) -> Option<&dyn Source> {
        None
    }

    /// A directory that is kept open, if the source can do that and no link is on the way.
    #[doc(hidden)]
    fn open(&self, _path: &Path) -> Option<io::Result<Box<dyn opened::Opened>>> {
        None
    }
}

/// How many symbolic links one path may lead through, as in the kernel (MAXSYMLINKS in include/linux/namei.h).
const MAX_LINKS: usize = 40;

/// Is the last component of a path followed, when it is a link?
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Last {
    Follow,
    Keep,
}

/// Follows the links of `path` inside a tree whose links `link` knows (`None`: not a link). The answer is absolute,
/// has neither `.` nor `..` nor a link in it, and need not exist. `..` stops at the root of the tree.
pub(crate) fn resolve(
    path: &Path,
    last: Last,
    link: impl Fn(&Path) -> Option<PathBuf>,
) -> io::Result<PathBuf> {
    let mut done = PathBuf::from("/");
    let mut rest: VecDeque<OsString> = names(path).map(OsStr::to_os_string).collect();
    let mut links = 0;
    while let Some(name) = rest.pop_front() {
        if name == ".." {
            done.pop();
            continue;
        }
        done.push(&name);
        if rest.is_empty() && last == Last::Keep {
            break;
        }
        let Some(target) = link(&done) else { continue };
        links += 1;
        if links > MAX_LINKS {
            return Err(io::Error::other(format!("more than {MAX_LINKS} symbolic links on the way")));
        }
        done.pop();
        if target.is_absolute() {
            done = PathBuf::from("/");
        }
        for name in names(&target).collect::<Vec<_>>().into_iter().rev() {
            rest.push_front(name.to_os_string());
        }
    }
    Ok(done)
}

/// The components of a path, `..` included, without root and `.`.
fn names(path: &Path) -> impl Iterator<Item = &OsStr> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name),
        Component::ParentDir => Some(OsStr::new("..")),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(path: &Path) -> Option<PathBuf> {
        let target = match path.to_str()? {
            "/sys/block/sda" => "../devices/x/sda",
            "/abs" => "/sys/block/../block/sda",
            "/out" => "../../../../etc",
            "/loop" => "loop",
            _ => return None,
        };
        Some(target.into())
    }

    #[test]
    fn links_stay_inside() {
        let at = |path: &str, last| resolve(Path::new(path), last, links).unwrap();
        assert_eq!(at("/sys/block/sda/dev", Last::Follow), Path::new("/sys/devices/x/sda/dev"));
        assert_eq!(at("/abs", Last::Follow), Path::new("/sys/devices/x/sda"));
        assert_eq!(at("/abs", Last::Keep), Path::new("/abs"));
        assert_eq!(at("/out/passwd", Last::Follow), Path::new("/etc/passwd"));
        assert_eq!(at("/../../x", Last::Follow), Path::new("/x"));
        assert!(resolve(Path::new("/loop"), Last::Follow, links).is_err());
    }
}
