//! Which event a later one follows from.
//!
//! A rule says what its event may follow from (`follows`). The latest fault about a related device that has an event of such
//! a type, whose condition has not ended, and of which something was reported within the last minute, is the cause; every
//! event that follows keeps the fault alive. A problem comes before routine, and never follows from it: who looks at causes
//! only would not see it. For the same reason a problem that is worse than anything reported of the fault before is marked.
//!
//! What was reported ends with its device, and with the events that close it (`closes`): what fails again is a new fault.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::join::unlist;
use super::names::{above, add_new, affected, below, related, share, Name};
use super::place::Place;
use super::{Made, WINDOW};
use crate::event::{Holder, Identity, Severity, StorageEvent, ESCALATES};

/// A fault is over when nothing was reported of it for this long, µs.
const OVER: u64 = 60_000_000;
/// Faults that are remembered.
const MAX_FAULTS: usize = 4096;
/// Faults about one name that are looked at, the newest first.
const MAX_TRIED: usize = 256;
/// Names of one fault.
const MAX_NAMES: usize = 256;
/// Conditions of one fault that are told apart; what follows beyond them is still part of it.
const MAX_CONDITIONS: usize = 128;

/// The faults of the last minute.
#[derive(Debug, Default)]
pub struct Causes {
    faults: BTreeMap<u64, Fault>,
    next: u64,
    by_name: HashMap<String, BTreeSet<u64>>,
    by_event: HashMap<String, u64>,
}

#[derive(Debug)]
struct Fault {
    /// The event that began it.
    event_id: String,
    /// That event is `Warning` or worse.
    problem: bool,
    /// The worst that was reported of it.
    worst: Severity,
    place: Place,
    /// Identity and node of the device of that event.
    device: (Option<String>, Option<String>),
    names: Vec<Name>,
    conditions: Vec<Condition>,
    /// When it began, and when something was last reported of it.
    began: u64,
    last: u64,
}

/// What is wrong with one device, by the types of the events that reported it.
#[derive(Debug)]
struct Condition {
    types: Vec<String>,
    /// One of those events is `Warning` or worse.
    problem: bool,
    /// The device itself, everything on the way to it, and what it is to be found by as a cause.
    subject: Vec<Name>,
    related: Vec<Name>,
    affected: Vec<Name>,
    last: u64,
    /// When it ended, and how.
    ended: Option<(u64, End)>,
}

/// How a condition ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// An event closed it.
    Closed,
    /// Its device was removed; what is logged of that device afterwards still follows from it.
    Gone,
}

impl Condition {
    fn of(event: &StorageEvent, subject: Vec<Name>, related: Vec<Name>) -> Self {
        let types = event.event_types().map(str::to_owned).collect();
        let problem = is_problem(event.severity);
        let affected = affected(event);
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
        self.types.iter().any(|name| patterns.iter().any(|pattern| is_like(name, pattern)))
    }
}

/// An event whose cause is looked for.
struct Asked<'e> {
    event: &'e StorageEvent,
    follows: &'e [String],
    precision: u64,
    /// See [`below`].
    names: Vec<Name>,
    /// Its device, when that is gone.
    gone: Option<&'e Holder>,
}

impl Causes {
    /// Something is known that this event follows from.
    pub fn knows<T>(&self, made: &Made<T>) -> bool {
        self.cause_of(made).is_some()
    }

    /// The same was reported again, with the event of this id before.
    pub fn goes_on(&mut self, event_id: &str, again: &mut StorageEvent) {
        let fault = self.by_event.get(event_id).and_then(|number| self.faults.get_mut(number));
        if let Some(fault) = fault {
            fault.last = fault.last.max(again.timestamp);
            fault.lend_device(again);
        }
    }

    /// Names the cause of an event, if it has one, and remembers the event as a cause of others. The names learn who holds
    /// them, where the fault knows that.
    pub fn find<T>(&mut self, made: &mut Made<T>, mut subject: Vec<Name>, related: &mut [Name]) {
        let Some(number) = self.cause_of(made) else {
            return self.begin(&made.event, subject, related.to_vec());
        };
        if let Some(fault) = self.faults.get(&number) {
            subject.iter_mut().chain(related.iter_mut()).for_each(|name| fault.identify(name));
        }
        self.join(number, &mut made.event, subject, related.to_vec());
    }

    /// Remembers an event that an earlier run reported, with the cause that it named then.
    pub fn remember(&mut self, event: &StorageEvent, subject: Vec<Name>, related: Vec<Name>) {
        let root = event.root_cause_event_id.as_ref().and_then(|id| self.by_event.get(id)).copied();
        match root {
            Some(number) => self.join(number, &mut event.clone(), subject, related),
            None => self.begin(event, subject, related),
        }
    }

    fn join(&mut self, number: u64, event: &mut StorageEvent, subject: Vec<Name>, related: Vec<Name>) {
        let Some(fault) = self.faults.get_mut(&number) else { return };
        if event.event_id != fault.event_id {
            event.root_cause_event_id = Some(fault.event_id.clone());
        }
        fault.lend_device(event);
        if is_problem(event.severity) && event.severity < fault.worst {
            event.extension.insert(ESCALATES.into(), "true".into());
        }
        fault.worst = fault.worst.min(event.severity);
        fault.last = fault.last.max(event.timestamp);
        let room = MAX_NAMES.saturating_sub(fault.names.len());
        let new = related.iter().filter(|name| !fault.names.contains(name));
        let new: Vec<Name> = new.take(room).cloned().collect();
        for name in &new {
            self.by_name.entry(name.text.clone()).or_default().insert(number);
        }
        fault.names.extend(new);
        fault.add(Condition::of(event, subject, related));
    }

