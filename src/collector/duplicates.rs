//! Numbers entries that are equal in boot, time and text.

use std::collections::{HashMap, VecDeque};

use uuid::Uuid;

use crate::event::{event_id, EntryTime};

/// Number of previous matched entries that are compared.
const WINDOW: usize = 1024;

/// The identifiers of the last matched entries, as numbers: strings would be scattered over the heap after a storm, each in a page that
/// cannot be returned to the kernel.
#[derive(Debug, Default)]
pub struct DuplicateCounter {
    recent: VecDeque<Uuid>,
    /// How often each of them is among the recent.
    counts: HashMap<Uuid, u32>,
}

impl DuplicateCounter {
    /// The event identifier of the next entry, numbered if it repeats an earlier one.
    pub fn event_id(&mut self, boot_id: &str, time: EntryTime, message: &[u8]) -> String {
        let base = event_id(boot_id, time, message, 0);
        let number = Uuid::try_parse(&base).unwrap_or_default();
        let earlier = self.counts.get(&number).copied().unwrap_or(0);
        if self.recent.len() >= WINDOW {
            self.forget_oldest();
        }
        self.recent.push_back(number);
        *self.counts.entry(number).or_default() += 1;
        match earlier {
            0 => base,
            twin => event_id(boot_id, time, message, twin),
        }
    }

    fn forget_oldest(&mut self) {
        let Some(oldest) = self.recent.pop_front() else { return };
        if let Some(count) = self.counts.get_mut(&oldest) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_entries_get_different_identifiers_in_order() {
        let ids = |duplicates: &mut DuplicateCounter| -> Vec<String> {
            (0..3).map(|_| duplicates.event_id("b", EntryTime::Source(1), b"x")).collect()
        };
        let first = ids(&mut DuplicateCounter::default());
        assert!(first.windows(2).all(|pair| pair.first() != pair.last()));
        assert_eq!(first, ids(&mut DuplicateCounter::default()));
    }

    #[test]
    fn what_was_forgotten_is_no_twin() {
        let mut duplicates = DuplicateCounter::default();
        let mut id = |time: u64| duplicates.event_id("b", EntryTime::Source(time), b"x");
        let first = id(0);
        let others = u64::try_from(WINDOW).unwrap();
        (1..=others).for_each(|time| drop(id(time)));
        assert_eq!(id(0), first);
        assert_ne!(id(0), first);
    }
}
