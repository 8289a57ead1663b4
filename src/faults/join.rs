//! Lines that the source prints about one error become one event.
//!
//! A rule names the `group` of its lines. A line joins an open group of that name about the same device when their times lie
//! within the window and nothing speaks against it: another tag, a sector that the command does not cover, a part that the
//! group has already. The line that begins a group never joins one of its own kind, if it names anything: it is the next error.
//!
//! The block layer's line has a sector and no tag. Until the command is known whose blocks hold that sector, it stays by itself;
//! when a group closes, it takes what belongs to it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::cause::is_like;
use super::command::Command;
use super::names::{holder_of, related, subject, Names};
use super::place::Place;
use super::{Made, WINDOW};
use crate::event::{StorageEvent, EVENT_TYPES, SUB_SYSTEMS};

/// Open groups about one device that are looked at.
const MOST_TRIED: usize = 32;
/// Lines in one group; what comes then is another event.
const MOST_LINES: usize = 64;

/// How long a group waits for lines while the reader is behind, µs.
const MAX_WAIT: u64 = 2_000_000;

/// How often a line lets others go first from which it may follow.
const MAX_YIELDS: u32 = 4;

/// How sure it is that two belong together, and how near in time they are, µs.
type Sure = (u32, Reverse<u64>);

/// Groups that may still get lines.
#[derive(Debug)]
pub struct Joins<T> {
    /// By number, which rises with the time of opening.
    open: BTreeMap<u64, Group<T>>,
    next: u64,
    /// For every name of a device the numbers of the open groups that are related to it.
    by_device: HashMap<String, BTreeSet<u64>>,
    /// For every group name and device name the numbers of the open groups, in rising order.
    by_name: HashMap<(String, String), BTreeSet<u64>>,
}

impl<T> Default for Joins<T> {
    fn default() -> Self {
        Joins { open: BTreeMap::new(), next: 0, by_device: HashMap::new(), by_name: HashMap::new() }
    }
}

#[derive(Debug)]
struct Group<T> {
    /// When its first line was read.
    opened: u64,
    lines: Vec<Line<T>>,
    names: Names,
    /// Its lines end a condition: what begins afterwards must come afterwards.
    closes: bool,
    /// The names under which it stands in `by_device`.
    related: Vec<String>,
    /// How often it let others go first.
    yielded: u32,
}

#[derive(Debug)]
struct Line<T> {
    made: Made<T>,
    command: Command,
}

impl<T> Line<T> {
    fn new(made: Made<T>) -> Self {
        let mut command = Command::of(&made.event);
        // Where lines have no parts, several commands are one error, each with a tag of its own.
        if made.rule.spec.part.is_none() {
            command = command.sector_only();
        }
        Line { made, command }
    }
}

impl<T> Joins<T> {
    /// Adds a line to the group that it belongs to, or opens one.
    pub fn add(&mut self, made: Made<T>, now: u64) {
        let names = Names::of(&made.event);
        // A line that names no device goes with the newest error.
        let line = Line::new(made);
        let Some(name) = line.made.rule.spec.group.clone() else {
            self.insert(Group::new(now, line, Names::default()), None);
            return;
        };
        match self.best(&name, &names, &line) {
            Some(number) => self.join(number, &name, &names, line),
            None => self.insert(Group::new(now, line, names), Some(name)),
        }
    }

    /// Lines about the same device, or one on the way to it, wait for others.
    pub fn has_related(&self, event: &StorageEvent) -> bool {
        !self.open.is_empty() && related(event).iter().any(|name| self.by_device.contains_key(&name.text))
    }

