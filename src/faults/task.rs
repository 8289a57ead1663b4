//! The task between the parsers and the store.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use super::burst::Settings;
use super::order::Order;
use super::{Done, Faults, Made};
use crate::bus::{Beat, RawEvent, Ticket};
use crate::event::StorageEvent;
use crate::store::Sink;

/// Events that may wait for the task.
const QUEUE: usize = 256;

/// What parsers hand over.
#[derive(Debug)]
enum Item {
    /// The number of the raw event, and what was made of it.
    Made(u64, Box<Made<Arc<Ticket>>>),
    Beat(Arc<Beat>),
}

/// Where parsers hand their events.
#[derive(Clone, Debug)]
pub struct Inlet(mpsc::Sender<Item>);

impl Inlet {
    /// Hands over the event of a raw event, waiting while the task is behind.
    pub async fn push(&self, event: StorageEvent, raw: &RawEvent) {
        let made = Made { event, rule: raw.rule.clone(), precision: 0, carried: vec![raw.ticket.clone()] };
        // An error means that the daemon ends: the ticket stays live, and the entry is read again.
        let _ = self.0.send(Item::Made(raw.number, Box::new(made))).await;
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
    /// Starts the task; it ends when every [`Inlet`] is dropped.
    pub fn start(sink: Sink, settings: watch::Receiver<Settings>) -> (Inlet, Self) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let complete = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(run(receiver, sink, settings, complete.clone()));
        (Inlet(sender), Stage { task, complete })
    }

    /// No entry will come any more: at the end everything is told. Otherwise what is not complete stays untold, and is
    /// made again from its entries after a restart.
    pub fn nothing_will_come(&self) {
        self.complete.store(true, Ordering::Relaxed);
    }

    /// Waits for the end.
    pub async fn end(self) {
        let _ = self.task.await;
    }
}

async fn run(
    mut items: mpsc::Receiver<Item>,
    sink: Sink,
    mut settings: watch::Receiver<Settings>,
    complete: Arc<AtomicBool>,
) {
    let start = Instant::now();
    let clock = || u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
    let initial = *settings.borrow_and_update();
    let mut faults = Faults::new(initial);
    let mut order = Order::default();
    let mut settings_end = false;
    loop {
        let next = faults.next().into_iter().chain(order.next()).min();
        let wait = next.map(|at| Duration::from_micros(at.saturating_sub(clock())));
        tokio::select! {
            biased;
            item = items.recv() => match item {
                Some(item) => take_all(&mut items, item, &mut order, &sink, &clock).await,
                None => break,
            },
            () = tokio::time::sleep(wait.unwrap_or(Duration::from_secs(3600))) => {}
            changed = settings.changed(), if !settings_end => {
                settings_end = changed.is_err();
                let new = *settings.borrow_and_update();
                let done = faults.set_bursts(new);
                emit(&sink, done).await;
            }
        }
        while let Some(made) = order.take(clock()) {
            let done = faults.add(*made, clock());
            emit(&sink, done).await;
        }
        let done = faults.tick(clock());
        emit(&sink, done).await;
    }
    while let Some(made) = order.take_any() {
        let done = faults.add(*made, clock());
        emit(&sink, done).await;
    }
    if complete.load(Ordering::Relaxed) {
        let done = faults.flush();
        emit(&sink, done).await;
    }
}

/// Takes in everything that waits, before the clock is looked at: after a moment in which nothing ran, no group closes before
/// the lines that wait already.
async fn take_all(
    items: &mut mpsc::Receiver<Item>,
    first: Item,
    order: &mut Order<Box<Made<Arc<Ticket>>>>,
    sink: &Sink,
    clock: &impl Fn() -> u64,
) {
    let mut room = QUEUE;
    let mut next = Some(first);
    while let Some(item) = next {
        match item {
            Item::Made(number, made) => order.put(number, made, clock()),
            Item::Beat(beat) => sink.beat(beat).await,
        }
        room -= 1;
        next = if room > 0 { items.try_recv().ok() } else { None };
    }
}

async fn emit(sink: &Sink, done: Vec<Done<Arc<Ticket>>>) {
    for Done { event, carried } in done {
        sink.emit(event, carried).await;
    }
}
