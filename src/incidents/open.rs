//! A problem opens a condition of its device, or is more of one that is open.

use super::enter::EventNodes;
use super::naming::{Relation, Sight};
use super::nodes::{ConditionId, NodeId, PlaceId};
use super::state::{Condition, ConditionState, IncidentId, Rank, Reason};
use super::{outcome, Due, Incidents, FLAPS_FROM, FLAP_WINDOW, LAST_WORDS, MAX_CONDITIONS};
use crate::event::{EventDraft, Severity};
use crate::rules::conditions::{KindId, Layer, Opens};
use crate::rules::spec::EventRole;

/// Members of a device that are remembered.
const MAX_MEMBERS: usize = 16;

/// What an event opens.
struct Opening<'e> {
    kind: KindId,
    worsens: bool,
    event_type: &'e str,
    /// It says more about what others report.
    is_detail: bool,
}

impl Incidents {
    /// Works on an event.
    pub(super) fn take(&mut self, place: PlaceId, event: &EventDraft, precision: u64) {
        let openings = self.openings(event);
        let layers = openings.iter().filter_map(|opening| Some(self.kinds.get(opening.kind)?.layer));
        let layer = layers.clone().next().unwrap_or(self.layer_of(event));
        let has_content = layers.into_iter().any(|layer| layer == Layer::Content) || layer == Layer::Content;
        let sight = Sight::of(event, layer);
        let content_sight = if has_content && layer != Layer::Content {
            Sight::of(event, Layer::Content)
        } else {
            sight.clone()
        };
        let mut about = self.enter(place, &sight, has_content.then_some(&content_sight));
        self.note_driver(place, event);
        about.device = about.device.or_else(|| self.adapter(place, event));
        self.tie_command(place, event, about.device);
        let mut incident = self.close_by(event, &about);
        if outcome::went_well(event) {
            incident = self.close_own(event, &about).or(incident);
            return self.count(&about, incident, event);
        }
        for opening in openings {
            let of_content = self.kinds.get(opening.kind).is_some_and(|kind| kind.layer == Layer::Content);
            let Some(node) = (if of_content { about.content } else { about.device }) else { continue };
            incident = self.open(node, &opening, event, precision, &about.below).or(incident);
            if let Some(opened) = incident {
                self.imply(opened, node, opening.kind, &sight, event, precision);
            }
        }
        self.count(&about, incident, event);
    }

