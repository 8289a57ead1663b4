//! Which event a later one follows from.
//!
//! A rule says what its event may follow from (`follows`). The latest fault about a related device that has an event of such
//! a type, and that is not older than a minute, is the cause; every event that follows keeps the fault alive. A problem comes
//! before routine, and never follows from it: who looks at causes only would not see it. For the same reason what is critical, and
//! worse than anything said of the fault before, is marked.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::names::related;
use super::{Made, WINDOW};
use crate::event::{Severity, ESCALATES};

/// A fault is over when nothing was said of it for this long, µs.
const OVER: u64 = 60_000_000;
/// Faults that are remembered.
const MOST: usize = 4096;
/// Faults about one name that are looked at, the newest first.
const MOST_TRIED: usize = 256;
/// Names of one fault.
const MOST_NAMES: usize = 256;
/// Event types of one fault.
const MOST_TYPES: usize = 64;

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
    /// The worst that was said of it.
    worst: Severity,
    boot_id: String,
    types: Vec<String>,
    names: Vec<String>,
    /// When it began, and when something was last said of it.
    began: u64,
    last: u64,
}

impl Causes {
    /// Something is known that this event follows from.
    pub fn knows<T>(&self, made: &Made<T>) -> bool {
        self.cause_of(made, &related(&made.event)).is_some()
    }

    /// The same was said again at this time.
    pub fn goes_on(&mut self, event_id: &str, time: u64) {
        let fault = self.by_event.get(event_id).and_then(|number| self.faults.get_mut(number));
        if let Some(fault) = fault {
            fault.last = fault.last.max(time);
        }
    }

    /// Names the cause of an event, if it has one, and remembers the event as a cause of others.
    pub fn find<T>(&mut self, made: &mut Made<T>) {
        let names = related(&made.event);
        let found = self.cause_of(made, &names);
        let event = &mut made.event;
        match found {
            Some(number) => {
                let Some(fault) = self.faults.get_mut(&number) else { return };
                if event.event_id != fault.event_id {
                    event.root_cause_event_id = Some(fault.event_id.clone());
                }
                if event.severity <= Severity::Critical && event.severity < fault.worst {
                    event.extension.insert(ESCALATES.into(), "true".into());
                }
                fault.worst = fault.worst.min(event.severity);
                fault.last = fault.last.max(event.timestamp);
                let new = event.event_types().filter(|name| !fault.types.iter().any(|known| known == name));
                let new: Vec<String> =
                    new.take(MOST_TYPES.saturating_sub(fault.types.len())).map(str::to_owned).collect();
                fault.types.extend(new);
                let new: Vec<String> = names.into_iter().filter(|name| !fault.names.contains(name)).collect();
                let room = MOST_NAMES.saturating_sub(fault.names.len());
                for name in new.into_iter().take(room) {
                    self.by_name.entry(name.clone()).or_default().insert(number);
                    fault.names.push(name);
                }
            }
            None => self.begin(Fault {
                event_id: event.event_id.clone(),
                problem: is_problem(event.severity),
                worst: event.severity,
                boot_id: event.boot_id.clone(),
                types: event.event_types().map(str::to_owned).collect(),
                names,
                began: event.timestamp,
                last: event.timestamp,
            }),
        }
    }

    fn begin(&mut self, fault: Fault) {
        let number = self.next;
        self.next += 1;
        for name in &fault.names {
            self.by_name.entry(name.clone()).or_default().insert(number);
        }
        self.by_event.insert(fault.event_id.clone(), number);
        self.faults.insert(number, fault);
        while self.faults.len() > MOST {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((number, fault)) = self.faults.pop_first() else { return };
        if self.by_event.get(&fault.event_id) == Some(&number) {
            self.by_event.remove(&fault.event_id);
        }
        for name in fault.names {
            if let Some(numbers) = self.by_name.get_mut(&name) {
                numbers.remove(&number);
                if numbers.is_empty() {
                    self.by_name.remove(&name);
                }
            }
        }
    }

    /// The latest problem that the event follows from; else, if it is no problem itself, the latest other thing.
    fn cause_of<T>(&self, made: &Made<T>, names: &[String]) -> Option<u64> {
        let follows = &made.rule.spec.follows;
        if follows.is_empty() {
            return None;
        }
        let time = made.event.timestamp;
        let slack = WINDOW + made.precision;
        let fits = |number: u64, problem: bool| {
            self.faults.get(&number).is_some_and(|fault| {
                fault.problem == problem
                    && fault.boot_id == made.event.boot_id
                    && fault.began <= time.saturating_add(slack)
                    && time <= fault.last.saturating_add(OVER + slack)
                    && fault.types.iter().any(|name| follows.iter().any(|pattern| is_like(name, pattern)))
            })
        };
        let known = names.iter().filter_map(|name| self.by_name.get(name));
        let mut tried: Vec<u64> =
            known.flat_map(|numbers| numbers.iter().rev().take(MOST_TRIED).copied()).collect();
        // Most faults are found under several of the names.
        tried.sort_unstable_by(|a, b| b.cmp(a));
        tried.dedup();
        let latest = |problem: bool| tried.iter().copied().find(|number| fits(*number, problem));
        let routine = || if is_problem(made.event.severity) { None } else { latest(false) };
        latest(true).or_else(routine)
    }
}

fn is_problem(severity: Severity) -> bool {
    severity <= Severity::Warning
}

/// `*` stands for any text at the end.
fn is_like(name: &str, pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(begin) => name.starts_with(begin),
        None => name == pattern,
    }
}
