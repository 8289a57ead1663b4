//! An incident as people and programs see it.

use serde::Serialize;

use super::naming::Relation;
use super::nodes::{ConditionId, NodeId};
use super::state::{Condition, ConditionState, Incident, IncidentId, Step};
use super::{Incidents, MAX_NAMED};
use crate::event::Severity;
use crate::rules::builtin;
use crate::rules::conditions::{Data, KindId};

/// How sure it is that two things belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Names, lines or the device tree say so.
    Certain,
    /// They happened at one time.
    Likely,
}

/// What is wrong with one device.
#[derive(Clone, Debug, Serialize)]
pub struct ConditionView {
    /// Name of the kind.
    pub kind: String,
    /// One sentence.
    pub title: String,
    /// The name of the device that says most.
    pub device: String,
    /// All its names.
    pub names: Vec<String>,
    /// Its world wide id, where it is known.
    pub dev_wwid: Option<String>,
    /// Whether it still is.
    pub state: ConditionState,
    /// The worst that was reported.
    pub severity: Severity,
    /// When it first began, µs since the epoch.
    pub since: u64,
    /// When it ended.
    pub until: Option<u64>,
    /// When something was last reported of it.
    pub last: u64,
    /// How often it began.
    pub episodes: u32,
    /// The first event of each type.
    pub steps: Vec<Step>,
    /// The event that opened it.
    pub opened_by: String,
    /// What ended it: an event, or `gone`, `boot`, `quiet`, `causes`.
    pub closed_by: Option<String>,
    /// What the events named as members.
    pub members: Vec<String>,
}

/// What follows from the root.
#[derive(Clone, Debug, Serialize)]
pub struct EffectView {
    /// What is wrong.
    #[serde(flatten)]
    pub condition: ConditionView,
    /// How its device belongs to the root's.
    pub relation: &'static str,
    /// How sure that is.
    pub grade: Grade,
    /// Why.
    pub evidence: String,
}

/// A device that several of the conditions have in common.
#[derive(Clone, Debug, Serialize)]
pub struct SuspectView {
    /// Its name.
    pub device: String,
    /// How many of them.
    pub count: usize,
    /// How sure it is that it is the cause.
    pub grade: Grade,
}

/// How many devices have a kind of condition.
#[derive(Clone, Debug, Serialize)]
pub struct Hurt {
    /// One sentence.
    pub title: String,
    /// Their number.
    pub count: usize,
    /// Names of some of them.
    pub devices: Vec<String>,
    /// The worst.
    pub severity: Severity,
    /// One of them is not over.
    pub is_open: bool,
}

/// An incident.
#[derive(Clone, Debug, Serialize)]
pub struct View {
    /// Its identifier.
    pub incident_id: String,
    /// Number of the revision, from 1.
    pub rev: u32,
    /// The host.
    pub hostname: String,
    /// The boot in which it began.
    pub boot_id: String,
    /// Whether it is over.
    pub state: ConditionState,
    /// The worst that was reported.
    pub severity: Severity,
    /// One line.
    pub title: String,
    /// When it began, µs since the epoch.
    pub since: u64,
    /// When it ended.
    pub until: Option<u64>,
    /// When a problem was last reported.
    pub last: u64,
    /// What became of data.
    pub data: Data,
    /// What the others follow from.
    pub root: ConditionView,
    /// The others, the first 256.
    pub effects: Vec<EffectView>,
    /// How many others there are.
    pub effects_total: usize,
    /// The others by kind.
    pub hurt: Vec<Hurt>,
    /// Conditions that are open, and that are latent.
    pub open: usize,
    /// The same.
    pub latent: usize,
    /// What several conditions have in common.
    pub suspects: Vec<SuspectView>,
    /// The incident that is perhaps its cause.
    pub possible_cause: Option<String>,
    /// The incident of which it is a part.
    pub merged_into: Option<String>,
    /// Where it hurts.
    pub mounts: Vec<String>,
    /// Events that belong to it, and the log entries that they cover.
    pub events: u64,
    /// The same.
    pub entries: u64,
    /// What to do.
    pub advice: Vec<String>,
    /// What ends it, in words.
    pub ends_when: Option<String>,
}

