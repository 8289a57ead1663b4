//! What is wrong, since when, what it hurts: the incidents of the logs instead of their events.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::tz::TimeZone;
use peripety_api::sanitize::visible;
use serde::Serialize;

use super::clock::LINE;
use crate::correlate::relations;
use crate::event::{EventDraft, Severity};
use crate::incidents::naming::Sight;
use crate::incidents::state::{ConditionState, IncidentId};
use crate::incidents::text::{story, Times};
use crate::incidents::view::View;
use crate::incidents::{form, Change, Incidents};
use crate::rules::conditions::{Kinds, Layer};

/// Events that are held, so that what later lines say of names is known: about 40 MB.
const MAX_HELD: usize = 20_000;
/// Incidents that are printed; the worst are kept.
const MAX_STORIES: usize = 2_000;
/// Devices with events that belong to no incident.
const MAX_OTHERS: usize = 1_000;
/// Events whose lines are remembered.
const MAX_LINES: usize = 200_000;
/// Of these, so many are printed.
const MAX_PRINTED: usize = 12;

/// Collects the incidents of logs.
#[derive(Debug)]
pub struct Stories {
    incidents: Incidents,
    held: Vec<EventDraft>,
    views: HashMap<String, View>,
    others: BTreeMap<String, Other>,
    /// Lines of the events, with the incident of each.
    lines: Vec<(IncidentId, Lines)>,
    header: Header,
    /// Some line of the input has a time.
    timed: bool,
}

/// Lines of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Lines {
    /// The file.
    pub file: String,
    /// Their numbers, from 1.
    pub lines: Vec<u64>,
}

/// What was read.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Header {
    /// The hosts.
    pub hosts: BTreeSet<String>,
    /// How many boots of them.
    pub boots: usize,
    /// Storage events.
    pub events: u64,
    /// From when, µs since the epoch.
    pub from: u64,
    /// Until when.
    pub to: u64,
    #[serde(skip)]
    seen_boots: BTreeSet<(String, String)>,
}

/// Events of a device that belong to no incident.
#[derive(Clone, Debug, Serialize)]
pub struct Other {
    /// How many.
    pub count: u64,
    /// The worst.
    pub severity: Severity,
    /// The type of the worst.
    pub event_type: String,
    /// The first and the last, µs since the epoch.
    pub first: u64,
    /// The same.
    pub last: u64,
}

/// An incident with the lines that belong to it.
#[derive(Debug, Serialize)]
struct Reported<'s> {
    #[serde(flatten)]
    view: &'s View,
    lines: Vec<Lines>,
}

/// All of it, for programs.
#[derive(Debug, Serialize)]
struct Document<'s> {
    header: &'s Header,
    incidents: Vec<Reported<'s>>,
    also_seen: &'s BTreeMap<String, Other>,
}

/// Which incidents are printed.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Of this severity and worse.
    pub severity: Severity,
    /// That were not over at this time, µs since the epoch.
    pub since: u64,
    /// That had begun by this time.
    pub until: u64,
}

impl Stories {
    /// With these kinds of conditions.
    pub fn new(kinds: Arc<Kinds>) -> Self {
        let mut incidents = Incidents::new(kinds);
        incidents.keep(MAX_STORIES);
        Stories {
            incidents,
            lines: Vec::new(),
            held: Vec::new(),
            views: HashMap::new(),
            others: BTreeMap::new(),
            header: Header { from: u64::MAX, ..Header::default() },
            timed: false,
        }
    }

    /// Takes an event. `timed`: its time is one; otherwise it counts lines.
    pub fn add(&mut self, event: EventDraft, timed: bool) {
        self.timed |= timed;
        let header = &mut self.header;
        header.events += event.repeat_count;
        (header.from, header.to) = (header.from.min(event.timestamp), header.to.max(event.timestamp));
        header.seen_boots.insert((event.hostname.clone(), event.boot_id.clone()));
        header.hosts.extend((!event.hostname.is_empty()).then(|| event.hostname.clone()));
        header.boots = header.seen_boots.len();
        self.held.push(event);
        if self.held.len() >= MAX_HELD {
            self.work_off();
        }
    }