    /// What the event opens: problems only.
    fn openings<'e>(&self, event: &'e EventDraft) -> Vec<Opening<'e>> {
        if event.severity > Severity::Warning {
            return Vec::new();
        }
        let detail = |key: &str| event.extension.get(key).map(String::as_str);
        let mut all: Vec<Opening<'e>> = Vec::new();
        let mut add =
            |kind, worsens, event_type, is_detail| match all.iter_mut().find(|known| known.kind == kind) {
                Some(known) => known.is_detail &= is_detail,
                None => all.push(Opening { kind, worsens, event_type, is_detail }),
            };
        // First, because a detail says more exactly what is wrong: the incident is named after it.
        for kind in self.kinds.by_details(detail) {
            add(kind, false, event.event_type.as_str(), false);
        }
        for (number, name) in event.event_types().enumerate() {
            // Of the lines that are part of an event it is not known how bad each was.
            if self.kinds.is_success(name) || number > 0 && !self.kinds.knows(name) {
                continue;
            }
            let is_detail = self.kinds.role(name) == Some(EventRole::Detail);
            let Some(Opens { kind, worsens }) = self.kinds.opened_by(name) else { continue };
            if !self.kinds.get(kind).is_some_and(|kind| kind.is_excluded_by(detail)) {
                add(kind, worsens, name, is_detail);
            }
        }
        all
    }

    /// The layer of what is no problem.
    pub(super) fn layer_of(&self, event: &EventDraft) -> Layer {
        let ends_content =
            || event.event_types().any(|name| self.kinds.gone_by(name).contains(&Layer::Content));
        let closed = || {
            event
                .event_types()
                .flat_map(|name| self.kinds.closed_by(name))
                .filter_map(|id| self.kinds.get(*id))
        };
        let opened = event
            .event_types()
            .filter(|name| self.kinds.knows(name))
            .find_map(|name| self.kinds.opened_by(name));
        if let Some(kind) = opened.and_then(|opens| self.kinds.get(opens.kind)) {
            return kind.layer;
        }
        match event.event_type.starts_with("FS_") || event.event_type.starts_with("FSCK_") || ends_content() {
            true => Layer::Content,
            false => {
                closed().map(|kind| kind.layer).find(|layer| *layer == Layer::Path).unwrap_or(Layer::Device)
            }
        }
    }

    /// Opens a condition, or goes on with one. The incident that it belongs to.
    fn open(
        &mut self,
        node: NodeId,
        opening: &Opening<'_>,
        event: &EventDraft,
        precision: u64,
        below: &[NodeId],
    ) -> Option<IncidentId> {
        let kind = opening.kind;
        if let Some(known) = self.active(node, kind) {
            self.go_on(known, opening, event);
            self.join_below(known, below, event.timestamp);
            return self.conditions.get(&known).map(|condition| condition.incident);
        }
        let before = self.last_ended(node, kind);
        if let Some(incident) = before.and_then(|before| self.late(before, event)) {
            return Some(incident);
        }
        if let Some(incident) = self.last_words(node, event.timestamp) {
            return Some(incident);
        }
        let candidates = self.candidates(node, kind, event.timestamp, precision);
        if opening.is_detail {
            if let Some(incident) = candidates.first() {
                return Some(*incident);
            }
        }
        let again = before.filter(|before| self.may_begin_again(*before, event.timestamp));
        if let Some(again) = again {
            let own = self.conditions.get(&again).map(|condition| condition.incident)?;
            if candidates.is_empty() || candidates.contains(&own) {
                self.begin_again(again, opening, event);
                self.join_all(own, &candidates);
                return self.conditions.get(&again).map(|condition| condition.incident);
            }
        }
        if self.conditions.len() >= MAX_CONDITIONS && !self.make_room() {
            return candidates.first().copied();
        }
        let id = self.create(node, kind, event)?;
        self.note_step(id, opening, event);
        self.place_condition(id, &candidates, event, precision);
        self.conditions.get(&id).map(|condition| condition.incident)
    }

    /// The condition of this kind that is not over.
    fn active(&self, node: NodeId, kind: KindId) -> Option<ConditionId> {
        let mut of_node = self.nodes.get(node)?.conditions.iter().copied();
        of_node.find(|id| {
            self.conditions.get(id).is_some_and(|c| c.kind == kind && c.state != ConditionState::Closed)
        })
    }

    /// The last condition of this kind that ended.
    fn last_ended(&self, node: NodeId, kind: KindId) -> Option<ConditionId> {
        let of_node = self.nodes.get(node).into_iter().flat_map(|node| node.conditions.iter().copied());
        let of_kind = of_node.filter(|id| self.conditions.get(id).is_some_and(|c| c.kind == kind));
        of_kind.max_by_key(|id| self.conditions.get(id).map(|c| (c.until, *id)))
    }

    /// An event that belongs to what has ended, since it happened before.
    fn late(&mut self, id: ConditionId, event: &EventDraft) -> Option<IncidentId> {
        let condition = self.conditions.get_mut(&id)?;
        let until = condition.until?;
        if event.timestamp > until {
            return None;
        }
        condition.severity = condition.severity.min(event.severity);
        Some(condition.incident)
    }

    /// The incident of a device that is gone, and of which lines are still to be expected.
    fn last_words(&self, node: NodeId, time: u64) -> Option<IncidentId> {
        let mut conditions = self.nodes.get(node)?.conditions.iter().filter_map(|id| self.conditions.get(id));
        let gone = conditions.find(|c| {
            let lately =
                c.until.is_some_and(|until| until <= time && time <= until.saturating_add(LAST_WORDS));
            lately && c.closed_by.as_deref() == Some("gone")
        });
        gone.map(|c| c.incident)
    }

    fn may_begin_again(&self, id: ConditionId, time: u64) -> bool {
        let Some(condition) = self.conditions.get(&id) else { return false };
        // What is gone and comes back is another one.
        let ended = condition.closed_by.as_deref() != Some("gone");
        ended && condition.until.is_some_and(|until| time <= until.saturating_add(FLAP_WINDOW))
    }

    fn begin_again(&mut self, id: ConditionId, opening: &Opening<'_>, event: &EventDraft) {
        let Some(condition) = self.conditions.get_mut(&id) else { return };
        condition.episodes = condition.episodes.saturating_add(1);
        let flaps = condition.episodes >= FLAPS_FROM;
        condition.state = if flaps { ConditionState::Flapping } else { ConditionState::Open };
        (condition.until, condition.closed_by) = (None, None);
        let incident = condition.incident;
        if let Some(incident) = self.incidents.get_mut(&incident) {
            incident.open += 1;
            incident.until = None;
        }
        self.mark(incident, if flaps { Reason::Counts } else { Reason::Again });
        self.go_on(id, opening, event);
    }

    /// More of a condition that is open.
    fn go_on(&mut self, id: ConditionId, opening: &Opening<'_>, event: &EventDraft) {
        let Some(condition) = self.conditions.get_mut(&id) else { return };
        let incident = condition.incident;
        if condition.state == ConditionState::Unknown {
            condition.state = ConditionState::Open;
            self.incidents.get_mut(&incident).into_iter().for_each(|incident| incident.open += 1);
        }
        if condition.until.is_some_and(|until| event.timestamp > until) {
            // Of what flaps every beginning counts.
            condition.episodes = condition.episodes.saturating_add(1);
            condition.until = None;
        }
        let worse = event.severity < condition.severity && !opening.is_detail;
        condition.severity = condition.severity.min(event.severity);
        condition.last = condition.last.max(last_time(event));
        let reason = if worse { Reason::Worse } else { Reason::Counts };
        let step = self.note_step(id, opening, event);
        self.mark(incident, if step && opening.worsens { Reason::Worse } else { reason });
        self.watch_quiet(id);
    }

    /// Remembers step and members. True: it is the first event of its type.
    fn note_step(&mut self, id: ConditionId, opening: &Opening<'_>, event: &EventDraft) -> bool {
        let Some(condition) = self.conditions.get_mut(&id) else { return false };
        if let Some(member) = event.extension.get("member").filter(|_| condition.members.len() < MAX_MEMBERS)
        {
            let member = crate::correlate::relations::plain(member).to_owned();
            if !member.is_empty() && !condition.members.contains(&member) {
                condition.members.push(member);
            }
        }
        condition.step(opening.event_type, event.timestamp)
    }

    fn create(&mut self, node: NodeId, kind: KindId, event: &EventDraft) -> Option<ConditionId> {
        let known = self.kinds.get(kind)?;
        let device = self.nodes.get_mut(node)?;
        let id = self.next_condition;
        self.next_condition += 1;
        let condition = Condition {
            node,
            kind,
            place: device.place,
            rank: Rank::of(known.layer, device.is_stacked()),
            state: if known.latent { ConditionState::Latent } else { ConditionState::Open },
            severity: event.severity,
            since: event.timestamp,
            until: None,
            last: last_time(event),
            episodes: 1,
            steps: Vec::new(),
            opened_by: event.event_id.clone(),
            closed_by: None,
            members: Vec::new(),
            incident: IncidentId::MAX,
        };
        device.conditions.push(id);
        self.conditions.insert(id, condition);
        self.watch_quiet(id);
        Some(id)
    }

    /// What is wrong with a device is something for what is built on it.
    fn imply(
        &mut self,
        incident: IncidentId,
        node: NodeId,
        kind: KindId,
        sight: &Sight,
        event: &EventDraft,
        precision: u64,
    ) {
        let Some(implied) = self.kinds.get(kind).and_then(|kind| kind.implies) else { return };
        if sight.above.is_empty() {
            return;
        }
        let above: Vec<NodeId> = self.nodes.get(node).map(|node| node.above.clone()).unwrap_or_default();
        let is_direct = |id: &NodeId| {
            self.nodes.below_of(*id).any(|(relation, below)| below == node && relation == Relation::Path)
        };
        for map in above.into_iter().filter(is_direct).collect::<Vec<_>>() {
            if self.active(map, implied).is_some() || self.conditions.len() >= MAX_CONDITIONS {
                continue;
            }
            let Some(id) = self.create(map, implied, event) else { continue };
            let mut candidates = self.candidates(map, implied, event.timestamp, precision);
            candidates.retain(|other| *other != incident);
            candidates.insert(0, incident);
            self.place_condition(id, &candidates, event, precision);
        }
    }

    /// The condition is looked at when it may have been quiet for long enough.
    pub(super) fn watch_quiet(&mut self, id: ConditionId) {
        let Some(condition) = self.conditions.get(&id) else { return };
        let quiet = match condition.state {
            ConditionState::Flapping => Some(FLAP_WINDOW),
            ConditionState::Open => self.kinds.get(condition.kind).and_then(|kind| kind.quiet),
            _ => None,
        };
        if let Some(quiet) = quiet {
            let last = condition.until.unwrap_or_default().max(condition.last);
            self.due.insert((condition.place, last.saturating_add(quiet), Due::Quiet(id)));
        }
    }

    /// Counts an event for the incident that it belongs to: the one that it opened, or one that is open for its device.
    fn count(&mut self, about: &EventNodes, incident: Option<IncidentId>, event: &EventDraft) {
        let of_device = || {
            let nodes = about.content.into_iter().chain(about.device);
            nodes.into_iter().find_map(|node| {
                let conditions =
                    self.nodes.get(node)?.conditions.iter().filter_map(|id| self.conditions.get(id));
                let lately = |c: &Condition| {
                    c.until.is_some_and(|until| event.timestamp <= until.saturating_add(LAST_WORDS))
                };
                conditions.filter(|c| c.is_active(event.timestamp) || lately(c)).map(|c| c.incident).max()
            })
        };
        let Some(id) = incident.or_else(of_device) else {
            self.last = None;
            return;
        };
        let id = self.survivor(id);
        self.last = Some(id);
        let Some(incident) = self.incidents.get_mut(&id) else { return };
        incident.events += event.repeat_count;
        incident.entries += event.source.entries;
        if event.severity <= Severity::Warning {
            incident.last = incident.last.max(last_time(event));
        }
        if let Some(point) = event.extension.get("mount_point").filter(|_| incident.mounts.len() < 64) {
            incident
                .mounts
                .extend(point.split('\n').filter(|point| point.starts_with('/')).map(str::to_owned));
        }
    }
}

/// When the last of the entries was written that an event stands for.
fn last_time(event: &EventDraft) -> u64 {
    let last = event.extension.get("last_time").and_then(|time| time.parse().ok());
    last.unwrap_or(event.timestamp).max(event.timestamp)
}