impl Incidents {
    /// An incident as it is now.
    pub(super) fn view(&self, id: IncidentId) -> Option<View> {
        let incident = self.incidents.get(&id)?;
        let place = &usize::try_from(incident.place).ok().and_then(|n| self.places.get(n))?.place;
        let root_id = incident.root;
        let root = self.conditions.get(&root_id)?;
        let others: Vec<(ConditionId, &Condition)> = incident
            .conditions
            .iter()
            .filter(|id| **id != root_id)
            .filter_map(|id| Some((*id, self.conditions.get(id)?)))
            .collect();
        let main = self.main_of(incident, root);
        let hurt = self.hurt(&others, main);
        let effects = others.iter().take(MAX_NAMED).filter_map(|(_, c)| self.effect(c, root)).collect();
        let count = |fits: fn(&Condition) -> bool| {
            others.iter().map(|(_, c)| *c).chain([root]).filter(|c| fits(c)).count()
        };
        Some(View {
            incident_id: incident.id.clone(),
            rev: incident.rev,
            hostname: place.hostname.clone(),
            boot_id: place.boot_id.clone(),
            state: self.state(incident),
            severity: incident.severity,
            title: self.title(incident, main, &hurt),
            since: incident.since,
            until: incident.until.filter(|_| incident.open == 0),
            last: incident.last,
            data: incident.data,
            root: ConditionView { steps: self.steps(incident, main.node), ..self.condition_view(main)? },
            effects,
            effects_total: others.len(),
            open: count(Condition::is_open),
            latent: count(|c| c.state == ConditionState::Latent),
            suspects: self.suspects(incident),
            possible_cause: incident
                .possible_cause
                .and_then(|cause| self.living(cause))
                .filter(|cause| *cause != incident.id),
            merged_into: incident.merged_into.and_then(|other| self.living(other)),
            mounts: incident.mounts.iter().cloned().collect(),
            events: incident.events,
            entries: incident.entries,
            advice: advice(main, &hurt, &others),
            ends_when: self.ends_when(main),
            hurt: hurt.into_iter().map(|(_, hurt)| hurt).collect(),
        })
    }

    /// The incident that this one is a part of by now.
    pub(super) fn survivor(&self, id: IncidentId) -> IncidentId {
        let next = |id: &IncidentId| self.incidents.get(id)?.merged_into;
        // Each merge leads to an older one, so that this ends.
        std::iter::successors(Some(id), next).take(self.incidents.len() + 1).last().unwrap_or(id)
    }

    /// Its identifier.
    pub(super) fn living(&self, id: IncidentId) -> Option<String> {
        self.incidents.get(&self.survivor(id)).map(|incident| incident.id.clone())
    }

    fn state(&self, incident: &Incident) -> ConditionState {
        let states = incident
            .conditions
            .iter()
            .filter_map(|id| self.conditions.get(id))
            .map(|condition| condition.state);
        states.min().unwrap_or(ConditionState::Closed)
    }

    /// The steps of all that is wrong with the device of the root.
    fn steps(&self, incident: &Incident, node: NodeId) -> Vec<Step> {
        let of_node =
            incident.conditions.iter().filter_map(|id| self.conditions.get(id)).filter(|c| c.node == node);
        let mut steps: Vec<Step> = of_node.flat_map(|c| c.steps.iter().cloned()).collect();
        steps.sort_by_key(|step| step.time);
        steps.truncate(super::MAX_STEPS);
        steps
    }

