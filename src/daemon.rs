//! Wires the tasks together: start, readiness, shutdown.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use peripety_blkinfo::Tree;
use tokio::signal::unix::{signal, Signal, SignalKind};
use tokio::task::{JoinHandle, JoinSet};

use crate::bus::ticket::Resume;
use crate::bus::{EventBus, RawBus, Watermark};
use crate::collector::state::{State, StateError};
use crate::collector::{reader, Collector, CollectorError, Coverage, Start};
use crate::config::Config;
use crate::counters::Counters;
use crate::devices::Devices;
use crate::journal::{self, Location};
use crate::rules::matcher::TooManyRules;
use crate::rules::{builtin, RuleError, RuleSet};
use crate::store::trust::Trust;
use crate::store::{readback, socket, Sink, Store};
use crate::varlink::address::Address;
use crate::varlink::listener::{self, ListenError};
use crate::varlink::{Service, StoreAccess};
use crate::{notifier, notify, parser};

/// Raw events that may wait for the slowest parser.
const RAW_BUS: usize = 1024;
/// Storage events kept for slow notifiers and monitors.
const EVENT_BUS: usize = 4096;
/// How often the position is saved.
const SAVE_EVERY: Duration = Duration::from_secs(1);
/// How long work at hand may take when the daemon is told to end.
const DRAIN: Duration = Duration::from_secs(15);

/// What the daemon is told on its command line.
#[derive(Debug)]
pub struct Options {
    /// Journal to read.
    pub location: Location,
    /// Devices to look up; `None`: those of this machine.
    pub device_tree: Option<PathBuf>,
    /// Where the position is kept.
    pub state_directory: PathBuf,
    /// Where to listen, when systemd passes no socket.
    pub varlink: Address,
    /// The configuration.
    pub config: Config,
    /// Begin at this time, µs since the epoch, whatever was read before.
    pub since: Option<u64>,
    /// Wait for new entries at the end of the journal.
    pub follow: bool,
}

