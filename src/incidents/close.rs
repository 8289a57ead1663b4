//! What ends conditions: events, the end of a device or of a boot, silence.

use super::enter::EventNodes;
use super::naming::{Class, Relation};
use super::nodes::{ConditionId, NodeId, PlaceId};
use super::state::{ConditionState, IncidentId, Reason};
use super::{Change, Due, Incidents, FLAP_WINDOW};
use crate::event::{EventDraft, Holder};
use crate::rules::conditions::{KindId, Layer};

impl Incidents {
    /// Ends what the event says is over. An incident of which something ended.
    pub(super) fn close_by(&mut self, event: &EventDraft, about: &EventNodes) -> Option<IncidentId> {
        let kinds: Vec<KindId> =
            event.event_types().flat_map(|name| self.kinds.closed_by(name)).copied().collect();
        let gone: Vec<Layer> =
            event.event_types().flat_map(|name| self.kinds.gone_by(name)).copied().collect();
        if kinds.is_empty() && gone.is_empty() {
            return None;
        }
        let device = about.device;
        let content = about.content.or_else(|| device.and_then(|device| self.counterpart(device)));
        let mut nodes: Vec<NodeId> = Vec::new();
        for node in device.into_iter().chain(content) {
            nodes.push(node);
            nodes.extend(self.nodes.all_above(node));
        }
        let closed = match kinds.is_empty() {
            true => Vec::new(),
            false => self.conditions_of(&nodes, |kind, _| kinds.contains(&kind)),
        };
        let mut incident = None;
        for id in closed {
            incident = incident.or_else(|| self.conditions.get(&id).map(|condition| condition.incident));
            self.close(id, event.timestamp, &event.event_id);
        }
        match gone.is_empty() {
            true => incident,
            false => {
                // A mount is the beginning of a new life, and no last words follow.
                let renewed = self.kinds.is_success(&event.event_type);
                let by = if renewed { event.event_id.as_str() } else { "gone" };
                self.end_instance(device, content, &gone, event.timestamp, by).or(incident)
            }
        }
    }

    /// The device of this name is gone, or a new one: what was wrong with the old one in these layers is over.
    fn end_instance(
        &mut self,
        device: Option<NodeId>,
        content: Option<NodeId>,
        layers: &[Layer],
        time: u64,
        by: &str,
    ) -> Option<IncidentId> {
        let of_content = layers.contains(&Layer::Content);
        let mut nodes: Vec<NodeId> = Vec::new();
        nodes.extend(content.filter(|_| of_content));
        nodes.extend(device);
        if layers.contains(&Layer::Path) {
            let paths = device.into_iter().flat_map(|map| self.nodes.below_of(map));
            let paths: Vec<NodeId> =
                paths.filter(|(relation, _)| *relation == Relation::Path).map(|(_, id)| id).collect();
            nodes.extend(paths);
        }
        let keeps = |kind: KindId| self.kinds.get(kind).is_some_and(|kind| kind.keeps);
        let ended = self.conditions_of(&nodes, |kind, layer| layers.contains(&layer) && !keeps(kind));
        let mut incident = None;
        for id in ended {
            incident = incident.or_else(|| self.conditions.get(&id).map(|condition| condition.incident));
            self.close(id, time, by);
        }
        if by == "gone" {
            content.into_iter().filter(|_| of_content).for_each(|content| self.nodes.unmount(content));
        }
        if layers.iter().any(|layer| matches!(layer, Layer::Device | Layer::Controller)) {
            device.into_iter().for_each(|device| self.nodes.retire(device));
        }
        incident
    }

    /// The conditions of these devices that are not over, by kind and layer; what is still so when its device is gone, is left.
    pub(super) fn conditions_of(
        &self,
        nodes: &[NodeId],
        fits: impl Fn(KindId, Layer) -> bool,
    ) -> Vec<ConditionId> {
        let all = nodes
            .iter()
            .filter_map(|node| self.nodes.get(*node))
            .flat_map(|node| node.conditions.iter().copied());
        let fitting = all.filter(|id| {
            self.conditions.get(id).filter(|c| c.state != ConditionState::Closed).is_some_and(|condition| {
                self.kinds.get(condition.kind).is_some_and(|kind| fits(condition.kind, kind.layer))
            })
        });
        fitting.collect()
    }

    /// A device is gone, as the kernel says.
    pub(super) fn remove(&mut self, place: PlaceId, holder: &Holder, time: u64) {
        let by_name = |name: &String| self.nodes.named(place, Class::Device, name);
        let mut nodes: Vec<NodeId> = holder.names.iter().filter_map(by_name).collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes.retain(|id| self.nodes.get(*id).is_some_and(|node| !node.identity.denies(&holder.identity)));
        for node in nodes {
            let layers = [Layer::Path, Layer::Map, Layer::Volume, Layer::Array];
            // That a disk is gone does not end that it is lost.
            for id in self.conditions_of(&[node], |_, layer| layers.contains(&layer)) {
                self.close(id, time, "gone");
            }
            self.nodes.retire(node);
        }
    }

