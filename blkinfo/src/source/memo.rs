//! What was read during one question, or one listing, is not read again.

use std::collections::{HashMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::opened::{Kind, Opened};
use super::{Source, MAX_LINKS};

/// Folders that are open at the same time: those of a map and its paths.
pub(super) const MOST_OPEN: usize = 32;

/// What is known of a tree already: where paths lead, files, folders. It lives as long as one question, so that the next
/// one sees what has changed.
///
/// Links are followed here, folder by folder, and each folder once: thousands of devices lie in few folders. What is known
/// to be missing is not asked for.
pub(crate) struct Memo {
    source: Arc<dyn Source>,
    places: Mutex<HashMap<OsString, Place>>,
    /// The folders that are open, the oldest first.
    open: Mutex<VecDeque<Arc<Folder>>>,
}

/// Where a path leads: without links, and perhaps to nothing.
#[derive(Clone)]
pub(crate) struct Place {
    pub path: Arc<Path>,
    pub missing: bool,
    folder: Arc<Folder>,
}

/// The names in a folder, and what they stand for.
pub(crate) type Names = HashMap<OsString, Kind>;

/// What is known of a place if it is a folder.
#[derive(Default)]
struct Folder {
    names: OnceLock<Arc<Names>>,
    /// Held while it is listed: who lists an open folder moves its position.
    listing: Mutex<()>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    opened: Option<Arc<dyn Opened>>,
    /// `None`: there is none.
    files: HashMap<OsString, Option<Arc<[u8]>>>,
}

/// What stands at a path.
enum Found {
    Link(PathBuf),
    Other,
    Nothing,
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Is it this folder, or in it?
pub(crate) fn is_within(path: &Path, folder: &str) -> bool {
    let rest = path.as_os_str().as_bytes().strip_prefix(folder.as_bytes());
    rest.is_some_and(|rest| rest.first().is_none_or(|next| *next == b'/'))
}

/// The folder of a path, and its name there.
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Place {
    fn new(path: impl Into<Arc<Path>>, missing: bool) -> Self {
        Self { path: path.into(), missing, folder: Arc::default() }
    }
}

impl Folder {
    /// The folder was listed, and the name was not in it.
    fn lacks(&self, name: &OsStr) -> bool {
        self.names.get().is_some_and(|names| !names.contains_key(name))
    }

    fn kind(&self, name: &OsStr) -> Option<Kind> {
        self.names.get()?.get(name).copied()
    }

    fn opened(&self) -> Option<Arc<dyn Opened>> {
        lock(&self.known).opened.clone()
    }
}

impl Memo {
    pub fn of(source: Arc<dyn Source>) -> Self {
        Self { source, places: Mutex::default(), open: Mutex::default() }
    }

    #[cfg(test)]
    pub fn open_folders(&self) -> usize {
        lock(&self.open).len()
    }

    /// Where a path without `..` leads.
    pub fn place(&self, path: &Path) -> io::Result<Place> {
        self.follow(path, &mut 0)
    }

    fn follow(&self, path: &Path, links: &mut usize) -> io::Result<Place> {
        if let Some(place) = self.known_place(path) {
            return Ok(place);
        }
        let Ok((parent, name)) = split(path) else {
            return Ok(Place::new(Path::new("/"), false));
        };
        let place = match self.at_once(path, parent) {
            Some(place) => place,
            None => {
                let above = self.follow(parent, links)?;
                let here = above.path.join(name);
                match self.look(&above, name, &here) {
                    Found::Nothing => Place::new(here, true),
                    Found::Other if *here != *path => self.follow(&here, links)?,
                    Found::Other => Place::new(here, false),
                    Found::Link(target) => self.enter(&above, &target, links)?,
                }
            }
        };
        // Another thread may have been faster: then what it learned of the place counts.
        Ok(lock(&self.places).entry(path.as_os_str().to_owned()).or_insert(place).clone())
    }

    fn known_place(&self, path: &Path) -> Option<Place> {
        lock(&self.places).get(path.as_os_str()).cloned()
    }

    /// A device's folder, of which nothing is known, lies deep: it is opened in one go where no link is on the way.
    fn at_once(&self, path: &Path, parent: &Path) -> Option<Place> {
        if !is_within(path, "/sys/devices") || self.known_place(parent).is_some() {
            return None;
        }
        let place = Place::new(path, false);
        self.open(&place).is_some().then_some(place)
    }

    /// Opens a folder, if the source can.
    fn open(&self, place: &Place) -> Option<Arc<dyn Opened>> {
        if let Some(opened) = place.folder.opened() {
            return Some(opened);
        }
        let opened: Arc<dyn Opened> = self.source.open(&place.path)?.ok()?.into();
        lock(&place.folder.known).opened = Some(opened.clone());
        let mut open = lock(&self.open);
        open.push_back(place.folder.clone());
        let oldest = if open.len() > MOST_OPEN { open.pop_front() } else { None };
        drop(open);
        if let Some(oldest) = oldest {
            lock(&oldest.known).opened = None;
        }
        Some(opened)
    }

    /// Where a link that stands in a folder leads.
    fn enter(&self, folder: &Place, target: &Path, links: &mut usize) -> io::Result<Place> {
        *links += 1;
        if *links > MAX_LINKS {
            return Err(io::Error::other(format!("more than {MAX_LINKS} symbolic links on the way")));
        }
        let mut rest = target.components();
        let mut from: &Path = &folder.path;
        // On the way to the folder are no links, so that its text tells what is above it.
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
            return self.follow(&from.join(rest.as_path()), links);
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

    fn look(&self, above: &Place, name: &OsStr, path: &Path) -> Found {
        if above.missing {
            return Found::Nothing;
        }
        if !self.follows(path) {
            return Found::Other;
        }
        if above.folder.lacks(name) {
            return Found::Nothing;
        }
        if matches!(above.folder.kind(name), Some(Kind::File | Kind::Folder | Kind::Other)) {
            return Found::Other;
        }
        let target = match above.folder.opened() {
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

    pub fn read(&self, path: &Path) -> io::Result<Arc<[u8]>> {
        let (parent, name) = split(path)?;
        let above = self.place(parent)?;
        if let Some(known) = lock(&above.folder.known).files.get(name) {
            return known.clone().ok_or_else(|| ErrorKind::NotFound.into());
        }
        if above.missing || above.folder.lacks(name) {
            return Err(ErrorKind::NotFound.into());
        }
        let content = match self.content(&above, name) {
            // It may be a link, and is no longer one when that was followed.
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                let place = self.place(path)?;
                if *place.path == *above.path.join(name) {
                    return Err(error);
                }
                self.straight().read(&place.path)
            }
            content => content,
        };
        let content = match content {
            Ok(content) => Some(Arc::from(content)),
            Err(error) if is_missing(&error) => None,
            Err(error) => return Err(error),
        };
        lock(&above.folder.known).files.insert(name.to_owned(), content.clone());
        content.ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn content(&self, place: &Place, name: &OsStr) -> io::Result<Vec<u8>> {
        let folder = &place.folder;
        let again = || folder.names.get().and_then(|_| self.open(place));
        let Some(opened) = folder.opened().or_else(again) else {
            return self.straight().read(&place.path.join(name));
        };
        if !lock(&folder.known).files.is_empty() && folder.names.get().is_none() {
            // From the second file on it is cheaper to know what all are.
            self.names(&place.path)?;
            if folder.lacks(name) {
                return Err(ErrorKind::NotFound.into());
            }
        }
        opened.read(name, folder.kind(name))
    }

    /// Where the link at a path leads; an error when it is none.
    pub fn followed(&self, path: &Path) -> io::Result<PathBuf> {
        let (parent, name) = split(path)?;
        let here = self.place(parent)?.path.join(name);
        let place = self.place(path)?;
        match *place.path == *here {
            true => Err(ErrorKind::InvalidInput.into()),
            false => Ok(place.path.to_path_buf()),
        }
    }

    /// The names in a folder.
    pub fn names(&self, path: &Path) -> io::Result<Arc<Names>> {
        let place = self.place(path)?;
        if place.missing {
            return Err(ErrorKind::NotFound.into());
        }
        if let Some(known) = place.folder.names.get() {
            return Ok(known.clone());
        }
        let listing = lock(&place.folder.listing);
        if let Some(known) = place.folder.names.get() {
            return Ok(known.clone());
        }
        let names = Arc::new(self.list(&place)?);
        let names = place.folder.names.get_or_init(|| names).clone();
        drop(listing);
        Ok(names)
    }

    fn list(&self, place: &Place) -> io::Result<Names> {
        if let Some(opened) = self.open(place) {
            let names = opened.names();
            if names.is_err() {
                // What comes after the error is not all.
                lock(&place.folder.known).opened = None;
            }
            return Ok(names?.into_iter().collect());
        }
        let names = self.straight().read_dir(&place.path)?;
        Ok(names.into_iter().map(|name| (name, Kind::Unknown)).collect())
    }
}