    /// Works on the events that are held: first on what they say of names, then on them, in the order of their times.
    fn work_off(&mut self) {
        let mut held = std::mem::take(&mut self.held);
        let mut places: HashMap<(String, String), usize> = HashMap::new();
        let keys: Vec<(usize, u64)> = held
            .iter()
            .map(|event| {
                let next = places.len();
                (
                    *places.entry((event.hostname.clone(), event.boot_id.clone())).or_insert(next),
                    event.timestamp,
                )
            })
            .collect();
        let ambiguous = ambiguous(&held);
        for event in held.iter().filter(|event| names(event).iter().all(|name| !ambiguous.contains(name))) {
            self.incidents.learn(event);
        }
        let mut order: Vec<usize> = (0..held.len()).collect();
        order.sort_by_key(|at| keys.get(*at).copied());
        let mut by_place: Vec<Option<EventDraft>> = held.drain(..).map(Some).collect();
        for at in order {
            let Some(event) = by_place.get_mut(at).and_then(Option::take) else { continue };
            let changes = self.incidents.push(&event, 0);
            self.keep(changes);
            match self.incidents.last() {
                None => self.note_other(&event),
                Some(incident) if self.lines.len() < MAX_LINES && !event.source.lines.is_empty() => {
                    let file = event.source.file.clone().unwrap_or_default();
                    self.lines.push((incident, Lines { file, lines: event.source.lines.clone() }));
                }
                Some(_) => {}
            }
        }
    }

    fn keep(&mut self, changes: Vec<Change>) {
        for change in changes {
            let view = change.view;
            match view.merged_into.is_some() {
                true => drop(self.views.remove(&view.incident_id)),
                false => drop(self.views.insert(view.incident_id.clone(), view)),
            }
        }
        if self.views.len() > MAX_STORIES {
            let mut all: Vec<(Severity, String)> =
                self.views.values().map(|view| (view.severity, view.incident_id.clone())).collect();
            all.sort();
            all.into_iter().skip(MAX_STORIES / 2).for_each(|(_, id)| drop(self.views.remove(&id)));
        }
    }

    fn note_other(&mut self, event: &EventDraft) {
        let name = event.kdev.as_deref().or(event.dev_path.as_deref()).map(relations::plain);
        let name = name.or_else(|| relations::where_named(event).next()).unwrap_or("-").to_owned();
        let name = if self.others.len() >= MAX_OTHERS && !self.others.contains_key(&name) {
            "(others)".to_owned()
        } else {
            name
        };
        let other = self.others.entry(name).or_insert_with(|| Other {
            count: 0,
            severity: event.severity,
            event_type: event.event_type.clone(),
            first: event.timestamp,
            last: event.timestamp,
        });
        other.count += event.repeat_count;
        if event.severity < other.severity {
            (other.severity, other.event_type) = (event.severity, event.event_type.clone());
        }
        (other.first, other.last) = (other.first.min(event.timestamp), other.last.max(event.timestamp));
    }

    /// No other event will come.
    pub fn end(&mut self) {
        self.work_off();
        let changes = self.incidents.flush();
        self.keep(changes);
    }

    /// The incidents, the worst first; of equal ones those that are not over, then the first.
    pub fn views(&self, wanted: Wanted) -> Vec<&View> {
        let fits = |view: &&View| {
            let over_before = view.until.is_some_and(|until| until < wanted.since);
            view.severity <= wanted.severity && !over_before && view.since <= wanted.until
        };
        let mut all: Vec<&View> = self.views.values().filter(fits).collect();
        all.sort_by_key(|view| (view.severity, view.state, view.since, view.incident_id.clone()));
        all
    }

    /// For people.
    pub fn text(&self, wanted: Wanted, zone: &TimeZone) -> String {
        let views = self.views(wanted);
        let times = Times { zone: zone.clone(), per_line: (!self.timed).then_some(LINE) };
        let mut out = self.head(&views, &times);
        for view in grouped(&views) {
            let cause = view
                .possible_cause
                .as_ref()
                .and_then(|id| self.views.get(id))
                .map(|cause| cause.title.as_str());
            out.push('\n');
            out += &story(view, cause, &times);
        }
        if !self.others.is_empty() {
            out += "\nAlso seen:\n";
            let mut others: Vec<(&String, &Other)> = self.others.iter().collect();
            others.sort_by_key(|(name, other)| (other.severity, std::cmp::Reverse(other.count), *name));
            for (name, other) in others.iter().take(MAX_PRINTED) {
                let count = if other.count == 1 { String::new() } else { format!(", {} times", other.count) };
                out += &format!(
                    "  {} {} {}{count}, last {}\n",
                    visible(name),
                    other.severity,
                    other.event_type,
                    times.text(other.last)
                );
            }
            if others.len() > MAX_PRINTED {
                out += &format!("  and {} more: --summary=devices shows all\n", others.len() - MAX_PRINTED);
            }
        }
        out
    }