    fn begin(&mut self, event: &StorageEvent, subject: Vec<Name>, related: Vec<Name>) {
        let number = self.next;
        self.next += 1;
        let fault = Fault {
            event_id: event.event_id.clone(),
            problem: is_problem(event.severity),
            worst: event.severity,
            place: Place::of(event),
            device: (event.dev_wwid.clone(), event.dev_path.clone()),
            names: related.clone(),
            conditions: vec![Condition::of(event, subject, related)],
            began: event.timestamp,
            last: event.timestamp,
        };
        for name in &fault.names {
            self.by_name.entry(name.text.clone()).or_default().insert(number);
        }
        self.by_event.insert(fault.event_id.clone(), number);
        self.faults.insert(number, fault);
        while self.faults.len() > MAX_FAULTS {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((number, fault)) = self.faults.pop_first() else { return };
        if self.by_event.get(&fault.event_id) == Some(&number) {
            self.by_event.remove(&fault.event_id);
        }
        for name in fault.names {
            unlist(&mut self.by_name, &name.text, number);
        }
    }

    /// What this event says is over: conditions of these types of its device, of what lies behind it, and of the very thing that
    /// is built on it, such as the map of a path.
    pub fn close(&mut self, patterns: &[String], by: &StorageEvent, subject: &[Name]) {
        let (place, time, above) = (Place::of(by), by.timestamp, above(by, subject));
        let names: Vec<Name> = subject.iter().chain(&above).cloned().collect();
        for number in self.numbers(&names) {
            let Some(fault) = self.faults.get_mut(&number).filter(|fault| fault.place == place) else {
                continue;
            };
            for condition in &mut fault.conditions {
                let is_meant = share(subject, &condition.related) || share(&above, &condition.subject);
                if is_meant && condition.is_of_type(patterns) {
                    condition.end(time, End::Closed);
                }
            }
        }
    }

    /// A device was removed at that time.
    pub fn gone(&mut self, boot_id: &str, holder: &[Name], time: u64) {
        for number in self.numbers(holder) {
            let Some(fault) = self.faults.get_mut(&number).filter(|fault| fault.place.boot_id == boot_id)
            else {
                continue;
            };
            for condition in fault.conditions.iter_mut().filter(|c| share(holder, &c.subject)) {
                condition.end(time, End::Gone);
            }
        }
    }

    /// The latest problem that the event follows from; else, if it is no problem itself, the latest other thing. An event that
    /// names nothing follows from the one that it can follow from, when there is only one.
    fn cause_of<T>(&self, made: &Made<T>) -> Option<u64> {
        let event = &made.event;
        let gone = event.holders.first().filter(|holder| holder.gone);
        let follows = made.rule.spec.follows.as_slice();
        if follows.is_empty() && gone.is_none() {
            return None;
        }
        let asked = Asked { event, follows, precision: made.precision, names: below(event), gone };
        let tried = match asked.names.is_empty() {
            true => self.newest(),
            false => self.numbers(&asked.names),
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
    fn newest(&self) -> Vec<u64> {
        self.faults.keys().rev().take(MAX_TRIED).copied().collect()
    }

    /// The faults that have one of these names, the newest first.
    fn numbers(&self, names: &[Name]) -> Vec<u64> {
        let known = names.iter().filter_map(|name| self.by_name.get(&name.text));
        let mut numbers: Vec<u64> =
            known.flat_map(|numbers| numbers.iter().rev().take(MAX_TRIED).copied()).collect();
        // Most faults are found under several of the names.
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        numbers.dedup();
        numbers
    }
}

impl Fault {
    /// Takes in what one more event reports: of a condition that it has, or of another one. What names the device in one is a
    /// name of it in the others, too.
    fn add(&mut self, new: Condition) {
        for known in self.conditions.iter_mut().filter(|known| share(&known.subject, &new.subject)) {
            let room = MAX_NAMES.saturating_sub(known.affected.len());
            add_new(&mut known.affected, new.affected.iter().take(room).cloned());
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

    /// An event that names nothing is about the device of the fault.
    fn lend_device(&self, event: &mut StorageEvent) {
        if event.dev_path.is_none() && related(event).is_empty() {
            (event.dev_wwid, event.dev_path) = self.device.clone();
        }
    }

    /// The event may follow from it.
    fn explains(&self, asked: &Asked<'_>) -> bool {
        let (event, time) = (asked.event, asked.event.timestamp);
        let slack = WINDOW + asked.precision;
        self.place == Place::of(event)
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
            |condition: &Condition| asked.names.is_empty() || share(&asked.names, &condition.affected);
        open.any(|condition| condition.is_of_type(asked.follows) && is_below(condition))
    }

    /// Something was wrong with this very device. Nothing begins again on one that is gone.
    fn is_about(&self, holder: &Holder) -> bool {
        let is_name = |name: &&Name| holder.names.contains(&name.text);
        self.names.iter().filter(is_name).any(|name| holder.identity.proves(&name.identity))
    }

    /// A name that nobody is known to have held is that of the device that the fault knows by it: else it would be everybody's.
    fn identify(&self, name: &mut Name) {
        if name.identity == Identity::default() {
            let known = self.names.iter().find(|known| known.text == name.text);
            name.identity = known.map(|known| known.identity.clone()).unwrap_or_default();
        }
    }
}

/// The names under which a device is found that was removed.
pub fn names_of(holder: &Holder) -> Vec<Name> {
    let name = |text: &String| Name { text: text.clone(), identity: holder.identity.clone() };
    holder.names.iter().map(name).collect()
}

fn is_problem(severity: Severity) -> bool {
    severity <= Severity::Warning
}

/// `*` stands for any text at the end.
pub fn is_like(name: &str, pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(begin) => name.starts_with(begin),
        None => name == pattern,
    }
}
