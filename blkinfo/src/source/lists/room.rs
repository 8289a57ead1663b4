//! Bounds on what is kept of lists, which anybody may have written.

/// Bytes of texts that are kept of one machine.
const MAX_BYTES: usize = 64 << 20;
/// What a text costs beside its own bytes.
const COST: usize = 64;

/// Room for texts.
#[derive(Clone, Debug)]
pub struct Room {
    left: usize,
    full: bool,
}

impl Default for Room {
    fn default() -> Self {
        Self { left: MAX_BYTES, full: false }
    }
}

impl Room {
    /// Takes room for a text. False: there is none.
    pub fn take(&mut self, text: &str) -> bool {
        self.take_bytes(text.len())
    }

    /// Takes room for so many bytes. False: there is none.
    pub fn take_bytes(&mut self, bytes: usize) -> bool {
        let left = self.left.checked_sub(bytes.saturating_add(COST));
        self.full |= left.is_none();
        self.left = left.unwrap_or(self.left);
        left.is_some()
    }

    /// Something did not fit.
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// Something was left out for another reason.
    pub fn fill(&mut self) {
        self.full = true;
    }
}
