//! Saves the device history, periodically and on shutdown, on a thread that may block on files.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::collector::device_file::DeviceFile;
use crate::collector::state::StateError;
use crate::devices::Devices;

/// How often it is saved: after a crash of the machine, nothing is known of the time since.
const EVERY: Duration = Duration::from_secs(60);

/// Saves the device history.
pub struct DeviceSaver {
    work: Arc<SaveJob>,
    begun: Option<Instant>,
}

impl DeviceSaver {
    /// Saves the history of `devices`.
    pub fn new(file: DeviceFile, devices: Arc<Devices>) -> Self {
        DeviceSaver { work: Arc::new(SaveJob { file, devices, saved: Mutex::default() }), begun: None }
    }

    /// Begins to save when it is time; does not wait.
    pub fn save(&mut self) {
        if self.begun.is_none_or(|begun| begun.elapsed() >= EVERY) {
            self.begun = Some(Instant::now());
            let work = self.work.clone();
            tokio::task::spawn_blocking(move || work.save());
        }
    }

    /// Saves the final state.
    pub async fn end(&self) {
        let work = self.work.clone();
        let saved = tokio::task::spawn_blocking(move || work.save()).await;
        if let Err(e) = saved {
            tracing::debug!("{e}");
        }
    }
}

struct SaveJob {
    file: DeviceFile,
    devices: Arc<Devices>,
    /// The generation of the history that was saved last.
    saved: Mutex<Option<u64>>,
}

impl SaveJob {
    fn save(&self) {
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        match self.save_what_changed(*saved) {
            Ok(generation) => *saved = generation,
            Err(e) => tracing::debug!("{e}"),
        }
    }

    /// Returns the generation that is saved now.
    fn save_what_changed(&self, saved: Option<u64>) -> Result<Option<u64>, StateError> {
        let Some(mark) = self.devices.progress() else { return Ok(None) };
        if saved == Some(mark.generation()) && self.file.exists() {
            self.file.save_high_water_mark(&mark)?;
            return Ok(saved);
        }
        let Some(history) = self.devices.history() else { return Ok(None) };
        self.file.save(&history)?;
        Ok(Some(history.generation()))
    }
}
