//! The device tree and the small readers that everything else is made of.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::error::Error;
use crate::escape::visible;
use crate::name::natural_sort;
use crate::source::{is_within, DirRef, Directory, Memo, Names, Recorded, Source};

/// The only places of a tree that are ever read. (Links in /dev are read too, nodes there are not.)
const READABLE: [&str; 5] =
    ["/sys", "/run/udev/data", "/proc/self/mountinfo", "/proc/swaps", "/proc/sys/kernel/random/boot_id"];

/// The block devices of one machine at one moment (a recorded tree) or right now (the live one).
pub struct Tree {
    source: Arc<dyn Source>,
    live: bool,
    /// See [`Tree::asked`].
    memo: Option<Memo>,
    /// See `presence.rs`.
    pub(crate) coldplug: Arc<OnceLock<u64>>,
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tree").field("live", &self.live).finish_non_exhaustive()
    }
}

impl Tree {
    /// The running machine.
    pub fn live() -> Self {
        Self::directory("/")
    }

    /// The tree below a directory; `/` is the running machine. Links in a copied tree are followed inside it.
    pub fn directory(root: impl Into<PathBuf>) -> Self {
        let directory = Directory::new(root);
        let live = directory.is_live();
        Self { live, ..Self::new(directory) }
    }

    /// A tree recorded in the text format of [`Recorded`].
    ///
    /// # Errors
    /// [`Error::BadText`] when the text is not in that format.
    pub fn recorded(text: &str) -> Result<Self, Error> {
        Recorded::parse(text).map(Self::new)
    }

    /// A directory (as [`Tree::directory`]) or a file in the text format (as [`Tree::recorded`]).
    ///
    /// # Errors
    /// [`Error::Source`] when the path cannot be read, [`Error::BadText`] when the file is not a device tree.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let failed = |source| Error::Source { path: path.to_path_buf(), source };
        if std::fs::metadata(path).map_err(failed)?.is_dir() {
            return Ok(Self::directory(path));
        }
        Self::recorded(&std::fs::read_to_string(path).map_err(failed)?)
    }

    /// A tree that is read from a source of your own.
    pub fn new(source: impl Source + 'static) -> Self {
        Self { source: Arc::new(source), live: false, memo: None, coldplug: Arc::default() }
    }

    /// The same tree during one question or listing: what was read once is not read again. Every question of the public
    /// interface begins with it.
    pub(crate) fn asked(&self) -> Self {
        let (source, coldplug) = (self.source.clone(), self.coldplug.clone());
        let memo = Some(Memo::of(source.clone()));
        Self { source, live: self.live, memo, coldplug }
    }

    fn with_memo<T>(&self, what: impl FnOnce(&Memo) -> T) -> T {
        match &self.memo {
            Some(memo) => what(memo),
            None => what(&Memo::of(self.source.clone())),
        }
    }

    /// Whether this is the running machine, whose state may change between lookups.
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// The boot to which this tree belongs: 32 lower-case hexadecimal digits, as journald writes it in `_BOOT_ID`.
    /// Read from /proc/sys/kernel/random/boot_id (see random(4)).
    ///
    /// # Errors
    /// [`Error::Source`] when it cannot be read, [`Error::BadBootId`] when it holds something else.
    pub fn boot_id(&self) -> Result<String, Error> {
        let path = Path::new("/proc/sys/kernel/random/boot_id");
        let found = visible(&self.read(path)?);
        let id = found.trim().replace('-', "").to_ascii_lowercase();
        if id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Ok(id);
        }
        Err(Error::BadBootId { path: path.to_path_buf(), found })
    }

    /// The content of a file in one of the [`READABLE`] places.
    pub(crate) fn read(&self, path: &Path) -> Result<Arc<[u8]>, Error> {
        let content = guard(path).and_then(|()| self.with_memo(|memo| memo.read(path)));
        content.map_err(|source| Error::Source { path: path.to_path_buf(), source })
    }

    /// An attribute: its content without surrounding white space and NULs. `None` when it is missing or empty.
    pub(crate) fn attr(&self, path: &Path) -> Option<String> {
        attribute(&self.read(path).ok()?)
    }

    /// The same of a file in a place that describes devices, or one directory below it.
    pub(crate) fn attr_in(&self, place: &DirRef, name: &str) -> Option<String> {
        attribute(&self.content_in(place, name)?)
    }

    /// The content of such a file.
    pub(crate) fn content_in(&self, place: &DirRef, name: &str) -> Option<Arc<[u8]>> {
        self.with_memo(|memo| memo.read_in(place, OsStr::new(name))).ok()
    }

    /// The names in a directory in natural order. Names that are not UTF-8 (none of the kernel's) are left out.
    pub(crate) fn try_names(&self, path: &Path) -> Result<Vec<String>, Error> {
        let names = self.listed(path).map_err(|source| Error::Source { path: path.to_path_buf(), source })?;
        Ok(sorted(&names, |_| true))
    }

    /// Those names in a place that fit, in natural order.
    pub(crate) fn names_in(&self, place: &DirRef, fits: impl Fn(&str) -> bool) -> Vec<String> {
        self.with_memo(|memo| memo.names_in(place)).map(|names| sorted(&names, fits)).unwrap_or_default()
    }

    /// The names in a directory within another one.
    pub(crate) fn names_below(&self, place: &DirRef, directory: &str) -> Vec<String> {
        let names = self.with_memo(|memo| memo.names_below(place, OsStr::new(directory)));
        names.map(|names| sorted(&names, |_| true)).unwrap_or_default()
    }

    /// The same; a directory that is missing has none.
    pub(crate) fn names(&self, path: &Path) -> Vec<String> {
        self.try_names(path).unwrap_or_default()
    }

    /// The directory can be listed.
    pub(crate) fn listable(&self, path: &Path) -> Result<(), Error> {
        let listed = self.listed(path).map(drop);
        listed.map_err(|source| Error::Source { path: path.to_path_buf(), source })
    }

    /// The names in a directory, in no order.
    fn listed(&self, path: &Path) -> io::Result<Arc<Names>> {
        guard(path).and_then(|()| self.with_memo(|memo| memo.names(path)))
    }

    /// A directory with something in it.
    pub(crate) fn is_filled(&self, place: &DirRef) -> bool {
        self.with_memo(|memo| memo.names_in(place)).is_ok_and(|names| !names.is_empty())
    }

    /// Follows a link, and all links on its way, inside the tree. `None` when `path` itself is no link.
    pub(crate) fn follow(&self, path: &Path) -> Option<PathBuf> {
        self.followed(path).map(|place| place.path.to_path_buf())
    }

    /// The place to which it leads.
    pub(crate) fn followed(&self, path: &Path) -> Option<DirRef> {
        is_plain(path).then(|| self.with_memo(|memo| memo.followed(path)).ok()).flatten()
    }

    /// Where a path in /dev leads, by its links alone: another path in /dev, which need not exist.
    pub(crate) fn follow_node(&self, path: &Path) -> Option<PathBuf> {
        let node = path.starts_with("/dev").then(|| self.place(path)).flatten()?;
        node.path.starts_with("/dev").then(|| node.path.to_path_buf())
    }

    /// Where a path leads.
    pub(crate) fn place(&self, path: &Path) -> Option<DirRef> {
        is_plain(path).then(|| self.with_memo(|memo| memo.place(path)).ok()).flatten()
    }
}

