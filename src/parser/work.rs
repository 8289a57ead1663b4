//! The work of one family: events that are made at once, and those that wait for what they are about to appear.
//!
//! A state machine that is called when its time has come, as [`crate::correlate::Correlator`] is: the daemon runs it in a task, a
//! replay on the times of a recording. All times are µs of the devices' clock.

use std::sync::Arc;

use super::{fs, Family};
use crate::bus::RawEvent;
use crate::devices::{Devices, PROBING};
use crate::event::EventDraft;

/// First pause while waiting; each one is twice as long as the one before.
const FIRST_PAUSE: u64 = 2_000;
/// Longest pause.
const LONGEST_PAUSE: u64 = 64_000;
/// Most events of one family that wait at a time; more are made without waiting.
const MOST_WAITING: usize = 512;

/// An event, and what it was made of.
pub type Parsed = (EventDraft, Arc<RawEvent>);

/// The parser of one family with what waits.
#[derive(Debug)]
pub struct Work {
    family: &'static Family,
    /// Of the file systems only.
    notes: Option<fs::Notes>,
    waiting: Vec<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    raw: Arc<RawEvent>,
    pause: u64,
    /// When to look again.
    next: u64,
    /// When to give up.
    until: u64,
}

impl Work {
    /// Nothing waits.
    pub fn new(family: &'static Family) -> Self {
        Work { family, notes: (family.name == "fs").then(fs::Notes::default), waiting: Vec::new() }
    }

    /// The family takes this event.
    pub fn takes(&self, raw: &RawEvent) -> bool {
        super::family_of(&raw.sub_system).name == self.family.name
    }

    /// Makes an event; `None` when it has to wait.
    pub fn take(&mut self, devices: &Devices, raw: Arc<RawEvent>) -> Option<Parsed> {
        let event = self.family.event(devices, &raw);
        let now = devices.time();
        match self.patience(devices, &raw, &event).filter(|_| self.waiting.len() < MOST_WAITING) {
            Some(patience) => {
                let (pause, next) = (FIRST_PAUSE, now.saturating_add(FIRST_PAUSE));
                self.waiting.push(Waiting { raw, pause, next, until: now.saturating_add(patience) });
                None
            }
            None => Some(self.complete(devices, raw, event)),
        }
    }

    /// What need not wait any longer.
    pub fn tick(&mut self, devices: &Devices) -> Vec<Parsed> {
        let now = devices.time();
        if let Some(notes) = self.notes.as_mut().filter(|notes| notes.due() <= now) {
            notes.update(devices);
        }
        if self.waiting.iter().any(|waiting| waiting.next <= now) {
            devices.forget();
        }
        let mut done = Vec::new();
        for mut waiting in std::mem::take(&mut self.waiting) {
            if waiting.next > now {
                self.waiting.push(waiting);
                continue;
            }
            let event = self.family.event(devices, &waiting.raw);
            if waiting.until > now && self.patience(devices, &waiting.raw, &event).is_some() {
                waiting.pause = (waiting.pause * 2).min(LONGEST_PAUSE);
                waiting.next = now.saturating_add(waiting.pause);
                self.waiting.push(waiting);
            } else {
                done.push(self.complete(devices, waiting.raw, event));
            }
        }
        done
    }

    /// When there is something to do, if nothing else comes.
    pub fn next(&self) -> Option<u64> {
        let notes = self.notes.as_ref().map(fs::Notes::due);
        self.waiting.iter().map(|waiting| waiting.next).chain(notes).min()
    }

    /// Something waits.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// How long an event should wait, µs.
    fn patience(&self, devices: &Devices, raw: &RawEvent, event: &EventDraft) -> Option<u64> {
        if self.notes.is_some() && fs::awaits_mount(devices, raw, event) {
            return u64::try_from(fs::MOUNT_WAIT.as_micros()).ok();
        }
        super::build::awaits_device(devices, raw, event).then_some(PROBING)
    }

    fn complete(&mut self, devices: &Devices, raw: Arc<RawEvent>, mut event: EventDraft) -> Parsed {
        if let Some(notes) = &mut self.notes {
            notes.complete(devices, &raw, &mut event);
        }
        (event, raw)
    }
}
