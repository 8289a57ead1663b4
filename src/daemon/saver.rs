//! Saves the position in the journal from time to time.

use crate::bus::ticket::Resume;
use crate::bus::Watermark;
use crate::collector::state::State;

/// Saves the position when it has changed.
pub struct Saver<'a> {
    state: &'a State,
    watermark: Watermark,
    last: Option<Resume>,
    complained: bool,
}

impl<'a> Saver<'a> {
    /// Saves what `watermark` says.
    pub fn new(state: &'a State, watermark: Watermark) -> Self {
        Saver { state, watermark, last: None, complained: false }
    }

    /// Saves a position that has changed; if `durable`, any, and waits for the disk.
    pub fn save(&mut self, durable: bool) {
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
