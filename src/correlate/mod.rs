//! From the events of single lines to the events that people see: one fault, one event.
//!
//! Four steps, in this order. [`hold`] puts lines into the order in which they were written. `join` makes one event of the lines
//! that the source prints about one error. `cause` finds the event that a later one follows from. [`burst`] counts what is
//! reported again and again. `names` tells whether two events are about the same device, `key` what is remembered of names.
//!
//! [`Correlator`] is given lines in that order and the time, and does nothing by itself: the daemon runs it in a task
//! ([`task`]), `peripetyd parse` on the times of a file's lines.
//!
//! Nothing is lost and nothing counted twice: what comes out covers exactly the entries that went in.

pub mod burst;
mod cause;
mod command;
mod counted;
mod counter;
mod fault;
mod group;
pub mod hold;
mod join;
mod key;
mod order;
mod parties;
pub mod place;
pub(crate) mod relations;
mod room;
mod settings;
pub mod task;
mod units;

#[cfg(test)]
mod burst_tests;
#[cfg(test)]
mod lifecycle_tests;
#[cfg(test)]
mod memory_tests;
#[cfg(test)]
mod relation_tests;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::event::{EventDraft, Holder};
use crate::rules::Rule;
use burst::Bursts;
use cause::Causes;
use join::Grouping;
use key::NameKey;
use parties::Parties;
pub use relations::{with_kind, ARRAY_OF_DM};
use room::Room;

/// Lines of one error lie this close together, µs; an event leaves at most this long after its first line was read.
pub const WINDOW: u64 = 200_000;

/// An event made of one line.
#[derive(Clone, Debug)]
pub struct Made<T> {
    /// The event.
    pub event: EventDraft,
    /// The rule that took the line.
    pub rule: Arc<Rule>,
    /// The types of events whose condition the line ends, see [`Rule::closes`].
    pub closes: Vec<String>,
    /// How exact the line's time is, µs: 0 in a journal, 1,000,000 in a log that tells seconds only.
    pub precision: u64,
    /// What goes with the event until it comes out: tickets, or the numbers of lines.
    pub carried: Vec<T>,
}

impl<T> Made<T> {
    /// The event of a line that `rule` took.
    pub fn new(event: impl Into<EventDraft>, rule: Arc<Rule>, precision: u64, carried: T) -> Self {
        let closes = rule.closes.clone();
        Made { event: event.into(), rule, closes, precision, carried: vec![carried] }
    }
}

/// An event that is complete.
#[derive(Debug, PartialEq)]
pub struct Done<T> {
    /// The event.
    pub event: EventDraft,
    /// What came with the lines that it was made of.
    pub carried: Vec<T>,
}

/// An event that an earlier run of the daemon reported.
#[derive(Clone, Debug)]
pub struct Reported {
    /// The event, as it was stored.
    pub event: EventDraft,
    /// The types of events whose condition its types end.
    pub closes: Vec<String>,
}

/// Groups lines, counts bursts and finds causes. Times named `now` are µs of any clock that does not go back.
#[derive(Debug)]
pub struct Correlator<T> {
    joins: Grouping<T>,
    causes: Causes,
    bursts: Bursts<T>,
    /// No entry waits to be read.
    caught_up: bool,
}

impl<T> Correlator<T> {
    /// Nothing has happened yet.
    pub fn new(settings: burst::Settings) -> Self {
        let room = Room::default();
        let (causes, bursts) = (Causes::new(room.faults), Bursts::new(settings, room.bursts));
        Correlator { joins: Grouping::default(), causes, bursts, caught_up: true }
    }

    /// Of this many devices: the memory for what is remembered grows with them.
    pub fn set_devices(&mut self, count: usize) {
        let room = Room::for_devices(count);
        self.causes.set_room(room.faults);
        self.bursts.set_room(room.bursts);
    }

