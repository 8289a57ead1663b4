//! From raw events to storage events: which device, what is below it and above it.
//!
//! One task a family of sub-systems. Exactly one family takes a raw event: the first in
//! [`FAMILIES`] whose filter fits; the last takes the rest, since a user's rule may name any
//! sub-system.

mod block;
pub mod build;
mod dm;
mod fs;
mod generic;
mod multipath;
mod scsi;
#[cfg(test)]
mod tests;
pub mod unit;
pub mod work;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::bus::raw::RawReceiver;
use crate::bus::{RawBus, RawEvent, RawItem};
use crate::correlate::task::Inlet;
use crate::devices::Devices;
use crate::event::EventDraft;
use work::Work;

/// How long a parser sleeps when it has nothing to wait for.
const IDLE: Duration = Duration::from_secs(3600);

/// What parsers work with.
#[derive(Clone, Debug)]
pub struct Context {
    /// The device tree.
    pub devices: Arc<Devices>,
    /// Takes the events.
    pub faults: Inlet,
}

/// A family of sub-systems.
#[derive(Debug)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// It takes events of this sub-system.
    takes: fn(&str) -> bool,
    /// Makes the event.
    parse: fn(&Devices, &RawEvent) -> EventDraft,
}

/// All families, in the order in which they are asked.
pub const FAMILIES: [Family; 6] = [
    Family { name: "multipath", takes: multipath::takes, parse: multipath::parse },
    Family { name: "scsi", takes: scsi::takes, parse: scsi::parse },
    Family { name: "block", takes: block::takes, parse: block::parse },
    Family { name: "dm", takes: dm::takes, parse: dm::parse },
    Family { name: "fs", takes: fs::takes, parse: fs::parse },
    Family { name: "generic", takes: generic::takes, parse: generic::parse },
];

/// The family that takes events of a sub-system.
pub fn family_of(sub_system: &str) -> &'static Family {
    let found = FAMILIES.iter().find(|family| (family.takes)(sub_system));
    found.unwrap_or(&Family { name: "generic", takes: generic::takes, parse: generic::parse })
}

/// Makes the event of a raw event; looks devices up at once and waits for nothing.
pub fn parse(devices: &Devices, raw: &RawEvent) -> EventDraft {
    family_of(&raw.sub_system).event(devices, raw)
}

impl Family {
    /// Makes the event of a raw event.
    fn event(&self, devices: &Devices, raw: &RawEvent) -> EventDraft {
        let mut event = (self.parse)(devices, raw);
        build::mark_gone(&mut event, devices, raw);
        let with_storage = raw.rule.storage_severity.filter(|_| devices.has_storage_behind(raw));
        event.severity = with_storage.map_or(event.severity, |severity| severity.min(event.severity));
        event
    }
}

/// Starts one task a family. They end when the bus does; that one ends before is a fault.
pub fn start(bus: &RawBus, context: &Context) -> JoinSet<&'static str> {
    let mut tasks = JoinSet::new();
    for family in &FAMILIES {
        let receiver = bus.subscribe();
        let context = context.clone();
        tasks.spawn(async move {
            run(family, receiver, context).await;
            family.name
        });
    }
    tasks
}

/// Works on the events of a family. What waits holds nothing else up.
async fn run(family: &'static Family, mut receiver: RawReceiver, context: Context) {
    let devices = &context.devices;
    let mut work = Work::new(family);
    let mut open = true;
    while open || work.is_waiting() {
        let wait = work.next().map(|at| Duration::from_micros(at.saturating_sub(devices.time())));
        let item = tokio::select! {
            item = receiver.recv(), if open => item,
            () = tokio::time::sleep(wait.unwrap_or(IDLE)) => {
                for (event, raw) in tokio::task::block_in_place(|| work.tick(devices)) {
                    context.faults.push(event, &raw).await;
                }
                continue;
            }
        };
        match item {
            Some(RawItem::Event(raw)) => {
                tokio::task::block_in_place(|| devices.note_line(&raw));
                if !work.takes(&raw) {
                    continue;
                }
                match tokio::task::block_in_place(|| work.take(devices, raw.clone())) {
                    Some((event, raw)) => context.faults.push(event, &raw).await,
                    None => context.faults.put_off(&raw).await,
                }
            }
            Some(RawItem::Beat(beat)) => context.faults.beat(beat).await,
            None => open = false,
        }
    }
}
