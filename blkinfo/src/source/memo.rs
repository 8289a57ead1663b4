//! What was read during one question, or one listing, is not read again.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Source, MAX_LINKS};

/// What is known of a tree already: where paths lead, files, folders. It lives as long as one question, so that the next
/// one sees what has changed.
///
/// Links are followed here, folder by folder, and each folder once: thousands of devices lie in few folders. What is known
/// to be missing is not asked for.
pub(crate) struct Memo {
    source: Arc<dyn Source>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    places: HashMap<OsString, Place>,
    /// `None`: there is none.
    files: HashMap<OsString, Option<Arc<[u8]>>>,
    folders: HashMap<OsString, Arc<HashSet<OsString>>>,
}

/// Where a path leads: without links, and perhaps to nothing.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub path: Arc<Path>,
    pub missing: bool,
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

impl Memo {
    pub fn of(source: Arc<dyn Source>) -> Self {
        Self { source, known: Mutex::default() }
    }

    /// Where a path without `..` leads.
    pub fn place(&self, path: &Path) -> io::Result<Place> {
        self.follow(path, &mut 0)
    }

    fn follow(&self, path: &Path, links: &mut usize) -> io::Result<Place> {
        if let Some(place) = self.known().places.get(path.as_os_str()) {
            return Ok(place.clone());
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok(Place { path: Path::new("/").into(), missing: false });
        };
        let above = self.follow(parent, links)?;
        let here = above.path.join(name);
        let found = if above.missing { Found::Nothing } else { self.look(&above.path, name, &here) };
        let place = match found {
            Found::Nothing => Place { path: here.into(), missing: true },
            Found::Other => Place { path: here.into(), missing: false },
            Found::Link(target) => self.enter(&above, &target, links)?,
        };
        self.known().places.insert(path.as_os_str().to_owned(), place.clone());
        Ok(place)
    }

    /// Where a link that stands in a folder leads.
    fn enter(&self, folder: &Place, target: &Path, links: &mut usize) -> io::Result<Place> {
        *links += 1;
        if *links > MAX_LINKS {
            return Err(io::Error::other(format!("more than {MAX_LINKS} symbolic links on the way")));
        }
        let mut place = folder.clone();
        for component in target.components() {
            place = match component {
                Component::RootDir => Place { path: Path::new("/").into(), missing: false },
                Component::ParentDir => {
                    let above = place.path.parent().unwrap_or(&place.path).into();
                    Place { path: above, missing: false }
                }
                Component::Normal(name) => self.follow(&place.path.join(name), links)?,
                Component::CurDir | Component::Prefix(_) => place,
            };
        }
        Ok(place)
    }

    fn look(&self, folder: &Path, name: &OsStr, path: &Path) -> Found {
        if !self.follows(path) {
            return Found::Other;
        }
        if self.lacks(folder, name) {
            return Found::Nothing;
        }
        match self.straight().read_link(path) {
            Ok(target) => Found::Link(target),
            Err(error) if is_missing(&error) => Found::Nothing,
            Err(_) => Found::Other,
        }
    }

    /// Are links at this path followed here? Links elsewhere are not looked at: they may lie on a file system that hangs.
    fn follows(&self, path: &Path) -> bool {
        let on_the_way = ["/run", "/proc"].iter().any(|place| path.starts_with(place));
        path.starts_with("/sys")
            || path.starts_with("/dev")
            || (on_the_way && self.source.straight().is_some())
    }

    /// The folder was listed, and the name was not in it.
    fn lacks(&self, folder: &Path, name: &OsStr) -> bool {
        self.known().folders.get(folder.as_os_str()).is_some_and(|names| !names.contains(name))
    }

    fn straight(&self) -> &dyn Source {
        self.source.straight().unwrap_or(&*self.source)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn read(&self, path: &Path) -> io::Result<Arc<[u8]>> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(ErrorKind::InvalidInput.into());
        };
        let folder = self.place(parent)?;
        let here = folder.path.join(name);
        if let Some(known) = self.known().files.get(here.as_os_str()) {
            return known.clone().ok_or_else(|| ErrorKind::NotFound.into());
        }
        if folder.missing || self.lacks(&folder.path, name) {
            return Err(ErrorKind::NotFound.into());
        }
        let content = match self.straight().read(&here) {
            // It may be a link, and is no longer one when that was followed.
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                let place = self.place(path)?;
                if *place.path == *here {
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
        self.known().files.insert(here.into_os_string(), content.clone());
        content.ok_or_else(|| ErrorKind::NotFound.into())
    }

    /// Where the link at a path leads; an error when it is none.
    pub fn followed(&self, path: &Path) -> io::Result<PathBuf> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(ErrorKind::InvalidInput.into());
        };
        let here = self.place(parent)?.path.join(name);
        let place = self.place(path)?;
        match *place.path == *here {
            true => Err(ErrorKind::InvalidInput.into()),
            false => Ok(place.path.to_path_buf()),
        }
    }

    /// The names in a folder.
    pub fn names(&self, path: &Path) -> io::Result<Arc<HashSet<OsString>>> {
        let place = self.place(path)?;
        if place.missing {
            return Err(ErrorKind::NotFound.into());
        }
        if let Some(known) = self.known().folders.get(place.path.as_os_str()) {
            return Ok(known.clone());
        }
        let names: Arc<HashSet<OsString>> =
            Arc::new(self.straight().read_dir(&place.path)?.into_iter().collect());
        self.known().folders.insert(place.path.as_os_str().to_owned(), names.clone());
        Ok(names)
    }
}
