//! The same thing about the same device, again and again: one event at once, then one an interval that counts.
//!
//! What is the same: event type, writer, device, and the text without its numbers. Only problems are counted
//! (Warning and worse); of anything else every event counts by itself. An event that ends a condition ends its burst, so that
//! the next failure is told at once; but not for ever: what fails and comes back again and again is counted, too.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::names::{where_named, ARRAY_OF_DM};
use super::{Done, Made};
use crate::event::{Severity, StorageEvent};

/// Bursts that are followed at a time; the one that has been quiet for longest makes room.
const MOST: usize = 8192;
/// Entries that one event counts at most: each is remembered until that event is stored.
const MOST_COUNTED: u64 = 16_384;
/// A condition that ended this often within an interval, and begins once more, goes on.
const MOST_ENDS: u32 = 3;

/// Capture of rules: lines that the kernel did not print ("N callbacks suppressed"), which are summed up.
const SUPPRESSED: &str = "suppressed";

/// The table `[burst]` of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Whether repeated events are counted at all.
    pub enabled: bool,
    /// Seconds from one counting event to the next.
    pub interval_seconds: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { enabled: true, interval_seconds: 60 }
    }
}

impl Settings {
    /// The interval in µs.
    fn interval(self) -> u64 {
        self.interval_seconds.saturating_mul(1_000_000)
    }
}

/// What is said again and again.
#[derive(Debug)]
pub struct Bursts<T> {
    settings: Settings,
    bursts: BTreeMap<Key, Burst<T>>,
    /// No burst has anything to do before this time.
    idle_until: u64,
}

/// What makes two events the same. The order puts what an event can end side by side.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    device: String,
    event_type: String,
    /// Boot and host: those of different machines are not the same.
    place: String,
    identifier: String,
    text: String,
}

#[derive(Debug)]
struct Burst<T> {
    /// The event that was told at once.
    first: String,
    /// When the present interval began: by the lines' time, and by the clock.
    since: u64,
    began: u64,
    /// Time of the latest line.
    last: u64,
    /// The condition has ended, and how often it did.
    over: bool,
    ends: u32,
    counted: Option<Counted<T>>,
}

/// Events that are not told yet.
#[derive(Debug)]
struct Counted<T> {
    /// The first of them, with the text and extension of the latest.
    event: StorageEvent,
    carried: Vec<T>,
    last_time: u64,
    sectors: Option<(u64, u64)>,
    suppressed: Option<u64>,
}

impl<T> Bursts<T> {
    /// Nothing has happened yet.
    pub fn new(settings: Settings) -> Self {
        Bursts { settings, bursts: BTreeMap::new(), idle_until: u64::MAX }
    }

    /// Number of bursts that are followed.
    #[cfg(test)]
    pub fn followed(&self) -> usize {
        self.bursts.len()
    }

    /// Goes on with other settings; what was counted so far is told.
    pub fn set(&mut self, settings: Settings) -> Vec<Done<T>> {
        let mut out = Vec::new();
        if settings != self.settings {
            self.flush(&mut out);
            self.settings = settings;
        }
        out
    }

    /// What the event is the same as; `None` when it counts by itself.
    pub fn key(&self, event: &StorageEvent) -> Option<Key> {
        self.counts_at_all(event).then(|| Key::of(event))
    }

    /// The event will be counted, not told: the event that was told at once.
    pub fn counts(&self, key: &Key, event: &StorageEvent) -> Option<&str> {
        let burst = self.bursts.get(key)?;
        let soon = event.timestamp <= burst.last.saturating_add(self.settings.interval());
        (soon && burst.goes_on()).then_some(&burst.first)
    }

    fn counts_at_all(&self, event: &StorageEvent) -> bool {
        let counts = event.severity <= Severity::Warning || event.extension.contains_key(SUPPRESSED);
        self.settings.enabled && counts
    }

