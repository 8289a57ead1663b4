//! Saves the position in the journal from time to time, and has the devices saved.

use std::sync::Arc;

use super::device_saver::DeviceSaver;
use crate::bus::ticket::Resume;
use crate::bus::Watermark;
use crate::collector::state::StateDirectory;
use crate::devices::Devices;

/// Saves the position when it has changed.
pub struct Saver<'a> {
    state: &'a StateDirectory,
    watermark: Watermark,
    last: Option<Resume>,
    complained: bool,
    devices: DeviceSaver,
}

impl<'a> Saver<'a> {
    /// Saves the position of `watermark` and the history of `devices`.
    pub fn new(state: &'a StateDirectory, watermark: Watermark, devices: Arc<Devices>) -> Self {
        let devices = DeviceSaver::new(state.device_file(), devices);
        Saver { state, watermark, last: None, complained: false, devices }
    }

    /// Saves a position that has changed.
    pub fn save(&mut self) {
        self.devices.save();
        self.save_position(false);
    }

    /// Saves the position and waits for the disk; and what is known of the devices.
    pub async fn end(&mut self) {
        self.save_position(true);
        self.devices.end().await;
    }

    /// Saves a position that has changed; if `durable`, any, and waits for the disk.
    fn save_position(&mut self, durable: bool) {
        let Some(resume) = self.watermark.resume() else { return };
        if self.last.as_ref() == Some(&resume) && !durable {
            return;
        }
        match self.state.save(&resume, durable) {
            Ok(()) => {
                self.last = Some(resume);
                if std::mem::replace(&mut self.complained, false) {
                    tracing::info!("the position in the journal is saved again");
                }
            }
            Err(e) if !self.complained => {
                tracing::error!(
                    "{e}; until then a restart reads more entries again, and stores no event twice"
                );
                self.complained = true;
            }
            Err(_) => {}
        }
    }
}
