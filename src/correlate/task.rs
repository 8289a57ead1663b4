//! The task between the parsers and the store.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use super::burst::Settings;
use super::hold::{Hold, Origin};
use super::order::Order;
use super::place::Place;
use super::{Correlator, Done, Made, Reported};
use crate::bus::{Beat, Frontier, RawEvent, Ticket};
use crate::devices::Devices;
use crate::event::EventDraft;
use crate::journal;
use crate::parser::build;
use crate::store::EventOutput;

/// Events that may wait for the task.
const QUEUE: usize = 256;

/// What parsers hand over.
#[derive(Debug)]
enum Item {
    Line(Box<Line>),
    /// The line of this raw event comes later.
    PutOff(u64),
    Beat(Arc<Beat>),
}

/// The event of one line.
#[derive(Debug)]
struct Line {
    /// The number of the raw event.
    number: u64,
    /// When journald received the entry, µs since the epoch.
    received: u64,
    made: Made<Arc<Ticket>>,
}

/// Where parsers hand their events.
#[derive(Clone, Debug)]
pub struct Inlet(mpsc::Sender<Item>);

impl Inlet {
    /// Hands over the event of a raw event, waiting while the task is behind.
    pub async fn push(&self, event: EventDraft, raw: &RawEvent) {
        let made = Made::new(event, raw.rule.clone(), 0, raw.ticket.clone());
        let line = Line { number: raw.number, received: raw.entry.received, made };
        // An error means that the daemon ends: the ticket stays live, and the entry is read again.
        let _ = self.0.send(Item::Line(Box::new(line))).await;
    }

    /// The event of a raw event will be handed over later: no other one waits for it.
    pub async fn put_off(&self, raw: &RawEvent) {
        let _ = self.0.send(Item::PutOff(raw.number)).await;
    }

    /// Hands on a sign of life.
    pub async fn beat(&self, beat: Arc<Beat>) {
        let _ = self.0.send(Item::Beat(beat)).await;
    }
}

/// The running task.
#[derive(Debug)]
pub struct Stage {
    task: tokio::task::JoinHandle<()>,
    complete: Arc<AtomicBool>,
}

impl Stage {
    /// Starts the task; it ends when every [`Inlet`] is dropped. `frontier` says how far the reader is.
    ///
    /// Devices that are removed end what was reported of them. `earlier`: what the run before reported last.
    pub fn start(
        sink: EventOutput,
        settings: watch::Receiver<Settings>,
        frontier: Frontier,
        devices: Arc<Devices>,
        earlier: &[Reported],
    ) -> (Inlet, Self) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let complete = Arc::new(AtomicBool::new(false));
        let mut work = Work::new(sink, *settings.borrow(), frontier, devices);
        work.faults.set_devices(work.devices.count());
        earlier.iter().for_each(|reported| work.faults.remember(reported, 0));
        let task = tokio::spawn(work.run(receiver, settings, complete.clone()));
        (Inlet(sender), Stage { task, complete })
    }

    /// No entry will come any more: at the end everything is reported. Otherwise open groups and pending counts are not flushed;
    /// they are rebuilt from the journal at the next start.
    pub fn nothing_will_come(&self) {
        self.complete.store(true, Ordering::Relaxed);
    }

    /// Waits for the end.
    pub async fn end(self) {
        let _ = self.task.await;
    }
}

/// What the task works with.
struct Work {
    sink: EventOutput,
    frontier: Frontier,
    devices: Arc<Devices>,
    start: Instant,
    order: Order<Box<Line>>,
    hold: Hold<Made<Arc<Ticket>>>,
    faults: Correlator<Arc<Ticket>>,
}

impl Work {
    fn new(sink: EventOutput, settings: Settings, frontier: Frontier, devices: Arc<Devices>) -> Self {
        Work {
            sink,
            frontier,
            devices,
            start: Instant::now(),
            order: Order::default(),
            hold: Hold::default(),
            faults: Correlator::new(settings),
        }
    }

