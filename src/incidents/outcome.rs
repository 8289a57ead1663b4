//! Lines that say that something went well, lines that name no device, and lines of two layers about one command.

use std::collections::VecDeque;

use super::enter::EventNodes;
use super::naming::{Class, Named};
use super::nodes::{NodeId, PlaceId};
use super::state::IncidentId;
use super::Incidents;
use crate::event::{EventDraft, Severity};
use crate::rules::conditions::KindId;

/// Words of drivers for what went well, in the case in which they write them.
const WELL: [&str; 5] = ["SUCCESS", "succeeded", "success", "successful", "sucessfully"];
/// Words by which a line is about something else.
const NOT_WELL: [&str; 6] = ["not ", "fail", "FAIL", "unsuccess", "timed out", "error"];
/// How many failed ATA commands are remembered.
const MAX_COMMANDS: usize = 64;
/// A command is given up so long after it first failed, µs: with the longest timers of drivers.
const COMMAND_LASTS: u64 = 200_000_000;

/// A command that failed in the lower layer.
#[derive(Clone, Debug)]
pub(super) struct AtaCommand {
    place: PlaceId,
    time: u64,
    lba: String,
    tag: String,
    node: NodeId,
}

/// A driver says that what it did to recover went well: whatever its severity, this is no problem.
pub(super) fn went_well(event: &EventDraft) -> bool {
    let is_driver = event.event_type == "USB_STORAGE_RESET"
        || event.event_type.starts_with("HBA_")
        || event.event_type.starts_with("ISCSI_RESET")
        || event.event_type.starts_with("FC_");
    let has = |words: &[&str]| words.iter().any(|word| event.msg.contains(word));
    is_driver && event.severity > Severity::Critical && has(&WELL) && !has(&NOT_WELL)
}

impl Incidents {
    /// Ends the conditions of the kind that the event would open, and what a recovery from that kind ends besides, but nothing in a
    /// lower layer: an aborted command says nothing about the adapter.
    pub(super) fn close_own(&mut self, event: &EventDraft, about: &EventNodes) -> Option<IncidentId> {
        let own = self.kinds.opened_by(&event.event_type)?.kind;
        let kind = self.kinds.get(own)?;
        let also = kind.closed_by.iter().flat_map(|closer| self.kinds.closed_by(closer)).copied();
        let layer = kind.layer;
        let ended: Vec<KindId> = also.chain([own]).collect();
        let device = about.device?;
        let mut nodes = self.nodes.all_above(device);
        nodes.push(device);
        let mut incident = None;
        for id in self.conditions_of(&nodes, |kind, of| of >= layer && ended.contains(&kind)) {
            incident = incident.or_else(|| self.conditions.get(&id).map(|condition| condition.incident));
            self.close(id, event.timestamp, &event.event_id);
        }
        incident
    }

    /// The adapter that a line of its driver without a name is about: the only one of that driver.
    pub(super) fn adapter(&mut self, place: PlaceId, event: &EventDraft) -> Option<NodeId> {
        if !event.event_type.starts_with("HBA_") {
            return None;
        }
        let driver = (place, event.sub_system.clone());
        match self.drivers.get(&driver).map(Vec::as_slice) {
            Some([only]) => self.nodes.named(place, Class::Device, only),
            Some(_) => None,
            None => {
                let names = vec![event.sub_system.clone()];
                self.node(place, Class::Device, &Named { names, ..Named::default() })
            }
        }
    }

    /// Remembers which adapters a driver has.
    pub(super) fn note_driver(&mut self, place: PlaceId, event: &EventDraft) {
        let Some(pci) = event.extension.get("pci").filter(|_| event.event_type.starts_with("HBA_")) else {
            return;
        };
        let known = self.drivers.entry((place, event.sub_system.clone())).or_default();
        if !known.contains(pci) && known.len() < 2 {
            known.push(pci.clone());
        }
    }

    /// A port of ATA and a disk are one device when both say that one command failed: the same tag, the same sector.
    pub(super) fn tie_command(&mut self, place: PlaceId, event: &EventDraft, node: Option<NodeId>) {
        let sector = event.extension.get("sector").filter(|_| event.event_type == "BLK_IO_ERROR");
        let Some((lba, node)) = event.extension.get("lba").or(sector).zip(node) else { return };
        let tag = event.extension.get("tag").cloned().unwrap_or_default();
        if event.event_type.starts_with("ATA_") {
            self.commands.retain(|known| known.node != node || known.lba != *lba);
            self.commands.push_back(AtaCommand { place, time: event.timestamp, lba: lba.clone(), tag, node });
            if self.commands.len() > MAX_COMMANDS {
                self.commands.pop_front();
            }
            return;
        }
        let disk = event.kdev.as_ref().filter(|kdev| kdev.starts_with("sd"));
        let Some(disk) = event.extension.get("hctl").or(disk) else { return };
        let fits = |known: &&AtaCommand| {
            let near =
                known.time <= event.timestamp && event.timestamp <= known.time.saturating_add(COMMAND_LASTS);
            known.place == place
                && near
                && known.lba == *lba
                && (known.tag == tag || known.tag.is_empty() || tag.is_empty())
        };
        let mut found = self.commands.iter().filter(fits).map(|known| known.node);
        let (first, others) = (found.next(), found.next());
        let port = first.filter(|_| others.is_none()).and_then(|port| self.nodes.get(port));
        if let Some(name) = port.and_then(|port| port.names.first().cloned()) {
            self.node(place, Class::Device, &Named { names: vec![name, disk.clone()], ..Named::default() });
        }
    }
}

/// The last commands.
pub(super) type AtaCommands = VecDeque<AtaCommand>;
