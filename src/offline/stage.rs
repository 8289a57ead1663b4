//! The sequential part: from what was found, in order, to the events that people see.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use uuid::Uuid;

use super::clock::{Clock, Moment};
use super::early::Early;
use super::found::{Found, Said, TextLine};
use super::identity::{is_below, Machine};
use super::text::heading::Heading;
use super::text::near::Carry;
use super::ties::{Tie, Ties};
use super::writers;
use crate::bus::raw::EntryInfo;
use crate::bus::{RawEvent, Ticket};
use crate::collector::duplicates::DuplicateCounter;
use crate::collector::early::Role;
use crate::collector::raw_event::{self, Happened};
use crate::correlate::burst::Settings;
use crate::correlate::hold::{Hold, Origin};
use crate::correlate::place::Place as Boot;
use crate::correlate::{Correlator, Done, Made as Joining};
use crate::devices::Devices;
use crate::event::{canonical_sub_system, EntryTime, EventDraft, NAMESPACE};
use crate::journal::{Entry, Position};
use crate::parser;
use crate::rules::Matched;

/// Hosts whose boots are counted; beyond them, anew.
const MAX_HOSTS: usize = 65_536;
/// A line so much older than the one before begins anew: another boot, or another log.
const BACK: u64 = 5_000_000;

/// A place in which all about one machine lies.
pub struct LogRoot {
    /// Name of the directory or archive.
    pub root: String,
    /// What its logs are about.
    pub devices: Arc<Devices>,
    /// What is known of it.
    pub machine: Machine,
}

impl LogRoot {
    /// The file lies in it.
    fn has(&self, name: &str) -> bool {
        is_below(&self.root, name)
    }
}

/// Makes events.
pub struct Stage {
    places: Vec<LogRoot>,
    devices: Arc<Devices>,
    machine: Machine,
    clock: Clock,
    /// Of dates without one, where nothing tells the machine's.
    zone: TimeZone,
    bursts: Settings,
    faults: Correlator<()>,
    duplicates: DuplicateCounter,
    early: Early,
    /// Name of the input.
    name: String,
    /// Lines that earlier ones may still come for, and how many were held so far.
    hold: Hold<Joining<()>>,
    held: u64,
    /// The time of the newest line, µs since the epoch, and where whole seconds are all that is known: there the order of the
    /// file counts.
    newest: u64,
    /// The clock of the faults: µs, goes on only.
    now: u64,
    /// Lines up to this one have been taken.
    taken: u64,
    /// For every host of a text, how many boots began, and whether the latest has events.
    boots: HashMap<String, (u64, bool)>,
    /// The time of the last line with one.
    carry: Carry,
    /// Names of disks for addresses.
    ties: Ties,
    /// The OSD whose log it is.
    osd: Option<String>,
    /// Lines from here on are later than those before: the order of time begins anew.
    era: u64,
    /// Some line of the input has a time.
    timed: bool,
}

/// An event that comes out.
#[derive(Debug)]
pub struct Made {
    /// The event.
    pub event: EventDraft,
    /// Events of an earlier era come before those of a later one, whatever their times.
    pub era: u64,
    /// Its time is one: of a date or since the boot. Otherwise it counts lines.
    pub timed: bool,
}

impl Stage {
    /// Nothing is read yet. `places`: what is known of where the logs come from. `zone`: of dates without one.
    pub fn new(places: Vec<LogRoot>, zone: TimeZone, bursts: Settings) -> Self {
        Stage {
            places,
            devices: Arc::new(Devices::elsewhere(None)),
            machine: Machine::default(),
            clock: Clock { booted: None, not_after: 0, zone: zone.clone() },
            zone,
            bursts,
            faults: Correlator::new(bursts),
            duplicates: DuplicateCounter::default(),
            early: Early::default(),
            name: String::new(),
            hold: Hold::default(),
            held: 0,
            newest: 0,
            now: 0,
            taken: 0,
            boots: HashMap::new(),
            carry: Carry::default(),
            ties: Ties::default(),
            osd: None,
            era: 0,
            timed: false,
        }
    }

    /// What follows is from this input, whose last line was written at `not_after` (µs since the epoch).
    pub fn begin(&mut self, name: String, not_after: u64) {
        let places = self.places.iter().filter(|place| place.has(&name));
        if let Some(place) = places.max_by_key(|place| place.root.len()) {
            (self.devices, self.machine) = (place.devices.clone(), place.machine.clone());
        }
        self.osd = writers::osd(&name).map(str::to_owned);
        self.name = name;
        self.clock.booted = self.machine.booted;
        self.clock.not_after = self.machine.gathered.map_or(not_after, |gathered| gathered.min(not_after));
        self.clock.zone = self.machine.zone.clone().unwrap_or_else(|| self.zone.clone());
        (self.now, self.newest, self.taken) = (0, 0, 0);
        (self.carry, self.timed) = (Carry::default(), false);
        self.boots.clear();
        self.ties.clear();
    }

