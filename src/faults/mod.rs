//! From the events of single lines to the events that people see: one fault, one event.
//!
//! Three steps, in this order. `join` makes one event of the lines that the source prints about one error. `cause` finds
//! the event that a later one follows from. [`burst`] counts what is said again and again. `names` tells whether two
//! events are about the same device.
//!
//! [`Faults`] is told what was made and what time it is, and does nothing by itself: the daemon runs it in a task
//! ([`task`]), `peripetyd parse` on the times of a file's lines.
//!
//! Nothing is lost and nothing counted twice: what comes out covers exactly the entries that went in.

pub mod burst;
mod cause;
mod join;
mod names;
mod order;
pub mod task;
mod units;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::event::StorageEvent;
use crate::rules::Rule;
use burst::Bursts;
use cause::Causes;
use join::Joins;
pub use names::{with_kind, ARRAY_OF_DM};

/// Lines of one error lie this close together, µs; an event leaves at most this long after its first line was read.
pub const WINDOW: u64 = 200_000;

/// An event made of one line.
#[derive(Clone, Debug)]
pub struct Made<T> {
    /// The event.
    pub event: StorageEvent,
    /// The rule that took the line.
    pub rule: Arc<Rule>,
    /// How exact the line's time is, µs: 0 in a journal, 1,000,000 in a log that tells seconds only.
    pub precision: u64,
    /// What goes with the event until it comes out: tickets, or the numbers of lines.
    pub carried: Vec<T>,
}

/// An event that is complete.
#[derive(Debug, PartialEq)]
pub struct Done<T> {
    /// The event.
    pub event: StorageEvent,
    /// What came with the lines that it was made of.
    pub carried: Vec<T>,
}

/// Joins lines, counts bursts and finds causes. Times named `now` are µs of any clock that does not go back.
#[derive(Debug)]
pub struct Faults<T> {
    joins: Joins<T>,
    causes: Causes,
    bursts: Bursts<T>,
}

impl<T> Faults<T> {
    /// Nothing has happened yet.
    pub fn new(settings: burst::Settings) -> Self {
        Faults { joins: Joins::default(), causes: Causes::default(), bursts: Bursts::new(settings) }
    }

    /// Counts bursts in another way from now on.
    pub fn set_bursts(&mut self, settings: burst::Settings) -> Vec<Done<T>> {
        self.bursts.set(settings)
    }

    /// Takes the event of one line; what is complete by now comes out.
    pub fn push(&mut self, made: Made<T>, now: u64) -> Vec<Done<T>> {
        let mut out = self.add(made, now);
        out.extend(self.tick(now));
        out
    }

    /// The same, without looking at the clock: for lines that have waited, so that none comes too late for its group.
    pub fn add(&mut self, made: Made<T>, now: u64) -> Vec<Done<T>> {
        let mut out = Vec::new();
        let follows = !made.rule.spec.follows.is_empty();
        // A cause may still be waiting for its other lines, or be read later: what follows waits as long.
        let waits = follows && !self.causes.knows(&made);
        if made.rule.spec.group.is_some() || waits {
            self.joins.add(made, now);
        } else {
            self.finish(made, now, &mut out);
        }
        out
    }

    /// What is complete by now.
    pub fn tick(&mut self, now: u64) -> Vec<Done<T>> {
        let mut out = Vec::new();
        while let Some(made) = self.joins.close(now) {
            self.finish(made, now, &mut out);
        }
        self.bursts.tick(now, &mut out);
        out
    }

    /// When something will be complete, if nothing else comes.
    pub fn next(&self) -> Option<u64> {
        self.joins.next().into_iter().chain(self.bursts.next()).min()
    }

    /// Everything, complete or not: no other line will come.
    pub fn flush(&mut self) -> Vec<Done<T>> {
        let mut out = self.tick(u64::MAX);
        self.bursts.flush(&mut out);
        out
    }

    fn finish(&mut self, mut made: Made<T>, now: u64, out: &mut Vec<Done<T>>) {
        let key = self.bursts.key(&made.event);
        match key.as_ref().and_then(|key| self.bursts.counts(key, &made.event)) {
            Some(first) => self.causes.goes_on(first, made.event.timestamp),
            None => self.causes.find(&mut made),
        }
        self.bursts.take(made, key, now, out);
    }
}
