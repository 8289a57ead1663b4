//! Which device had a name at a time in the past?
//!
//! The message about a lost disk arrives when the disk is gone, and its name may belong to another disk by then. A
//! [`History`] is given the devices that appear and disappear, and answers for any time since. It reads nothing by itself.
//!
//! It is not known exactly when a device appeared, because uevents carry no time stamp. What is known is a [`Window`]: the device was
//! not there at the last scan, and it was there when its uevent was read. Within a window, and while no device has a name,
//! the answer is [`Answer::Uncertain`] or [`Answer::Absent`], never a guess.

mod content;
mod controllers;
mod file_systems;
mod high_water;
mod keys;
mod mounted;
mod near;
mod tenure;
mod uevent;

#[cfg(test)]
mod content_tests;
#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod near_tests;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::info::BlockInfo;

use file_systems::FileSystems;
pub use high_water::HighWaterMark;
use mounted::MountHistory;
pub use near::{Claim, Probed, MAX_PROBE_US};
use tenure::Tenure;
pub use tenure::Window;
pub use uevent::{Action, Uevent};

/// Maximum number of ended tenures; the newest are kept.
pub const MAX_ENDED: usize = 16_384;

/// Which device had a name at some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This device, as it was last seen.
    Known {
        /// Its last known description.
        block: Arc<BlockInfo>,
        /// It still has the name.
        present: bool,
    },
    /// Something appeared or disappeared around that time.
    Uncertain,
    /// No device, as far as this history knows.
    Absent,
}

/// The block devices of one boot over time. Times are µs of CLOCK_MONOTONIC.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct History {
    /// The boot: 32 hexadecimal digits.
    boot_id: String,
    /// When it began.
    #[cfg_attr(feature = "serde", serde(default))]
    since: u64,
    /// The history is complete up to this time.
    #[cfg_attr(feature = "serde", serde(alias = "told_until"))]
    complete_until: u64,
    /// The same, apart from lost uevents.
    #[cfg_attr(feature = "serde", serde(default, alias = "told_in_part"))]
    in_part_until: u64,
    /// See [`History::generation`].
    #[cfg_attr(feature = "serde", serde(default))]
    generation: u64,
    /// The number of the next device.
    next: u64,
    /// The devices, present and past, by number.
    blocks: HashMap<u64, Arc<BlockInfo>>,
    /// For every name (see `keys.rs`) who had it, the oldest first.
    names: HashMap<String, Vec<Tenure>>,
    /// Names whose tenures have ended, in that order.
    ended: VecDeque<String>,
    /// The mounts.
    #[cfg_attr(feature = "serde", serde(default))]
    mounted: MountHistory,
    /// UUIDs of file systems that a device had and has no more, and when that was seen.
    #[cfg_attr(feature = "serde", serde(default))]
    lost: HashMap<String, u64>,
    /// Others may have been lost up to this time.
    #[cfg_attr(feature = "serde", serde(default))]
    lost_before: u64,
    /// The mounted file systems.
    #[cfg_attr(feature = "serde", serde(default))]
    file_systems: FileSystems,
    /// Addresses of removed SCSI devices that had no block device, and when the removal was seen.
    #[cfg_attr(feature = "serde", serde(default))]
    vanished: HashMap<String, u64>,
}

impl History {
    /// Starts with the devices that were found by a scan within the period `looked`.
    /// Uevents after its beginning are passed in later.
    pub fn new(boot_id: &str, looked: Window, blocks: impl IntoIterator<Item = BlockInfo>) -> Self {
        let mut history = Self { boot_id: boot_id.to_owned(), ..Self::default() };
        for block in blocks {
            let came = window_of(&block, Window { after: 0, by: looked.by });
            history.begin(block, came);
        }
        history.complete_until = looked.after;
        history.since = looked.by;
        history
    }

    /// The boot that it covers.
    pub fn boot_id(&self) -> &str {
        &self.boot_id
    }

    /// The history is complete up to this time.
    pub fn complete_until(&self) -> u64 {
        self.complete_until
    }

    /// Increases with every change except those covered by [`History::progress`]: a history saved with the same number need not be saved
    /// again.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// All uevents up to `now` have been passed in: the queue is empty.
    pub fn advance(&mut self, now: u64) {
        self.complete_until = self.complete_until.max(now);
    }

    /// The queue is empty at `now`, but uevents may have been lost.
    pub fn advance_in_part(&mut self, now: u64) {
        self.in_part_until = self.in_part_until.max(now);
    }

    /// The device that has this kernel name, as far as the uevents were read.
    pub fn present(&self, kdev: &str) -> Option<Arc<BlockInfo>> {
        self.holder(&keys::name(kdev)).map(|(_, block)| block)
    }

