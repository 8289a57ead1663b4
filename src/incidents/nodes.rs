//! The devices that events are about: names that mean one thing, and what depends on what.
//!
//! A name means a device in one boot of one host, until a line or a uevent says that it is gone; then the name is free for
//! another one. Where identities are known, equal names with different ones are two devices.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use super::form::{begins_with_number, form, is_block, is_uuid, rank};
use super::naming::{Class, Named, Relation};
use crate::event::Identity;

/// Number of a device.
pub type NodeId = u64;
/// Number of a boot of a host.
pub type PlaceId = u32;
/// Number of a condition.
pub type ConditionId = u64;

/// Names of one device that are remembered.
const MAX_NAMES: usize = 16;
/// Devices on the way that are looked at, at most.
const MAX_WALK: usize = 65_536;
/// Links of one device to those below it.
const MAX_BELOW: usize = 4_096;

/// A device.
#[derive(Debug)]
pub struct Node {
    /// Where it is.
    pub place: PlaceId,
    /// What kind of thing.
    pub class: Class,
    /// Its names, the first that was heard first.
    pub names: Vec<String>,
    /// What tells it from others of these names.
    pub identity: Identity,
    /// What it depends on.
    pub below: Vec<(Relation, NodeId)>,
    /// What depends on it.
    pub above: Vec<NodeId>,
    /// Its conditions.
    pub conditions: Vec<ConditionId>,
    /// Where it is mounted.
    pub mounts: Vec<String>,
    /// When it was last heard of, in numbers of events.
    seen: u64,
    /// Its names may mean another device by now.
    retired: bool,
}

/// Two devices turned out to be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unified {
    /// The one that is left.
    pub kept: NodeId,
    /// The one that is no more.
    pub dropped: NodeId,
}

/// All devices.
#[derive(Debug)]
pub struct Nodes {
    nodes: HashMap<NodeId, Node>,
    by_name: HashMap<(PlaceId, Class, String), NodeId>,
    /// Devices that are gone, by what tells them from others: lines about them may still come.
    gone: HashMap<(PlaceId, String), NodeId>,
    next: NodeId,
    clock: u64,
    room: usize,
}

impl Nodes {
    /// Room for so many, of which those without conditions may be forgotten.
    pub fn new(room: usize) -> Self {
        Nodes {
            nodes: HashMap::new(),
            by_name: HashMap::new(),
            gone: HashMap::new(),
            next: 0,
            clock: 0,
            room,
        }
    }

    /// A device by its number.
    pub fn get(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(&id)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, id: NodeId) -> Option<&mut Node> {
        self.nodes.get_mut(&id)
    }

    /// The device of these names, and those that turned out to be the same.
    pub fn resolve(&mut self, place: PlaceId, class: Class, named: &Named) -> Option<(NodeId, Vec<Unified>)> {
        if named.names.is_empty() {
            return None;
        }
        self.clock += 1;
        let mut found: Vec<NodeId> =
            named.names.iter().filter_map(|name| self.find(place, class, name)).collect();
        found.sort_unstable();
        found.dedup();
        found.retain(|id| self.nodes.get(id).is_some_and(|node| !node.is_another(named)));
        if let Some(gone) = self.gone_of(place, named).filter(|_| class == Class::Device) {
            found = vec![gone];
        }
        let mut unified = Vec::new();
        let id = match found.split_first() {
            Some((first, others)) => {
                unified.extend(others.iter().filter_map(|other| self.unify(*first, *other)));
                *first
            }
            None => self.create(place, class, named),
        };
        self.learn(id, named);
        Some((id, unified))
    }

    fn find(&self, place: PlaceId, class: Class, name: &str) -> Option<NodeId> {
        self.by_name.get(&(place, class, name.to_owned())).copied()
    }

    /// The device of this identity that is gone.
    fn gone_of(&self, place: PlaceId, named: &Named) -> Option<NodeId> {
        let id = self.gone.get(&(place, identity_key(&named.identity)?))?;
        self.nodes.get(id).filter(|node| node.identity.proves(&named.identity)).map(|_| *id)
    }

