//! Conditions and incidents, as they are worked on.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use super::nodes::{ConditionId, NodeId, PlaceId};
use crate::event::Severity;
use crate::rules::conditions::{Data, KindId, Layer};

/// Number of an incident.
pub type IncidentId = u64;

/// Whether something is still wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConditionState {
    /// It is.
    Open,
    /// It comes and goes.
    Flapping,
    /// What happened is over, and a defect is left.
    Latent,
    /// Not known, since the machine was booted.
    Unknown,
    /// It is over.
    Closed,
}

/// The first event of a type within a condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The event type.
    pub event_type: Arc<str>,
    /// When, µs since the epoch.
    pub time: u64,
}

/// What is wrong with one device.
#[derive(Debug)]
pub struct Condition {
    /// Its device.
    pub node: NodeId,
    /// What is wrong.
    pub kind: KindId,
    /// Where its device is.
    pub place: PlaceId,
    /// Where it is in the stack: that of the kind, unless its device lies on others.
    pub rank: Rank,
    /// Whether it still is.
    pub state: ConditionState,
    /// The worst that was reported of it.
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
    /// The event that opened it first.
    pub opened_by: String,
    /// Event, or `gone`, `boot`, `quiet`, `causes`.
    pub closed_by: Option<String>,
    /// What the events named as members of the device.
    pub members: Vec<String>,
    /// The incident that it belongs to.
    pub incident: IncidentId,
}

impl Condition {
    /// It is not over.
    pub fn is_open(&self) -> bool {
        matches!(self.state, ConditionState::Open | ConditionState::Flapping)
    }

    /// A problem at that time may be part of it: it is open, or what left a defect happened a short while before.
    pub fn is_active(&self, time: u64) -> bool {
        match self.state {
            ConditionState::Open | ConditionState::Flapping => true,
            ConditionState::Latent => time <= self.last.saturating_add(super::LATENT_JOINS),
            ConditionState::Unknown | ConditionState::Closed => false,
        }
    }

    /// Remembers the first event of a type. True: it is the first.
    pub fn step(&mut self, event_type: &str, time: u64) -> bool {
        if self.steps.len() >= super::MAX_STEPS
            || self.steps.iter().any(|step| *step.event_type == *event_type)
        {
            return false;
        }
        self.steps.push(Step { event_type: event_type.into(), time });
        true
    }
}

/// Order of conditions by where they are in the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// That of a layer below contents.
    Layer(Layer),
    /// A block device that lies on others.
    Stacked,
    /// A file system and the like.
    Content,
}

impl Rank {
    /// Of a condition of this layer.
    pub fn of(layer: Layer, is_stacked: bool) -> Self {
        match layer {
            Layer::Content => Rank::Content,
            Layer::Device if is_stacked => Rank::Stacked,
            other => Rank::Layer(other),
        }
    }
}

/// Conditions that belong together.
#[derive(Debug)]
pub struct Incident {
    /// Its identifier, made of its first event and kind.
    pub id: String,
    /// Where it is.
    pub place: PlaceId,
    /// Grows with every change that is reported.
    pub rev: u32,
    /// All conditions, the first that began first.
    pub conditions: Vec<ConditionId>,
    /// The one that the others follow from.
    pub root: ConditionId,
    /// When it began.
    pub since: u64,
    /// The worst of its conditions, ever.
    pub severity: Severity,
    /// What became of data, ever.
    pub data: Data,
    /// How many conditions are open.
    pub open: usize,
    /// When the last one was closed.
    pub until: Option<u64>,
    /// When something was last reported of it.
    pub last: u64,
    /// Events that belong to it, and the entries that they cover.
    pub events: u64,
    /// The same.
    pub entries: u64,
    /// Devices that several of its conditions have in common, and how many.
    pub suspects: Vec<(NodeId, usize)>,
    /// Another incident that began just before it, and nothing but time speaks for it.
    pub possible_cause: Option<IncidentId>,
    /// It turned out to be a part of another one.
    pub merged_into: Option<IncidentId>,
    /// Where it hurts: mount points.
    pub mounts: BTreeSet<String>,
    /// It was reported.
    pub reported: bool,
    /// What has to be reported of it, the most important.
    pub pending: Option<Reason>,
}

/// Why an incident is reported, the most important first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It turned out to be a part of another one.
    Merged,
    /// It is over.
    Closed,
    /// It is new.
    Opened,
    /// It is worse than before, or does worse.
    Worse,
    /// It was over, or a part of it, and began again.
    Again,
    /// Another condition is its root.
    RootChanged,
    /// It has an effect of another kind.
    Effect,
    /// Only numbers and times changed.
    Counts,
}

impl Reason {
    /// It is reported at once.
    pub fn is_urgent(self) -> bool {
        self != Reason::Counts
    }
}
