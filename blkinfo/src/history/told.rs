//! Up to when a history was told: what changes all the time, and is small.

use super::History;

/// Up to when a [`History`] was told, apart from what: a history that is the same but for this need not be saved again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Told {
    boot_id: String,
    generation: u64,
    until: u64,
    in_part: u64,
    mounts_until: u64,
}

impl Told {
    /// The [`History::generation`] that this is about.
    pub fn generation(&self) -> u64 {
        self.generation
    }
}

impl History {
    /// Up to when it was told.
    pub fn progress(&self) -> Told {
        Told {
            boot_id: self.boot_id.clone(),
            generation: self.generation,
            until: self.told_until,
            in_part: self.told_in_part,
            mounts_until: self.mounted.told_until(),
        }
    }

    /// Of a history that was saved: it was told up to then, and nothing changed. Ignored when that is about another
    /// generation, where something did.
    pub fn catch_up(&mut self, told: &Told) {
        if (&self.boot_id, self.generation) == (&told.boot_id, told.generation) {
            self.told(told.until);
            self.told_in_part(told.in_part);
            self.mounts_told(told.mounts_until);
        }
    }
}
