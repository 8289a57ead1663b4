//! What is wrong, in one line: titles of conditions and incidents, names of devices.

use std::collections::{BTreeMap, BTreeSet};

use super::naming::{Class, Relation};
use super::nodes::{ConditionId, NodeId};
use super::state::{Condition, ConditionState, Incident};
use super::view::Hurt;
use super::{Incidents, MAX_NAMED};
use crate::rules::conditions::KindId;

/// Devices of one kind that are named.
const MAX_DEVICES: usize = 5;

impl Incidents {
    /// What is wrong with the device of the root: the worst of it, the first of equals.
    pub(super) fn main_of<'a>(&'a self, incident: &Incident, root: &'a Condition) -> &'a Condition {
        let of_node = incident
            .conditions
            .iter()
            .filter_map(|id| self.conditions.get(id))
            .filter(|c| c.node == root.node);
        let mut of_node: Vec<&Condition> = of_node.collect();
        let symptom = |c: &Condition| self.kinds.get(c.kind).is_some_and(|kind| kind.symptom);
        of_node.sort_by_key(|c| (c.severity, symptom(c), c.since));
        let Some((first, others)) = of_node.split_first() else { return root };
        // Of equal ones the last that follows from another one says most: that it is lost, not that it does not answer.
        let follows = |a: &Condition, b: &Condition| {
            self.kinds.may_cause(a.kind, b.kind) && !self.kinds.may_cause(b.kind, a.kind)
        };
        let equal = others.iter().filter(|c| c.severity == first.severity && symptom(c) == symptom(first));
        equal.fold(*first, |best, c| if follows(best, c) { c } else { best })
    }

    /// The others by kind, the worst first.
    pub(super) fn hurt(&self, others: &[(ConditionId, &Condition)], main: &Condition) -> Vec<(KindId, Hurt)> {
        let mut by_kind: BTreeMap<KindId, Vec<&Condition>> = BTreeMap::new();
        for (_, condition) in others.iter().filter(|(_, c)| c.node != main.node) {
            by_kind.entry(condition.kind).or_default().push(condition);
        }
        let mut all: Vec<(KindId, Hurt, super::state::Rank)> = by_kind
            .into_iter()
            .filter_map(|(id, conditions)| {
                let kind = self.kinds.get(id)?;
                let first = conditions.first()?;
                let mut devices: Vec<String> = Vec::new();
                crate::correlate::relations::add_new(
                    &mut devices,
                    conditions.iter().take(MAX_NAMED).map(|c| self.device(c.node)),
                );
                let count = self.devices(conditions.iter().copied()).len();
                let title = match (count, &kind.many) {
                    (1, _) => kind.title.replace("{dev}", &self.device(first.node)),
                    (_, Some(many)) => many.replace("{n}", &count.to_string()),
                    _ => format!(
                        "{} (and {} more)",
                        kind.title.replace("{dev}", &self.device(first.node)),
                        count - 1
                    ),
                };
                devices.truncate(MAX_DEVICES);
                let severity = conditions.iter().map(|c| c.severity).min()?;
                let is_open = conditions.iter().any(|c| c.state != ConditionState::Closed);
                Some((id, Hurt { title, count, devices, severity, is_open }, first.rank))
            })
            .collect();
        all.sort_by_key(|(_, hurt, rank)| (hurt.severity, std::cmp::Reverse(*rank)));
        all.into_iter().map(|(id, hurt, _)| (id, hurt)).collect()
    }

    /// The device of a condition for people: where it is mounted, or the name that says most.
    pub(super) fn device(&self, node: NodeId) -> String {
        let Some(node) = self.nodes.get(node) else { return "-".into() };
        match (node.class, node.mounts.first()) {
            (Class::Content, Some(mount)) if node.name() == mount => mount.clone(),
            (Class::Content, Some(mount)) => {
                let names = node.names.iter().filter(|name| !name.starts_with('/') && name.len() < 36);
                names.min_by_key(|name| name.len()).map_or(mount.clone(), |name| format!("{name} ({mount})"))
            }
            (Class::Device, _) => {
                let is_pci = |name: &&String| name.matches(':').count() == 2 && name.contains('.');
                let is_host = |name: &&String| crate::correlate::relations::numbered(name, "host");
                match node.names.iter().find(is_host).zip(node.names.iter().find(is_pci)) {
                    Some((host, pci)) => format!("{host} ({pci})"),
                    None => node.name().to_owned(),
                }
            }
            _ => node.name().to_owned(),
        }
    }

    /// The devices of conditions; a disk and its partitions are one.
    pub(super) fn devices<'c>(&self, conditions: impl Iterator<Item = &'c Condition>) -> BTreeSet<NodeId> {
        let all: BTreeSet<NodeId> = conditions.map(|condition| condition.node).collect();
        let is_part = |node: &NodeId| {
            self.nodes
                .below_of(*node)
                .any(|(relation, below)| relation == Relation::Part && all.contains(&below))
        };
        all.iter().copied().filter(|node| !is_part(node)).collect()
    }

    pub(super) fn condition_title(&self, condition: &Condition) -> String {
        let title = self.kinds.get(condition.kind).map(|kind| kind.title.as_str()).unwrap_or_default();
        let title = title.replace("{dev}", &self.device(condition.node));
        match condition.members.len() {
            0 => title,
            1 if condition.members.iter().all(|member| title.contains(member.as_str())) => title,
            n @ 1..=MAX_DEVICES => {
                format!("{title} ({})", condition.members.get(..n).unwrap_or_default().join(", "))
            }
            n => format!("{title} ({n} members)"),
        }
    }

    pub(super) fn title(&self, incident: &Incident, main: &Condition, hurt: &[(KindId, Hurt)]) -> String {
        let of_incident = incident.conditions.iter().filter_map(|id| self.conditions.get(id));
        let same = self.devices(of_incident.filter(|c| c.kind == main.kind));
        let suspect =
            incident.suspects.iter().max_by_key(|(_, count)| *count).map(|(node, _)| self.device(*node));
        let many = self.kinds.get(main.kind).and_then(|kind| kind.many.as_deref());
        let first = match (same.len(), many, suspect) {
            (n, Some(many), Some(suspect)) if n > 1 => {
                format!("{} behind {suspect}", many.replace("{n}", &n.to_string()))
            }
            (n, Some(many), None) if n > 1 => many.replace("{n}", &n.to_string()),
            _ => self.condition_title(main),
        };
        let worst = hurt.iter().find(|(kind, _)| *kind != main.kind).map(|(_, hurt)| &hurt.title);
        worst.map_or(first.clone(), |worst| format!("{first}; {}", lower_first(worst)))
    }
}

/// Within a sentence a title begins with a small letter, unless it begins with a name.
fn lower_first(title: &str) -> String {
    const WORDS: [&str; 12] = [
        "The ",
        "A ",
        "An ",
        "Map ",
        "Path ",
        "Array ",
        "Pool ",
        "Volume ",
        "Snapshot ",
        "Target ",
        "Swap ",
        "Processes ",
    ];
    match (WORDS.iter().any(|word| title.starts_with(word)), title.split_at_checked(1)) {
        (true, Some((first, rest))) => first.to_lowercase() + rest,
        _ => title.to_owned(),
    }
}
