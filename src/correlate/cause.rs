//! Which event a later one follows from.
//!
//! A rule says what its event may follow from (`follows`). The latest fault about a related device that has an event of such
//! a type, whose condition has not ended, and of which something was reported within the last minute, is the cause; every
//! event that follows keeps the fault alive. A problem comes before routine, and never follows from it: who looks at causes
//! only would not see it. For the same reason a problem that is worse than anything reported of the fault before is marked.
//!
//! What was reported ends with its device, and with the events that close it (`closes`): what fails again is a new fault.
//!
//! Faults are remembered until nothing can follow from them any more, and in bounded memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::fault::{is_problem, types_of, Asked, Condition, Fault, OVER};
use super::key::{hash, Index, NameKey, PlaceKey, Texts};
use super::parties::Parties;
use super::Made;
use crate::event::{EventDraft, ESCALATES};

/// Faults about one name that are looked at, the newest first.
const MAX_TRIED: usize = 256;
/// How much later than it should a line may come, µs: the time stamps of a text may be whole seconds, and journald may be late.
const SLACK: u64 = 6_000_000;
/// Pause between two looks for faults that are over, µs.
const LOOK_EVERY: u64 = 5_000_000;
/// Boots of which the newest line is known.
const MAX_PLACES: usize = 64;

/// The faults of the last minute.
#[derive(Debug)]
pub struct Causes {
    faults: BTreeMap<u64, Fault>,
    next: u64,
    by_name: Index,
    /// By the hash of the id of the event that began it.
    by_event: HashMap<u64, u64>,
    types: Texts,
    /// Bytes of all faults, about, and how many they may be.
    bytes: usize,
    room: usize,
    /// The time of the newest line of a boot, µs since the epoch.
    newest: HashMap<PlaceKey, u64>,
    /// When faults that are over are looked for, by the clock.
    look_at: u64,
}

impl Causes {
    /// Nothing has happened yet; what happens may take so many bytes, about.
    pub fn new(room: usize) -> Self {
        Causes {
            faults: BTreeMap::new(),
            next: 0,
            by_name: Index::default(),
            by_event: HashMap::new(),
            types: Texts::default(),
            bytes: 0,
            room,
            newest: HashMap::new(),
            look_at: 0,
        }
    }

    /// They may take so many bytes from now on; the oldest make room.
    pub fn set_room(&mut self, room: usize) {
        self.room = room;
        self.make_room();
    }

    /// Something is known that this event follows from.
    pub fn knows<T>(&self, made: &Made<T>, parties: &Parties) -> bool {
        self.cause_of(made, parties).is_some()
    }

    /// An event is reported again: one that is part of the fault that this other one began.
    pub fn goes_on(&mut self, event_id: &str, again: &mut EventDraft, parties: &Parties, now: u64) {
        self.note_time(again);
        let fault = self.by_event.get(&hash(event_id)).and_then(|number| self.faults.get_mut(number));
        if let Some(fault) = fault {
            fault.last = fault.last.max(again.timestamp);
            fault.seen = now;
            fault.lend_device(again, parties.related.is_empty());
        }
    }

    fn note_time(&mut self, event: &EventDraft) {
        let newest = self.newest.entry(PlaceKey::of(event)).or_default();
        *newest = event.timestamp.max(*newest);
    }

    /// Names the cause of an event, if it has one, and remembers the event as a cause of others. The names learn who holds
    /// them, where the fault knows that; the related ones are returned.
    pub fn find<T>(&mut self, made: &mut Made<T>, mut parties: Parties, now: u64) -> Arc<[NameKey]> {
        let cause = self.cause_of(made, &parties);
        if let Some(fault) = cause.and_then(|number| self.faults.get(&number)) {
            parties.remembered().for_each(|name| fault.identify(name));
        }
        match cause {
            Some(number) => self.join(number, &mut made.event, parties, now),
            None => self.begin(&made.event, parties, now),
        }
    }

    /// Remembers an event that an earlier run reported, with the cause that it named then.
    pub fn remember(&mut self, event: &EventDraft, parties: Parties, now: u64) -> Arc<[NameKey]> {
        let root = event.root_cause_event_id.as_ref().and_then(|id| self.by_event.get(&hash(id))).copied();
        match root {
            Some(number) => self.join(number, &mut event.clone(), parties, now),
            None => self.begin(event, parties, now),
        }
    }

    fn condition(&mut self, event: &EventDraft, parties: Parties) -> (Condition, Arc<[NameKey]>) {
        let types = self.types.get(&types_of(event));
        self.note_time(event);
        let related: Arc<[NameKey]> = parties.related.as_slice().into();
        (Condition::of(event, types, parties, related.clone()), related)
    }

    fn join(&mut self, number: u64, event: &mut EventDraft, parties: Parties, now: u64) -> Arc<[NameKey]> {
        let (condition, related) = self.condition(event, parties);
        let Some(fault) = self.faults.get_mut(&number) else { return related };
        let before = fault.bytes();
        if event.event_id != fault.event_id {
            event.root_cause_event_id = Some(fault.event_id.clone());
        }
        fault.lend_device(event, related.is_empty());
        if is_problem(event.severity) && event.severity < fault.worst {
            event.extension.insert(ESCALATES.into(), "true".into());
        }
        fault.worst = fault.worst.min(event.severity);
        fault.last = fault.last.max(event.timestamp);
        fault.seen = now;
        for name in fault.add_names(&related) {
            self.by_name.insert(name.text, number);
        }
        fault.add(condition);
        self.bytes = self.bytes + fault.bytes() - before;
        self.make_room();
        related
    }

