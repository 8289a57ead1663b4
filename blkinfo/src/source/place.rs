//! A place in a tree, and what is known of it if it is a directory.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::names::Names;
use super::opened::{FileKind, Opened};
use crate::device::Facts;

/// Where a path leads.
pub(crate) type DirRef = Arc<Dir>;

/// The target of a path, as far as it is known.
pub(crate) struct Dir {
    /// Without links.
    pub path: Box<Path>,
    /// There is nothing.
    pub missing: bool,
    pub(super) names: OnceLock<Arc<Names>>,
    /// Held while it is listed: who lists an open directory moves its position.
    pub(super) listing: Mutex<()>,
    known: Mutex<DirContent>,
    /// If it is a block device's.
    pub device: OnceLock<Arc<Facts>>,
}

#[derive(Default)]
struct DirContent {
    opened: Option<Arc<dyn Opened>>,
    /// `None`: there is none.
    files: BTreeMap<OsString, Content>,
}

/// What is in a file; `None`: it is missing.
pub(super) type Content = Option<Arc<[u8]>>;

/// Nothing that panics is done under a lock.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Dir {
    pub(super) fn new(path: impl Into<Box<Path>>, missing: bool) -> DirRef {
        Arc::new(Self {
            path: path.into(),
            missing,
            names: OnceLock::new(),
            listing: Mutex::default(),
            known: Mutex::default(),
            device: OnceLock::new(),
        })
    }

    /// The directory was listed, and the name was not in it.
    pub(super) fn lacks(&self, name: &OsStr) -> bool {
        self.names.get().is_some_and(|names| names.get(name).is_none())
    }

    pub(super) fn kind(&self, name: &OsStr) -> Option<FileKind> {
        self.names.get()?.get(name)
    }

    pub(super) fn opened(&self) -> Option<Arc<dyn Opened>> {
        lock(&self.known).opened.clone()
    }

    pub(super) fn set_opened(&self, opened: Option<Arc<dyn Opened>>) {
        let before = std::mem::replace(&mut lock(&self.known).opened, opened);
        // It may be closed here, after the lock.
        drop(before);
    }

    pub(super) fn file(&self, name: &OsStr) -> Option<Content> {
        lock(&self.known).files.get(name).cloned()
    }

    pub(super) fn has_read(&self) -> bool {
        !lock(&self.known).files.is_empty()
    }

    pub(super) fn set_file(&self, name: &OsStr, content: Content) {
        lock(&self.known).files.insert(name.to_owned(), content);
    }
}