    fn condition_view(&self, condition: &Condition) -> Option<ConditionView> {
        let kind = self.kinds.get(condition.kind)?;
        let node = self.nodes.get(condition.node)?;
        Some(ConditionView {
            kind: kind.name.to_string(),
            title: self.condition_title(condition),
            device: self.device(condition.node),
            names: node.names.clone(),
            dev_wwid: node.identity.wwid.clone(),
            state: condition.state,
            severity: condition.severity,
            since: condition.since,
            until: condition.until,
            last: condition.last,
            episodes: condition.episodes,
            steps: condition.steps.clone(),
            opened_by: condition.opened_by.clone(),
            closed_by: condition.closed_by.clone(),
            members: condition.members.clone(),
        })
    }

    fn effect(&self, condition: &Condition, root: &Condition) -> Option<EffectView> {
        let (relation, evidence) = self.relation(condition.node, root.node);
        Some(EffectView {
            condition: self.condition_view(condition)?,
            relation: relation.name(),
            grade: Grade::Certain,
            evidence,
        })
    }

    /// How a device belongs to that of the root, and why.
    fn relation(&self, node: NodeId, root: NodeId) -> (Relation, String) {
        let (name, other) = (self.device(node), self.device(root));
        if node == root {
            return (Relation::Same, format!("both are about {name}"));
        }
        let towards = |from: NodeId, to: NodeId| {
            self.nodes
                .all_below(from, |_| true)
                .into_iter()
                .find(|(_, id)| *id == to)
                .map(|(relation, _)| relation)
        };
        match (towards(node, root), towards(root, node)) {
            (Some(relation), _) => (relation, format!("{name} depends on {other}")),
            (None, Some(relation)) => (relation, format!("{other} depends on {name}")),
            (None, None) => (Relation::Behind, format!("{name} and {other} have something in common")),
        }
    }

    fn suspects(&self, incident: &Incident) -> Vec<SuspectView> {
        let mut all: Vec<SuspectView> = incident
            .suspects
            .iter()
            .map(|(node, count)| SuspectView {
                device: self.device(*node),
                count: *count,
                grade: Grade::Likely,
            })
            .collect();
        all.sort_by_key(|suspect| std::cmp::Reverse(suspect.count));
        all
    }

    fn ends_when(&self, main: &Condition) -> Option<String> {
        let kind = self.kinds.get(main.kind)?;
        if !matches!(main.state, ConditionState::Open | ConditionState::Flapping | ConditionState::Latent) {
            return None;
        }
        // The one of the same family that it was opened by.
        let family = |name: &str| name.split('_').next().unwrap_or_default().to_owned();
        let opener = main.steps.last().map(|step| family(&step.event_type)).unwrap_or_default();
        // `FSCK_…` ends what `FS_…` opened.
        let is_only = kind.closed_by.len() == 1;
        let closer = kind.closed_by.iter().find(|name| is_only || family(name).starts_with(&opener));
        let closer = closer.and_then(|name| builtin::text_of(name)).map(|text| text.meaning);
        let quiet = kind.quiet.map(|quiet| match quiet / 60_000_000 {
            minutes if minutes % 60 == 0 => format!("nothing is reported for {} h", minutes / 60),
            minutes => format!("nothing is reported for {minutes} min"),
        });
        let ways: Vec<String> =
            closer.map(|meaning| format!("\"{meaning}\" is reported")).into_iter().chain(quiet).collect();
        (!ways.is_empty()).then(|| ways.join(", or "))
    }
}

/// What to do about the root, and about the worst effect.
fn advice(main: &Condition, hurt: &[(KindId, Hurt)], others: &[(ConditionId, &Condition)]) -> Vec<String> {
    let worst =
        hurt.first().and_then(|(kind, _)| others.iter().find(|(_, c)| c.kind == *kind)).map(|(_, c)| *c);
    let mut all: Vec<String> = Vec::new();
    for condition in [main].into_iter().chain(worst) {
        // The last step says how far it went.
        let types = condition.steps.iter().rev().map(|step| step.event_type.as_ref());
        let text = types.filter_map(builtin::text_of).find_map(|text| text.advice);
        let text = text.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
        crate::correlate::relations::add_new(&mut all, text);
    }
    all
}
