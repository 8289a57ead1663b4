//! What is reported when.

use super::state::{IncidentId, Reason};
use super::{Change, Due, Incidents, COUNTS_EVERY, SETTLE};
use crate::event::Severity;

impl Incidents {
    /// There is something to report of an incident; the most important reason stays.
    pub(super) fn mark(&mut self, id: IncidentId, reason: Reason) {
        let newest = self.incidents.get(&id).map_or(0, |incident| self.newest(incident.place));
        let Some(incident) = self.incidents.get_mut(&id) else { return };
        let is_new = incident.pending.is_none();
        incident.pending = Some(incident.pending.map_or(reason, |before| before.min(reason)));
        let due = match incident.reported {
            // It settles first.
            false => incident.since.saturating_add(SETTLE),
            true => newest.saturating_add(COUNTS_EVERY),
        };
        if is_new {
            self.due.insert((incident.place, due, Due::Report(id)));
        }
        if reason.is_urgent() {
            self.urgent.push(id);
        }
    }

    /// Reports what does not wait.
    pub(super) fn report_urgent(&mut self, out: &mut Vec<Change>) {
        let mut urgent = std::mem::take(&mut self.urgent);
        urgent.sort_unstable();
        urgent.dedup();
        for id in urgent {
            let Some(incident) = self.incidents.get(&id) else { continue };
            let at_once = incident.reported || incident.severity <= Severity::Alert;
            let reason = incident.pending.filter(|reason| at_once && reason.is_urgent());
            out.extend(reason.and_then(|reason| self.report(id, reason)));
        }
    }

    /// Reports an incident whose time has come.
    pub(super) fn report_if_due(&mut self, id: IncidentId, out: &mut Vec<Change>) {
        let reason = self.incidents.get(&id).and_then(|incident| incident.pending);
        out.extend(reason.and_then(|reason| self.report(id, reason)));
    }

    /// The next revision of an incident. One that was never reported and is a part of another one by now never is.
    pub(super) fn report(&mut self, id: IncidentId, reason: Reason) -> Option<Change> {
        let incident = self.incidents.get_mut(&id)?;
        incident.pending = None;
        if !incident.reported && incident.merged_into.is_some() {
            return None;
        }
        let reason = if incident.reported { reason } else { Reason::Opened };
        incident.reported = true;
        incident.rev += 1;
        Some(Change { reason, view: self.view(id)? })
    }
}
