//! What an event says of devices: which it is about, and what depends on what.

use super::naming::{wholes, Class, Named, Relation, Sight};
use super::nodes::{NodeId, PlaceId};
use super::Incidents;

/// Where an event belongs: devices of it.
#[derive(Clone, Debug)]
pub(super) struct EventNodes {
    /// The device.
    pub device: Option<NodeId>,
    /// What lies on it, when the event is about that.
    pub content: Option<NodeId>,
    /// What the event says that it depends on.
    pub below: Vec<NodeId>,
}

impl Incidents {
    /// Enters what the event says of devices.
    pub(super) fn enter(&mut self, place: PlaceId, sight: &Sight, content: Option<&Sight>) -> EventNodes {
        let device = self.node(place, Class::Device, &sight.subject);
        let content = content.and_then(|sight| {
            let names = Named { names: sight.content.clone(), ..Named::default() };
            self.node(place, Class::Content, &names)
        });
        let mut all_below = Vec::new();
        if let Some(device) = device {
            let mut in_front: Vec<(NodeId, &Named)> = Vec::new();
            for (relation, named) in &sight.below {
                let Some(below) = self.node(place, Class::Device, named) else { continue };
                self.depends(device, *relation, below);
                all_below.push(below);
                self.depends_by_name(place, below, &named.names);
                if *relation == Relation::Behind {
                    in_front.push((below, named));
                }
            }
            self.chain(&in_front);
            for (relation, named) in &sight.above {
                let Some(above) = self.node(place, Class::Device, named) else { continue };
                self.depends(above, *relation, device);
                self.one_map(above, device, *relation);
            }
        }
        if let Some(content) = content {
            device.into_iter().for_each(|device| self.depends(content, Relation::Content, device));
            if let Some(node) = self.nodes.get_mut(content) {
                crate::correlate::relations::add_new(&mut node.mounts, sight.mounts.iter().cloned());
            }
        }
        EventNodes { device, content, below: all_below }
    }

    /// The device of these names; what turned out to be one device is one.
    pub(super) fn node(&mut self, place: PlaceId, class: Class, named: &Named) -> Option<NodeId> {
        let (id, unified) = self.nodes.resolve(place, class, named)?;
        for unified in unified {
            self.unify(unified);
        }
        Some(id)
    }

    /// The disk of a partition, its host: what follows from the names alone.
    fn depends_by_name(&mut self, place: PlaceId, node: NodeId, names: &[String]) {
        let (mut node, mut names) = (node, names.to_vec());
        for _ in 0..2 {
            let Some((relation, whole)) = wholes(&names).into_iter().next() else { return };
            let named = Named { names: vec![whole], ..Named::default() };
            let Some(below) = self.node(place, Class::Device, &named) else { return };
            self.depends(node, relation, below);
            (node, names) = (below, named.names);
        }
    }

    /// A host lies behind the PCI function that one line names with it.
    fn chain(&mut self, in_front: &[(NodeId, &Named)]) {
        let find = |fits: fn(&str) -> bool| {
            in_front
                .iter()
                .find(|(_, named)| named.names.iter().any(|name| fits(name)))
                .map(|(node, _)| *node)
        };
        let is_host = |name: &str| {
            crate::correlate::relations::numbered(name, "host")
                || crate::correlate::relations::numbered(name, "ata")
        };
        if let Some((host, function)) =
            find(is_host).zip(find(|name| name.matches(':').count() == 2 && name.contains('.')))
        {
            self.depends(host, Relation::Behind, function);
        }
    }

    fn depends(&mut self, upper: NodeId, relation: Relation, lower: NodeId) {
        self.nodes.link(upper, relation, lower);
    }

    /// A path has one map: what two lines call the map of one path is one device.
    fn one_map(&mut self, map: NodeId, path: NodeId, relation: Relation) {
        if relation != Relation::Path {
            return;
        }
        let above: Vec<NodeId> = self.nodes.get(path).map(|node| node.above.clone()).unwrap_or_default();
        let is_map = |id: &NodeId| self.nodes.below_of(*id).any(|below| below == (Relation::Path, path));
        let other = above.into_iter().find(|id| *id != map && is_map(id));
        let Some((other, node)) = other.and_then(|other| Some((other, self.nodes.get(map)?))) else { return };
        let named = Named { names: node.names.clone(), identity: node.identity.clone() };
        let (place, class) = (node.place, node.class);
        if let Some(first) = self.nodes.get(other).and_then(|node| node.names.first().cloned()) {
            let mut names = named.names;
            names.push(first);
            self.node(place, class, &Named { names, identity: named.identity });
        }
    }
}