    fn head(&self, views: &[&View], times: &Times) -> String {
        let header = &self.header;
        if header.events == 0 {
            // The report on standard error says so.
            return String::new();
        }
        let hosts = match header.hosts.len() {
            0 => String::new(),
            1..=3 => header.hosts.iter().cloned().collect::<Vec<_>>().join(", ") + ": ",
            n => format!("{n} hosts: "),
        };
        let count = |state: ConditionState| views.iter().filter(|view| view.state == state).count();
        let states: Vec<String> = [
            (ConditionState::Open, "open"),
            (ConditionState::Flapping, "flapping"),
            (ConditionState::Latent, "latent"),
            (ConditionState::Unknown, "unknown"),
            (ConditionState::Closed, "closed"),
        ]
        .into_iter()
        .map(|(state, word)| (count(state), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
        let plural =
            |n: usize, one: &str, many: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {many}") };
        let incidents = match states.is_empty() {
            true => "no incident".to_owned(),
            false => format!("{} ({})", plural(views.len(), "incident", "incidents"), states.join(", ")),
        };
        let (from, to) = (times.text(header.from), times.text(header.to));
        let events = plural(usize::try_from(header.events).unwrap_or(usize::MAX), "event", "events");
        let hosts = visible(&hosts).into_owned();
        format!("{hosts}{}, {from} to {to}\n{events}, {incidents}\n", plural(header.boots, "boot", "boots"))
    }

    /// For programs: header, incidents, what else was seen.
    pub fn json(&self, wanted: Wanted) -> serde_json::Result<String> {
        let mut lines: HashMap<String, BTreeMap<&str, BTreeSet<u64>>> = HashMap::new();
        for (incident, of_event) in &self.lines {
            let Some(id) = self.incidents.id_of(*incident) else { continue };
            let of_file = lines.entry(id).or_default().entry(&of_event.file).or_default();
            of_file.extend(&of_event.lines);
        }
        let lines_of = |view: &View| {
            let files = lines.get(&view.incident_id).into_iter().flatten();
            files
                .map(|(file, lines)| Lines {
                    file: (*file).to_owned(),
                    lines: lines.iter().copied().collect(),
                })
                .collect()
        };
        let incidents =
            self.views(wanted).into_iter().map(|view| Reported { view, lines: lines_of(view) }).collect();
        let document = Document { header: &self.header, incidents, also_seen: &self.others };
        serde_json::to_string(&document)
    }
}

/// Incidents that perhaps have one cause stand together, behind that.
fn grouped<'v>(views: &[&'v View]) -> Vec<&'v View> {
    let by_id: HashMap<&str, &View> = views.iter().map(|view| (view.incident_id.as_str(), *view)).collect();
    let cause_of = |view: &'v View| view.possible_cause.as_deref().and_then(|id| by_id.get(id).copied());
    // A cause is older than its effect, so that this ends.
    let first_of = |view: &'v View| {
        let chain = std::iter::successors(Some(view), |view| cause_of(view));
        chain.take(views.len() + 1).last().map_or("", |view| view.incident_id.as_str())
    };
    let mut groups: HashMap<&str, usize> = HashMap::new();
    let mut all: Vec<(usize, u64, &View)> = Vec::new();
    for view in views {
        let next = groups.len();
        let group = *groups.entry(first_of(view)).or_insert(next);
        all.push((group, view.since, view));
    }
    all.sort_by_key(|(group, since, _)| (*group, *since));
    all.into_iter().map(|(_, _, view)| view).collect()
}

/// The names by which an event knows its device.
fn names(event: &EventDraft) -> Vec<String> {
    Sight::of(event, Layer::Device).subject.names
}

/// Names that were given again: the lines tie them to several names of one form.
fn ambiguous(events: &[EventDraft]) -> BTreeSet<String> {
    let mut ties: HashMap<(String, &str), BTreeSet<String>> = HashMap::new();
    for event in events {
        let names = names(event);
        for name in names.iter().filter(|_| names.len() > 1) {
            let others = names.iter().filter(|other| *other != name);
            for (other, form) in others.filter_map(|other| Some((other, form(other)?))) {
                ties.entry((name.clone(), form)).or_default().insert(other.clone());
            }
        }
    }
    ties.into_iter().filter(|(_, others)| others.len() > 1).map(|((name, _), _)| name).collect()
}