    fn create(&mut self, place: PlaceId, class: Class, named: &Named) -> NodeId {
        self.make_room();
        let id = self.next;
        self.next += 1;
        let node = Node {
            place,
            class,
            names: Vec::new(),
            identity: named.identity.clone(),
            below: Vec::new(),
            above: Vec::new(),
            conditions: Vec::new(),
            mounts: Vec::new(),
            seen: self.clock,
            retired: false,
        };
        self.nodes.insert(id, node);
        id
    }

    fn learn(&mut self, id: NodeId, named: &Named) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        node.seen = self.clock;
        node.identity.wwid = node.identity.wwid.take().or_else(|| named.identity.wwid.clone());
        node.identity.diskseq = node.identity.diskseq.or(named.identity.diskseq);
        for name in &named.names {
            if !node.names.contains(name) && node.names.len() < MAX_NAMES {
                node.names.push(name.clone());
            }
            if !node.retired {
                self.by_name.insert((node.place, node.class, name.clone()), id);
            }
        }
    }

    /// Two devices are one, unless they are known to be two.
    fn unify(&mut self, kept: NodeId, dropped: NodeId) -> Option<Unified> {
        let named = |node: &Node| Named { names: node.names.clone(), identity: node.identity.clone() };
        if self.nodes.get(&kept).zip(self.nodes.get(&dropped)).is_none_or(|(a, b)| a.is_another(&named(b))) {
            return None;
        }
        let gone = self.nodes.remove(&dropped)?;
        for above in &gone.above {
            let Some(node) = self.nodes.get_mut(above) else { continue };
            node.below.iter_mut().filter(|(_, id)| *id == dropped).for_each(|(_, id)| *id = kept);
        }
        for (_, below) in &gone.below {
            let Some(node) = self.nodes.get_mut(below) else { continue };
            node.above.iter_mut().filter(|id| **id == dropped).for_each(|id| *id = kept);
        }
        self.learn(kept, &Named { names: gone.names, identity: gone.identity });
        let node = self.nodes.get_mut(&kept)?;
        node.conditions.extend(gone.conditions);
        node.mounts.extend(gone.mounts);
        node.below.extend(gone.below);
        node.above.extend(gone.above);
        node.below.retain(|(_, id)| *id != kept);
        node.above.retain(|id| *id != kept);
        node.above.sort_unstable();
        node.above.dedup();
        Some(Unified { kept, dropped })
    }

    /// `upper` depends on `lower`.
    pub fn link(&mut self, upper: NodeId, relation: Relation, lower: NodeId) {
        if upper == lower || self.below_of(lower).any(|(_, id)| id == upper) {
            return;
        }
        let Some(node) = self.nodes.get_mut(&upper) else { return };
        let known = node.below.iter().any(|(_, id)| *id == lower);
        if known || node.below.len() >= MAX_BELOW {
            return;
        }
        node.below.push((relation, lower));
        if let Some(node) = self.nodes.get_mut(&lower) {
            node.above.push(upper);
        }
    }

    /// What a device depends on directly.
    pub fn below_of(&self, id: NodeId) -> impl Iterator<Item = (Relation, NodeId)> + '_ {
        self.nodes.get(&id).into_iter().flat_map(|node| node.below.iter().copied())
    }

    /// All that a device depends on, the nearest first, with the relation of the first step. What bears the loss of one that it
    /// depends on is passed only when `is_hurt` says so.
    pub fn all_below(&self, id: NodeId, is_hurt: impl Fn(NodeId) -> bool) -> Vec<(Relation, NodeId)> {
        let mut found = Vec::new();
        let mut seen = HashSet::from([id]);
        let mut waiting = VecDeque::from([(None, id)]);
        while let Some((first, at)) = waiting.pop_front() {
            let passes = at == id || is_hurt(at);
            for (relation, below) in self.below_of(at) {
                if relation.is_redundant() && !passes || found.len() >= MAX_WALK || !seen.insert(below) {
                    continue;
                }
                let first = first.unwrap_or(relation);
                found.push((first, below));
                waiting.push_back((Some(first), below));
            }
        }
        found
    }

    /// All that depends on a device, the nearest first.
    pub fn all_above(&self, id: NodeId) -> Vec<NodeId> {
        let mut found = Vec::new();
        let mut seen = HashSet::from([id]);
        let mut waiting = VecDeque::from([id]);
        while let Some(at) = waiting.pop_front() {
            for above in self.nodes.get(&at).into_iter().flat_map(|node| &node.above) {
                if found.len() < MAX_WALK && seen.insert(*above) {
                    found.push(*above);
                    waiting.push_back(*above);
                }
            }
        }
        found
    }

    /// The device of this name, if there is one.
    pub fn named(&self, place: PlaceId, class: Class, name: &str) -> Option<NodeId> {
        self.find(place, class, name)
    }

    /// It is not mounted any more: the mount points are free.
    pub fn unmount(&mut self, id: NodeId) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        let points: Vec<String> = node.names.iter().filter(|name| name.starts_with('/')).cloned().collect();
        node.names.retain(|name| !name.starts_with('/'));
        let (place, class) = (node.place, node.class);
        for point in points {
            if self.find(place, class, &point) == Some(id) {
                self.by_name.remove(&(place, class, point));
            }
        }
    }

    /// The device is gone: its names are free.
    pub fn retire(&mut self, id: NodeId) {
        let Some(node) = self.nodes.get_mut(&id) else { return };
        node.retired = true;
        if let Some(key) = identity_key(&node.identity).filter(|_| node.class == Class::Device) {
            if self.gone.len() >= self.room {
                self.gone.clear();
            }
            self.gone.insert((node.place, key), id);
        }
        let keys: Vec<_> = node.names.iter().map(|name| (node.place, node.class, name.clone())).collect();
        for key in keys {
            if self.by_name.get(&key) == Some(&id) {
                self.by_name.remove(&key);
            }
        }
    }

    /// Those that are heard of least make room, unless something is or was wrong with them.
    fn make_room(&mut self) {
        if self.nodes.len() < self.room {
            return;
        }
        let idle = self.nodes.iter().filter(|(_, node)| node.conditions.is_empty());
        let oldest: BTreeMap<u64, NodeId> = idle.map(|(id, node)| (node.seen, *id)).collect();
        for id in oldest.into_values().take(self.room / 4) {
            self.forget(id);
        }
    }

    fn forget(&mut self, id: NodeId) {
        self.retire(id);
        let Some(node) = self.nodes.remove(&id) else { return };
        for above in node.above {
            self.nodes
                .get_mut(&above)
                .into_iter()
                .for_each(|node| node.below.retain(|(_, below)| *below != id));
        }
        for (_, below) in node.below {
            self.nodes.get_mut(&below).into_iter().for_each(|node| node.above.retain(|above| *above != id));
        }
    }

    /// How many are known.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }
}