    /// All devices, present and past, in no order.
    pub fn blocks(&self) -> impl Iterator<Item = &BlockInfo> {
        self.blocks.values().map(Arc::as_ref)
    }

    /// Number of devices, present and past.
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    /// There are no devices.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Who had this name at that time? A name is what the kernel or journald writes: `sdb`, `[sdb]`, `8:16`, `b8:16`,
    /// `2:0:0:1`, `+scsi:2:0:0:1`, `dm-0-8`; a device-mapper name as `/dev/mapper/NAME`.
    pub fn at(&self, name: &str, time: u64) -> Answer {
        let Some(tenures) = keys::asked(name).find_map(|key| self.names.get(&key)) else {
            return self.behind_controller(name, time);
        };
        if let Some(holder) = tenures.iter().find(|tenure| tenure.certain(time, self.complete_until)) {
            return match self.blocks.get(&holder.block) {
                Some(block) => Answer::Known { block: block.clone(), present: holder.went.is_none() },
                None => Answer::Uncertain,
            };
        }
        match tenures.iter().any(|tenure| tenure.possible(time)) {
            true => Answer::Uncertain,
            false => Answer::Absent,
        }
    }

    /// The same while it is not certain that the history is complete. `is_same` looks whether the device that has the name, by what
    /// was given, is still there after `now`: then it had it up to now.
    pub fn at_or_look(
        &self,
        name: &str,
        time: u64,
        now: u64,
        is_same: impl FnOnce(&BlockInfo) -> bool,
    ) -> Answer {
        let answer = self.at(name, time);
        let held = || {
            let key = keys::asked(name).find(|key| self.names.contains_key(key))?;
            let came = self.names.get(&key)?.last()?.came;
            let (_, block) = self.holder(&key)?;
            (came.by <= time && time <= now && is_same(&block)).then_some(block)
        };
        match answer {
            Answer::Uncertain => held().map_or(answer, |block| Answer::Known { block, present: true }),
            answer => answer,
        }
    }

    /// A device appeared, or its names or properties changed, between `complete_until` and `now`.
    pub fn seen(&mut self, block: BlockInfo, now: u64) {
        let window = self.window(now);
        match self.holder(&keys::name(&block.kdev)) {
            Some((number, held)) if held.is_same(&block) => self.update(number, block, window),
            Some((number, _)) => {
                self.end(number, window, |_| true);
                self.begin(block, window);
            }
            None => self.begin(block, window),
        }
    }

    /// What is known of a device that is there has changed by `now`: it is mounted, for one, or has another path. Ignored when
    /// that device has the name no more.
    pub fn refresh(&mut self, block: BlockInfo, now: u64) {
        if let Some((number, held)) = self.holder(&keys::name(&block.kdev)) {
            if held.is_same(&block) {
                self.update(number, block, self.window(now));
            }
        }
    }

    /// The block device of that kernel name was removed. Its SCSI address stays until [`History::address_gone`], because the driver
    /// may still log messages. With `diskseq`, only that disk: the uevent may be late and concern an earlier disk.
    pub fn gone(&mut self, kdev: &str, diskseq: Option<u64>, now: u64) {
        let window = self.window(now);
        if let Some((number, held)) = self.holder(&keys::name(kdev)) {
            let same = diskseq.zip(held.diskseq).map(|(new, held)| new == held);
            if same == Some(true) {
                // It was there until it went, whatever else is missing; this message was not there before.
                let after = window.after.max(self.in_part_until).min(window.by);
                self.end(number, Window { after, ..window }, keys::is_fixed);
            }
            if same != Some(false) {
                self.end(number, window, |key| !keys::is_address(key));
            }
        }
    }

    /// The SCSI device with that address was removed.
    pub fn address_gone(&mut self, address: &str, now: u64) {
        let window = self.window(now);
        let key = keys::address(address);
        match self.holder(&key) {
            Some((number, _)) => self.end(number, window, |ended| ended == key),
            None => self.note_vanished(address, window.by),
        }
    }

