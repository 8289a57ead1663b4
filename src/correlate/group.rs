//! The lines of one group: what belongs together, and the event that is made of them.

use std::cmp::Reverse;
use std::sync::Arc;

use super::command::FailedCommand;
use super::key::hash;
use super::place::Place;
use super::relations::{holder_of, related, Names};
use super::{Made, WINDOW};
use crate::event::{EventDraft, EVENT_TYPES, SUB_SYSTEMS};

/// Lines in one group; what comes then is another event.
const MAX_LINES: usize = 64;

/// How sure it is that two belong together, and how near in time they are, µs.
pub type Sure = (u32, Reverse<u64>);

/// Lines that may be of one error.
#[derive(Debug)]
pub struct Group<T> {
    /// When its first line was read.
    pub opened: u64,
    /// Its lines.
    pub lines: Vec<Line<T>>,
    /// The names of their device.
    pub names: Names,
    /// Its lines end a condition: what begins afterwards must come afterwards.
    pub closes: bool,
    /// The names under which it stands in `by_device`.
    pub related: Vec<u64>,
    /// How often it let others go first.
    pub yielded: u32,
}

/// A line of a group.
#[derive(Debug)]
pub struct Line<T> {
    /// The event of the line.
    pub made: Made<T>,
    /// The command that it is about.
    pub command: FailedCommand,
}

impl<T> Line<T> {
    /// Of an event.
    pub fn new(made: Made<T>) -> Self {
        let mut command = FailedCommand::of(&made.event);
        // Where lines have no parts, several commands are one error, each with a tag of its own.
        if made.rule.part.is_none() {
            command = command.sector_only();
        }
        Line { made, command }
    }
}

impl<T> Group<T> {
    /// One that a line opens.
    pub fn new(opened: u64, line: Line<T>, names: Names) -> Self {
        let related = related(&line.made.event).into_iter().map(|name| hash(&name.text)).collect();
        let closes = !line.made.closes.is_empty();
        Group { opened, lines: vec![line], names, closes, related, yielded: 0 }
    }

    /// None of its lines can belong together with this one, or with a later one.
    pub fn is_before(&self, next: &EventDraft) -> bool {
        let place = Place::of(next);
        self.lines.iter().all(|Line { made, .. }| {
            let end = made.event.timestamp.saturating_add(WINDOW + made.precision);
            end < next.timestamp && Place::of(&made.event) == place
        })
    }

    /// The name that its rules give.
    pub fn name(&self) -> &str {
        self.lines.first().and_then(|line| line.made.rule.group.as_deref()).unwrap_or_default()
    }

    /// See [`FailedCommand::waits`].
    pub fn waits(&self) -> bool {
        self.lines.iter().all(|line| line.command.waits())
    }

    /// `None`: the other one is of another error. Else how sure it is that both are of one.
    pub fn agreement(&self, other: &Group<T>) -> Option<Sure> {
        let mut sure = (0, Reverse(u64::MAX));
        for line in &other.lines {
            sure = sure.max(self.fits(&other.names, line)?);
        }
        (!std::ptr::eq(self, other)).then_some(sure)
    }

    /// `None`: the line is of another error. Else how sure it is that it belongs here.
    pub fn fits(&self, names: &Names, line: &Line<T>) -> Option<Sure> {
        let (first, made) = (&self.lines.first()?.made, &line.made);
        let apart = first.event.timestamp.abs_diff(made.event.timestamp);
        let part = &made.rule.part;
        // What names nothing, not even a part of an error, is printed as often as the source tries.
        let is_repeat = || part.is_none() && related(&made.event).is_empty();
        let again = Arc::ptr_eq(&first.rule, &made.rule) && !is_repeat();
        let has_part = part.is_some() && self.lines.iter().any(|line| line.made.rule.part == *part);
        let same_place =
            first.event.boot_id == made.event.boot_id && first.event.hostname == made.event.hostname;
        if apart > WINDOW + made.precision.max(first.precision)
            || again
            || has_part
            || !same_place
            || self.lines.len() >= MAX_LINES
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
    pub fn into_event(self) -> Option<Made<T>> {
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
        event.covered = lines.iter().flat_map(|line| line.event.covered.iter().copied()).collect();
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

/// Captures that name what a line without a device is about: lines that name two of a kind are of two errors.
const SUBJECTS: [&str; 3] = ["resource", "pool", "controller"];

/// The lines name two things of a kind, or a name that both write was held by two devices.
fn denies(a: &EventDraft, b: &EventDraft) -> bool {
    let differ = |key: &&str| {
        let both = a.extension.get(*key).zip(b.extension.get(*key));
        both.is_some_and(|(a, b)| a != b)
    };
    if SUBJECTS.iter().any(differ) {
        return true;
    }
    let kdev = a.kdev.as_ref().filter(|kdev| b.kdev.as_ref() == Some(kdev));
    let held = kdev.and_then(|name| Some((holder_of(name, a)?, holder_of(name, b)?)));
    held.is_some_and(|(a, b)| a.identity.denies(&b.identity))
}

/// A field of an event.
type Field = fn(&EventDraft) -> &String;

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
fn add_to(event: &mut EventDraft, other: EventDraft) {
    let EventDraft { event: other, holders, .. } = other;
    if event.dev_path.is_none() && other.dev_path.is_some() {
        event.dev_wwid = event.dev_wwid.take().or(other.dev_wwid);
        event.dev_path = other.dev_path;
        event.owners_wwids = other.owners_wwids;
        event.owners_paths = other.owners_paths;
        event.holders = holders;
    }
    if event.kdev.is_none() {
        event.kdev = other.kdev;
    }
    for (key, value) in other.extension {
        event.extension.entry(key).or_insert(value);
    }
}
