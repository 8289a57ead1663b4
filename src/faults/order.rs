//! The order of the entries, restored.
//!
//! Families of parsers work side by side, so that their events come in any order. What belongs together, and what follows from
//! what, must not depend on it. So an event waits until those of the entries before it have come, but not for long: a
//! family may have a reason to wait (for a mount to appear), and then its event comes later.

use std::collections::BTreeMap;

/// How long an event waits for those before it, µs.
const PATIENCE: u64 = 50_000;
/// Events that wait; with more, the oldest goes on.
const MOST: usize = 4096;

/// Events that wait for those before them.
#[derive(Debug)]
pub struct Order<E> {
    next: u64,
    /// By number; when each came.
    waiting: BTreeMap<u64, (u64, E)>,
}

impl<E> Default for Order<E> {
    fn default() -> Self {
        Order { next: 0, waiting: BTreeMap::new() }
    }
}

impl<E> Order<E> {
    /// All events before this number have come, and none waits.
    pub fn has_all(&self, number: u64) -> bool {
        self.waiting.is_empty() && self.next >= number
    }

    /// Takes an event in.
    pub fn put(&mut self, number: u64, event: E, now: u64) {
        self.waiting.insert(number, (now, event));
    }

    /// The next event whose turn it is: all before it have come, or it has waited long enough.
    pub fn take(&mut self, now: u64) -> Option<E> {
        let (number, (came, _)) = self.waiting.first_key_value()?;
        let due = *number <= self.next || came.saturating_add(PATIENCE) <= now || self.waiting.len() > MOST;
        if !due {
            return None;
        }
        let (number, (_, event)) = self.waiting.pop_first()?;
        self.next = self.next.max(number + 1);
        Some(event)
    }

    /// The next event, whether or not others are missing: none will come.
    pub fn take_any(&mut self) -> Option<E> {
        self.waiting.pop_first().map(|(_, (_, event))| event)
    }

    /// When the first event that waits has waited long enough.
    pub fn next(&self) -> Option<u64> {
        self.waiting.first_key_value().map(|(_, (came, _))| came.saturating_add(PATIENCE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(order: &mut Order<u64>, now: u64) -> Vec<u64> {
        std::iter::from_fn(|| order.take(now)).collect()
    }

    #[test]
    fn events_come_in_their_order() {
        let mut order = Order::default();
        for number in [2, 1] {
            order.put(number, number, 0);
        }
        assert!(all(&mut order, 10).is_empty());
        order.put(0, 0, 20);
        assert_eq!(all(&mut order, 20), [0, 1, 2]);
        assert_eq!(order.next(), None);
    }

    #[test]
    fn one_that_is_late_holds_nobody_up_for_long() {
        let mut order = Order::default();
        order.put(1, 1, 0);
        assert_eq!(order.next(), Some(PATIENCE));
        assert_eq!(all(&mut order, PATIENCE), [1]);
        order.put(0, 0, PATIENCE);
        order.put(2, 2, PATIENCE);
        assert_eq!(all(&mut order, PATIENCE), [0, 2]);
        order.put(9, 9, PATIENCE);
        assert_eq!(order.take_any(), Some(9));
    }
}
