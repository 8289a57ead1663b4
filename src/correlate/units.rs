//! What systemd's lines about mounts, swaps, file system checks and services are about.
//!
//! PID 1 names one mount in several ways: by its unit (`srv-data.mount`), its mount point (`/srv/data`), the device it waits
//! for (`dev-sdb1.device`, `/dev/sdb1`) or the check of that device (`systemd-fsck@dev-sdb1.service`). No line says which mount
//! needs which device. What depends on a failed unit is printed directly after it, so such a line has no names of
//! its own here and joins the nearest failure.

use crate::event::EventDraft;
use crate::parser::unit::{about, UnitSubject};

/// Sub-systems whose events name units and mount points.
const SUB_SYSTEMS: [&str; 2] = ["systemd", "mount"];
/// A unit that failed only because another one did.
const DEPENDENT: &str = "MOUNT_DEPENDENCY_FAILED";

/// The event is about a unit that depends on the one that failed, and does not name the device.
pub fn is_dependent(event: &EventDraft) -> bool {
    event.event_type == DEPENDENT && event.kdev.is_none()
}

/// Mount point, device node or service that the event is about.
pub fn subjects(event: &EventDraft) -> Vec<String> {
    if !SUB_SYSTEMS.contains(&event.sub_system.as_str()) {
        return Vec::new();
    }
    let unit = event.extension.get("unit").map(|unit| match about(unit) {
        Some(UnitSubject::Mount(path) | UnitSubject::Node(path)) => path,
        None => unit.clone(),
    });
    unit.into_iter().chain(event.extension.get("mount_point").cloned()).collect()
}
