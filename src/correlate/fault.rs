//! One fault: what is wrong with which devices, since when, and whether it is still so.

use std::sync::Arc;

use super::key::{share, NameKey, PlaceKey, INDEX_ENTRY};
use super::parties::Parties;
use super::relations::add_new;
use super::WINDOW;
use crate::event::{EventDraft, Holder, Identity, Severity};
use crate::rules::event_type;

/// A fault is over when nothing was reported of it for this long, µs.
pub const OVER: u64 = 60_000_000;
/// Conditions of one fault that are distinguished; what follows beyond them is still part of it.
const MAX_CONDITIONS: usize = 128;
/// Names of one fault.
const MAX_NAMES: usize = 256;
/// Bytes of a fault beside its names and conditions: places in maps, the id of its event.
const FIXED: usize = std::mem::size_of::<Fault>() + 160;

/// A fault.
#[derive(Debug)]
pub struct Fault {
    /// The event that began it.
    pub event_id: String,
    /// That event is `Warning` or worse.
    pub problem: bool,
    /// The worst that was reported of it.
    pub worst: Severity,
    /// Where it happened.
    pub place: PlaceKey,
    /// Identity and node of the device of that event.
    device: (Option<String>, Option<String>),
    /// All names that were reported with it.
    pub names: Vec<NameKey>,
    conditions: Vec<Condition>,
    /// When it began, and when something was last reported of it.
    began: u64,
    /// The same.
    pub last: u64,
    /// When something was last reported of it, by the clock.
    pub seen: u64,
}

/// What is wrong with one device, by the types of the events that reported it.
#[derive(Debug)]
pub struct Condition {
    /// Separated by blanks.
    types: Arc<str>,
    /// One of those events is `Warning` or worse.
    problem: bool,
    /// The device itself, everything on the way to it, and what it is to be found by as a cause.
    subject: Box<[NameKey]>,
    related: Arc<[NameKey]>,
    affected: Vec<NameKey>,
    last: u64,
    /// When it ended, and how.
    ended: Option<(u64, End)>,
}

/// How a condition ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// An event closed it.
    Closed,
    /// Its device was removed; what is logged of that device afterwards still follows from it.
    Gone,
}

/// An event whose cause is looked for.
pub struct Asked<'e> {
    /// The event.
    pub event: &'e EventDraft,
    /// Where it happened.
    pub place: PlaceKey,
    /// The types of events that it may follow from.
    pub follows: &'e [String],
    /// How exact its time is, µs.
    pub precision: u64,
    /// See [`super::relations::below`].
    pub names: &'e [NameKey],
    /// Its device, when that is gone.
    pub gone: Option<&'e Holder>,
}

impl Condition {
    /// What an event of these types reports of a device.
    pub fn of(event: &EventDraft, types: Arc<str>, parties: Parties, related: Arc<[NameKey]>) -> Self {
        let (problem, subject) = (is_problem(event.severity), parties.subject.into_boxed_slice());
        let affected = parties.affected;
        Condition { types, problem, subject, related, affected, last: event.timestamp, ended: None }
    }

    /// It had not ended at that time.
    fn is_open(&self, time: u64) -> bool {
        self.ended.is_none_or(|(at, _)| time <= at)
    }

    fn end(&mut self, time: u64, how: End) {
        if self.last <= time && self.ended.is_none_or(|(_, before)| before == End::Gone && how == End::Closed)
        {
            self.ended = Some((time, how));
        }
    }

    fn is_of_type(&self, patterns: &[String]) -> bool {
        self.types.split(' ').any(|name| patterns.iter().any(|pattern| event_type::matches(pattern, name)))
    }

    fn bytes(&self) -> usize {
        let names = self.subject.len() + self.related.len() + self.affected.capacity();
        std::mem::size_of::<Condition>() + names * std::mem::size_of::<NameKey>()
    }
}

impl Fault {
    /// One that begins with an event.
    pub fn new(event: &EventDraft, condition: Condition, now: u64) -> Self {
        Fault {
            event_id: event.event_id.clone(),
            problem: is_problem(event.severity),
            worst: event.severity,
            place: PlaceKey::of(event),
            device: (event.dev_wwid.clone(), event.dev_path.clone()),
            names: condition.related.to_vec(),
            conditions: vec![condition],
            began: event.timestamp,
            last: event.timestamp,
            seen: now,
        }
    }