/// Without surrounding white space and NULs; nothing is none.
fn attribute(content: &[u8]) -> Option<String> {
    let padding = |b: &u8| *b == 0 || b.is_ascii_whitespace();
    let end = content.iter().rposition(|b| !padding(b)).map_or(0, |last| last + 1);
    let mut text = visible(content.get(..end)?);
    let start = text.len() - text.trim_start().len();
    text.drain(..start);
    (!text.is_empty()).then_some(text)
}

fn sorted(names: &Names, fits: impl Fn(&str) -> bool) -> Vec<String> {
    let mut names: Vec<&str> = names.iter().filter(|name| fits(name)).collect();
    natural_sort(&mut names);
    names.into_iter().map(str::to_owned).collect()
}

fn is_plain(path: &Path) -> bool {
    !path.as_os_str().as_bytes().split(|b| *b == b'/').any(|name| name == b"..")
}

fn guard(path: &Path) -> io::Result<()> {
    let inside = READABLE.iter().any(|place| is_within(path, place));
    match inside && is_plain(path) {
        true => Ok(()),
        false => {
            Err(io::Error::new(io::ErrorKind::PermissionDenied, "outside the places that describe devices"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_descriptions_are_read() {
        let tree = Tree::live();
        for path in ["/etc/hostname", "/dev/null", "/sys/../etc/hostname", "/proc/self/environ"] {
            assert!(
                matches!(tree.read(Path::new(path)), Err(Error::Source { source, .. }) if source.kind() == io::ErrorKind::PermissionDenied)
            );
        }
    }

    #[test]
    fn boot_ids() {
        let tree = |id: &str| {
            Tree::recorded(&format!("# peripety device tree 1\n/proc/sys/kernel/random/boot_id = {id}\n"))
                .unwrap()
        };
        assert_eq!(
            tree("1E50B8D8-8e66-4050-8bce-8122546b493b").boot_id().unwrap(),
            "1e50b8d88e6640508bce8122546b493b"
        );
        assert!(matches!(tree("1e50").boot_id(), Err(Error::BadBootId { .. })));
        assert!(matches!(
            Tree::recorded("# peripety device tree 1\n").unwrap().boot_id(),
            Err(Error::Source { .. })
        ));
        assert!(Tree::live().is_live() && !tree("").is_live());
    }

    #[test]
    fn attributes_are_trimmed_and_printable() {
        let tree = Tree::recorded(
            "# peripety device tree 1\n/sys/a = \\x20x\\x00\\x01\\xff y\\x00 \\x00\n/sys/b =\n\t\n",
        )
        .unwrap();
        assert_eq!(tree.attr(Path::new("/sys/a")).as_deref(), Some(r"x\x00\x01\xff y"));
        assert_eq!(tree.attr(Path::new("/sys/b")), None);
        assert_eq!(tree.attr(Path::new("/sys/c")), None);
    }
}
