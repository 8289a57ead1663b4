//! The same thing about the same device, again and again: one event at once, then one an interval that counts.
//!
//! What is the same says `counter.rs`. Only problems are counted
//! (Warning and worse); of anything else every event counts by itself. An event that closes a condition ends its burst, so that
//! the next failure is reported at once; but not for ever: what fails and comes back again and again is counted, too. A burst
//! belongs to the device that held the name, not to the name.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::counted::{Counted, SUPPRESSED};
use super::counter::{Counter, Key};
use super::key::{share, Bearer, Index, NameKey, PlaceKey, Texts, INDEX_ENTRY};
use super::parties::Parties;
pub use super::settings::Settings;
use super::{Done, Made};
use crate::event::{EventDraft, Severity};
use crate::rules::event_type;

/// Entries that one event counts at most: each is remembered until that event is stored.
const MAX_COUNTED: u64 = 16_384;
/// A condition that ended this often within an interval, and begins once more, goes on: it is flapping.
const MAX_ENDS: u32 = 3;
/// Entries that all bursts together count: beyond them the burst with the most is reported.
const MAX_COUNTED_IN_ALL: u64 = 32_768;

/// What is reported again and again.
#[derive(Debug)]
pub struct Bursts<T> {
    settings: Settings,
    bursts: BTreeMap<u64, Burst<T>>,
    next: u64,
    by_key: HashMap<Key, u64>,
    by_name: Index,
    types: Texts,
    /// Bytes of all bursts, about, and how many they may be.
    bytes: usize,
    room: usize,
    /// Entries that are counted and not reported yet, at most.
    counted: u64,
    /// No burst has anything to do before this time.
    idle_until: u64,
}

#[derive(Debug)]
struct Burst<T> {
    key: Key,
    event_type: Arc<str>,
    bearer: Bearer,
    /// The names by which a later event can close it.
    names: Arc<[NameKey]>,
    /// The event that was reported at once.
    first: String,
    /// When the present interval began: by the lines' time, and by the clock.
    since: u64,
    began: u64,
    /// Time of the latest line.
    last: u64,
    /// When the condition ended last, and how often it did.
    over: Option<u64>,
    ends: u32,
    /// The device was removed: only what is certainly about it is counted.
    gone: bool,
    counted: Option<Counted<T>>,
}

impl<T> Bursts<T> {
    /// Nothing has happened yet; what happens may take so many bytes, about, without the events that count.
    pub fn new(settings: Settings, room: usize) -> Self {
        Bursts {
            settings,
            bursts: BTreeMap::new(),
            next: 0,
            by_key: HashMap::new(),
            by_name: Index::default(),
            types: Texts::default(),
            bytes: 0,
            room,
            counted: 0,
            idle_until: u64::MAX,
        }
    }

    /// For how long the same counts as a repetition, µs.
    pub fn interval(&self) -> u64 {
        self.settings.interval()
    }

    /// They may take so many bytes from now on.
    pub fn set_room(&mut self, room: usize) {
        self.room = room;
    }

    /// Number of bursts that are followed, and their bytes, about.
    #[cfg(test)]
    pub fn followed(&self) -> (usize, usize) {
        (self.bursts.len(), self.bytes)
    }

    /// Goes on with other settings; what was counted so far is reported.
    pub fn set(&mut self, settings: Settings) -> Vec<Done<T>> {
        let mut out = Vec::new();
        if settings != self.settings {
            self.flush(&mut out);
            self.settings = settings;
        }
        out
    }

    /// What the event is counted by; `None` when it counts by itself.
    pub fn counter(&self, event: &EventDraft) -> Option<Counter> {
        self.counts_at_all(event).then(|| Counter::of(event))
    }

    /// The event will be counted, not reported: the event that was reported at once.
    pub fn counts(&self, counter: &Counter, event: &EventDraft) -> Option<&str> {
        let burst = self.bursts.get(self.by_key.get(&counter.key)?)?;
        self.goes_on(burst, counter, event).then_some(&burst.first)
    }

    fn counts_at_all(&self, event: &EventDraft) -> bool {
        let counts = event.severity <= Severity::Warning || event.extension.contains_key(SUPPRESSED);
        self.settings.enabled && counts
    }

    fn goes_on(&self, burst: &Burst<T>, counter: &Counter, event: &EventDraft) -> bool {
        let soon = event.timestamp <= burst.last.saturating_add(self.settings.interval());
        soon && burst.is_of(counter.bearer) && burst.goes_on(event.timestamp)
    }

