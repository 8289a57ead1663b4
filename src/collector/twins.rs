//! Numbers entries that are equal in boot, time and text.

use std::collections::VecDeque;

use crate::event::{event_id, EntryTime};

/// How many matched entries are looked back at.
const WINDOW: usize = 1024;

/// The identifiers of the last matched entries.
#[derive(Debug, Default)]
pub struct Twins {
    recent: VecDeque<String>,
}

impl Twins {
    /// The event identifier of the next entry, numbered if the same came before.
    pub fn event_id(&mut self, boot_id: &str, time: EntryTime, message: &[u8]) -> String {
        let base = event_id(boot_id, time, message, 0);
        let earlier = self.recent.iter().filter(|id| **id == base).count();
        if self.recent.len() >= WINDOW {
            self.recent.pop_front();
        }
        self.recent.push_back(base.clone());
        match u32::try_from(earlier) {
            Ok(0) | Err(_) => base,
            Ok(twin) => event_id(boot_id, time, message, twin),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_entries_get_different_identifiers_in_order() {
        let ids = |twins: &mut Twins| -> Vec<String> {
            (0..3).map(|_| twins.event_id("b", EntryTime::Source(1), b"x")).collect()
        };
        let first = ids(&mut Twins::default());
        assert!(first.windows(2).all(|pair| pair.first() != pair.last()));
        assert_eq!(first, ids(&mut Twins::default()));
    }
}