    /// Ends a condition, and what ends with its causes.
    pub(super) fn close(&mut self, id: ConditionId, time: u64, by: &str) {
        let Some(condition) = self.conditions.get_mut(&id) else { return };
        if condition.state == ConditionState::Closed || condition.since > time {
            return;
        }
        let was_open = condition.is_open();
        let flaps =
            condition.state == ConditionState::Flapping && by != "gone" && by != "boot" && by != "quiet";
        if flaps {
            // It will come again; it is over when it has not for an hour.
            condition.until = Some(time);
            self.due.insert((condition.place, condition.last.saturating_add(FLAP_WINDOW), Due::Quiet(id)));
            return;
        }
        condition.state = ConditionState::Closed;
        condition.until = Some(time);
        condition.closed_by = Some(by.to_owned());
        let (node, incident) = (condition.node, condition.incident);
        self.ended(incident, time, was_open);
        self.close_effects(node, time);
    }

    /// One condition less is open.
    fn ended(&mut self, id: IncidentId, time: u64, was_open: bool) {
        let Some(incident) = self.incidents.get_mut(&id) else { return };
        incident.open = incident.open.saturating_sub(usize::from(was_open));
        if incident.open > 0 {
            self.mark(id, Reason::Counts);
            return;
        }
        incident.until = Some(incident.until.unwrap_or_default().max(time));
        let place = incident.place;
        self.mark(id, Reason::Closed);
        self.due.insert((place, time.saturating_add(FLAP_WINDOW), Due::Forget(id)));
    }

    /// What ends with its causes, above the device of one of them.
    fn close_effects(&mut self, node: NodeId, time: u64) {
        let above = self.nodes.get(node).map(|node| node.above.clone()).unwrap_or_default();
        let effects = self
            .conditions_of(&above, |kind, _| self.kinds.get(kind).is_some_and(|kind| kind.ends_with_causes));
        for effect in effects {
            let Some(condition) = self.conditions.get(&effect) else { continue };
            let (on, kind) = (condition.node, condition.kind);
            if !self.has_open_cause(on, kind) {
                self.close(effect, time, "causes");
            }
        }
    }

    /// Something that may cause this kind of condition is open below that device.
    fn has_open_cause(&self, node: NodeId, kind: KindId) -> bool {
        let below = self.nodes.below_of(node).filter_map(|(_, id)| self.nodes.get(id));
        let mut causes = below.flat_map(|node| &node.conditions).filter_map(|id| self.conditions.get(id));
        causes.any(|cause| cause.is_open() && self.kinds.may_cause(cause.kind, kind))
    }

    /// Ends a condition of which nothing was heard for long enough.
    pub(super) fn close_if_quiet(&mut self, id: ConditionId, now: u64) {
        let Some(condition) = self.conditions.get(&id).filter(|condition| condition.is_open()) else {
            return;
        };
        let flaps = condition.state == ConditionState::Flapping;
        let quiet = self.kinds.get(condition.kind).and_then(|kind| kind.quiet);
        let Some(quiet) = (if flaps { Some(FLAP_WINDOW) } else { quiet }) else { return };
        let last = condition.until.unwrap_or_default().max(condition.last);
        if last.saturating_add(quiet) <= now {
            // It was over when it was last heard of; that it stays so is known now.
            self.close(id, last, "quiet");
        } else {
            self.watch_quiet(id);
        }
    }

    /// A boot ended: most of what was wrong is over, of the rest it is not known.
    pub(super) fn end_boot(&mut self, place: PlaceId, out: &mut Vec<Change>) {
        let end = self.newest(place);
        let mut all: Vec<ConditionId> = self
            .conditions
            .iter()
            .filter(|(_, c)| c.place == place && c.state != ConditionState::Closed)
            .map(|(id, _)| *id)
            .collect();
        all.sort_unstable();
        for id in all {
            let survives = self
                .conditions
                .get(&id)
                .and_then(|c| self.kinds.get(c.kind))
                .is_some_and(|kind| kind.survives_boot);
            match survives {
                false => self.close(id, end, "boot"),
                true => self.forget_state(id, end),
            }
        }
        self.report_urgent(out);
    }

    fn forget_state(&mut self, id: ConditionId, time: u64) {
        let Some(condition) = self.conditions.get_mut(&id) else { return };
        let was_open = condition.is_open();
        if condition.state != ConditionState::Latent {
            condition.state = ConditionState::Unknown;
        }
        let incident = condition.incident;
        if was_open {
            self.ended(incident, time, true);
        }
    }
}
