//! What is wrong with the devices, and what belongs to one fault.
//!
//! An event is what was logged. A condition is what is wrong with one device, from the event that opens it to what closes it; an
//! incident is the tree of conditions of one fault. What kinds of conditions there are, and what may cause what, stands in
//! `rules/conditions.toml`; which names are one device and what depends on what is learned from the events (`naming`, `nodes`).
//!
//! [`Incidents`] is a state machine without a clock or input of its own: it is given events in order, and decides by their
//! times. The same events therefore result in the same incidents, identifiers and revisions. `enter` records what an event says
//! about devices; `open` and `join` open a condition for a problem and find its incident; `close` ends conditions; `report`
//! decides what is reported when; `view`, `title` and [`text`] present it.

mod close;
mod enter;
mod form;
mod join;
pub mod naming;
mod nodes;
mod open;
mod outcome;
mod report;
pub mod state;
pub mod text;
mod title;
pub mod view;

#[cfg(test)]
mod nodes_tests;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use crate::correlate::place::Place;
use crate::event::{EventDraft, Holder};
use crate::rules::conditions::Kinds;
pub use form::form;
use nodes::{ConditionId, NodeId, Nodes, PlaceId};
use state::{Condition, ConditionState, Incident, IncidentId, Reason};
use view::View;

/// A condition that opens again within this time is the same, µs.
const FLAP_WINDOW: u64 = 3_600_000_000;
/// From this episode on within the window a condition is flapping.
const FLAPS_FROM: u32 = 5;
/// Siblings that fail within this time have a common cause, and an effect may be logged so long before its cause, µs.
const TOGETHER: u64 = 2_000_000;
/// So long after a device is gone, lines about it still belong to what was wrong with it, µs.
const LAST_WORDS: u64 = 2_000_000;
/// So long after a defect was found, problems of the same device belong to it, µs.
const LATENT_JOINS: u64 = 900_000_000;
/// An incident is first reported so long after it began, µs; an alert at once.
const SETTLE: u64 = 2_000_000;
/// Counts alone are reported so often, µs.
const COUNTS_EVERY: u64 = 60_000_000;
/// Conditions that are remembered; beyond them only counts grow.
const MAX_CONDITIONS: usize = 65_536;
/// Devices that are remembered.
const MAX_NODES: usize = 262_144;
/// Steps of a condition.
const MAX_STEPS: usize = 8;
/// Effects of one incident that are named.
const MAX_NAMED: usize = 256;
/// Boots of hosts that are remembered.
const MAX_PLACES: usize = 4_096;

/// Times before this are no dates but count from the boot, µs: no machine with these logs was on in 1980.
pub const FIRST_DATE: u64 = 315_532_800_000_000;

/// A report about an incident.
#[derive(Clone, Debug)]
pub struct Change {
    /// Why.
    pub reason: Reason,
    /// The incident as it is now.
    pub view: View,
}

/// A boot of a host.
#[derive(Debug)]
struct Boot {
    place: Place,
    /// The time of its newest event, µs since the epoch.
    newest: u64,
}

/// What is due at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// A condition may have been quiet for long enough.
    Quiet(ConditionId),
    /// An incident is to be reported.
    Report(IncidentId),
    /// A closed incident can be forgotten.
    Forget(IncidentId),
}

/// All conditions and incidents.
#[derive(Debug)]
pub struct Incidents {
    kinds: Arc<Kinds>,
    places: Vec<Boot>,
    by_place: HashMap<Place, PlaceId>,
    /// The boot of each host that was heard last.
    running: HashMap<String, PlaceId>,
    nodes: Nodes,
    conditions: HashMap<ConditionId, Condition>,
    incidents: BTreeMap<IncidentId, Incident>,
    next_condition: ConditionId,
    next_incident: IncidentId,
    due: BTreeSet<(PlaceId, u64, Due)>,
    /// By the node that they lie behind, conditions of siblings that began lately.
    siblings: HashMap<NodeId, VecDeque<(u64, ConditionId)>>,
    /// Incidents of the last seconds.
    latest: VecDeque<IncidentId>,
    /// Incidents of which something may have to be reported at once.
    urgent: Vec<IncidentId>,
    /// The PCI addresses of the adapters of each driver, up to two.
    drivers: HashMap<(PlaceId, String), Vec<String>>,
    /// Commands that failed lately.
    commands: outcome::AtaCommands,
    /// The incident of the last event.
    last: Option<IncidentId>,
    /// Conditions up to which nothing is forgotten.
    keep: usize,
}

