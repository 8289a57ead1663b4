//! What was read during one question, or one listing, is not read again.

use std::collections::{HashMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::names::Names;
use super::opened::{FileKind, Opened};
use super::place::{lock, Dir, DirRef};
use super::{Source, MAX_LINKS};

/// Directories that are open at the same time: those of a map and its paths.
pub(super) const MAX_OPEN: usize = 32;

const SHARES: usize = 16;

/// What is known of a tree already: where paths lead, files, directories. It lives as long as one question, so that the next
/// one sees what has changed.
///
/// Links are followed here, directory by directory, and each directory once: thousands of devices lie in few directories. What is known
/// to be missing is not asked for.
pub(crate) struct Memo {
    source: Arc<dyn Source>,
    /// Shared out by their paths: several threads list one tree.
    places: [Mutex<HashMap<OsString, DirRef>>; SHARES],
    /// The directories that are open, the oldest first.
    open: Mutex<VecDeque<DirRef>>,
}

/// The node at a path.
enum Found {
    Link(PathBuf),
    Other,
    Nothing,
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Is it this directory, or in it?
pub(crate) fn is_within(path: &Path, directory: &str) -> bool {
    let rest = path.as_os_str().as_bytes().strip_prefix(directory.as_bytes());
    rest.is_some_and(|rest| rest.first().is_none_or(|next| *next == b'/'))
}

/// The directory of a path, and its name there.
fn split(path: &Path) -> io::Result<(&Path, &OsStr)> {
    // Nearly all paths are as plain as they look, and this is asked some dozen times a device.
    let bytes = path.as_os_str().as_bytes();
    let slash = bytes.iter().rposition(|byte| *byte == b'/').and_then(|at| bytes.split_at_checked(at));
    if let Some((parent @ [.., last], [_, name @ ..])) = slash {
        if *last != b'/' && !parent.ends_with(b"/.") && !matches!(name, b"" | b"." | b"..") {
            return Ok((Path::new(OsStr::from_bytes(parent)), OsStr::from_bytes(name)));
        }
    }
    path.parent().zip(path.file_name()).ok_or_else(|| ErrorKind::InvalidInput.into())
}

impl Memo {
    pub fn of(source: Arc<dyn Source>) -> Self {
        Self { source, places: Default::default(), open: Mutex::default() }
    }

    #[cfg(test)]
    pub fn open_directories(&self) -> usize {
        lock(&self.open).len()
    }

    /// Where a path without `..` leads.
    pub fn place(&self, path: &Path) -> io::Result<DirRef> {
        self.follow(path, &mut 0)
    }

    fn follow(&self, path: &Path, links: &mut usize) -> io::Result<DirRef> {
        if let Some(place) = self.known_place(path) {
            return Ok(place);
        }
        let Ok((parent, name)) = split(path) else {
            return Ok(Dir::new(Path::new("/"), false));
        };
        let place = match self.at_once(path, parent) {
            Some(place) => place,
            None => {
                let above = self.follow(parent, links)?;
                let here = above.path.join(name);
                match self.look(&above, name, &here) {
                    Found::Nothing => Dir::new(here, true),
                    Found::Other if *here != *path => self.follow(&here, links)?,
                    Found::Other => Dir::new(here, false),
                    Found::Link(target) => self.enter(&above, &target, links)?,
                }
            }
        };
        Ok(self.learned(path, place))
    }

    fn learned(&self, path: &Path, place: DirRef) -> DirRef {
        // Another thread may have been faster: then what it learned of the place counts.
        lock(self.share(path)).entry(path.as_os_str().to_owned()).or_insert(place).clone()
    }

    fn known_place(&self, path: &Path) -> Option<DirRef> {
        lock(self.share(path)).get(path.as_os_str()).cloned()
    }

    fn share(&self, path: &Path) -> &Mutex<HashMap<OsString, DirRef>> {
        let [first, ..] = &self.places;
        let end = path.as_os_str().as_bytes().iter().rev().take(3);
        let share = end.fold(0, |share, byte| share * 7 + usize::from(*byte)) % SHARES;
        self.places.get(share).unwrap_or(first)
    }

    /// A device's directory, of which nothing is known, lies deep: it is opened in one go where no link is on the way.
    fn at_once(&self, path: &Path, parent: &Path) -> Option<DirRef> {
        if !is_within(path, "/sys/devices") || self.known_place(parent).is_some() {
            return None;
        }
        let place = Dir::new(path, false);
        self.open(&place).is_some().then_some(place)
    }

    /// Opens a directory, if the source can.
    fn open(&self, place: &DirRef) -> Option<Arc<dyn Opened>> {
        if let Some(opened) = place.opened() {
            return Some(opened);
        }
        let opened: Arc<dyn Opened> = self.source.open(&place.path)?.ok()?.into();
        place.set_opened(Some(opened.clone()));
        let mut open = lock(&self.open);
        open.push_back(place.clone());
        let oldest = if open.len() > MAX_OPEN { open.pop_front() } else { None };
        drop(open);
        if let Some(oldest) = oldest {
            oldest.set_opened(None);
        }
        Some(opened)
    }

    /// The target of a link in a directory.
    fn enter(&self, directory: &DirRef, target: &Path, links: &mut usize) -> io::Result<DirRef> {
        *links += 1;
        if *links > MAX_LINKS {
            return Err(io::Error::other(format!("more than {MAX_LINKS} symbolic links on the way")));
        }
        let mut rest = target.components();
        let mut from: &Path = &directory.path;
        // There are no links on the way to the directory, so its path shows what is above it.
        loop {
            let before = rest.clone();
            match rest.next() {
                Some(Component::RootDir) => from = Path::new("/"),
                Some(Component::ParentDir) => from = from.parent().unwrap_or(from),
                Some(Component::CurDir | Component::Prefix(_)) => {}
                Some(Component::Normal(_)) | None => {
                    rest = before;
                    break;
                }
            }
        }
        let turns = rest.clone().any(|component| component == Component::ParentDir);
        if !turns {
            let rest = rest.as_path();
            let path = if rest.as_os_str().is_empty() { from.to_path_buf() } else { from.join(rest) };
            // What is above a directory that is there is there, and no link.
            return match directory.path.starts_with(&path) && !directory.missing {
                true => Ok(self
                    .known_place(&path)
                    .unwrap_or_else(|| self.learned(&path, Dir::new(&*path, false)))),
                false => self.follow(&path, links),
            };
        }
        let mut place = self.follow(from, links)?;
        for component in rest {
            place = match component {
                Component::ParentDir => self.follow(place.path.parent().unwrap_or(&place.path), links)?,
                Component::Normal(name) => self.follow(&place.path.join(name), links)?,
                Component::RootDir | Component::CurDir | Component::Prefix(_) => place,
            };
        }
        Ok(place)
    }

    fn look(&self, above: &DirRef, name: &OsStr, path: &Path) -> Found {
        if above.missing {
            return Found::Nothing;
        }
        if !self.follows(path) {
            return Found::Other;
        }
        if above.lacks(name) {
            return Found::Nothing;
        }
        if matches!(above.kind(name), Some(FileKind::File | FileKind::Dir | FileKind::Other)) {
            return Found::Other;
        }
        let target = match above.opened() {
            Some(opened) => opened.read_link(name),
            None => self.straight().read_link(path),
        };
        match target {
            Ok(target) => Found::Link(target),
            Err(error) if is_missing(&error) => Found::Nothing,
            Err(_) => Found::Other,
        }
    }

    /// Are links at this path followed here? Links elsewhere are not looked at: they may lie on a file system that hangs.
    fn follows(&self, path: &Path) -> bool {
        let on_the_way = || ["/run", "/proc"].iter().any(|place| is_within(path, place));
        is_within(path, "/sys")
            || is_within(path, "/dev")
            || (on_the_way() && self.source.straight().is_some())
    }

    fn straight(&self) -> &dyn Source {
        self.source.straight().unwrap_or(&*self.source)
    }

    /// The content of a file.
    pub fn read(&self, path: &Path) -> io::Result<Arc<[u8]>> {
        let (parent, name) = split(path)?;
        self.read_in(&self.place(parent)?, name)
    }

    /// The content of a file in a directory, or one directory below it (`dm/name`).
    pub fn read_in(&self, directory: &DirRef, name: &OsStr) -> io::Result<Arc<[u8]>> {
        if let Some(known) = directory.file(name) {
            return known.ok_or_else(|| ErrorKind::NotFound.into());
        }
        let content = match self.content(directory, name) {
            Ok(content) => Some(Arc::from(content)),
            Err(error) if is_missing(&error) => None,
            Err(error) => return Err(error),
        };
        directory.set_file(name, content.clone());
        content.ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn content(&self, directory: &DirRef, name: &OsStr) -> io::Result<Vec<u8>> {
        let first = name.as_bytes().split(|byte| *byte == b'/').next().map(OsStr::from_bytes).unwrap_or(name);
        if directory.missing || directory.lacks(first) {
            return Err(ErrorKind::NotFound.into());
        }
        if first != name {
            return self.content_below(directory, first, name);
        }
        match self.content_of(directory, name) {
            // It may be a link, and is no longer one when that was followed.
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                let here = directory.path.join(name);
                let place = self.place(&here)?;
                if *place.path == *here {
                    return Err(error);
                }
                self.straight().read(&place.path)
            }
            content => content,
        }
    }

    fn content_below(&self, directory: &DirRef, first: &OsStr, name: &OsStr) -> io::Result<Vec<u8>> {
        if directory.kind(first) == Some(FileKind::Dir) {
            if let Some(opened) = self.open(directory) {
                match opened.read(name, None) {
                    Err(error) if error.kind() == ErrorKind::InvalidInput => {}
                    content => return content,
                }
            }
        }
        self.read(&directory.path.join(name)).map(|content| content.to_vec())
    }

    fn content_of(&self, directory: &DirRef, name: &OsStr) -> io::Result<Vec<u8>> {
        let again = || directory.names.get().and_then(|_| self.open(directory));
        let Some(opened) = directory.opened().or_else(again) else {
            return self.straight().read(&directory.path.join(name));
        };
        if directory.names.get().is_none() && directory.has_read() {
            // From the second file on it is cheaper to know what all are.
            self.names_in(directory)?;
            if directory.lacks(name) {
                return Err(ErrorKind::NotFound.into());
            }
        }
        opened.read(name, directory.kind(name))
    }

    /// Where the link at a path leads; an error when it is none.
    pub fn followed(&self, path: &Path) -> io::Result<DirRef> {
        let (parent, name) = split(path)?;
        let above = self.place(parent)?;
        let place = self.place(path)?;
        match place.path.strip_prefix(&above.path).is_ok_and(|rest| rest.as_os_str() == name) {
            true => Err(ErrorKind::InvalidInput.into()),
            false => Ok(place),
        }
    }

    /// The names in a directory.
    pub fn names(&self, path: &Path) -> io::Result<Arc<Names>> {
        self.names_in(&self.place(path)?)
    }

    /// The same of a place.
    pub fn names_in(&self, place: &DirRef) -> io::Result<Arc<Names>> {
        if place.missing {
            return Err(ErrorKind::NotFound.into());
        }
        if let Some(known) = place.names.get() {
            return Ok(known.clone());
        }
        let listing = lock(&place.listing);
        if let Some(known) = place.names.get() {
            return Ok(known.clone());
        }
        let names = Arc::new(self.list(place)?);
        let names = place.names.get_or_init(|| names).clone();
        drop(listing);
        Ok(names)
    }

    /// The names in a directory that stands in another one, which is open while they are read.
    pub fn names_below(&self, directory: &DirRef, name: &OsStr) -> io::Result<Arc<Names>> {
        if directory.missing || directory.lacks(name) {
            return Err(ErrorKind::NotFound.into());
        }
        if directory.kind(name) == Some(FileKind::Dir) {
            if let Some(opened) = self.open(directory) {
                return opened.names_below(name).map(Arc::new);
            }
        }
        self.names(&directory.path.join(name))
    }

    fn list(&self, place: &DirRef) -> io::Result<Names> {
        if let Some(opened) = self.open(place) {
            let names = opened.names();
            if names.is_err() {
                // What comes after the error is not all.
                place.set_opened(None);
            }
            return names;
        }
        let names = self.straight().read_dir(&place.path)?;
        Ok(Names::of(names.iter().map(|name| (name.as_bytes(), FileKind::Unknown))))
    }
}