    /// Tells an event, or counts it by its key.
    pub fn take(&mut self, made: Made<T>, key: Option<Key>, now: u64, out: &mut Vec<Done<T>>) {
        let Made { event, rule, carried, .. } = made;
        for ended in &rule.closes {
            self.end(ended, &event, out);
        }
        let Some(key) = key else {
            out.push(Done { event, carried });
            return;
        };
        let interval = self.settings.interval();
        let mut ends = 0;
        if let Some(burst) = self.bursts.get_mut(&key) {
            let soon = event.timestamp <= burst.last.saturating_add(interval);
            if soon && burst.goes_on() {
                if event.timestamp >= burst.since.saturating_add(interval) {
                    out.extend(burst.tell(now));
                    burst.since = event.timestamp;
                }
                out.extend(burst.count(event, carried, now));
                self.idle_until = self.idle_until.min(burst.began.saturating_add(interval));
                return;
            }
            out.extend(burst.tell(now));
            ends = if soon { burst.ends } else { 0 };
        }
        self.make_room(out);
        let burst = Burst {
            first: event.root_cause_event_id.clone().unwrap_or_else(|| event.event_id.clone()),
            since: event.timestamp,
            began: now,
            last: event.timestamp,
            over: false,
            ends,
            counted: None,
        };
        self.bursts.insert(key, burst);
        self.idle_until = self.idle_until.min(now.saturating_add(interval));
        out.push(Done { event, carried });
    }

    /// Tells what was counted for an interval by now.
    pub fn tick(&mut self, now: u64, out: &mut Vec<Done<T>>) {
        if now < self.idle_until {
            return;
        }
        let interval = self.settings.interval();
        let mut told = Vec::new();
        self.bursts.retain(|_, burst| {
            if burst.began.saturating_add(interval) > now {
                return true;
            }
            let counted = burst.tell(now);
            burst.since = burst.last;
            let goes_on = counted.is_some();
            told.extend(counted);
            goes_on
        });
        told.sort_by(order);
        out.extend(told);
        let next = self.bursts.values().map(|burst| burst.began.saturating_add(interval)).min();
        self.idle_until = next.unwrap_or(u64::MAX);
    }

    /// When something has to be told.
    pub fn next(&self) -> Option<u64> {
        (self.idle_until != u64::MAX).then_some(self.idle_until)
    }

    /// Tells all that was counted; every burst is over.
    pub fn flush(&mut self, out: &mut Vec<Done<T>>) {
        let bursts = std::mem::take(&mut self.bursts).into_values();
        let mut told: Vec<Done<T>> = bursts.filter_map(|mut burst| burst.tell(0)).collect();
        told.sort_by(order);
        out.extend(told);
        self.idle_until = u64::MAX;
    }

    /// A condition has ended for this event's device.
    fn end(&mut self, event_type: &str, by: &StorageEvent, out: &mut Vec<Done<T>>) {
        let first = Key {
            device: device(by),
            event_type: event_type.to_owned(),
            place: place(by),
            identifier: String::new(),
            text: String::new(),
        };
        let ended = |key: &Key| {
            key.device == first.device && key.event_type == first.event_type && key.place == first.place
        };
        let bursts = self.bursts.range_mut(&first..).take_while(|(key, _)| ended(key));
        for (_, burst) in bursts.filter(|(_, burst)| !burst.over) {
            burst.ends += 1;
            burst.over = true;
            if !burst.goes_on() {
                out.extend(burst.tell(burst.began));
            }
        }
    }

    fn make_room(&mut self, out: &mut Vec<Done<T>>) {
        if self.bursts.len() < MOST {
            return;
        }
        // A quarter at once, so that a flood of different faults does not look for the oldest every time.
        let mut last: Vec<u64> = self.bursts.values().map(|burst| burst.last).collect();
        last.sort_unstable();
        let limit = last.get(MOST / 4).copied().unwrap_or_default();
        self.bursts.retain(|_, burst| {
            if burst.last > limit {
                return true;
            }
            out.extend(burst.tell(0));
            false
        });
    }
}

fn order<T>(a: &Done<T>, b: &Done<T>) -> std::cmp::Ordering {
    (a.event.timestamp, &a.event.event_id).cmp(&(b.event.timestamp, &b.event.event_id))
}

impl<T> Burst<T> {
    /// What is said now belongs to it.
    fn goes_on(&self) -> bool {
        !self.over || self.ends > MOST_ENDS
    }

    /// Counts an event; tells what was counted when that is as much as is remembered.
    fn count(&mut self, event: StorageEvent, carried: Vec<T>, now: u64) -> Option<Done<T>> {
        self.last = self.last.max(event.timestamp);
        match &mut self.counted {
            Some(counted) => counted.add(event, carried),
            None => self.counted = Some(Counted::new(event, carried)),
        }
        let full = self.counted.as_ref().is_some_and(|counted| counted.event.source.entries >= MOST_COUNTED);
        full.then(|| self.tell(now)).flatten()
    }

