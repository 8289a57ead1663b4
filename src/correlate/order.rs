//! The order of the entries, restored.
//!
//! Families of parsers work side by side, so that their events come in any order. What belongs together, and what follows from
//! what, must not depend on it. So an event waits until those of the entries before it have come. A family that has a reason to
//! wait (for a mount to appear) says so: then its event comes later, and holds up no other.

use std::collections::BTreeMap;

/// How long an event waits for those before it, µs: a family that takes longer is at fault.
const LATE_TIMEOUT: u64 = 2_000_000;
/// Events that wait; with more, the oldest goes on.
const MAX_WAITING: usize = 4096;

/// Events that wait for those before them.
#[derive(Debug)]
pub struct Order<E> {
    next: u64,
    /// Numbers that came, those put off included.
    came: u64,
    /// By number; when each came. `None`: it comes later.
    waiting: BTreeMap<u64, (u64, Option<E>)>,
}

impl<E> Default for Order<E> {
    fn default() -> Self {
        Order { next: 0, came: 0, waiting: BTreeMap::new() }
    }
}

impl<E> Order<E> {
    /// Every one of the first `count` events has come or is put off, and none waits.
    pub fn has_all(&self, count: u64) -> bool {
        self.waiting.is_empty() && self.came >= count
    }

    /// Takes an event in.
    pub fn put(&mut self, number: u64, event: E, now: u64) {
        // What was put off was counted then.
        self.came += u64::from(number >= self.next && !self.waiting.contains_key(&number));
        self.waiting.insert(number, (now, Some(event)));
    }

    /// The event of this number comes later: nobody shall wait for it.
    pub fn put_off(&mut self, number: u64, now: u64) {
        self.came += 1;
        self.waiting.insert(number, (now, None));
    }

    /// The next event whose turn it is: all before it have come, or it has waited long enough.
    pub fn take(&mut self, now: u64) -> Option<E> {
        loop {
            let (number, (came, _)) = self.waiting.first_key_value()?;
            let due = *number <= self.next
                || came.saturating_add(LATE_TIMEOUT) <= now
                || self.waiting.len() > MAX_WAITING;
            if !due {
                return None;
            }
            let (number, (_, event)) = self.waiting.pop_first()?;
            self.next = self.next.max(number + 1);
            if event.is_some() {
                return event;
            }
        }
    }

    /// The next event, whether or not others are missing: none will come.
    pub fn take_any(&mut self) -> Option<E> {
        std::iter::from_fn(|| self.waiting.pop_first()).find_map(|(_, (_, event))| event)
    }

    /// When the first event that waits has waited long enough.
    pub fn next(&self) -> Option<u64> {
        self.waiting.first_key_value().map(|(_, (came, _))| came.saturating_add(LATE_TIMEOUT))
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
        assert!(all(&mut order, 10).is_empty() && !order.has_all(3));
        order.put(0, 0, 20);
        assert_eq!(all(&mut order, 20), [0, 1, 2]);
        assert!(order.has_all(3) && order.next().is_none());
    }

    #[test]
    fn one_that_is_put_off_holds_nobody_up() {
        let mut order = Order::default();
        order.put(1, 1, 0);
        order.put_off(0, 5);
        assert_eq!(all(&mut order, 5), [1]);
        assert!(order.has_all(2));
        order.put(0, 0, 50);
        order.put(2, 2, 50);
        assert_eq!(all(&mut order, 50), [0, 2]);
        assert!(order.has_all(3));
    }

    #[test]
    fn one_that_never_comes_holds_nobody_up_for_ever() {
        let mut order = Order::default();
        order.put(1, 1, 0);
        assert_eq!(order.next(), Some(LATE_TIMEOUT));
        assert_eq!(all(&mut order, LATE_TIMEOUT), [1]);
        order.put(9, 9, LATE_TIMEOUT);
        assert_eq!(order.take_any(), Some(9));
    }
}
