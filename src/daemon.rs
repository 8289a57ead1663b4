//! Wires the tasks together: start, readiness, shutdown.

use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use peripety_blkinfo::Tree;
use tokio::net::UnixListener as TokioListener;
use tokio::signal::unix::{signal, Signal, SignalKind};
use tokio::sync::oneshot;
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
use crate::store::access::StoreAccess;
use crate::store::readback::From;
use crate::store::trust::Trust;
use crate::store::{query, readback, socket, Sink, Store};
use crate::subscription::Subscription;
use crate::varlink::address::Address;
use crate::varlink::listener::{self, ListenError};
use crate::varlink::Service;
use crate::{notifier, notify, parser};

/// Raw events that may wait for the slowest parser.
const RAW_BUS: usize = 1024;
/// Storage events kept for slow notifiers and monitors.
const EVENT_BUS: usize = 4096;
/// How often the position is saved.
const SAVE_EVERY: Duration = Duration::from_secs(1);
/// How long journald may take to read what was sent to it before the start.
const JOURNALD_PATIENCE: Duration = Duration::from_secs(30);
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
/// `socket` is the one that systemd passed.
pub async fn run(options: Options, socket: Option<UnixListener>) -> Result<(), DaemonError> {
    let mut signals = Signals::new().map_err(DaemonError::Signals)?;
    let state = State::open(&options.state_directory, &options.location)?;
    let listener = listener::listen(socket, &options.varlink)?;
    let starting = start(options, listener, &state);
    let running = tokio::select! {
        running = starting => running?,
        () = signals.end() => return Ok(()),
    };
    running.until_end(&mut signals, &state).await
}

/// Starts every task, the last stage first.
async fn start(options: Options, listener: TokioListener, state: &State) -> Result<Running, DaemonError> {
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
    let (sink, coverage, access, store) = match options.config.main.save_to_journald {
        true => {
            let started = start_store(&start, &options.location, parts).await?;
            (started.sink, started.coverage, Some(started.access), Some(started.task))
        }
        false => (Sink::without_store(events.clone()), Coverage::default(), None, None),
    };
    let bus = RawBus::new(RAW_BUS);
    let parsers = parser::start(&bus, &parser::Context { devices: devices.clone(), sink });
    let stdout = options.config.main.notify_stdout.then(|| {
        let (end, ended) = oneshot::channel();
        let subscription = Subscription::new(&events, access.clone());
        (end, tokio::spawn(notifier::stdout::run(subscription, ended)))
    });
    let collector = Collector::start(reader::Settings {
        location: options.location.clone(),
        start,
        follow: options.follow,
        rules: rules.clone(),
        coverage,
        watermark: watermark.clone(),
        counters: counters.clone(),
    })
    .await?;
    let service = Arc::new(Service {
        devices,
        events,
        store: access,
        counters,
        watermark: watermark.clone(),
        journal: options.location.to_string(),
        rules: rules.len(),
        started: journal::now(),
        tree_seats: Service::seats(),
    });
    let server = tokio::spawn(listener::serve(listener, service));
    let what = format!("Reading the {} with {} rules", options.location, rules.len());
    tracing::info!("{what}; serving {}", options.varlink);
    notify::ready(&what);
    Ok(Running { collector, bus, parsers, store, stdout, server, watermark })
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
async fn start_store(
    start: &Start,
    source: &Location,
    parts: Parts<'_>,
) -> Result<StartedStore, DaemonError> {
    let mut journald = socket::JournalSocket::new(socket::PATH.as_ref());
    if !journald.is_there() {
        return Err(DaemonError::NoJournald);
    }
    // What a killed daemon sent last must be in the journal before it is looked for there.
    if !journald.drain(JOURNALD_PATIENCE).await {
        tracing::warn!(
            "journald does not read what is sent to it; events of the last run may be stored twice"
        );
    }
    let from = stored_from(start, source);
    if let From::Cursor(cursor) = &from {
        parts.watermark.stored_before(cursor.clone());
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
    let access = StoreAccess::new(location, trust, run, handle.settled);
    Ok(StartedStore { sink: handle.sink, coverage, access, task })
}

/// Where events that cover the entries to be read may be stored.
fn stored_from(start: &Start, source: &Location) -> From {
    match start {
        Start::Resume(resume) => resume.stored.clone().map_or(From::All, From::Cursor),
        Start::Since(since) if source.is_local() => From::Time(since.saturating_sub(query::SKEW)),
        Start::Beginning if source.is_local() => journal::boot_id().map_or(From::All, From::Boot),
        Start::Since(_) | Start::Beginning => From::All,
    }
}

/// All that runs.
struct Running {
    collector: Collector,
    bus: RawBus,
    parsers: JoinSet<&'static str>,
    store: Option<JoinHandle<()>>,
    stdout: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    server: JoinHandle<()>,
    watermark: Watermark,
}

impl Running {
    /// Saves the position from time to time; at the end lets every stage finish what it has, in
    /// the order in which data flows.
    async fn until_end(mut self, signals: &mut Signals, state: &State) -> Result<(), DaemonError> {
        let stopper = self.collector.stopper.clone();
        // The parsers end when the bus does: not before it is known how the collector ended.
        let mut collecting = tokio::spawn(self.collector.run(self.bus.clone()));
        let mut saver = Saver { state, watermark: &self.watermark, last: None, complained: false };
        let mut tick = tokio::time::interval(SAVE_EVERY);
        let collected = loop {
            tokio::select! {
                collected = &mut collecting => break Some(collected),
                () = signals.end() => break None,
                Some(ended) = self.parsers.join_next() => {
                    saver.save(true);
                    return Err(DaemonError::ParserEnded(ended.map_or_else(|e| e.to_string(), str::to_owned)));
                }
                _ = tick.tick() => saver.save(false),
            }
        };
        notify::stopping();
        stopper.stop();
        drop(self.bus);
        let finish = async {
            let collected = match collected {
                Some(collected) => collected,
                None => collecting.await,
            };
            while self.parsers.join_next().await.is_some() {}
            if let Some(store) = self.store {
                let _ = store.await;
            }
            if let Some((end, printing)) = self.stdout {
                drop(end);
                let _ = printing.await;
            }
            collected.unwrap_or_else(|e| Err(CollectorError::Thread(e.to_string())))
        };
        let result = tokio::select! {
            result = tokio::time::timeout(DRAIN, finish) => result.ok(),
            () = signals.end() => None,
        };
        saver.save(true);
        self.server.abort();
        match result {
            Some(result) => Ok(result?),
            None => {
                tracing::warn!("work at hand did not end in time; it is done again at the next start");
                Ok(())
            }
        }
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
