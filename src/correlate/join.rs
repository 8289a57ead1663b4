//! Lines that the source prints about one error become one event.
//!
//! A rule names the `group` of its lines. A line joins an open group of that name about the same device when their times lie
//! within the window and nothing speaks against it: another tag, a sector that the command does not cover, a part that the
//! group has already. The line that begins a group never joins one of its own kind, if it names anything: it is the next error.
//!
//! The block layer's line has a sector and no tag. Until the command is known whose blocks hold that sector, it stays by itself;
//! when a group closes, it takes what belongs to it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::group::{Group, Line, Sure};
use super::key::{Index, NameKey};
use super::relations::Names;
use super::{Made, WINDOW};
use crate::event::EventDraft;
use crate::rules::event_type;

/// Open groups about one device that are looked at.
const MOST_TRIED: usize = 32;
/// How long a group waits for lines while the reader is behind, µs.
const MAX_WAIT: u64 = 2_000_000;

/// How often a line lets others go first from which it may follow.
const MAX_YIELDS: u32 = 4;

/// Groups that may still get lines.
#[derive(Debug)]
pub struct Grouping<T> {
    /// By number, which rises with the time of opening.
    open: BTreeMap<u64, Group<T>>,
    next: u64,
    /// For every name of a device the numbers of the open groups that are related to it.
    by_device: Index,
    /// For every group name and device name the numbers of the open groups, in rising order.
    by_name: HashMap<(String, String), BTreeSet<u64>>,
}

impl<T> Default for Grouping<T> {
    fn default() -> Self {
        Grouping { open: BTreeMap::new(), next: 0, by_device: Index::default(), by_name: HashMap::new() }
    }
}

impl<T> Grouping<T> {
    /// Adds a line to the group that it belongs to, or opens one.
    pub fn add(&mut self, made: Made<T>, now: u64) {
        let names = Names::of(&made.event);
        // A line that names no device goes with the newest error.
        let line = Line::new(made);
        let Some(name) = line.made.rule.group.as_ref().map(ToString::to_string) else {
            self.insert(Group::new(now, line, Names::default()), None);
            return;
        };
        match self.best(&name, &names, &line) {
            Some(number) => self.join(number, &name, &names, line),
            None => self.insert(Group::new(now, line, names), Some(name)),
        }
    }

    /// Lines with one of these names wait for others.
    pub fn has_any(&self, names: &[NameKey]) -> bool {
        !self.open.is_empty() && names.iter().any(|name| self.by_device.has(name.text))
    }

    /// Keeps a line about this subject back that ends a condition while lines before it wait about the same device; and any line behind such a
    /// one. Otherwise gives it back.
    pub fn wait_behind(&mut self, made: Made<T>, subject: &[NameKey]) -> Option<Made<T>> {
        if self.open.is_empty() {
            return Some(made);
        }
        let numbers = subject.iter().flat_map(|name| self.by_device.newest(name.text));
        let groups = numbers.filter_map(|number| self.open.get(&number));
        let before =
            groups.filter(|group| group.closes || !made.closes.is_empty()).map(|group| group.opened).max();
        let Some(opened) = before else { return Some(made) };
        self.insert(Group::new(opened, Line::new(made), Names::default()), None);
        None
    }

    fn insert(&mut self, group: Group<T>, name: Option<String>) {
        let number = self.next;
        self.next += 1;
        if let Some(name) = name {
            self.list(number, &name, &group.names);
        }
        group.related.iter().for_each(|device| self.by_device.insert(*device, number));
        self.open.insert(number, group);
    }

    fn list(&mut self, number: u64, name: &str, names: &Names) {
        for device in names.keys() {
            self.by_name.entry((name.to_owned(), device)).or_default().insert(number);
        }
    }

    fn join(&mut self, number: u64, name: &str, names: &Names, line: Line<T>) {
        if let Some(group) = self.open.get_mut(&number) {
            group.names.extend(names);
            group.closes |= !line.made.closes.is_empty();
            group.lines.push(line);
            self.list(number, name, names);
        }
    }

    /// The surest of the groups that the line can belong to, of several the one whose lines are the nearest in time.
    fn best(&self, name: &str, names: &Names, line: &Line<T>) -> Option<u64> {
        let any = names.is_empty().then(String::new);
        let looked = any.into_iter().chain(names.all().cloned());
        let listed = looked.filter_map(|device| self.by_name.get(&(name.to_owned(), device)));
        let newest = listed.flat_map(|numbers| numbers.iter().rev().take(MOST_TRIED));
        let waits = line.command.waits();
        let fits = newest.filter_map(|number| {
            let group = self.open.get(number)?;
            let sure = group.fits(names, line)?;
            (sure.0 > 0 || !(waits || group.waits())).then_some((sure, *number))
        });
        fits.max().map(|(_, number)| number)
    }

    /// A group that is complete by now, as one event: it has been open for the whole window and no entry waits to be read
    /// (`caught_up`), or it has waited long enough.
    pub fn close(&mut self, now: u64, caught_up: bool) -> Option<Made<T>> {
        let wait = if caught_up { WINDOW } else { MAX_WAIT };
        let number = self.first(|group| group.opened.saturating_add(wait) <= now)?;
        self.take(number)
    }

