//! How far a history is complete: small, and it changes all the time.

use super::History;

/// How far a [`History`] is complete, stored separately so that the full history is rewritten only when it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct HighWaterMark {
    boot_id: String,
    generation: u64,
    until: u64,
    in_part: u64,
    mounts_until: u64,
}

impl HighWaterMark {
    /// The [`History::generation`] that this is about.
    pub fn generation(&self) -> u64 {
        self.generation
    }
}

impl History {
    /// How far it is complete.
    pub fn progress(&self) -> HighWaterMark {
        HighWaterMark {
            boot_id: self.boot_id.clone(),
            generation: self.generation,
            until: self.complete_until,
            in_part: self.in_part_until,
            mounts_until: self.mounted.complete_until(),
        }
    }

    /// Of a history that was saved: it is complete up to the mark, and nothing else changed. Ignored when that is about another
    /// generation, where something did.
    pub fn catch_up(&mut self, mark: &HighWaterMark) {
        if (&self.boot_id, self.generation) == (&mark.boot_id, mark.generation) {
            self.advance(mark.until);
            self.advance_in_part(mark.in_part);
            self.advance_mounts(mark.mounts_until);
        }
    }
}