    /// Bytes that it takes, about.
    pub fn bytes(&self) -> usize {
        let names = self.names.capacity() * std::mem::size_of::<NameKey>() + self.names.len() * INDEX_ENTRY;
        let device = [&self.device.0, &self.device.1].into_iter().flatten().map(String::len).sum::<usize>();
        FIXED + names + device + self.conditions.iter().map(Condition::bytes).sum::<usize>()
    }

    /// Adds the names that it does not have yet, as far as there is room; they are returned.
    pub fn add_names(&mut self, related: &[NameKey]) -> Vec<NameKey> {
        let room = MAX_NAMES.saturating_sub(self.names.len());
        let new = related.iter().filter(|name| !self.names.contains(name));
        let new: Vec<NameKey> = new.take(room).copied().collect();
        self.names.extend_from_slice(&new);
        new
    }

    /// Takes in what one more event reports: of a condition that it has, or of another one. What names the device in one is a
    /// name of it in the others, too.
    pub fn add(&mut self, new: Condition) {
        for known in self.conditions.iter_mut().filter(|known| share(&known.subject, &new.subject)) {
            let room = MAX_NAMES.saturating_sub(known.affected.len());
            add_new(&mut known.affected, new.affected.iter().take(room).copied());
        }
        let has_room = self.conditions.len() < MAX_CONDITIONS;
        let same = |known: &&mut Condition| known.types == new.types && known.subject == new.subject;
        match self.conditions.iter_mut().find(same) {
            Some(known) if known.is_open(new.last) => known.last = known.last.max(new.last),
            Some(known) => *known = new,
            None if has_room => self.conditions.push(new),
            None => {}
        }
    }

    /// An event closed conditions of these types: of its subject, of what lies behind that, and of what is built on it.
    pub fn close(&mut self, patterns: &[String], by: &Parties, time: u64) {
        let is_meant = |c: &Condition| share(&by.subject, &c.related) || share(&by.above, &c.subject);
        let closed = |c: &&mut Condition| c.is_of_type(patterns) && is_meant(c);
        self.conditions.iter_mut().filter(closed).for_each(|condition| condition.end(time, End::Closed));
    }

    /// A device was removed.
    pub fn gone(&mut self, holder: &[NameKey], time: u64) {
        let of_device = |c: &&mut Condition| share(holder, &c.subject);
        self.conditions.iter_mut().filter(of_device).for_each(|condition| condition.end(time, End::Gone));
    }

    /// An event that names nothing is about the device of the fault.
    pub fn lend_device(&self, event: &mut EventDraft, names_nothing: bool) {
        if names_nothing && event.dev_path.is_none() {
            (event.dev_wwid, event.dev_path) = self.device.clone();
        }
    }

    /// The event may follow from it.
    pub fn explains(&self, asked: &Asked<'_>) -> bool {
        let (time, slack) = (asked.event.timestamp, WINDOW + asked.precision);
        self.place == asked.place
            && self.began <= time.saturating_add(slack)
            && time <= self.last.saturating_add(OVER + slack)
            && (self.has_open(asked) || asked.gone.is_some_and(|holder| self.is_about(holder)))
    }

    /// A condition that is still open is of a type that the event follows from, and of a device below that of the event. A
    /// problem follows from no recovery that is part of a fault.
    fn has_open(&self, asked: &Asked<'_>) -> bool {
        let (time, routine) = (asked.event.timestamp, !is_problem(asked.event.severity));
        let open = self.conditions.iter().filter(|condition| condition.is_open(time));
        let mut open = open.filter(|condition| condition.problem || routine);
        let is_below =
            |condition: &Condition| asked.names.is_empty() || share(asked.names, &condition.affected);
        open.any(|condition| condition.is_of_type(asked.follows) && is_below(condition))
    }

    /// Something was wrong with this very device. Nothing begins again on one that is gone.
    fn is_about(&self, holder: &Holder) -> bool {
        let held = NameKey::of_holder(holder);
        let same = |name: &NameKey| {
            held.iter().any(|held| held.text == name.text && held.bearer.proves(&name.bearer))
        };
        self.names.iter().any(same)
    }

    /// A name that nobody is known to have held is that of the device that the fault knows by it: else it would be everybody's.
    pub fn identify(&self, name: &mut NameKey) {
        if name.bearer == Identity::default() {
            let known = self.names.iter().find(|known| known.text == name.text);
            name.bearer = known.map(|known| known.bearer).unwrap_or_default();
        }
    }
}

/// The types of an event, as conditions have them.
pub fn types_of(event: &EventDraft) -> String {
    event.event_types().collect::<Vec<_>>().join(" ")
}

/// `Warning` or worse.
pub fn is_problem(severity: Severity) -> bool {
    severity <= Severity::Warning
}
