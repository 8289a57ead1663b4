//! Limits what is kept of lists, which anybody may have written.

/// Bytes of texts that are kept of one machine.
const MAX_BYTES: usize = 64 << 20;
/// What a text costs beside its own bytes.
const COST: usize = 64;

/// Memory for texts that is still available.
#[derive(Clone, Debug)]
pub struct TextBudget {
    left: usize,
    full: bool,
}

impl Default for TextBudget {
    fn default() -> Self {
        Self { left: MAX_BYTES, full: false }
    }
}

impl TextBudget {
    /// Takes what a text costs. False: too little is left.
    pub fn take(&mut self, text: &str) -> bool {
        self.take_bytes(text.len())
    }

    /// Takes this number of bytes. False: too little is left.
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