impl Incidents {
    /// Nothing has happened yet.
    pub fn new(kinds: Arc<Kinds>) -> Self {
        Incidents {
            kinds,
            places: Vec::new(),
            by_place: HashMap::new(),
            running: HashMap::new(),
            nodes: Nodes::new(MAX_NODES),
            conditions: HashMap::new(),
            incidents: BTreeMap::new(),
            next_condition: 0,
            next_incident: 0,
            due: BTreeSet::new(),
            siblings: HashMap::new(),
            latest: VecDeque::new(),
            urgent: Vec::new(),
            drivers: HashMap::new(),
            commands: VecDeque::new(),
            last: None,
            keep: 0,
        }
    }

    /// Takes the next event. `precision`: how exact its time is, µs.
    pub fn push(&mut self, event: &EventDraft, precision: u64) -> Vec<Change> {
        let mut out = Vec::new();
        let place = self.place_of(event, &mut out);
        self.advance(place, event.timestamp, &mut out);
        self.take(place, event, precision);
        self.report_urgent(&mut out);
        out
    }

    /// A device of that boot was removed at that time, µs since the epoch: what is called so from now on is another one.
    pub fn gone(&mut self, boot_id: &str, holder: &Holder, time: u64) -> Vec<Change> {
        let mut out = Vec::new();
        let of_boot = self.places.iter().position(|boot| boot.place.boot_id == boot_id);
        if let Some(place) = of_boot.and_then(|place| PlaceId::try_from(place).ok()) {
            self.remove(place, holder, time);
            self.report_urgent(&mut out);
        }
        out
    }

    /// All that was not reported yet: no other event will come.
    pub fn flush(&mut self) -> Vec<Change> {
        let pending: Vec<(IncidentId, Reason)> =
            self.incidents.iter().filter_map(|(id, incident)| Some((*id, incident.pending?))).collect();
        pending.into_iter().filter_map(|(id, reason)| self.report(id, reason)).collect()
    }

    /// Forgets what is over only beyond so many conditions.
    pub fn keep(&mut self, conditions: usize) {
        self.keep = conditions.min(MAX_CONDITIONS / 2);
    }

    /// The incident of the event that was pushed last.
    pub fn last(&self) -> Option<IncidentId> {
        self.last
    }

    /// The identifier of an incident, or of the one that it is a part of by now.
    pub fn id_of(&self, number: IncidentId) -> Option<String> {
        self.living(number)
    }

    /// Learns which names are one device before the events are worked on: a later line may say what an earlier one needs.
    pub fn learn(&mut self, event: &EventDraft) {
        let place = self.place_of(event, &mut Vec::new());
        let sight = naming::Sight::of(event, self.layer_of(event));
        let about = self.enter(place, &sight, None);
        self.note_driver(place, event);
        self.tie_command(place, event, about.device);
    }

    /// Nothing else happened until then, µs since the epoch, on any host: what is due is reported.
    pub fn tick(&mut self, time: u64) -> Vec<Change> {
        let mut out = Vec::new();
        for place in 0..PlaceId::try_from(self.places.len()).unwrap_or(PlaceId::MAX) {
            self.advance(place, time, &mut out);
        }
        self.report_urgent(&mut out);
        out
    }

