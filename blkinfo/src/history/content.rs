//! Names of the content of a device: the UUID of a file system, its mount point.

use std::sync::Arc;

use crate::info::BlockInfo;
use crate::mounts::Mount;

use super::mounted::{Held, Who};
use super::{keys, Answer, History, Window};

/// UUIDs that some device lost while it was there; of more, all are taken to be lost at the time of the last.
const MAX_LOST: usize = 1024;

impl History {
    /// The device that was meant at that time by the UUID of a file system or by a mount point. `Known` only when it is
    /// the only one, or the one on top of all others, that had it and was there. Devices have the UUID with which they were
    /// seen last; where they are mounted is known from [`History::mounts`].
    pub fn content_at(&self, name: &str, time: u64) -> Answer {
        match name.starts_with('/') {
            true => self.mounted_at(name, time),
            false => self.uuid_at(name, time),
        }
    }

    /// As [`History::at`], and what people write: a device-mapper name, the UUID of a file system, a mount point.
    pub fn any_at(&self, name: &str, time: u64) -> Answer {
        let questions =
            [self.at(name, time), self.at(&format!("/dev/mapper/{name}"), time), self.content_at(name, time)];
        questions.into_iter().find(|answer| *answer != Answer::Absent).unwrap_or(Answer::Absent)
    }

    /// The mount table was read within `looked`. All uevents up to `looked.by` must be given before.
    pub fn mounts(&mut self, looked: Window, table: &[Mount]) {
        let mut mounted = std::mem::take(&mut self.mounted);
        let changed = mounted.read(looked, table, |number| {
            let key = keys::number(number);
            let certain = |time| {
                let mut tenures = self.names.get(&key).into_iter().flatten();
                tenures.find(|tenure| tenure.certain(time, self.complete_until)).map(|tenure| tenure.block)
            };
            let (first, last) = (certain(looked.after), certain(looked.by));
            Who { certain: first.filter(|_| first == last), now: self.holder(&key).map(|(now, _)| now) }
        });
        self.mounted = mounted;
        self.generation += u64::from(changed);
        self.note_mounted(looked.by);
    }

    /// The mount table has not changed up to this time.
    pub fn advance_mounts(&mut self, now: u64) {
        self.mounted.advance(now);
    }

    fn mounted_at(&self, point: &str, time: u64) -> Answer {
        match self.mounted.at(point, time) {
            Held::By(number) => match self.blocks.get(&number) {
                Some(block) => Answer::Known { block: block.clone(), present: self.is_there(block, number) },
                None => Answer::Uncertain,
            },
            Held::Uncertain => Answer::Uncertain,
            Held::Absent => Answer::Absent,
        }
    }

    fn uuid_at(&self, uuid: &str, time: u64) -> Answer {
        let has =
            |block: &BlockInfo| block.fs_uuid.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(uuid));
        let having = self.blocks.iter().filter(|(_, block)| has(block));
        let mut found: Vec<(u64, &Arc<BlockInfo>, bool)> = Vec::new();
        for (number, block) in having {
            let tenures = self.names.get(&keys::name(&block.kdev)).into_iter().flatten();
            let mut mine = tenures.filter(|tenure| tenure.block == *number && tenure.possible(time));
            if let Some(tenure) = mine.next() {
                found.push((*number, block, tenure.certain(time, self.complete_until)));
            }
        }
        let lost = self.lost.get(&uuid.to_ascii_lowercase()).copied().unwrap_or_default();
        let on_top = |top: &BlockInfo| {
            let below = |kdev: &str| top.owners.iter().any(|owner| owner.kdev == kdev);
            found.iter().all(|(_, block, _)| block.kdev == top.kdev || below(&block.kdev))
        };
        match found.iter().find(|(_, block, certain)| *certain && on_top(block)) {
            Some((number, block, _)) if time > lost.max(self.lost_before) => {
                Answer::Known { block: (*block).clone(), present: self.is_there(block, *number) }
            }
            None if found.is_empty() => Answer::Absent,
            _ => Answer::Uncertain,
        }
    }

    fn is_there(&self, block: &BlockInfo, number: u64) -> bool {
        self.holder(&keys::name(&block.kdev)).is_some_and(|(holder, _)| holder == number)
    }

    /// A device that is there has another file system, or none: until now it may have been this one that was meant.
    pub(super) fn note_lost(&mut self, before: &BlockInfo, now: &BlockInfo) {
        let Some(uuid) = before.fs_uuid.as_ref().filter(|_| before.fs_uuid != now.fs_uuid) else { return };
        if self.lost.len() >= MAX_LOST {
            self.lost_before = self.lost.drain().map(|(_, time)| time).max().unwrap_or_default();
        }
        self.lost.insert(uuid.to_ascii_lowercase(), self.complete_until);
    }
}
