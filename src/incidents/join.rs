//! Which incident a new condition belongs to, which condition is the root, and what turns out to be one.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::naming::Class;
use super::nodes::{ConditionId, NodeId, Unified};
use super::state::{Incident, IncidentId, Reason};
use super::{Incidents, TOGETHER};
use crate::event::{EventDraft, NAMESPACE};
use crate::rules::conditions::{KindId, Layer};

/// Conditions of siblings that are remembered for one node.
const MAX_SIBLINGS: usize = 64;
/// Nodes that several conditions have in common.
const MAX_SUSPECTS: usize = 8;
/// Incidents that may be the cause of one that begins after them.
const MAX_LATEST: usize = 16;

impl Incidents {
    /// The incidents that a problem certainly belongs to, the oldest first: of the device itself, of what may have caused it
    /// below, and of what it may have caused and what was logged first.
    pub(super) fn candidates(
        &self,
        node: NodeId,
        kind: KindId,
        time: u64,
        precision: u64,
    ) -> Vec<IncidentId> {
        let mut found = BTreeSet::new();
        let mut add = |node: NodeId, fits: &dyn Fn(&super::state::Condition) -> bool| {
            let conditions = self.nodes.get(node).into_iter().flat_map(|node| &node.conditions);
            let fitting =
                conditions.filter_map(|id| self.conditions.get(id)).filter(|c| c.is_active(time) && fits(c));
            found.extend(fitting.map(|c| c.incident));
        };
        add(node, &|_| true);
        let is_hurt = |node: NodeId| {
            let conditions = self.nodes.get(node).into_iter().flat_map(|node| &node.conditions);
            conditions.filter_map(|id| self.conditions.get(id)).any(|c| c.is_active(time))
        };
        for (_, below) in self.nodes.all_below(node, is_hurt) {
            add(below, &|c| self.kinds.may_cause(c.kind, kind));
        }
        let slack = TOGETHER.max(precision);
        for above in self.nodes.all_above(node) {
            add(above, &|c| c.since.saturating_add(slack) >= time && self.kinds.may_cause(kind, c.kind));
        }
        found.remove(&IncidentId::MAX);
        let mut found: Vec<IncidentId> = found.into_iter().collect();
        found.sort_by_key(|id| self.incidents.get(id).map(|incident| (incident.since, *id)));
        found
    }

    /// Puts a new condition where it belongs: into the oldest of the candidates, with which the others are one; else into that
    /// of its siblings, or into one of its own.
    pub(super) fn place_condition(
        &mut self,
        id: ConditionId,
        candidates: &[IncidentId],
        event: &EventDraft,
        precision: u64,
    ) {
        let incident = match candidates.first() {
            Some(first) => *first,
            None => self.begin(id, event, precision),
        };
        self.add(incident, id);
        self.join_all(incident, candidates);
        self.join_siblings(id, event.timestamp, candidates.is_empty());
    }

    /// A problem was reported again, with devices that its device depends on: what is wrong with them belongs to it.
    pub(super) fn join_below(&mut self, id: ConditionId, below: &[NodeId], time: u64) {
        let Some(condition) = self.conditions.get(&id) else { return };
        let (kind, own) = (condition.kind, condition.incident);
        let conditions =
            below.iter().filter_map(|node| self.nodes.get(*node)).flat_map(|node| &node.conditions);
        let causes = conditions.filter_map(|id| self.conditions.get(id)).filter(|c| c.is_active(time));
        let causes = causes.filter(|c| c.incident != own && self.kinds.may_cause(c.kind, kind));
        let others: Vec<IncidentId> = causes.map(|c| c.incident).collect();
        self.join_all(own, &others);
    }

    /// These incidents are one.
    pub(super) fn join_all(&mut self, first: IncidentId, others: &[IncidentId]) {
        others.iter().fold(first, |own, other| self.merge(own, *other));
    }

    fn begin(&mut self, id: ConditionId, event: &EventDraft, precision: u64) -> IncidentId {
        let number = self.next_incident;
        self.next_incident += 1;
        let kind =
            self.conditions.get(&id).and_then(|c| self.kinds.get(c.kind)).map(|kind| kind.name.clone());
        let name = format!("incident {} {}", kind.as_deref().unwrap_or_default(), event.event_id);
        let place = self.conditions.get(&id).map_or(0, |condition| condition.place);
        let incident = Incident {
            id: Uuid::new_v5(&NAMESPACE, name.as_bytes()).hyphenated().to_string(),
            place,
            rev: 0,
            conditions: Vec::new(),
            root: id,
            since: event.timestamp,
            severity: event.severity,
            data: Default::default(),
            open: 0,
            until: None,
            last: event.timestamp,
            events: 0,
            entries: 0,
            suspects: Vec::new(),
            possible_cause: self.possible_cause(id, event.timestamp, precision),
            merged_into: None,
            mounts: BTreeSet::new(),
            reported: false,
            pending: None,
        };
        self.incidents.insert(number, incident);
        self.latest.push_back(number);
        if self.latest.len() > MAX_LATEST {
            self.latest.pop_front();
        }
        number
    }