/// Why the daemon ended.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// State directory.
    #[error(transparent)]
    State(#[from] StateError),
    /// A rule or the configuration.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// The rules together.
    #[error(transparent)]
    Rules(#[from] TooManyRules),
    /// Journal.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// Collector.
    #[error(transparent)]
    Collector(#[from] CollectorError),
    /// Varlink socket.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Device tree.
    #[error("cannot use the device tree {path}: {cause}")]
    DeviceTree {
        /// Folder or file.
        path: String,
        /// Why not.
        cause: peripety_blkinfo::Error,
    },
    /// journald cannot be written to.
    #[error("journald does not listen on {}, so that no event can be stored; start systemd-journald, or run with --no-store", socket::PATH)]
    NoJournald,
    /// A part of the daemon ended.
    #[error("the parser \"{0}\" ended; restart peripetyd and report this as a fault of Peripety")]
    ParserEnded(String),
    /// The system refused something that always works.
    #[error("cannot handle signals: {0}")]
    Signals(std::io::Error),
}

/// Runs until told to end by SIGTERM or SIGINT, or (without `follow`) to the journal's end.
pub async fn run(options: Options) -> Result<(), DaemonError> {
    let mut signals = Signals::new().map_err(DaemonError::Signals)?;
    let state = State::open(&options.state_directory, &options.location)?;
    let rules = Arc::new(RuleSet::new(options.config.rules.iter().cloned().chain(builtin::rules()?))?);
    let devices = Arc::new(Devices::new(open_tree(options.device_tree)?));
    let counters = Counters::new();
    let watermark = Watermark::default();
    let events = EventBus::new(EVENT_BUS);

    let start = match (options.since, state.load()) {
        (Some(since), _) => Start::Since(since),
        (None, Some(resume)) => Start::Resume(Box::new(resume)),
        (None, None) => Start::Beginning,
    };
    let parts = Parts { events: &events, counters: &counters, watermark: &watermark };
    let (sink, coverage, store) = match options.config.main.save_to_journald {
        true => {
            let started = start_store(&start, parts).await?;
            (started.sink, started.coverage, Some((started.access, started.task)))
        }
        false => (Sink::without_store(events.clone()), Coverage::default(), None),
    };
    let (access, store_task) = store.unzip();

    let bus = RawBus::new(RAW_BUS);
    let parsers = parser::start(&bus, &parser::Context { devices: devices.clone(), sink });
    if options.config.main.notify_stdout {
        tokio::spawn(notifier::stdout::run(events.subscribe()));
    }
    let collector = Collector::start(reader::Settings {
        location: options.location.clone(),
        start,
        follow: options.follow,
        rules: rules.clone(),
        coverage,
        watermark: watermark.clone(),
        counters: counters.clone(),
    })?;
    let service = Arc::new(Service {
        devices,
        events,
        store: access,
        counters,
        watermark: watermark.clone(),
        journal: options.location.to_string(),
        rules: rules.len(),
        started: journal::now(),
        query_seats: Service::seats(),
    });
    let server = tokio::spawn(listener::serve(listener::listen(&options.varlink)?, service));
    tracing::info!(
        "reading the {} with {} rules; serving {}",
        options.location,
        rules.len(),
        options.varlink
    );
    notify::ready(&format!("Reading the {} with {} rules", options.location, rules.len()));

    let running = Running { collector, bus, parsers, store: store_task };
    let result = running.until_end(&mut signals, &state, &watermark).await;
    server.abort();
    result
}

fn open_tree(path: Option<PathBuf>) -> Result<Tree, DaemonError> {
    let Some(path) = path else { return Ok(Tree::live()) };
    Tree::open(&path).map_err(|cause| DaemonError::DeviceTree { path: path.display().to_string(), cause })
}

/// What the store shares with the rest.
struct Parts<'a> {
    events: &'a EventBus,
    counters: &'a Arc<Counters>,
    watermark: &'a Watermark,
}

struct StartedStore {
    sink: Sink,
    coverage: Coverage,
    access: StoreAccess,
    task: JoinHandle<()>,
}

/// Reads back what is stored already and starts the store.
async fn start_store(start: &Start, parts: Parts<'_>) -> Result<StartedStore, DaemonError> {
    if !socket::JournalSocket::new(socket::PATH.as_ref()).is_there() {
        return Err(DaemonError::NoJournald);
    }
    let from = match start {
        Start::Resume(resume) => resume.stored.clone(),
        Start::Beginning | Start::Since(_) => None,
    };
    if let Some(cursor) = &from {
        parts.watermark.stored_at(cursor.clone());
    }
    let run = uuid::Uuid::new_v4().simple().to_string();
    let (trust, location) = (Trust::here(), Location::Local);
    let reading = {
        let (location, run, trust) = (location.clone(), run.clone(), trust.clone());
        tokio::task::spawn_blocking(move || readback::start(location, from, run, trust))
    };
    let (coverage, follower) = reading.await.map_err(|e| CollectorError::Thread(e.to_string()))??;
    let (store, handle) = Store::new(
        socket::PATH.as_ref(),
        parts.events.clone(),
        follower,
        parts.counters.clone(),
        parts.watermark.clone(),
    );
    let task = tokio::spawn(store.run());
    let access = StoreAccess { location, trust, run, settled: handle.settled };
    Ok(StartedStore { sink: handle.sink, coverage, access, task })
}

/// The pipeline, from the collector to the store.
struct Running {
    collector: Collector,
    bus: RawBus,
    parsers: JoinSet<&'static str>,
    store: Option<JoinHandle<()>>,
}

impl Running {
    /// Saves the position from time to time; at the end lets every stage finish what it has,
    /// in the order in which data flows.
    async fn until_end(
        mut self,
        signals: &mut Signals,
        state: &State,
        watermark: &Watermark,
    ) -> Result<(), DaemonError> {
        let stopper = self.collector.stopper.clone();
        let mut collecting = tokio::spawn(self.collector.run(self.bus));
        let mut saver = Saver { state, watermark, last: None, complained: false };
        let mut tick = tokio::time::interval(SAVE_EVERY);
        let collected = loop {
            tokio::select! {
                () = signals.end() => { stopper.stop(); break collecting.await }
                collected = &mut collecting => break collected,
                Some(ended) = self.parsers.join_next() => {
                    let name = ended.map_or_else(|e| e.to_string(), str::to_owned);
                    saver.save(true);
                    return Err(DaemonError::ParserEnded(name));
                }
                _ = tick.tick() => saver.save(false),
            }
        };
        notify::stopping();
        let drain = async {
            while self.parsers.join_next().await.is_some() {}
            if let Some(store) = self.store {
                let _ = store.await;
            }
        };
        if tokio::time::timeout(DRAIN, drain).await.is_err() {
            tracing::warn!("work at hand did not end in time; it is done again at the next start");
        }
        saver.save(true);
        collected.unwrap_or_else(|e| Err(CollectorError::Thread(e.to_string()))).map_err(Into::into)
    }
}

/// Saves the position when it has changed.
struct Saver<'a> {
    state: &'a State,
    watermark: &'a Watermark,
    last: Option<Resume>,
    complained: bool,
}

impl Saver<'_> {
    fn save(&mut self, durable: bool) {
        let Some(resume) = self.watermark.resume() else { return };
        if self.last.as_ref() == Some(&resume) && !durable {
            return;
        }
        match self.state.save(&resume, durable) {
            Ok(()) => {
                self.last = Some(resume);
                self.complained = false;
            }
            Err(e) if !self.complained => {
                tracing::error!(
                    "{e}; until then a restart looks at more entries again, and stores none twice"
                );
                self.complained = true;
            }
            Err(_) => {}
        }
    }
}

/// The signals that end the daemon.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn end(&mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hangup.recv() => {
                    tracing::warn!("the configuration is read at the start only: restart peripetyd to apply it");
                }
            }
        }
    }
}