    /// Lines of the next part that name a disk and its address.
    pub fn learn(&mut self, ties: Vec<Tie>) {
        self.ties.come(ties, &self.machine.hostname);
    }

    /// A part of the input that was read by itself ended: the time with which the next one goes on.
    pub fn carry(&mut self, carry: Carry) {
        self.carry = carry.after(self.carry);
    }

    /// The input ended: everything that is still open.
    pub fn end(&mut self) -> Vec<Made> {
        let held = std::mem::take(&mut self.early).end();
        let mut out: Vec<Made> = held.into_iter().flat_map(|found| self.take_one(found)).collect();
        self.duplicates = DuplicateCounter::default();
        out.extend(self.renew());
        out
    }

    fn renew(&mut self) -> Vec<Made> {
        let mut out = self.release(true);
        (self.now, self.newest) = (0, 0);
        let mut faults = std::mem::replace(&mut self.faults, Correlator::new(self.bursts));
        out.extend(self.events(faults.flush()));
        self.era += 1;
        out
    }

    /// Works on the lines before which no other can come.
    fn release(&mut self, complete: bool) -> Vec<Made> {
        let mut out = Vec::new();
        while let Some(made) = self.hold.take(0, complete) {
            self.now = self.now.max(made.event.timestamp);
            let done = self.faults.push(made, self.now);
            out.extend(self.events(done));
        }
        out
    }

    fn events(&self, done: Vec<Done<()>>) -> Vec<Made> {
        let made = |done: Done<()>| Made { event: done.event, era: self.era, timed: self.timed };
        done.into_iter().map(made).collect()
    }

    /// Takes what was found next; what is complete comes out.
    pub fn take(&mut self, found: Found) -> Vec<Made> {
        let believed = self.early.take(found);
        believed.into_iter().flat_map(|found| self.take_one(found)).collect()
    }

    fn take_one(&mut self, mut found: Found) -> Vec<Made> {
        let Some(matched) = found.matched.take() else {
            self.note(&found);
            return Vec::new();
        };
        if found.line > 0 && found.line <= self.taken && !found.further {
            // The line before took it as its own.
            return Vec::new();
        }
        let numbers = (found.line, found.lines);
        self.taken = self.taken.max(found.line + found.lines.saturating_sub(1));
        let (mut raw, moment, is_line) = self.raw(matched, found);
        if is_line && !self.devices.knows(&raw.entry) {
            self.ties.name(numbers.0, &mut raw);
        }
        if let Some(osd) = self.osd.as_ref().filter(|_| raw.entry.identifier == "ceph-osd") {
            raw.captures.entry("osd".to_owned()).or_insert_with(|| osd.clone());
        }
        self.devices.note_line(&raw);
        let mut event = parser::parse(&self.devices, &raw);
        event.source.file = Some(self.name.clone());
        if numbers.0 > 0 {
            event.source.lines = (numbers.0..numbers.0 + numbers.1).collect();
            event.source.entries = if is_line { numbers.1 } else { 1 };
        }
        let mut out = Vec::new();
        if moment.timestamp.saturating_add(BACK) < self.newest {
            out = self.renew();
        }
        self.newest = self.newest.max(moment.timestamp);
        let received = raw.entry.received.max(moment.timestamp);
        self.timed |= moment.known;
        let exact = moment.known && moment.precision == 0;
        let written = if exact { moment.timestamp } else { self.newest };
        let boot = Boot::of(&event);
        let made = Joining::new(event, raw.rule, moment.precision, ());
        self.held += 1;
        let kernel = made.event.source.identifier == "kernel";
        self.hold.put(&boot, Origin { written, received, number: self.held, kernel }, made, 0);
        out.extend(self.release(false));
        out
    }

    /// What is known of the lines that follow: a boot begins, or the journal ends then.
    fn note(&mut self, found: &Found) {
        match found.heading {
            None => self.note_banner(found),
            Some(Heading::Boot) => {
                self.boots.values_mut().for_each(|(boots, used)| *boots += u64::from(std::mem::take(used)));
            }
            Some(Heading::Ends(wall)) => {
                let end = wall.micros_since_epoch(self.clock.not_after, &self.clock.zone);
                self.clock.not_after = end.map_or(self.clock.not_after, |end| end.min(self.clock.not_after));
            }
        }
    }