    /// Keeps a line back that ends a condition while lines before it wait about the same device; and any line behind such a
    /// one. Otherwise gives it back.
    pub fn wait_behind(&mut self, made: Made<T>) -> Option<Made<T>> {
        if self.open.is_empty() {
            return Some(made);
        }
        let names = subject(&made.event);
        let numbers = names.iter().filter_map(|name| self.by_device.get(&name.text)).flatten();
        let groups = numbers.filter_map(|number| self.open.get(number));
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
        for device in &group.related {
            self.by_device.entry(device.clone()).or_default().insert(number);
        }
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
    pub fn close_before(&mut self, next: &StorageEvent) -> Option<Made<T>> {
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
        let follows: Vec<&String> =
            group.lines.iter().flat_map(|line| &line.made.rule.spec.follows).collect();
        if follows.is_empty() || group.yielded >= MAX_YIELDS {
            return None;
        }
        // The next error of the same kind does not cause this one.
        let is_group = made.rule.spec.group.is_some();
        let may_cause = |line: &Line<T>| {
            let (event, time) = (&line.made.event, made.event.timestamp);
            event.timestamp.abs_diff(time) <= WINDOW + made.precision
                && (!is_group || event.timestamp < time)
                && follows.iter().any(|pattern| is_like(&event.event_type, pattern))
        };
        let listed = group.related.iter().filter_map(|name| self.by_device.get(name));
        let numbers = listed.flat_map(|numbers| numbers.range(number + 1..).take(MOST_TRIED));
        let others = numbers.filter_map(|other| self.open.get(other));
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
        group.related.iter().for_each(|device| unlist(&mut self.by_device, device, number));
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
        // A line without a device may come before those that name it: when there is one such error, it is that.
        if group.names.is_empty() {
            return others.first().filter(|_| others.len() == 1).map(|(_, number)| *number);
        }
        let weak = || others.iter().find(|(_, number)| lonely(number));
        surest.or_else(weak).map(|(_, number)| *number)
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
pub fn unlist<K: std::hash::Hash + Eq>(index: &mut HashMap<K, BTreeSet<u64>>, key: &K, number: u64) {
    if let Some(numbers) = index.get_mut(key) {
        numbers.remove(&number);
        if numbers.is_empty() {
            index.remove(key);
        }
    }
}

impl<T> Group<T> {
    fn new(opened: u64, line: Line<T>, names: Names) -> Self {
        let related = related(&line.made.event).into_iter().map(|name| name.text).collect();
        let closes = !line.made.closes.is_empty();
        Group { opened, lines: vec![line], names, closes, related, yielded: 0 }
    }

    /// None of its lines can belong together with this one, or with a later one.
    fn is_before(&self, next: &StorageEvent) -> bool {
        let place = Place::of(next);
        self.lines.iter().all(|Line { made, .. }| {
            let end = made.event.timestamp.saturating_add(WINDOW + made.precision);
            end < next.timestamp && Place::of(&made.event) == place
        })
    }

    /// The name that its rules give.
    fn name(&self) -> &str {
        self.lines.first().and_then(|line| line.made.rule.spec.group.as_deref()).unwrap_or_default()
    }

    /// See [`Command::waits`].
    fn waits(&self) -> bool {
        self.lines.iter().all(|line| line.command.waits())
    }

    /// `None`: the other one is of another error. Else how sure it is that both are of one.
    fn agreement(&self, other: &Group<T>) -> Option<Sure> {
        let mut sure = (0, Reverse(u64::MAX));
        for line in &other.lines {
            sure = sure.max(self.fits(&other.names, line)?);
        }
        (!std::ptr::eq(self, other)).then_some(sure)
    }

    /// `None`: the line is of another error. Else how sure it is that it belongs here.
    fn fits(&self, names: &Names, line: &Line<T>) -> Option<Sure> {
        let (first, made) = (&self.lines.first()?.made, &line.made);
        let apart = first.event.timestamp.abs_diff(made.event.timestamp);
        let part = &made.rule.spec.part;
        // What names nothing, not even a part of an error, is printed as often as the source tries.
        let is_repeat = || part.is_none() && related(&made.event).is_empty();
        let again = Arc::ptr_eq(&first.rule, &made.rule) && !is_repeat();
        let has_part = part.is_some() && self.lines.iter().any(|line| line.made.rule.spec.part == *part);
        let same_place =
            first.event.boot_id == made.event.boot_id && first.event.hostname == made.event.hostname;
        if apart > WINDOW + made.precision.max(first.precision)
            || again
            || has_part
            || !same_place
            || self.lines.len() >= MOST_LINES
            || self.lines.iter().any(|other| denies(&other.made.event, &made.event))
            || !(names.is_empty() || self.names.is_empty() || self.names.fit(names))
        {
            return None;
        }
        let time = made.event.timestamp;
        let near = self
            .lines
            .iter()
            .map(|other| other.made.event.timestamp.abs_diff(time))
            .min()
            .unwrap_or_default();
        let commands = self.lines.iter().map(|other| line.command.agreement(&other.command));
        let sure = commands.collect::<Option<Vec<u32>>>()?.into_iter().max().unwrap_or_default();
        Some((sure, Reverse(near)))
    }

    /// The event of all lines: the worst of them, with what the others add.
    fn into_event(self) -> Option<Made<T>> {
        let mut lines: Vec<Made<T>> = self.lines.into_iter().map(|line| line.made).collect();
        if lines.len() < 2 {
            return lines.pop();
        }
        lines.sort_by_key(|line| line.event.timestamp);
        let first = lines.first().map(|line| line.event.source.first.clone())?;
        let last = lines.last().map(|line| line.event.source.last.clone())?;
        let main = (0..lines.len()).min_by_key(|at| lines.get(*at).map(|line| line.event.severity))?;
        let mut made = Made { carried: Vec::new(), ..clone_of(lines.get(main)?) };
        let event = &mut made.event;
        if let Some(first) = lines.first() {
            event.event_id.clone_from(&first.event.event_id);
            event.timestamp = first.event.timestamp;
        }
        event.raw_msg = lines.iter().map(|line| line.event.raw_msg.as_str()).collect::<Vec<_>>().join("\n");
        for (key, name) in
            [(EVENT_TYPES, (|event| &event.event_type) as Field), (SUB_SYSTEMS, |event| &event.sub_system)]
        {
            if let Some(all) = distinct(&lines, name) {
                event.extension.insert(key.into(), all);
            }
        }
        event.source.first = first;
        event.source.last = last;
        event.source.entries = lines.iter().map(|line| line.event.source.entries).sum();
        event.source.lines = lines.iter().flat_map(|line| line.event.source.lines.iter().copied()).collect();
        event.source.lines.sort_unstable();
        event.source.covered =
            lines.iter().flat_map(|line| line.event.source.covered.iter().copied()).collect();
        for line in lines {
            add_to(&mut made.event, line.event);
            let new: Vec<String> =
                line.closes.into_iter().filter(|pattern| !made.closes.contains(pattern)).collect();
            made.closes.extend(new);
            made.carried.extend(line.carried);
        }
        Some(made)
    }
}

/// A name that both lines write was held by two devices.
fn denies(a: &StorageEvent, b: &StorageEvent) -> bool {
    let kdev = a.kdev.as_ref().filter(|kdev| b.kdev.as_ref() == Some(kdev));
    let held = kdev.and_then(|name| Some((holder_of(name, a)?, holder_of(name, b)?)));
    held.is_some_and(|(a, b)| a.identity.denies(&b.identity))
}

/// A field of an event.
type Field = fn(&StorageEvent) -> &String;

/// What stands in a field of the lines, each text once, when there are several.
fn distinct<T>(lines: &[Made<T>], field: Field) -> Option<String> {
    let mut all: Vec<&str> = Vec::new();
    for line in lines {
        let text = field(&line.event);
        if !all.contains(&text.as_str()) {
            all.push(text);
        }
    }
    (all.len() > 1).then(|| all.join(" "))
}

/// A line without what it carries.
fn clone_of<T>(line: &Made<T>) -> Made<T> {
    Made {
        event: line.event.clone(),
        rule: line.rule.clone(),
        closes: line.closes.clone(),
        precision: line.precision,
        carried: Vec::new(),
    }
}

/// Takes over what another line of the same error knows more.
fn add_to(event: &mut StorageEvent, other: StorageEvent) {
    if event.dev_path.is_none() && other.dev_path.is_some() {
        event.dev_wwid = event.dev_wwid.take().or(other.dev_wwid);
        event.dev_path = other.dev_path;
        event.owners_wwids = other.owners_wwids;
        event.owners_paths = other.owners_paths;
        event.holders = other.holders;
    }
    if event.kdev.is_none() {
        event.kdev = other.kdev;
    }
    for (key, value) in other.extension {
        event.extension.entry(key).or_insert(value);
    }
}