    /// The place of an event. A later boot of the same host ends what was wrong in the one before.
    fn place_of(&mut self, event: &EventDraft, out: &mut Vec<Change>) -> PlaceId {
        let place = Place::of(event);
        let id = match self.by_place.get(&place) {
            Some(id) => *id,
            None => {
                let id = PlaceId::try_from(self.places.len().min(MAX_PLACES)).unwrap_or(PlaceId::MAX);
                self.places.push(Boot { place: place.clone(), newest: 0 });
                self.places.truncate(MAX_PLACES + 1);
                self.by_place.insert(place.clone(), id);
                id
            }
        };
        let before = self.running.get(&place.hostname).copied().filter(|before| *before != id);
        let newest = |id: PlaceId| self.newest(id);
        // Times that count from the boot say nothing of the order of boots; the log does.
        let is_later =
            before.is_none_or(|before| event.timestamp >= newest(before) || event.timestamp < FIRST_DATE);
        if is_later && self.running.insert(place.hostname, id) != Some(id) {
            if let Some(before) = before {
                self.end_boot(before, out);
            }
        }
        id
    }

    fn newest(&self, place: PlaceId) -> u64 {
        usize::try_from(place).ok().and_then(|number| self.places.get(number)).map_or(0, |boot| boot.newest)
    }

    /// The time goes on: what has been quiet for long enough closes, and what waited is reported.
    fn advance(&mut self, place: PlaceId, time: u64, out: &mut Vec<Change>) {
        if let Some(boot) = usize::try_from(place).ok().and_then(|number| self.places.get_mut(number)) {
            boot.newest = boot.newest.max(time);
        }
        loop {
            let range = (place, 0, Due::Quiet(0))..=(place, time, Due::Forget(IncidentId::MAX));
            let Some(next) = self.due.range(range).next().copied() else { break };
            self.due.remove(&next);
            match next.2 {
                Due::Quiet(condition) => self.close_if_quiet(condition, time),
                Due::Report(incident) => self.report_if_due(incident, out),
                Due::Forget(incident) => self.forget(incident, time),
            }
        }
    }

    /// Forgets an incident that has been over for so long that nothing of it can begin again.
    fn forget(&mut self, id: IncidentId, time: u64) {
        let Some(incident) = self.incidents.get(&id) else { return };
        if self.conditions.len() <= self.keep {
            return;
        }
        let is_over =
            |id: &ConditionId| self.conditions.get(id).is_none_or(|c| c.state == ConditionState::Closed);
        let rests = incident.until.is_some_and(|until| until.saturating_add(FLAP_WINDOW) <= time);
        if !rests
            || incident.open > 0
            || incident.pending.is_some()
            || !incident.conditions.iter().all(is_over)
        {
            return;
        }
        self.drop_incident(id);
    }

    fn drop_incident(&mut self, id: IncidentId) {
        let Some(incident) = self.incidents.remove(&id) else { return };
        for condition in incident.conditions {
            let Some(gone) = self.conditions.remove(&condition) else { continue };
            let node = self.nodes.get_mut(gone.node);
            node.into_iter().for_each(|node| node.conditions.retain(|other| *other != condition));
        }
    }

    /// Forgets what is over, the first first, when there are too many conditions. False: nothing of it is over.
    fn make_room(&mut self) -> bool {
        let is_closed =
            |id: &ConditionId| self.conditions.get(id).is_none_or(|c| c.state == ConditionState::Closed);
        let over = self
            .incidents
            .iter()
            .filter(|(_, i)| i.open == 0 && i.pending.is_none() && i.conditions.iter().all(is_closed));
        let mut over: Vec<(Option<u64>, IncidentId)> =
            over.map(|(id, incident)| (incident.until, *id)).collect();
        over.sort_unstable();
        for (_, id) in over {
            if self.conditions.len() <= MAX_CONDITIONS / 4 * 3 {
                break;
            }
            self.drop_incident(id);
        }
        self.conditions.len() < MAX_CONDITIONS
    }

    /// How many incidents, conditions and devices are remembered.
    pub fn remembered(&self) -> (usize, usize, usize) {
        (self.incidents.len(), self.conditions.len(), self.nodes.len())
    }
}
