//! NVMe controllers, remote ports of a Fibre Channel network, iSCSI sessions and ATA ports, which are no block devices: a line about one is about what
//! is behind it, if that is one device only.

use std::sync::Arc;

use crate::info::{BlkType, BlockInfo};
use crate::name::{number, numbered};

use super::tenure::Tenure;
use super::{keys, Answer, History};

impl History {
    /// Which device did the controller, port or session of that name lead to?
    pub(super) fn behind_controller(&self, controller: &str, time: u64) -> Answer {
        let session = session_of(controller);
        let controller = session.as_deref().unwrap_or(controller);
        let mut certain = self.led(controller, |tenure| tenure.certain(time, self.complete_until));
        let possible = self.led(controller, |tenure| tenure.possible(time));
        match (certain.pop(), possible.len()) {
            (Some(number), 0 | 1) if certain.is_empty() => match self.blocks.get(&number) {
                Some(block) => {
                    let key = keys::controller(controller, &block.kdev);
                    let present = self.holder(&key).is_some_and(|(holder, _)| holder == number);
                    Answer::Known { block: block.clone(), present }
                }
                None => Answer::Uncertain,
            },
            (None, 0) => Answer::Absent,
            _ => Answer::Uncertain,
        }
    }

    /// The one device to which a controller, port or session led last, which is gone by then, or about then.
    pub(super) fn last_behind(&self, controller: &str, time: u64) -> Option<Arc<BlockInfo>> {
        let mut led = self.led(controller, |tenure| tenure.came.after < time);
        let number = led.pop().filter(|_| led.is_empty())?;
        self.blocks.get(&number).cloned()
    }

    /// The controller of that name was removed.
    pub fn controller_gone(&mut self, controller: &str, now: u64) {
        let window = self.window(now);
        for number in self.led(controller, |tenure| tenure.went.is_none()) {
            let Some(kdev) = self.blocks.get(&number).map(|block| block.kdev.clone()) else { continue };
            let key = keys::controller(controller, &kdev);
            self.end(number, window, |ended| ended == key);
        }
    }

    /// The NVMe namespaces that are there: after a controller came, they have another path and no uevent of their own.
    pub fn namespaces(&self) -> Vec<String> {
        let nvme = self.blocks.iter().filter(|(_, block)| block.blk_type == BlkType::Nvme);
        let there = nvme.filter(|(number, block)| {
            self.holder(&keys::name(&block.kdev)).is_some_and(|(holder, _)| holder == **number)
        });
        there.map(|(_, block)| block.kdev.clone()).collect()
    }

    /// The devices that a controller, port or session led to at some time, each once.
    fn led(&self, controller: &str, when: impl Fn(&Tenure) -> bool) -> Vec<u64> {
        let is_numbered =
            ["nvme", "session", "ata"].iter().any(|prefix| numbered(controller, prefix).is_some())
                || ata_device(controller);
        if !is_numbered && !controller.starts_with("rport-") {
            return Vec::new();
        }
        let prefix = keys::controller(controller, "");
        let keys = self.names.iter().filter(|(key, _)| key.starts_with(&prefix));
        let mut found: Vec<u64> = keys
            .flat_map(|(_, tenures)| tenures)
            .filter(|tenure| when(tenure))
            .map(|tenure| tenure.block)
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// `ata3.00`: a device on a port (drivers/ata/libata-core.c, ata_dev_printk).
fn ata_device(name: &str) -> bool {
    let parts = name.strip_prefix("ata").and_then(|rest| rest.split_once('.'));
    parts.is_some_and(|(port, device)| number::<u32>(port).and(number::<u32>(device)).is_some())
}

/// The session of a connection, `connection3:0` (drivers/scsi/scsi_transport_iscsi.c, iscsi_add_conn).
fn session_of(connection: &str) -> Option<String> {
    let (session, number_there) = connection.strip_prefix("connection")?.split_once(':')?;
    number::<u32>(number_there)?;
    number::<u32>(session).map(|session| format!("session{session}"))
}
