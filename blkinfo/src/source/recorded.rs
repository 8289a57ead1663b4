//! A device tree in memory, read from a text that people can edit.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use super::{resolve, text, Last, Source};
use crate::error::Error;

/// A recorded device tree. Its text format, line by line:
///
/// ```text
/// # peripety device tree 1                          required first line; other lines that begin with # are comments
/// /sys/block/sda -> ../devices/pci0000:00/sda       a symbolic link
/// /sys/devices/pci0000:00/sda/dev = 8:0             a file with one line
/// /proc/self/mountinfo =                            a file whose lines follow, each after one TAB; with none of
/// <TAB>26 1 8:1 / / rw - ext4 /dev/sda1 rw          them it is empty
/// /sys/devices/pci0000:00/sda/holders/              an empty directory; the directories above a path need no line
/// ```
///
/// Every line of a file ends with a newline, unless `\c` ends it. `\xNN` is any byte, `\\` a backslash; a blank in a
/// path is `\x20`. Empty lines mean nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    nodes: BTreeMap<PathBuf, Node>,
}

/// The node at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    File(Vec<u8>),
    Link(PathBuf),
    Dir(BTreeSet<OsString>),
}

impl Recorded {
    /// Reads the text format.
    ///
    /// # Errors
    /// [`Error::BadText`] with the number of the first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, Error> {
        text::parse(text)
    }

    /// The tree in the text format, sorted by path. Parsing it gives an equal tree.
    pub fn to_text(&self) -> String {
        text::write(&self.nodes)
    }

    /// Applies what changed since: lines `- PATH` for what is gone, with all below it, and the text format for what is new or
    /// different (its first line may be missing).
    ///
    /// # Errors
    /// [`Error::BadText`] with the number of the first line that is wrong.
    pub fn apply(&mut self, changes: &str) -> Result<(), Error> {
        let (gone, new) = text::parse_changes(changes)?;
        gone.iter().for_each(|path| self.remove(path));
        new.nodes.into_iter().for_each(|(path, node)| self.put(&path, node));
        Ok(())
    }

    /// Takes over from a later tree of the same machine what describes a device, by its directory below /sys: the directory, with
    /// those above it that are new, the links that lead into them, and udev's record of it. False: the later tree does not
    /// have the device.
    pub fn adopt(&mut self, later: &Recorded, devpath: &str) -> bool {
        let directory = PathBuf::from(format!("/sys{devpath}"));
        if !later.nodes.contains_key(&directory) {
            return false;
        }
        let new = directory.ancestors().take_while(|above| !self.nodes.contains_key(*above));
        let top = new.last().unwrap_or(&directory).to_path_buf();
        self.remove(&top);
        let number = |tree: &Recorded| match tree.nodes.get(&directory.join("dev")) {
            Some(Node::File(content)) => String::from_utf8_lossy(content).trim().to_owned(),
            _ => String::new(),
        };
        let record = PathBuf::from(format!("/run/udev/data/b{}", number(later)));
        let below = later.nodes.range(top.clone()..).take_while(|(path, _)| path.starts_with(&top));
        let links = later.nodes.iter().filter(|(path, node)| match node {
            Node::Link(target) => leads(path, target).starts_with(&top),
            Node::File(_) => **path == record,
            Node::Dir(_) => false,
        });
        below.chain(links).for_each(|(path, node)| self.put(path, node.clone()));
        true
    }

    /// Removes a device: its directory below /sys, and the links that lead into it.
    pub fn forget(&mut self, devpath: &str) {
        let directory = PathBuf::from(format!("/sys{devpath}"));
        let into = |(path, node): (&PathBuf, &Node)| match node {
            Node::Link(target) => leads(path, target).starts_with(&directory).then(|| path.clone()),
            _ => None,
        };
        let links: Vec<PathBuf> = self.nodes.iter().filter_map(into).collect();
        links.iter().for_each(|link| self.remove(link));
        self.remove(&directory);
    }

    /// A file in the tree, as its text.
    pub fn text(&self, path: &Path) -> Option<String> {
        self.read(path).ok().map(|content| String::from_utf8_lossy(&content).into_owned())
    }

    /// Takes a path away, and all below it.
    fn remove(&mut self, path: &Path) {
        let below = self.nodes.range(path.to_path_buf()..).take_while(|(below, _)| below.starts_with(path));
        let gone: Vec<PathBuf> = below.map(|(below, _)| below.clone()).collect();
        gone.iter().for_each(|below| drop(self.nodes.remove(below)));
        if let (Some(Node::Dir(names)), Some(name)) =
            (path.parent().and_then(|parent| self.nodes.get_mut(parent)), path.file_name())
        {
            names.remove(name);
        }
    }

    /// Sets a node whatever was there. A directory keeps what it has.
    fn put(&mut self, path: &Path, node: Node) {
        let directories = matches!((self.nodes.get(path), &node), (Some(Node::Dir(_)), Node::Dir(_)));
        if directories {
            return;
        }
        self.remove(path);
        let node = match node {
            Node::Dir(_) => Node::Dir(BTreeSet::new()),
            other => other,
        };
        // What stands in the way is of a tree that never was: left as it is.
        let _ = self.insert(path, node);
    }

    /// Adds a node and its parent directories. The error says which existing node prevents it.
    pub(in crate::source) fn insert(&mut self, path: &Path, node: Node) -> Result<(), String> {
        match (self.nodes.get(path), &node) {
            (None, _) => {}
            (Some(Node::Dir(_)), Node::Dir(_)) => return Ok(()),
            (Some(_), _) => return Err(format!("{} is there already", path.display())),
        }
        self.link_into_parent(path)?;
        self.nodes.insert(path.to_path_buf(), node);
        Ok(())
    }

    /// Lists `path` in its parent directory, which is made when it is missing.
    fn link_into_parent(&mut self, path: &Path) -> Result<(), String> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok(());
        };
        if !self.nodes.contains_key(parent) {
            self.link_into_parent(parent)?;
            self.nodes.insert(parent.to_path_buf(), Node::Dir(BTreeSet::new()));
        }
        match self.nodes.get_mut(parent) {
            Some(Node::Dir(names)) => names.insert(OsStr::to_os_string(name)),
            _ => return Err(format!("{} is not a directory", parent.display())),
        };
        Ok(())
    }

    fn node(&self, path: &Path, last: Last) -> io::Result<&Node> {
        let link = |inside: &Path| match self.nodes.get(inside) {
            Some(Node::Link(target)) => Some(target.clone()),
            _ => None,
        };
        let resolved = resolve(path, last, link)?;
        self.nodes.get(&resolved).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// Where a link leads, by its text.
fn leads(link: &Path, target: &Path) -> PathBuf {
    let mut path = if target.is_absolute() { PathBuf::from("/") } else { link.to_path_buf() };
    if !target.is_absolute() {
        path.pop();
    }
    for name in super::names(target) {
        if name == ".." {
            path.pop();
        } else {
            path.push(name);
        }
    }
    path
}

impl Source for Recorded {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        match self.node(path, Last::Follow)? {
            Node::File(content) => Ok(content.clone()),
            _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
        }
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        match self.node(path, Last::Keep)? {
            Node::Link(target) => Ok(target.clone()),
            _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a symbolic link")),
        }
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<OsString>> {
        match self.node(path, Last::Follow)? {
            Node::Dir(names) => Ok(names.iter().cloned().collect()),
            _ => Err(io::ErrorKind::NotADirectory.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str =
        "# peripety device tree 1\n/sys/class/block/sda -> ../../devices/h0/0:0:0:0/block/sda\n\
        /sys/devices/h0/0:0:0:0/block/sda/dev = 8:0\n/proc/self/mountinfo =\n\t1 0 8:0 / / rw - ext4 a rw\n";

    #[test]
    fn changes_of_a_tree() {
        let mut tree = Recorded::parse(BEFORE).unwrap();
        let after =
            "# peripety device tree 1\n- /sys/devices/h0\n- /sys/class/block/sda\n/proc/self/mountinfo =\n\
            /sys/devices/h1/1:0:0:0/block/sda/dev = 8:0\n";
        tree.apply(after).unwrap();
        let expected = "# peripety device tree 1\n/proc/self/mountinfo =\n\
            /sys/class/block/\n/sys/devices/h1/1:0:0:0/block/sda/dev = 8:0\n";
        assert_eq!(tree, Recorded::parse(expected).unwrap());
        assert!(tree.apply("- nonsense\n").is_err());
    }

    #[test]
    fn a_device_of_a_later_tree() {
        let mut tree = Recorded::parse(BEFORE).unwrap();
        let mut later = tree.clone();
        let more = "/sys/devices/h1/1:0:0:0/model = x\n/sys/devices/h1/1:0:0:0/block/sdb/dev = 8:16\n\
            /sys/class/block/sdb -> ../../devices/h1/1:0:0:0/block/sdb\n/run/udev/data/b8:16 =\n\tI:5\n\
            /sys/class/block/sdc -> ../../devices/h2/2:0:0:0/block/sdc\n/sys/devices/h2/2:0:0:0/block/sdc/dev = 8:32\n";
        later.apply(more).unwrap();
        assert!(!tree.adopt(&later, "/devices/h3/block/sdd"));
        assert!(tree.adopt(&later, "/devices/h1/1:0:0:0/block/sdb"));
        let text = tree.to_text();
        for there in ["h1/1:0:0:0/model", "/sys/class/block/sdb", "b8:16", "/sys/class/block/sda"] {
            assert!(text.contains(there), "{there}: {text}");
        }
        assert!(!text.contains("sdc") && !text.contains("h2"), "{text}");
    }
}
