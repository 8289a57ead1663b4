//! The names in a directory.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::opened::FileKind;

/// The names in a directory, and their kinds, in one allocation: a listing of thousands of devices has many of these.
#[derive(Debug, Default)]
pub struct Names {
    text: Vec<u8>,
    /// Sorted by name, if there are more than a [`FEW`].
    entries: Vec<Slot>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    start: u32,
    length: u16,
    kind: FileKind,
}

/// Up to this number, a linear search is as fast as sorting.
const FEW: usize = 64;

impl Names {
    /// Of names that differ.
    pub fn of<N: AsRef<[u8]>>(all: impl Iterator<Item = (N, FileKind)>) -> Self {
        let mut names = Self::default();
        for (name, kind) in all {
            names.add(name.as_ref(), kind);
        }
        names.sorted()
    }

    /// Adds one; when all are there they are to be [`sorted`](Self::sorted).
    pub fn add(&mut self, name: &[u8], kind: FileKind) {
        // No file system has longer names, and no directory gigabytes of them.
        if let (Ok(start), Ok(length)) = (u32::try_from(self.text.len()), u16::try_from(name.len())) {
            self.text.extend_from_slice(name);
            self.entries.push(Slot { start, length, kind });
        }
    }

    pub fn sorted(mut self) -> Self {
        let Self { text, entries } = &mut self;
        if entries.len() > FEW {
            entries.sort_unstable_by(|a, b| name(text, a).cmp(name(text, b)));
        }
        text.shrink_to_fit();
        entries.shrink_to_fit();
        self
    }

    /// The kind of a name; `None` if it does not exist.
    pub fn get(&self, wanted: &OsStr) -> Option<FileKind> {
        let wanted = wanted.as_bytes();
        let is =
            |entry: &&Slot| usize::from(entry.length) == wanted.len() && name(&self.text, entry) == wanted;
        let found = match self.entries.len() > FEW {
            true => {
                let found = self.entries.binary_search_by(|entry| name(&self.text, entry).cmp(wanted));
                found.ok().and_then(|index| self.entries.get(index))
            }
            false => self.entries.iter().find(is),
        };
        found.map(|entry| entry.kind)
    }

    /// Those names that are UTF-8, as all of the kernel's are.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter_map(|entry| std::str::from_utf8(name(&self.text, entry)).ok())
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.entries.len()
    }
}

fn name<'t>(text: &'t [u8], entry: &Slot) -> &'t [u8] {
    let start = entry.start as usize;
    text.get(start..start + usize::from(entry.length)).unwrap_or_default()
}