    fn begin(&mut self, event: &EventDraft, parties: Parties, now: u64) -> Arc<[NameKey]> {
        let number = self.next;
        self.next += 1;
        let (condition, related) = self.condition(event, parties);
        let fault = Fault::new(event, condition, now);
        for name in &fault.names {
            self.by_name.insert(name.text, number);
        }
        self.by_event.insert(hash(&fault.event_id), number);
        self.bytes += fault.bytes();
        self.faults.insert(number, fault);
        self.make_room();
        related
    }

    fn make_room(&mut self) {
        while self.bytes > self.room {
            let Some((number, _)) = self.faults.first_key_value() else { return };
            self.forget(*number);
        }
    }

    fn forget(&mut self, number: u64) {
        let Some(fault) = self.faults.remove(&number) else { return };
        let event = hash(&fault.event_id);
        if self.by_event.get(&event) == Some(&number) {
            self.by_event.remove(&event);
        }
        self.bytes -= fault.bytes();
        fault.names.iter().for_each(|name| self.by_name.remove(name.text, number));
    }

    /// Forgets the faults from which nothing can follow any more: later lines were read, or (`caught_up`) there is none and
    /// it has been quiet for that long. `repeats`: for how long the same counts as a repetition, µs, which lets a fault go on.
    pub fn forget_over(&mut self, now: u64, caught_up: bool, repeats: u64) {
        if now < self.look_at {
            return;
        }
        self.look_at = now.saturating_add(LOOK_EVERY);
        let keep = repeats.max(OVER) + SLACK;
        let is_over = |fault: &Fault| {
            let newest = self.newest.get(&fault.place).copied().unwrap_or_default();
            newest > fault.last.saturating_add(keep) || caught_up && now > fault.seen.saturating_add(keep)
        };
        let over = self.faults.iter().filter(|(_, fault)| is_over(fault)).map(|(number, _)| *number);
        over.collect::<Vec<u64>>().into_iter().for_each(|number| self.forget(number));
        if self.faults.is_empty() {
            *self = Causes { next: self.next, look_at: self.look_at, ..Causes::new(self.room) };
        } else if self.newest.len() > MAX_PLACES {
            let faults = &self.faults;
            self.newest.retain(|place, _| faults.values().any(|fault| fault.place == *place));
        }
    }

    /// When faults that are over should be looked for.
    pub fn forgets_at(&self) -> Option<u64> {
        (!self.faults.is_empty()).then_some(self.look_at)
    }

    /// What this event says is over: conditions of these types of its device, of what lies behind it, and of the very thing that
    /// is built on it, such as the map of a path.
    pub fn close(&mut self, patterns: &[String], by: &EventDraft, parties: &Parties) {
        let place = PlaceKey::of(by);
        let names: Vec<NameKey> = parties.subject.iter().chain(&parties.above).copied().collect();
        for number in self.numbers(&names) {
            if let Some(fault) = self.faults.get_mut(&number).filter(|fault| fault.place == place) {
                fault.close(patterns, parties, by.timestamp);
            }
        }
    }

    /// A device was removed at that time.
    pub fn gone(&mut self, boot: u64, holder: &[NameKey], time: u64) {
        for number in self.numbers(holder) {
            if let Some(fault) = self.faults.get_mut(&number).filter(|fault| fault.place.boot == boot) {
                fault.gone(holder, time);
            }
        }
    }

    /// The latest problem that the event follows from; else, if it is no problem itself, the latest other thing. An event that
    /// names nothing follows from the one that it can follow from, when there is only one.
    fn cause_of<T>(&self, made: &Made<T>, parties: &Parties) -> Option<u64> {
        let event = &made.event;
        let gone = event.holders.first().filter(|holder| holder.gone);
        let follows = made.rule.follows.as_slice();
        if follows.is_empty() && gone.is_none() {
            return None;
        }
        let (place, names) = (PlaceKey::of(event), parties.below.as_slice());
        let asked = Asked { event, place, follows, precision: made.precision, names, gone };
        let tried = match asked.names.is_empty() {
            true => self.newest_faults(),
            false => self.numbers(asked.names),
        };
        let latest = |problem: bool| {
            let fits = |number: &u64| {
                self.faults.get(number).is_some_and(|f| f.problem == problem && f.explains(&asked))
            };
            let mut found = tried.iter().copied().filter(fits);
            let first = found.next();
            first.filter(|_| !asked.names.is_empty() || found.next().is_none())
        };
        let routine = || if is_problem(event.severity) { None } else { latest(false) };
        latest(true).or_else(routine)
    }

    /// The newest faults, the newest first.
    fn newest_faults(&self) -> Vec<u64> {
        self.faults.keys().rev().take(MAX_TRIED).copied().collect()
    }

    /// The faults that have one of these names, the newest first.
    fn numbers(&self, names: &[NameKey]) -> Vec<u64> {
        let mut numbers: Vec<u64> =
            names.iter().flat_map(|name| self.by_name.newest(name.text).take(MAX_TRIED)).collect();
        // Most faults are found under several of the names.
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        numbers.dedup();
        numbers
    }

    /// Number of faults that are remembered, and their bytes, about.
    #[cfg(test)]
    pub fn remembered(&self) -> (usize, usize) {
        (self.faults.len(), self.bytes)
    }
}