impl Node {
    /// It is certainly not the device of these names: its identity is another one, or it has another name of a form of which a
    /// device has one.
    fn is_another(&self, named: &Named) -> bool {
        if self.class == Class::Device {
            let differs = |name: &String| {
                let form = form(name);
                let other = || self.names.iter().any(|own| super::form::form(own) == form);
                form.is_some() && !self.names.contains(name) && other()
            };
            return self.identity.denies(&named.identity) || named.names.iter().any(differs);
        }
        // Contents may have several devices, and then one UUID; a mount point alone does not make two devices one.
        let uuid = |names: &[String]| names.iter().find(|name| is_uuid(name)).cloned();
        let blocks =
            |names: &[String]| names.iter().filter(|name| is_block(name)).cloned().collect::<Vec<_>>();
        match uuid(&self.names).zip(uuid(&named.names)) {
            Some((own, other)) => own != other,
            None => {
                let (own, other) = (blocks(&self.names), blocks(&named.names));
                !own.is_empty() && !other.is_empty() && own.iter().all(|name| !other.contains(name))
            }
        }
    }

    /// The name that says most to people.
    pub fn name(&self) -> &str {
        let best = self.names.iter().min_by_key(|name| rank(name));
        best.map_or("-", String::as_str)
    }

    /// It lies on other block devices: what is wrong with it is rather an effect.
    pub fn is_stacked(&self) -> bool {
        let kinds = ["dm-", "md", "drbd", "bcache", "loop", "rbd", "zd"];
        let is_kind = |name: &String| kinds.iter().any(|kind| begins_with_number(name, kind));
        self.class == Class::Device && self.names.iter().any(is_kind)
    }
}

/// What tells a device from all others of one boot: only the sequence number of its disk, since a disk that comes back has the
/// same world wide id.
fn identity_key(identity: &Identity) -> Option<String> {
    identity.diskseq.map(|number| number.to_string())
}
