//! The device history in the state directory: `devices.json`, written when it changed, and `devices-progress.json`,
//! the time up to which it is complete.

use std::fs;
use std::path::{Path, PathBuf};

use peripety_blkinfo::history::{HighWaterMark, History};
use serde::de::DeserializeOwned;
use serde::Serialize;

use super::state::{replace, StateError};

/// The files.
#[derive(Clone, Debug)]
pub struct DeviceFile {
    directory: PathBuf,
}

impl DeviceFile {
    /// The files in this directory.
    pub fn new(directory: &Path) -> Self {
        DeviceFile { directory: directory.to_owned() }
    }

    /// A history was saved, and is there still.
    pub fn exists(&self) -> bool {
        self.history().exists()
    }

    /// What was known of the devices. A file that cannot be used is passed over: it is only about the time before.
    pub fn load(&self) -> Option<History> {
        let mut history: History = read(&self.history())?;
        if let Some(mark) = read(&self.high_water()) {
            history.catch_up(&mark);
        }
        Some(history)
    }

    /// Saves the device history.
    pub fn save(&self, history: &History) -> Result<(), StateError> {
        self.write(&self.history(), history)?;
        self.save_high_water_mark(&history.progress())
    }

    /// Saves that nothing else happened up to then. It counts for a history of the same generation only, so that it does
    /// not matter which of the files is the newer one after a crash.
    pub fn save_high_water_mark(&self, mark: &HighWaterMark) -> Result<(), StateError> {
        self.write(&self.high_water(), mark)
    }

    fn write(&self, path: &Path, value: &impl Serialize) -> Result<(), StateError> {
        let text = serde_json::to_vec(value).map_err(std::io::Error::from);
        text.and_then(|text| replace(path, &text, false))
            .map_err(|e| StateError::unusable(&self.directory, e))
    }

    fn history(&self) -> PathBuf {
        self.directory.join("devices.json")
    }

    fn high_water(&self) -> PathBuf {
        self.directory.join("devices-progress.json")
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let text = fs::read(path).ok()?;
    let damaged = |e: &serde_json::Error| {
        let path = path.display();
        tracing::warn!("{path} is damaged ({e}): some devices that were removed before now are not known");
    };
    serde_json::from_slice(&text).inspect_err(damaged).ok()
}

#[cfg(test)]
mod tests {
    use peripety_blkinfo::history::Window;
    use peripety_blkinfo::Tree;

    use super::*;

    fn history() -> History {
        let tree = Tree::open(concat!(env!("CARGO_MANIFEST_DIR"), "/blkinfo/tests/fixtures/iscsi/tree.txt"));
        History::new("b", Window { after: 1, by: 2 }, tree.unwrap().list().unwrap())
    }

    #[test]
    fn a_history_is_restored_with_later_progress() {
        let dir = tempfile::tempdir().unwrap();
        let file = DeviceFile::new(dir.path());
        assert_eq!(file.load(), None);
        let mut history = history();
        file.save(&history).unwrap();
        history.advance(1000);
        file.save_high_water_mark(&history.progress()).unwrap();
        assert_eq!(file.load(), Some(history));
    }

    #[test]
    fn progress_of_another_generation_is_ignored() {
        let dir = tempfile::tempdir().unwrap();
        let file = DeviceFile::new(dir.path());
        let mut history = history();
        file.save(&history).unwrap();
        let saved = history.clone();
        history.gone("sda", None, 900);
        history.advance(1000);
        assert_ne!(history.generation(), saved.generation(), "there is an sda");
        file.save_high_water_mark(&history.progress()).unwrap();
        assert_eq!(file.load(), Some(saved));
    }

    #[test]
    fn damaged_files_are_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let file = DeviceFile::new(dir.path());
        let history = history();
        file.save(&history).unwrap();
        fs::write(dir.path().join("devices-progress.json"), "{").unwrap();
        assert_eq!(file.load(), Some(history));
        fs::write(dir.path().join("devices.json"), "{").unwrap();
        assert_eq!(file.load(), None);
    }
}