    /// Reports an event, or counts it. `related`: the names by which a later event can close what it reports.
    pub fn take(
        &mut self,
        made: Made<T>,
        counter: Option<Counter>,
        related: &Arc<[NameKey]>,
        now: u64,
        out: &mut Vec<Done<T>>,
    ) {
        let Made { event, carried, .. } = made;
        let Some(counter) = counter else {
            out.push(Done { event, carried });
            return;
        };
        let interval = self.settings.interval();
        let mut ends = 0;
        if let Some(number) = self.by_key.get(&counter.key).copied() {
            let counts = self.bursts.get(&number).is_some_and(|burst| self.goes_on(burst, &counter, &event));
            if let Some(burst) = self.bursts.get_mut(&number).filter(|_| counts) {
                if event.timestamp >= burst.since.saturating_add(interval) {
                    out.extend(burst.report(now));
                    burst.since = event.timestamp;
                }
                burst.bearer.learn(counter.bearer);
                self.counted += event.source.entries;
                out.extend(burst.count(event, carried, now));
                self.idle_until = self.idle_until.min(burst.began.saturating_add(interval));
                self.bound_counted(now, out);
                return;
            }
            if let Some(mut before) = self.remove(number) {
                let soon = event.timestamp <= before.last.saturating_add(interval);
                ends = if soon && before.is_of(counter.bearer) { before.ends } else { 0 };
                out.extend(before.report(now));
            }
        }
        self.make_room(out);
        self.insert(counter, &event, related, now, ends);
        out.push(Done { event, carried });
    }

    /// Remembers an event that an earlier run reported, so that its repetitions are counted.
    pub fn remember(&mut self, event: &EventDraft, related: &Arc<[NameKey]>, now: u64) {
        let Some(counter) = self.counter(event) else { return };
        match self.by_key.get(&counter.key).and_then(|number| self.bursts.get_mut(number)) {
            Some(burst) if burst.goes_on(event.timestamp) => burst.last = burst.last.max(event.timestamp),
            _ => {
                let before = self.by_key.get(&counter.key).copied().and_then(|number| self.remove(number));
                let ends = before.map_or(0, |before| before.ends);
                self.insert(counter, event, related, now, ends);
            }
        }
    }

    fn insert(
        &mut self,
        counter: Counter,
        event: &EventDraft,
        related: &Arc<[NameKey]>,
        now: u64,
        ends: u32,
    ) {
        let number = self.next;
        self.next += 1;
        related.iter().for_each(|name| self.by_name.insert(name.text, number));
        self.by_key.insert(counter.key, number);
        let burst = Burst {
            key: counter.key,
            event_type: self.types.get(&event.event_type),
            bearer: counter.bearer,
            names: related.clone(),
            first: event.root_cause_event_id.clone().unwrap_or_else(|| event.event_id.clone()),
            since: event.timestamp,
            began: now,
            last: event.timestamp,
            over: None,
            ends,
            gone: false,
            counted: None,
        };
        self.bytes += burst.bytes();
        self.bursts.insert(number, burst);
        self.idle_until = self.idle_until.min(now.saturating_add(self.settings.interval()));
    }

    fn remove(&mut self, number: u64) -> Option<Burst<T>> {
        let burst = self.bursts.remove(&number)?;
        self.bytes -= burst.bytes();
        if self.by_key.get(&burst.key) == Some(&number) {
            self.by_key.remove(&burst.key);
        }
        burst.names.iter().for_each(|name| self.by_name.remove(name.text, number));
        Some(burst)
    }

    /// Reports what was counted for an interval by now.
    pub fn tick(&mut self, now: u64, out: &mut Vec<Done<T>>) {
        if now < self.idle_until {
            return;
        }
        let interval = self.settings.interval();
        let mut reported = Vec::new();
        let mut quiet = Vec::new();
        for (number, burst) in &mut self.bursts {
            if burst.began.saturating_add(interval) > now {
                continue;
            }
            let counted = burst.report(now);
            burst.since = burst.last;
            if counted.is_none() {
                quiet.push(*number);
            }
            reported.extend(counted);
        }
        quiet.into_iter().for_each(|number| drop(self.remove(number)));
        reported.sort_by(order);
        out.extend(reported);
        let next = self.bursts.values().map(|burst| burst.began.saturating_add(interval)).min();
        self.idle_until = next.unwrap_or(u64::MAX);
    }

    /// When something has to be reported.
    pub fn next(&self) -> Option<u64> {
        (self.idle_until != u64::MAX).then_some(self.idle_until)
    }

    /// Reports all that was counted; every burst is over.
    pub fn flush(&mut self, out: &mut Vec<Done<T>>) {
        (self.by_key, self.by_name) = (HashMap::new(), Index::default());
        (self.bytes, self.counted) = (0, 0);
        let bursts = std::mem::take(&mut self.bursts).into_values();
        let mut reported: Vec<Done<T>> = bursts.filter_map(|mut burst| burst.report(0)).collect();
        reported.sort_by(order);
        out.extend(reported);
        self.idle_until = u64::MAX;
    }

