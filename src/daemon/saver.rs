//! Saves the position in the journal, and what is known of the devices, from time to time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::bus::ticket::Resume;
use crate::bus::Watermark;
use crate::collector::state::State;
use crate::devices::Devices;

/// How often the history of the devices is saved: after a crash of the machine, nothing is known of the time since.
const HISTORY_EVERY: Duration = Duration::from_secs(60);

/// Saves the position when it has changed.
pub struct Saver<'a> {
    state: &'a State,
    watermark: Watermark,
    last: Option<Resume>,
    complained: bool,
    devices: Arc<Devices>,
    history_saved: Option<Instant>,
}

impl<'a> Saver<'a> {
    /// Saves what `watermark` and `devices` say.
    pub fn new(state: &'a State, watermark: Watermark, devices: Arc<Devices>) -> Self {
        Saver { state, watermark, last: None, complained: false, devices, history_saved: None }
    }

    fn save_history(&mut self, now: bool) {
        let due = self.history_saved.is_none_or(|saved| saved.elapsed() >= HISTORY_EVERY);
        if !(due || now) {
            return;
        }
        self.history_saved = Some(Instant::now());
        let Some(history) = self.devices.history() else { return };
        if let Err(e) = self.state.save_history(&history) {
            tracing::debug!("{e}");
        }
    }

    /// Saves a position that has changed; if `durable`, any, and waits for the disk.
    pub fn save(&mut self, durable: bool) {
        self.save_history(durable);
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
                    "{e}; until then a restart looks at more entries again, and stores none twice"
                );
                self.complained = true;
            }
            Err(_) => {}
        }
    }
}
