//! The history of mounts: successive mount tables.

use std::collections::{HashMap, VecDeque};

use crate::mounts::Mount;
use crate::name::DevNumber;

use super::tenure::{Tenure, Window};

/// Mounts that have ended are kept up to this number, the newest.
const MAX_ENDED: usize = 4096;

/// Which device was mounted where. A place has one at a time: what was mounted last covers the others.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct MountHistory {
    /// When the first table was read; nothing is known of the time before.
    since: u64,
    /// The history is complete up to this time.
    #[cfg_attr(feature = "serde", serde(alias = "told_until"))]
    complete_until: u64,
    /// By mount point, the oldest first.
    places: HashMap<String, Vec<MountEntry>>,
    /// Mount points whose device changed, in that order.
    ended: VecDeque<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct MountEntry {
    /// The kernel's number of the mount.
    id: u32,
    number: DevNumber,
    /// The device of that number, if it is certain.
    block: Option<u64>,
    tenure: Tenure,
}

/// Who has a device number?
pub(super) struct Who {
    /// Who had it all the time while the table was read.
    pub certain: Option<u64>,
    /// Who has it by what was given.
    pub now: Option<u64>,
}

/// Who was mounted there?
pub(super) enum Held {
    /// The device of this number in the history.
    By(u64),
    /// One of several, or one that is not known.
    Uncertain,
    /// Nothing is known.
    Absent,
}

impl MountHistory {
    /// A table that was read within `looked`, and the holders of the device numbers. Returns whether anything changed.
    pub fn read(&mut self, looked: Window, table: &[Mount], who: impl Fn(DevNumber) -> Who) -> bool {
        let first = self.complete_until == 0;
        let came = Window { after: self.complete_until, by: looked.by };
        if first {
            self.since = looked.by;
        }
        // The last one on a place covers those before.
        let now: HashMap<&str, &Mount> =
            table.iter().map(|mount| (mount.mount_point.as_str(), mount)).collect();
        let stays = |point: &str, place: &MountEntry| {
            let same = |mount: &&Mount| (mount.id, mount.major_minor) == (place.id, place.number);
            // A mounted device that is gone keeps its number as long as no other device has it.
            let other = who(place.number).now.is_some_and(|now| Some(now) != place.block);
            now.get(point).is_some_and(same) && !other
        };
        let changed = self.end(came, stays) | self.begin(came, &now, who);
        self.complete_until = looked.after;
        self.forget();
        changed
    }

    /// Ends the mounts that do not stay.
    fn end(&mut self, went: Window, stays: impl Fn(&str, &MountEntry) -> bool) -> bool {
        let before = self.ended.len();
        for (point, places) in &mut self.places {
            let held = places.last_mut().filter(|place| place.tenure.went.is_none());
            if let Some(place) = held.filter(|place| !stays(point, place)) {
                place.tenure.went = Some(went);
                self.ended.push_back(point.clone());
            }
        }
        self.ended.len() > before
    }

    /// Begins the mounts of block devices that are new.
    fn begin(&mut self, came: Window, now: &HashMap<&str, &Mount>, who: impl Fn(DevNumber) -> Who) -> bool {
        let mut changed = false;
        for (point, mount) in now.iter().filter(|(_, mount)| mount.major_minor.major != 0) {
            let held = self.places.get(*point).and_then(|places| places.last());
            if held.is_some_and(|place| place.tenure.went.is_none()) {
                continue;
            }
            let block = who(mount.major_minor).certain;
            let tenure = Tenure { block: block.unwrap_or_default(), came, went: None };
            let place = MountEntry { id: mount.id, number: mount.major_minor, block, tenure };
            self.places.entry((*point).to_owned()).or_default().push(place);
            changed = true;
        }
        changed
    }

    /// The table was the same at this time as when it was read last.
    pub fn advance(&mut self, now: u64) {
        if self.complete_until > 0 {
            self.complete_until = self.complete_until.max(now);
        }
    }

    pub fn complete_until(&self) -> u64 {
        self.complete_until
    }

    pub fn at(&self, point: &str, time: u64) -> Held {
        let Some(places) = self.places.get(point).filter(|_| time >= self.since) else {
            return Held::Absent;
        };
        let certain = places.iter().find(|place| place.tenure.certain(time, self.complete_until));
        match certain.map(|place| place.block) {
            Some(Some(block)) => Held::By(block),
            Some(None) => Held::Uncertain,
            None if places.iter().any(|place| place.tenure.possible(time)) => Held::Uncertain,
            None => Held::Absent,
        }
    }

    /// Where a device was mounted at that time, as far as is known, in order.
    pub fn of(&self, block: u64, time: u64) -> impl Iterator<Item = &str> {
        let there = move |place: &&MountEntry| {
            let ended = place.tenure.went.is_some_and(|went| went.by < time);
            place.block == Some(block) && place.tenure.came.by <= time && !ended
        };
        let mut points: Vec<&str> = self
            .places
            .iter()
            .filter(|(_, places)| places.iter().any(|place| there(&place)))
            .map(|(point, _)| point.as_str())
            .collect();
        points.sort_unstable();
        points.into_iter()
    }

    /// The devices that are mounted by the table that was read last.
    pub fn present(&self) -> impl Iterator<Item = u64> + '_ {
        let last = self.places.values().filter_map(|places| places.last());
        last.filter(|place| place.tenure.went.is_none()).filter_map(|place| place.block)
    }

    fn forget(&mut self) {
        while self.ended.len() > MAX_ENDED {
            let Some(point) = self.ended.pop_front() else { return };
            let Some(places) = self.places.get_mut(&point) else { continue };
            if places.first().is_some_and(|place| place.tenure.went.is_some()) {
                places.remove(0);
            }
            if places.is_empty() {
                self.places.remove(&point);
            }
        }
    }
}