    /// Uevents were lost, or nobody listened: these are the devices that are there now. What had its name before and has
    /// it now had it all the time if the kernel's disk sequence number (or udev's first sight of it) is the same.
    /// `looked` is the period of the scan, as in [`History::new`].
    pub fn resync(&mut self, looked: Window, blocks: impl IntoIterator<Item = BlockInfo>) {
        let window = self.window(looked.by);
        let blocks: Vec<BlockInfo> = blocks.into_iter().collect();
        let there: HashMap<String, &BlockInfo> =
            blocks.iter().map(|block| (keys::name(&block.kdev), block)).collect();
        let mut present: Vec<(u64, String)> = Vec::new();
        for (key, tenures) in &self.names {
            let open = tenures.last().filter(|tenure| tenure.went.is_none());
            present.extend(open.map(|tenure| (tenure.block, key.clone())));
        }
        for (number, key) in present {
            let stays = self.blocks.get(&number).is_some_and(|held| {
                there.get(&keys::name(&held.kdev)).is_some_and(|block| held.is_same(block))
            });
            if !stays {
                self.end(number, window, |ended| ended == key);
            }
        }
        for block in blocks {
            match self.holder(&keys::name(&block.kdev)) {
                Some((number, _)) => self.update(number, block, window),
                None => {
                    let came = window_of(&block, window);
                    self.begin(block, came);
                }
            }
        }
        self.complete_until = self.complete_until.max(looked.after);
        // Others may have come and gone since the time before.
        self.since = self.since.max(looked.by);
    }

    fn window(&self, now: u64) -> Window {
        Window { after: self.complete_until, by: now.max(self.complete_until) }
    }

    /// The number of the device that has this name now, and the device.
    fn holder(&self, key: &str) -> Option<(u64, Arc<BlockInfo>)> {
        let tenure = self.names.get(key)?.last().filter(|tenure| tenure.went.is_none())?;
        Some((tenure.block, self.blocks.get(&tenure.block)?.clone()))
    }

    fn begin(&mut self, block: BlockInfo, came: Window) {
        let number = self.next;
        self.next += 1;
        for key in keys::of(&block) {
            self.take(key, number, came);
        }
        self.keep(number, block);
    }

    /// What is known of a device now.
    fn keep(&mut self, number: u64, block: BlockInfo) {
        let held = self.blocks.get(&number).cloned();
        if held.as_deref() != Some(&block) {
            if let Some(held) = held {
                self.note_lost(&held, &block);
            }
            self.generation += 1;
            self.note_uuid(number, &block);
            self.blocks.insert(number, Arc::new(block));
        }
    }

    /// A device gets a name. Its previous holder lost it before.
    fn take(&mut self, key: String, number: u64, came: Window) {
        // Nearly all names have one holder: room for four, which a vector takes by itself, is half a kilobyte a device.
        let tenures = self.names.entry(key.clone()).or_insert_with(|| Vec::with_capacity(1));
        let before = tenures.last_mut().filter(|tenure| tenure.went.is_none());
        if let Some(before) = before {
            before.went = Some(came);
            self.ended.push_back(key);
        }
        tenures.push(Tenure { block: number, came, went: None });
        self.generation += 1;
        self.forget();
    }

    /// A device that stays, perhaps under other names.
    fn update(&mut self, number: u64, block: BlockInfo, window: Window) {
        let names = keys::of(&block);
        self.end(number, window, |key| !names.iter().any(|name| name == key));
        for key in names {
            if self.holder(&key).is_none_or(|(holder, _)| holder != number) {
                self.take(key, number, window);
            }
        }
        self.keep(number, block);
    }

    /// A device loses those of its names that `which` is true for.
    fn end(&mut self, number: u64, window: Window, which: impl Fn(&str) -> bool) {
        let Some(block) = self.blocks.get(&number).cloned() else { return };
        for key in keys::of(&block).into_iter().filter(|key| which(key)) {
            let last = self.names.get_mut(&key).and_then(|tenures| tenures.last_mut());
            if let Some(tenure) = last.filter(|tenure| tenure.block == number && tenure.went.is_none()) {
                tenure.went = Some(window);
                self.generation += 1;
                self.ended.push_back(key);
            }
        }
        self.forget();
    }

    /// Forgets the oldest tenures beyond [`MAX_ENDED`], and devices that have no name left.
    fn forget(&mut self) {
        while self.ended.len() > MAX_ENDED {
            let Some(key) = self.ended.pop_front() else { return };
            let Some(tenures) = self.names.get_mut(&key) else { continue };
            if tenures.first().is_none_or(|tenure| tenure.went.is_none()) {
                continue;
            }
            let forgotten = tenures.remove(0).block;
            if tenures.is_empty() {
                self.names.remove(&key);
            }
            let Some(block) = self.blocks.get(&forgotten) else { continue };
            let keys = keys::of(block);
            let mut named = keys.iter().filter_map(|key| self.names.get(key)).flatten();
            if !named.any(|tenure| tenure.block == forgotten) {
                self.blocks.remove(&forgotten);
            }
        }
    }
}

/// When a device that was found within `window` appeared: udev may know more precisely.
fn window_of(block: &BlockInfo, window: Window) -> Window {
    match block.present_since {
        Some(since) if since < window.by => {
            Window { after: window.after.min(since), by: since.max(window.after) }
        }
        _ => window,
    }
}