    /// The event that stands for what was counted. A new interval begins.
    fn tell(&mut self, now: u64) -> Option<Done<T>> {
        self.began = now;
        let mut counted = self.counted.take()?;
        let event = &mut counted.event;
        event.root_cause_event_id = Some(self.first.clone());
        let mut say = |key: &str, value: u64| drop(event.extension.insert(key.into(), value.to_string()));
        say("first_time", event.timestamp);
        say("last_time", counted.last_time);
        if let Some((lowest, highest)) = counted.sectors {
            say("lowest_sector", lowest);
            say("highest_sector", highest);
        }
        if let Some(suppressed) = counted.suppressed {
            say(SUPPRESSED, suppressed);
        }
        Some(Done { event: counted.event, carried: counted.carried })
    }
}

impl<T> Counted<T> {
    fn new(event: StorageEvent, carried: Vec<T>) -> Self {
        let sector = number(&event, "sector").map(|sector| (sector, sector));
        let (last_time, suppressed) = (event.timestamp, number(&event, SUPPRESSED));
        Counted { event, carried, last_time, sectors: sector, suppressed }
    }

    fn add(&mut self, later: StorageEvent, carried: Vec<T>) {
        self.carried.extend(carried);
        self.last_time = self.last_time.max(later.timestamp);
        if let Some(sector) = number(&later, "sector") {
            let (lowest, highest) = self.sectors.unwrap_or((sector, sector));
            self.sectors = Some((lowest.min(sector), highest.max(sector)));
        }
        self.suppressed = match (self.suppressed, number(&later, SUPPRESSED)) {
            (Some(a), Some(b)) => Some(a.saturating_add(b)),
            (a, b) => a.or(b),
        };
        let event = &mut self.event;
        event.repeat_count += later.repeat_count;
        event.severity = event.severity.min(later.severity);
        event.timestamp = event.timestamp.min(later.timestamp);
        event.source.entries += later.source.entries;
        event.source.last = later.source.last;
        event.source.lines.extend(later.source.lines);
        event.source.covered.extend(later.source.covered);
        event.msg = later.msg;
        event.raw_msg = later.raw_msg;
        event.extension = later.extension;
        if later.dev_path.is_some() {
            event.dev_wwid = later.dev_wwid;
            event.dev_path = later.dev_path;
            event.owners_wwids = later.owners_wwids;
            event.owners_paths = later.owners_paths;
        }
    }
}

fn number(event: &StorageEvent, key: &str) -> Option<u64> {
    event.extension.get(key)?.parse().ok()
}

impl Key {
    fn of(event: &StorageEvent) -> Self {
        Key {
            device: device(event),
            event_type: event.event_type.clone(),
            place: place(event),
            identifier: event.source.identifier.clone(),
            text: without_numbers(&event.msg),
        }
    }
}

fn place(event: &StorageEvent) -> String {
    format!("{} {}", event.boot_id, event.hostname)
}

/// As the line names it; a path of a map is not another one. A line that names no device may still say where it happens.
fn device(event: &StorageEvent) -> String {
    let named = event.kdev.as_ref().filter(|kdev| *kdev != ARRAY_OF_DM).or(event.dev_path.as_ref());
    named.cloned().unwrap_or_else(|| where_named(event).collect::<Vec<_>>().join(" "))
}

/// The text with every run of digits, and every hexadecimal number, as `#`.
fn without_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    for c in text.chars().chain([' ']) {
        if c.is_ascii_alphanumeric() {
            word.push(c);
            continue;
        }
        let hex = word.strip_prefix("0x").unwrap_or(&word);
        let is_hex = hex.bytes().all(|b| b.is_ascii_hexdigit()) && hex.bytes().any(|b| b.is_ascii_digit());
        if is_hex {
            out.push('#');
        } else {
            let mut digits = false;
            for c in word.chars() {
                if !c.is_ascii_digit() {
                    out.push(c);
                } else if !digits {
                    out.push('#');
                }
                digits = c.is_ascii_digit();
            }
        }
        word.clear();
        out.push(c);
    }
    out
}

#[cfg(test)]
mod unit_tests {
    use super::without_numbers;

    #[test]
    fn numbers_do_not_make_a_text_another() {
        let a =
            without_numbers("I/O error, dev sdb, sector 12345 op 0x0:(READ) flags 0x80700 tag#7 deadbeef01");
        assert_eq!(a, "I/O error, dev sdb, sector # op #:(READ) flags # tag## # ");
        assert_ne!(without_numbers("sda failed"), without_numbers("sdb failed"));
    }
}