    /// An incident that began just before: one of the same kind, else the only one whose root lies no higher. Nothing but time
    /// speaks for it.
    fn possible_cause(&self, id: ConditionId, time: u64, precision: u64) -> Option<IncidentId> {
        let condition = self.conditions.get(&id)?;
        let slack = TOGETHER.max(precision);
        let root_of = |incident: &Incident| {
            self.conditions.get(&incident.root).filter(|root| root.node != condition.node)
        };
        let near = |incident: &Incident| {
            let began = incident.since <= time.saturating_add(precision);
            let of_place = incident.place == condition.place && incident.merged_into.is_none();
            of_place && began && incident.last.saturating_add(slack) >= time
        };
        let recent = || {
            self.latest
                .iter()
                .filter_map(|id| Some((*id, self.incidents.get(id)?)))
                .filter(|(_, incident)| near(incident))
        };
        let same = recent().find(|(_, incident)| {
            root_of(incident).is_some_and(|root| root.kind == condition.kind)
                && incident.since.saturating_add(slack) >= time
        });
        let mut lower = recent().filter(|(_, incident)| {
            root_of(incident).is_some_and(|root| {
                root.rank <= condition.rank && self.kinds.may_cause(root.kind, condition.kind)
            })
        });
        let only = lower.next().filter(|_| lower.next().is_none());
        same.or(only).map(|(id, _)| id)
    }

    /// Adds a condition to an incident.
    fn add(&mut self, incident: IncidentId, id: ConditionId) {
        let Some(condition) = self.conditions.get_mut(&id) else { return };
        condition.incident = incident;
        let Some(kind) = self.kinds.get(condition.kind) else { return };
        let (severity, since, last, is_open) =
            (condition.severity, condition.since, condition.last, condition.is_open());
        let mounts = self.nodes.get(condition.node).map(|node| node.mounts.clone()).unwrap_or_default();
        let kinds = &self.conditions;
        let Some(to) = self.incidents.get_mut(&incident) else { return };
        let of_kind = |other: &ConditionId| {
            kinds.get(other).is_some_and(|c| kinds.get(&id).is_some_and(|own| own.kind == c.kind))
        };
        let is_new_kind = !to.conditions.iter().any(of_kind);
        let is_worse = severity < to.severity;
        let reason = match (to.conditions.is_empty(), is_worse, is_new_kind) {
            (true, _, _) => Reason::Opened,
            (_, true, _) => Reason::Worse,
            (_, _, true) => Reason::Effect,
            _ => Reason::Counts,
        };
        to.conditions.push(id);
        to.severity = to.severity.min(severity);
        to.data = to.data.max(kind.data);
        (to.since, to.last) = (to.since.min(since), to.last.max(last));
        to.mounts.extend(mounts);
        if is_open {
            to.open += 1;
            to.until = None;
        }
        self.mark(incident, reason);
        self.elect(incident, id);
    }

    /// The new condition may be the root: in a lower layer, or earlier in the same one. One that is later and milder than
    /// what is known is not.
    fn elect(&mut self, incident: IncidentId, id: ConditionId) {
        let Some(root) = self.incidents.get(&incident).map(|incident| incident.root) else { return };
        let (Some(old), Some(new)) = (self.conditions.get(&root), self.conditions.get(&id)) else { return };
        let later = new.since > old.since.saturating_add(TOGETHER);
        let lower = (new.rank, new.since, id) < (old.rank, old.since, root);
        if root == id || !lower || later && new.severity > old.severity {
            return;
        }
        if let Some(incident) = self.incidents.get_mut(&incident) {
            incident.root = id;
        }
        self.mark(incident, Reason::RootChanged);
    }

    /// Several of one kind that fail at once behind one node have a common cause.
    fn join_siblings(&mut self, id: ConditionId, time: u64, alone: bool) {
        let Some(condition) = self.conditions.get(&id) else { return };
        let Some(kind) = self.kinds.get(condition.kind).filter(|kind| kind.siblings) else { return };
        let (node, layer) = (condition.node, kind.layer);
        let in_front: Vec<NodeId> = match layer {
            Layer::Map => Vec::new(),
            _ => self.nodes.all_below(node, |_| false).into_iter().map(|(_, below)| below).collect(),
        };
        let mut joined = false;
        for front in in_front {
            let known = self.siblings.entry(front).or_default();
            while known.front().is_some_and(|(at, _)| at.saturating_add(TOGETHER) < time)
                || known.len() >= MAX_SIBLINGS
            {
                known.pop_front();
            }
            let others: Vec<ConditionId> = known.iter().map(|(_, other)| *other).collect();
            known.push_back((time, id));
            let is_sibling = |other: &&ConditionId| {
                self.conditions.get(other).is_some_and(|other| {
                    let of_layer = self.kinds.get(other.kind).is_some_and(|kind| kind.layer == layer);
                    other.node != node && of_layer
                })
            };
            let Some(other) = others.iter().rev().find(is_sibling).copied().filter(|_| alone && !joined)
            else {
                continue;
            };
            joined = true;
            let incident = |id: ConditionId| self.conditions.get(&id).map(|condition| condition.incident);
            if let Some((a, b)) = incident(other).zip(incident(id)) {
                let merged = self.merge(a, b);
                self.suspect(merged, front);
            }
        }
        if self.siblings.len() > super::MAX_NODES {
            self.siblings.clear();
        }
    }

