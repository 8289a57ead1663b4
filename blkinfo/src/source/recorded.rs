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
/// /sys/devices/pci0000:00/sda/holders/              an empty folder; the folders above a path need no line
/// ```
///
/// Every line of a file ends with a newline, unless `\c` ends it. `\xNN` is any byte, `\\` a backslash; a blank in a
/// path is `\x20`. Empty lines mean nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    nodes: BTreeMap<PathBuf, Node>,
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    File(Vec<u8>),
    Link(PathBuf),
    Folder(BTreeSet<OsString>),
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

    /// Adds a node and the folders above it. The error says what stands in the way.
    pub(super) fn insert(&mut self, path: &Path, node: Node) -> Result<(), String> {
        match (self.nodes.get(path), &node) {
            (None, _) => {}
            (Some(Node::Folder(_)), Node::Folder(_)) => return Ok(()),
            (Some(_), _) => return Err(format!("{} is there already", path.display())),
        }
        self.link_into_parent(path)?;
        self.nodes.insert(path.to_path_buf(), node);
        Ok(())
    }

    /// Lists `path` in its parent folder, which is made when it is missing.
    fn link_into_parent(&mut self, path: &Path) -> Result<(), String> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok(());
        };
        if !self.nodes.contains_key(parent) {
            self.link_into_parent(parent)?;
            self.nodes.insert(parent.to_path_buf(), Node::Folder(BTreeSet::new()));
        }
        match self.nodes.get_mut(parent) {
            Some(Node::Folder(names)) => names.insert(OsStr::to_os_string(name)),
            _ => return Err(format!("{} is not a folder", parent.display())),
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
            Node::Folder(names) => Ok(names.iter().cloned().collect()),
            _ => Err(io::ErrorKind::NotADirectory.into()),
        }
    }
}
