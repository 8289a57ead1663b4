//! Where a notifier is in the journal of events, kept in the state directory: `notifier-NAME.json`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::bus::outbox::Mark;
use crate::collector::state::replace;
use crate::journal::EntryKey;

/// How often a position is saved that moved over events which the filter left out.
const SAVE_EVERY: Duration = Duration::from_secs(1);
/// Version of the file.
const VERSION: u32 = 1;
/// Begin and end of the file's name.
const NAME: (&str, &str) = ("notifier-", ".json");

/// A place in the journal: everything up to this entry is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// journald's cursor.
    pub cursor: String,
    /// The stored event that the entry is; `None` when it is another entry, behind which a new notifier began.
    pub event_id: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    version: u32,
    position: Position,
}

/// How far a notifier is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavedPlace {
    /// In the journal; `None` while nothing was stored since it began.
    pub position: Option<Position>,
    /// In the outbox of this run of the daemon.
    pub mark: Option<Mark>,
}

/// Keeps the place of one notifier, also over restarts of the daemon.
#[derive(Debug)]
pub struct Keeper {
    file: PathBuf,
    place: Mutex<SavedPlace>,
    saved: Mutex<(Option<Position>, Instant)>,
    complained: AtomicBool,
}

impl Keeper {
    /// Of the notifier of this name, with the position of an earlier run.
    pub fn load(directory: &Path, name: &str) -> Arc<Self> {
        let file = directory.join(format!("{}{name}{}", NAME.0, NAME.1));
        let position = read(&file);
        Arc::new(Keeper {
            file,
            place: Mutex::new(SavedPlace { position: position.clone(), mark: None }),
            saved: Mutex::new((position, Instant::now())),
            complained: AtomicBool::new(false),
        })
    }

    /// The place.
    pub fn place(&self) -> SavedPlace {
        self.place.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Moves the place; it is not saved yet. A position stays until there is another one.
    pub fn set(&self, mut place: SavedPlace) {
        let mut old = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        place.position = place.position.or_else(|| old.position.take());
        *old = place;
    }

    /// Saves a position that was not saved for a while.
    pub async fn save_sometimes(self: &Arc<Self>) {
        let saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner).1;
        if saved.elapsed() >= SAVE_EVERY {
            self.save(false).await;
        }
    }

    /// Saves a position that has changed; if `durable`, waits for the disk.
    pub async fn save(self: &Arc<Self>, durable: bool) {
        let keeper = self.clone();
        let saving = tokio::task::spawn_blocking(move || keeper.write(durable));
        if let Err(e) = saving.await {
            tracing::debug!("{e}");
        }
    }

    fn write(&self, durable: bool) {
        let Some(position) = self.place().position else { return };
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        if saved.0.as_ref() == Some(&position) && !durable {
            return;
        }
        let text = serde_json::to_vec(&Saved { version: VERSION, position: position.clone() });
        let written = text.map_err(Into::into).and_then(|text| replace(&self.file, &text, durable));
        *saved = (saved.0.take(), Instant::now());
        match written {
            Ok(()) => {
                saved.0 = Some(position);
                if self.complained.swap(false, Ordering::Relaxed) {
                    tracing::info!("{} is written again", self.file.display());
                }
            }
            Err(e) if !self.complained.swap(true, Ordering::Relaxed) => {
                let file = self.file.display();
                tracing::error!("cannot write {file}: {e}; make the state directory writable: until then a restart of peripetyd repeats events to this notifier");
            }
            Err(_) => {}
        }
    }

    /// Deletes the position: the notifier was removed from the configuration.
    pub fn forget(&self) {
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = SavedPlace::default();
        self.saved.lock().unwrap_or_else(PoisonError::into_inner).0 = None;
        remove(&self.file);
    }
}

/// Removes the positions of notifiers that are not configured: one that is configured again later is a new one.
pub fn remove_others(directory: &Path, configured: impl Fn(&str) -> bool) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let notifier = name.to_str().and_then(|name| name.strip_prefix(NAME.0)?.strip_suffix(NAME.1));
        if notifier.is_some_and(|notifier| !configured(notifier)) {
            remove(&entry.path());
        }
    }
}

fn remove(file: &Path) {
    match std::fs::remove_file(file) {
        Err(e) if e.kind() != ErrorKind::NotFound => {
            tracing::warn!("cannot remove {}: {e}; remove it by hand", file.display());
        }
        _ => {}
    }
}

fn read(file: &Path) -> Option<Position> {
    let text = match std::fs::read(file) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => return None,
        Err(e) => {
            unusable(file, &e.to_string());
            return None;
        }
    };
    match serde_json::from_slice::<Saved>(&text) {
        Ok(Saved { version: VERSION, position }) if EntryKey::parse(&position.cursor).is_some() => {
            Some(position)
        }
        Ok(Saved { version: VERSION, .. }) => {
            unusable(file, "no journal cursor");
            None
        }
        Ok(_) => {
            unusable(file, "of another version");
            None
        }
        Err(e) => {
            unusable(file, &e.to_string());
            None
        }
    }
}

fn unusable(file: &Path, why: &str) {
    tracing::error!(
        "cannot use {} ({why}): its notifier begins with the next event; see \"prpt query\" for those before",
        file.display()
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position() -> Position {
        Position { cursor: "s=a;i=1;b=b;m=1;t=2;x=3".into(), event_id: Some("x".into()) }
    }

    #[tokio::test]
    async fn a_position_comes_back_until_it_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let keeper = Keeper::load(dir.path(), "page");
        assert_eq!(keeper.place(), SavedPlace::default());
        keeper.set(SavedPlace { position: Some(position()), mark: Some(Mark::default()) });
        keeper.save(false).await;
        let again = Keeper::load(dir.path(), "page");
        assert_eq!(again.place(), SavedPlace { position: Some(position()), mark: None });
        remove_others(dir.path(), |name| name == "page");
        assert_eq!(Keeper::load(dir.path(), "page").place().position, Some(position()));
        again.forget();
        assert_eq!(Keeper::load(dir.path(), "page").place(), SavedPlace::default());
    }

    #[test]
    fn a_file_that_cannot_be_used_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("notifier-page.json");
        let bad = serde_json::json!({ "version": 1, "position": { "cursor": "rubbish", "event_id": null } });
        for text in ["", "{", "{\"version\":2}", &bad.to_string()] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(Keeper::load(dir.path(), "page").place(), SavedPlace::default(), "{text}");
        }
    }

    #[test]
    fn only_positions_of_others_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["notifier-a.json", "notifier-b.json", "position.json", "notifier-b.json.new"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        remove_others(dir.path(), |name| name == "a");
        let names = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        assert_eq!(names, ["notifier-a.json", "notifier-b.json.new", "position.json"]);
    }
}