    /// Conditions of these types have ended for this event's device, for what lies behind it, and for what is built on it.
    pub fn close(&mut self, patterns: &[String], by: &EventDraft, parties: &Parties, out: &mut Vec<Done<T>>) {
        let (place, time) = (PlaceKey::of(by), by.timestamp);
        let mut numbers = self.by_name.of(&parties.subject);
        numbers.extend(self.by_name.of(&parties.above));
        for number in numbers {
            let Some(burst) = self.bursts.get_mut(&number) else { continue };
            let is_of_type =
                || patterns.iter().any(|pattern| event_type::matches(pattern, &burst.event_type));
            let open = burst.over.is_none() && burst.last <= time;
            let is_meant = || share(&parties.subject, &burst.names) || burst.is_about(&parties.above);
            if open && burst.key.place == place && is_of_type() && is_meant() {
                burst.ends += 1;
                burst.over = Some(time);
                if burst.ends <= MAX_ENDS {
                    out.extend(burst.report(burst.began));
                }
            }
        }
    }

    /// A device was removed: what carries its name from now on is another one.
    pub fn gone(&mut self, boot: u64, holder: &[NameKey]) {
        for number in self.by_name.of(holder) {
            let Some(burst) = self.bursts.get_mut(&number).filter(|burst| burst.key.place.boot == boot)
            else {
                continue;
            };
            if let Some(name) = holder.iter().find(|name| burst.is_name(name)) {
                burst.bearer.learn(name.bearer);
                burst.gone = true;
            }
        }
    }

    /// When too many entries are counted, reports the bursts that have the most.
    fn bound_counted(&mut self, now: u64, out: &mut Vec<Done<T>>) {
        if self.counted < MAX_COUNTED_IN_ALL {
            return;
        }
        let counted = |(number, burst): (&u64, &Burst<T>)| Some((burst.counted.as_ref()?.entries(), *number));
        let mut all: Vec<(u64, u64)> = self.bursts.iter().filter_map(counted).collect();
        all.sort_unstable_by(|a, b| b.cmp(a));
        self.counted = all.iter().map(|(entries, _)| entries).sum();
        for (entries, number) in all {
            if self.counted < MAX_COUNTED_IN_ALL / 2 {
                break;
            }
            out.extend(self.bursts.get_mut(&number).and_then(|burst| burst.report(now)));
            self.counted -= entries;
        }
    }

    /// Those that have been quiet for longest make room.
    fn make_room(&mut self, out: &mut Vec<Done<T>>) {
        if self.bytes < self.room {
            return;
        }
        // A quarter at once, so that a flood of different faults does not look for the oldest every time.
        let mut last: Vec<u64> = self.bursts.values().map(|burst| burst.last).collect();
        last.sort_unstable();
        let limit = last.get(last.len() / 4).copied().unwrap_or_default();
        let old: Vec<u64> =
            self.bursts.iter().filter(|(_, burst)| burst.last <= limit).map(|(number, _)| *number).collect();
        for mut burst in old.into_iter().filter_map(|number| self.remove(number)).collect::<Vec<_>>() {
            out.extend(burst.report(0));
        }
    }
}

fn order<T>(a: &Done<T>, b: &Done<T>) -> std::cmp::Ordering {
    (a.event.timestamp, &a.event.event_id).cmp(&(b.event.timestamp, &b.event.event_id))
}

impl<T> Burst<T> {
    /// Bytes that it takes, about, with its places in maps.
    fn bytes(&self) -> usize {
        let names = self.names.len() * (std::mem::size_of::<NameKey>() + INDEX_ENTRY);
        std::mem::size_of::<Self>() + 160 + names
    }

    /// It is a name of the very device.
    fn is_name(&self, name: &NameKey) -> bool {
        name.text == self.key.device && !name.bearer.denies(&self.bearer)
    }

    fn is_about(&self, names: &[NameKey]) -> bool {
        names.iter().any(|name| self.is_name(name))
    }

    /// What happened at that time belongs to it: its condition had not ended, or it is flapping.
    fn goes_on(&self, time: u64) -> bool {
        self.over.is_none_or(|over| time <= over) || self.ends > MAX_ENDS
    }

    /// It may be about the device of this identity.
    fn is_of(&self, bearer: Bearer) -> bool {
        match self.gone {
            true => self.bearer.proves(&bearer),
            false => !self.bearer.denies(&bearer),
        }
    }

    /// Counts an event; reports what was counted when that is as much as is remembered.
    fn count(&mut self, event: EventDraft, carried: Vec<T>, now: u64) -> Option<Done<T>> {
        self.last = self.last.max(event.timestamp);
        if self.over.is_some_and(|over| event.timestamp > over) {
            self.over = None;
        }
        match &mut self.counted {
            Some(counted) => counted.add(event, carried),
            None => self.counted = Some(Counted::new(event, carried)),
        }
        let full = self.counted.as_ref().is_some_and(|counted| counted.entries() >= MAX_COUNTED);
        full.then(|| self.report(now)).flatten()
    }

    /// The event that stands for what was counted. A new interval begins.
    fn report(&mut self, now: u64) -> Option<Done<T>> {
        self.began = now;
        Some(self.counted.take()?.into_event(&self.first))
    }
}