    /// The kernel's first line in a text: what was wrong before is over, and names mean other devices.
    fn note_banner(&mut self, found: &Found) {
        let Said::Line(line) = &found.said else { return };
        if found.role == Some(Role::Banner) {
            let (boots, used) = self.boots.entry(self.host_of(line)).or_default();
            *boots += u64::from(*used);
            *used = false;
        }
    }

    fn host_of(&self, line: &TextLine) -> String {
        let host = line.host.as_deref().map(|host| String::from_utf8_lossy(host).into_owned());
        host.unwrap_or_else(|| self.machine.hostname.clone())
    }

    fn raw(&mut self, matched: Matched, found: Found) -> (RawEvent, Moment, bool) {
        match found.said {
            Said::Line(line) => {
                let near = self.carry.of(line.nearby);
                let moment = self.clock.moment(&line, near, found.line);
                (self.of_line(matched, *line, moment, found.line), moment, true)
            }
            Said::Entry(entry) => {
                let (entry, position) = *entry;
                let happened = raw_event::happened(&entry, &position);
                let moment = Moment {
                    timestamp: happened.realtime,
                    boot: Some(happened.monotonic),
                    precision: 0,
                    known: true,
                    own: true,
                };
                (self.of_entry(matched, &entry, &position, happened), moment, false)
            }
        }
    }

    fn of_entry(
        &mut self,
        matched: Matched,
        entry: &Entry,
        position: &Position,
        happened: Happened,
    ) -> RawEvent {
        let event_id = self.duplicates.event_id(&position.boot_id, happened.identity, &entry.message);
        let info = raw_event::info(entry, position, happened);
        raw(matched, raw_event::level(entry), event_id, info)
    }

    fn of_line(&mut self, matched: Matched, line: TextLine, moment: Moment, number: u64) -> RawEvent {
        let identity = match (line.boot, moment.known && moment.own) {
            (Some(boot), _) => EntryTime::Source(boot),
            (None, true) => EntryTime::Received { realtime: moment.timestamp, monotonic: 0 },
            (None, false) => EntryTime::Received { realtime: 0, monotonic: number },
        };
        let event_id = self.duplicates.event_id("", identity, &line.message);
        let hostname = self.host_of(&line);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let info = EntryInfo {
            cursor: String::new(),
            boot_id: self.boot_of(&line, moment, &hostname),
            hostname,
            timestamp: moment.timestamp,
            received: moment.timestamp,
            // A line without a time is about the devices that were there at the end.
            monotonic: moment.boot.unwrap_or(u64::MAX),
            identifier: text(&line.identifier),
            message: text(&line.message),
            kernel_device: line.kernel_device.clone(),
            udev_devnode: None,
        };
        raw(matched, line.severity(), event_id, info)
    }

    /// The boot whose devices are known, or one of which nothing is: a line from before the machine was booted is of
    /// another boot.
    fn boot_of(&mut self, line: &TextLine, moment: Moment, hostname: &str) -> String {
        let begin = self.clock.booted.map(|booted| booted.at.saturating_sub(booted.slack));
        let before = begin.is_some_and(|begin| moment.known && moment.timestamp < begin);
        let other = before && line.boot.is_none()
            || self.machine.blind(line.wall.is_some() || !moment.own && moment.boot.is_none());
        match (&self.machine.boot_id, other) {
            (Some(boot_id), false) => boot_id.clone(),
            _ => {
                if self.boots.len() > MAX_HOSTS {
                    self.boots.clear();
                }
                let (number, used) = self.boots.entry(hostname.to_owned()).or_default();
                *used = true;
                boot_number(*number)
            }
        }
    }
}

/// Stands for the boot of lines that do not tell it.
pub fn unknown_boot() -> String {
    boot_number(0)
}

/// Stands for a later boot of a text, by how many began before it.
fn boot_number(number: u64) -> String {
    let name = if number == 0 { "unknown boot".to_owned() } else { format!("unknown boot {number}") };
    Uuid::new_v5(&NAMESPACE, name.as_bytes()).simple().to_string()
}

fn raw(matched: Matched, level: crate::event::Severity, event_id: String, entry: EntryInfo) -> RawEvent {
    let rule = matched.rule;
    let sub_system = match matched.captures.get("sub_system") {
        Some(captured) => canonical_sub_system(captured),
        None => rule.sub_system.to_string(),
    };
    RawEvent {
        number: 0,
        sub_system,
        severity: rule.severity_at(level),
        captures: matched.captures,
        event_id,
        entry,
        ticket: Ticket::detached(),
        rule,
    }
}