    /// The clock of the task, µs.
    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    async fn run(
        mut self,
        mut items: mpsc::Receiver<Item>,
        mut settings: watch::Receiver<Settings>,
        complete: Arc<AtomicBool>,
    ) {
        let mut settings_end = false;
        let frontier = self.frontier.clone();
        loop {
            let wait = self.next().map(|at| Duration::from_micros(at.saturating_sub(self.now())));
            tokio::select! {
                biased;
                item = items.recv() => match item {
                    Some(item) => self.take_all(&mut items, item).await,
                    None => break,
                },
                () = frontier.changed() => {}
                () = tokio::time::sleep(wait.unwrap_or(Duration::from_secs(3600))) => {}
                changed = settings.changed(), if !settings_end => {
                    settings_end = changed.is_err();
                    let new = *settings.borrow_and_update();
                    let done = self.faults.set_bursts(new);
                    self.emit(done).await;
                }
            }
            self.advance().await;
        }
        self.end(complete.load(Ordering::Relaxed)).await;
    }

    /// Every entry that is there was read, and everything made of them has come.
    fn is_complete(&self) -> bool {
        self.frontier.caught_up().is_some_and(|made| self.order.has_all(made))
    }

    fn next(&mut self) -> Option<u64> {
        let stages = [self.faults.next(), self.faults.forgets_at(), self.order.next(), self.hold.wakes_at()];
        stages.into_iter().flatten().min()
    }

    /// Works on everything whose turn it is.
    async fn advance(&mut self) {
        let now = self.now();
        while let Some(line) = self.order.take(now) {
            self.put(*line, now);
        }
        self.take_removed();
        if self.faults.forgets_at().is_some_and(|at| at <= now) {
            self.faults.set_devices(self.devices.count());
        }
        let complete = self.is_complete();
        self.faults.set_caught_up(self.frontier.caught_up().is_some());
        while let Some(made) = self.hold.take(now, complete) {
            let done = self.faults.add(made, now);
            self.emit(done).await;
        }
        let done = self.faults.tick(self.now());
        self.emit(done).await;
    }

    /// Ends what was reported of devices that were removed.
    fn take_removed(&mut self) {
        for removed in self.devices.removed() {
            let ago = journal::monotonic_now().saturating_sub(removed.time);
            let time = journal::now().saturating_sub(ago);
            if let Some(boot_id) = self.devices.boot_id() {
                self.faults.gone(boot_id, &build::holder(&removed.block), time);
            }
        }
    }

    fn put(&mut self, line: Line, now: u64) {
        let Line { number, received, made } = line;
        let (place, written) = (Place::of(&made.event), made.event.timestamp);
        let kernel = made.event.source.identifier == "kernel";
        self.hold.put(&place, Origin { written, received, number, kernel }, made, now);
    }

    /// The parsers have ended. With `complete` everything is reported: no entry will come any more.
    async fn end(&mut self, complete: bool) {
        let now = self.now();
        while let Some(line) = self.order.take_any() {
            self.put(*line, now);
        }
        while let Some(made) = self.hold.take(now, true) {
            let done = self.faults.add(made, now);
            self.emit(done).await;
        }
        if complete {
            let done = self.faults.flush();
            self.emit(done).await;
        }
    }

    /// Takes in everything that waits, before the clock is looked at: after a moment in which nothing ran, no group closes
    /// before the lines that wait already.
    async fn take_all(&mut self, items: &mut mpsc::Receiver<Item>, first: Item) {
        let mut room = QUEUE;
        let mut next = Some(first);
        while let Some(item) = next {
            match item {
                Item::Line(line) => {
                    let now = self.now();
                    self.order.put(line.number, line, now);
                }
                Item::PutOff(number) => self.order.put_off(number, self.now()),
                Item::Beat(beat) => self.sink.beat(beat).await,
            }
            room -= 1;
            next = if room > 0 { items.try_recv().ok() } else { None };
        }
    }

    async fn emit(&self, done: Vec<Done<Arc<Ticket>>>) {
        for Done { event, carried } in done {
            self.sink.emit(event, carried).await;
        }
    }
}