    /// Counts bursts in another way from now on.
    pub fn set_bursts(&mut self, settings: burst::Settings) -> Vec<Done<T>> {
        self.bursts.set(settings)
    }

    /// Whether every entry that is there was read. While entries wait, the lines of one error are waited for longer.
    pub fn set_caught_up(&mut self, caught_up: bool) {
        self.caught_up = caught_up;
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
        while let Some(complete) = self.joins.close_before(&made.event) {
            self.finish(complete, now, &mut out);
        }
        if made.rule.group.is_some() {
            self.joins.add(made, now);
            return out;
        }
        let parties = Parties::of(&made.event);
        let follows = !made.rule.follows.is_empty();
        // A cause may still be waiting for its other lines, or be read later: what follows waits as long.
        if follows && (self.joins.has_any(&parties.related) || !self.causes.knows(&made, &parties)) {
            self.joins.add(made, now);
        } else if let Some(made) = self.joins.wait_behind(made, &parties.subject) {
            self.finish_with(made, parties, now, &mut out);
        }
        out
    }

    /// A device of that boot was removed at that time, µs since the epoch.
    pub fn gone(&mut self, boot_id: &str, holder: &Holder, time: u64) {
        let (boot, names) = (key::hash(boot_id), NameKey::of_holder(holder));
        self.causes.gone(boot, &names, time);
        self.bursts.gone(boot, &names);
    }

    /// Takes an event that an earlier run reported, so that the next line of its fault follows it.
    pub fn remember(&mut self, Reported { event, closes }: &Reported, now: u64) {
        let parties = Parties::of(event);
        self.close(event, closes, &parties, &mut Vec::new());
        let related = self.causes.remember(event, parties, now);
        self.bursts.remember(event, &related, now);
    }

    /// What is complete by now.
    pub fn tick(&mut self, now: u64) -> Vec<Done<T>> {
        let mut out = Vec::new();
        while let Some(made) = self.joins.close(now, self.caught_up) {
            self.finish(made, now, &mut out);
        }
        self.bursts.tick(now, &mut out);
        self.causes.forget_over(now, self.caught_up, self.bursts.interval());
        out
    }

    /// When something will be complete, if nothing else comes.
    pub fn next(&self) -> Option<u64> {
        self.joins.next(self.caught_up).into_iter().chain(self.bursts.next()).min()
    }

    /// When what is over can be forgotten, if nothing else comes.
    pub fn forgets_at(&self) -> Option<u64> {
        self.causes.forgets_at()
    }

    /// Everything, complete or not: no other line will come.
    pub fn flush(&mut self) -> Vec<Done<T>> {
        let mut out = self.tick(u64::MAX);
        self.bursts.flush(&mut out);
        out
    }

    fn finish(&mut self, made: Made<T>, now: u64, out: &mut Vec<Done<T>>) {
        let parties = Parties::of(&made.event);
        self.finish_with(made, parties, now, out);
    }

    fn finish_with(&mut self, mut made: Made<T>, parties: Parties, now: u64, out: &mut Vec<Done<T>>) {
        self.close(&made.event, &made.closes, &parties, out);
        let mut counter = self.bursts.counter(&made.event);
        let related = match counter.as_ref().and_then(|counter| self.bursts.counts(counter, &made.event)) {
            Some(first) => {
                self.causes.goes_on(first, &mut made.event, &parties, now);
                parties.related.into()
            }
            None => {
                let related = self.causes.find(&mut made, parties, now);
                counter.iter_mut().for_each(|counter| counter.learn(&related));
                related
            }
        };
        self.bursts.take(made, counter, &related, now, out);
    }

    /// Ends what the event closes: its repetitions, and what follows from it.
    fn close(&mut self, event: &EventDraft, closes: &[String], parties: &Parties, out: &mut Vec<Done<T>>) {
        if !closes.is_empty() {
            self.bursts.close(closes, event, parties, out);
            self.causes.close(closes, event, parties);
        }
    }
}