    fn suspect(&mut self, incident: IncidentId, node: NodeId) {
        let Some(incident) = self.incidents.get_mut(&incident) else { return };
        let has_room = incident.suspects.len() < MAX_SUSPECTS;
        match incident.suspects.iter_mut().find(|(known, _)| *known == node) {
            Some((_, count)) => *count += 1,
            None if has_room => incident.suspects.push((node, 2)),
            None => {}
        }
    }

    /// Two incidents are one: the older one lives. That one is returned.
    fn merge(&mut self, a: IncidentId, b: IncidentId) -> IncidentId {
        if a == b {
            return a;
        }
        let age = |id: IncidentId| {
            self.incidents.get(&id).filter(|i| i.merged_into.is_none()).map(|i| (i.since, id))
        };
        let (Some(age_a), Some(age_b)) = (age(a), age(b)) else { return a };
        let (old, young) = if age_a <= age_b { (a, b) } else { (b, a) };
        let Some(gone) = self.incidents.get_mut(&young) else { return a };
        let moved = std::mem::take(&mut gone.conditions);
        let (suspects, mounts) = (std::mem::take(&mut gone.suspects), std::mem::take(&mut gone.mounts));
        let (open, root, severity, data) =
            (std::mem::take(&mut gone.open), gone.root, gone.severity, gone.data);
        let (events, entries, last) =
            (std::mem::take(&mut gone.events), std::mem::take(&mut gone.entries), gone.last);
        (gone.merged_into, gone.until) = (Some(old), Some(last));
        self.due.insert((gone.place, last.saturating_add(super::FLAP_WINDOW), super::Due::Forget(young)));
        let new_kinds = self.has_new_kind(old, &moved);
        for condition in &moved {
            self.conditions.get_mut(condition).into_iter().for_each(|condition| condition.incident = old);
        }
        let Some(to) = self.incidents.get_mut(&old) else { return a };
        to.conditions.extend(moved);
        to.open += open;
        if open > 0 {
            to.until = None;
        }
        let worse = severity < to.severity;
        to.severity = to.severity.min(severity);
        to.data = to.data.max(data);
        to.events += events;
        to.entries += entries;
        to.last = to.last.max(last);
        to.mounts.extend(mounts);
        to.possible_cause = to.possible_cause.filter(|cause| *cause != young);
        for (node, count) in suspects {
            match to.suspects.iter_mut().find(|(known, _)| *known == node) {
                Some((_, known)) => *known += count,
                None => to.suspects.push((node, count)),
            }
        }
        to.suspects.truncate(MAX_SUSPECTS);
        self.mark(young, Reason::Merged);
        self.mark(
            old,
            if worse {
                Reason::Worse
            } else if new_kinds {
                Reason::Effect
            } else {
                Reason::Counts
            },
        );
        self.elect(old, root);
        old
    }

    /// Some of the conditions are of a kind that the incident has none of.
    fn has_new_kind(&self, incident: IncidentId, conditions: &[ConditionId]) -> bool {
        let kind = |id: &ConditionId| self.conditions.get(id).map(|condition| condition.kind);
        let known: Option<&Incident> = self.incidents.get(&incident);
        let has = |of: Option<KindId>| {
            known.is_some_and(|incident| incident.conditions.iter().any(|id| kind(id) == of))
        };
        let kinds: BTreeSet<Option<KindId>> = conditions.iter().map(kind).collect();
        kinds.into_iter().any(|of| !has(of))
    }

    /// Two devices turned out to be one: so do their conditions, where they are of one kind, and their incidents.
    pub(super) fn unify(&mut self, unified: Unified) {
        let Some(node) = self.nodes.get(unified.kept) else { return };
        let (all, stacked) = (node.conditions.clone(), node.is_stacked());
        let mut open = Vec::new();
        for id in all {
            let Some(condition) = self.conditions.get_mut(&id) else { continue };
            condition.node = unified.kept;
            if let Some(kind) = self.kinds.get(condition.kind) {
                condition.rank = super::state::Rank::of(kind.layer, stacked);
            }
            if condition.is_open() {
                open.push(condition.incident);
            }
        }
        if let Some((first, others)) = open.split_first() {
            self.join_all(*first, others);
        }
        if let Some(known) = self.siblings.remove(&unified.dropped) {
            self.siblings.entry(unified.kept).or_default().extend(known);
        }
        for incident in self.incidents.values_mut() {
            let suspects = incident.suspects.iter_mut().filter(|(node, _)| *node == unified.dropped);
            suspects.for_each(|(node, _)| *node = unified.kept);
        }
    }

    /// The device of the content, or the content of the device, by name.
    pub(super) fn counterpart(&self, node: NodeId) -> Option<NodeId> {
        let node = self.nodes.get(node)?;
        let other = if node.class == Class::Device { Class::Content } else { Class::Device };
        node.names.iter().find_map(|name| self.nodes.named(node.place, other, name))
    }
}