    /// A group that is complete because this line, the next in the order of time, was written too late for it.
    pub fn close_before(&mut self, next: &EventDraft) -> Option<Made<T>> {
        let number = self.first(|group| group.is_before(next))?;
        self.take(number)
    }

    /// The number of the first group, when its time has come. A line that may follow from one that waits behind it (two
    /// clocks are never quite the same) lets that one go first.
    fn first(&mut self, is_due: impl Fn(&Group<T>) -> bool) -> Option<u64> {
        loop {
            let (number, group) = self.open.first_key_value()?;
            let number = *number;
            if !is_due(group) {
                return None;
            }
            let Some(opened) = self.opened_by_a_cause(number, group) else { return Some(number) };
            let mut group = self.remove(number)?;
            group.yielded += 1;
            group.opened = group.opened.max(opened);
            self.insert(group, None);
        }
    }

    /// When a group was opened that this one may follow from, and that waits behind it.
    fn opened_by_a_cause(&self, number: u64, group: &Group<T>) -> Option<u64> {
        let made = group.lines.first().map(|line| &line.made)?;
        let follows: Vec<&String> = group.lines.iter().flat_map(|line| &line.made.rule.follows).collect();
        if follows.is_empty() || group.yielded >= MAX_YIELDS {
            return None;
        }
        // What could follow from this one, or is the next error of the same kind, does not cause it.
        let is_group = made.rule.group.is_some();
        let may_follow = |other: &Made<T>| {
            let patterns = &other.rule.follows;
            patterns.iter().any(|pattern| event_type::matches(pattern, &made.event.event_type))
        };
        let may_cause = |line: &Line<T>| {
            let (event, time) = (&line.made.event, made.event.timestamp);
            event.timestamp.abs_diff(time) <= WINDOW + made.precision
                && (event.timestamp < time || !is_group && !may_follow(&line.made))
                && follows.iter().any(|pattern| event_type::matches(pattern, &event.event_type))
        };
        let listed = group.related.iter();
        let numbers = listed.flat_map(|name| self.by_device.above(*name, number).take(MOST_TRIED));
        let others = numbers.filter_map(|other| self.open.get(&other));
        others.filter(|other| other.lines.iter().any(may_cause)).map(|other| other.opened).max()
    }

    fn take(&mut self, number: u64) -> Option<Made<T>> {
        let mut group = self.remove(number)?;
        while let Some(other) = self.partner(&group).and_then(|number| self.remove(number)) {
            group.names.extend(&other.names);
            group.lines.extend(other.lines);
        }
        group.into_event()
    }

    fn remove(&mut self, number: u64) -> Option<Group<T>> {
        let group = self.open.remove(&number)?;
        for device in group.names.keys() {
            unlist(&mut self.by_name, &(group.name().to_owned(), device), number);
        }
        group.related.iter().for_each(|device| self.by_device.remove(*device, number));
        Some(group)
    }

    /// An open group of the same error as one that closes: surely, or because it has no other.
    fn partner(&self, group: &Group<T>) -> Option<u64> {
        let others = self.near(group);
        let surest = others.iter().filter(|(sure, _)| sure.0 > 0).max();
        let lonely = |number: &u64| {
            self.open.get(number).is_some_and(|other| {
                (group.waits() || other.waits()) && !self.near(other).iter().any(|(sure, _)| sure.0 > 0)
            })
        };
        // A line without a device may come before those that name it: when all errors are of one device, it is the first of them.
        if group.names.is_empty() {
            return others.first().filter(|_| self.are_of_one_device(&others)).map(|(_, number)| *number);
        }
        let weak = || others.iter().find(|(_, number)| lonely(number));
        surest.or_else(weak).map(|(_, number)| *number)
    }

    fn are_of_one_device(&self, groups: &[(Sure, u64)]) -> bool {
        let mut names = groups.iter().filter_map(|(_, number)| Some(&self.open.get(number)?.names));
        names.next().is_some_and(|first| names.all(|other| first.fit(other)))
    }

    /// The open groups that may be of the same error, the oldest first, and how sure that is.
    fn near(&self, group: &Group<T>) -> Vec<(Sure, u64)> {
        let any = group.names.is_empty().then(String::new);
        let looked = any.into_iter().chain(group.names.all().cloned());
        let listed = looked.filter_map(|device| self.by_name.get(&(group.name().to_owned(), device)));
        let mut numbers: Vec<u64> =
            listed.flat_map(|numbers| numbers.iter().take(MOST_TRIED)).copied().collect();
        numbers.sort_unstable();
        numbers.dedup();
        let agreement = |number: u64| self.open.get(&number).and_then(|other| group.agreement(other));
        numbers.into_iter().filter_map(|number| Some((agreement(number)?, number))).collect()
    }

    /// When the oldest group closes.
    pub fn next(&self, caught_up: bool) -> Option<u64> {
        let wait = if caught_up { WINDOW } else { MAX_WAIT };
        self.open.first_key_value().map(|(_, group)| group.opened.saturating_add(wait))
    }
}

/// Takes a number out of an index.
fn unlist<K: std::hash::Hash + Eq>(index: &mut HashMap<K, BTreeSet<u64>>, key: &K, number: u64) {
    if let Some(numbers) = index.get_mut(key) {
        numbers.remove(&number);
        if numbers.is_empty() {
            index.remove(key);
        }
    }
}
