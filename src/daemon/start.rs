//! Starts every task, the last stage first.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use peripety_blkinfo::Tree;
use tokio::net::UnixListener;
use tokio::sync::{watch, Notify};

use super::heartbeat::Heartbeat;
use super::memory::Memory;
use super::reload::Reloader;
use super::running::Running;
use super::store_switch::{Parts, StoreSwitch};
use super::{DaemonError, Options};
use crate::bus::{EventBus, Frontier, Outbox, RawBus, Watermark};
use crate::collector::state::StateDirectory;
use crate::collector::{reader, Collector, Start};
use crate::config::{Config, ConfigState};
use crate::correlate::task::Stage;
use crate::counters::Counters;
use crate::devices::Devices;
use crate::journal::{self, Location};
use crate::notifier::{self, Notifiers};
use crate::store::query;
use crate::store::readback::StartAt;
use crate::store::socket::{self, JournalSocket};
use crate::varlink::limits::Limits;
use crate::varlink::{listener, Service, WorkPermits};
use crate::{parser, sd_notify};

/// Raw events that may wait for the slowest parser.
const RAW_BUS: usize = 1024;
/// Interval between checks for a journald that is not running.
const LOOK_FOR_JOURNALD: Duration = Duration::from_millis(200);
/// Storage events kept for slow monitors.
const EVENT_BUS: usize = 4096;
/// Storage events kept for slow notifiers.
const OUTBOX: usize = 4096;

/// Starts the daemon, and notifies systemd when it is ready.
pub async fn start(
    options: Options,
    config: Config,
    listener: UnixListener,
    state: &StateDirectory,
) -> Result<Running, DaemonError> {
    config.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    let (rules, _) = watch::channel(Arc::new(super::reload::rule_set(&config)?));
    let (config_state, _) = watch::channel(ConfigState::loaded(&config));
    let devices = Arc::new(Devices::new(open_tree(options.device_tree)?, state.device_file().load()));
    let counters = Counters::new();
    let watermark = Watermark::default();
    let events = EventBus::new(EVENT_BUS);
    let start = match (options.since, state.load()) {
        (Some(since), _) => Start::Since(since),
        (None, Some(resume)) => Start::Resume(Box::new(resume)),
        (None, None) => Start::Beginning,
    };
    let outbox = Outbox::new(OUTBOX);
    let mut store = StoreSwitch::new(Parts {
        events: events.clone(),
        outbox: outbox.clone(),
        counters: counters.clone(),
        watermark: watermark.clone(),
    });
    let mut notifiers = Notifiers::new(notifier::running::NotifierContext {
        outbox: outbox.clone(),
        store: store.access.subscribe(),
        directory: state.directory().to_owned(),
    });
    let service = Arc::new(Service {
        devices: devices.clone(),
        events: events.clone(),
        store: store.access.subscribe(),
        notifiers: notifiers.board(),
        outbox,
        counters: counters.clone(),
        watermark: watermark.clone(),
        journal: options.location.to_string(),
        rules: rules.subscribe(),
        config: config_state.subscribe(),
        started: journal::now(),
        work: WorkPermits::default(),
    });
    let may_serve = Arc::new(Notify::new());
    let (limits, limits_changes) = watch::channel(config.limits.clone());
    let server = tokio::spawn(serve(may_serve.clone(), listener, service, limits_changes));
    if config.main.save_to_journald && !JournalSocket::new(socket::PATH.as_ref()).is_there() {
        may_serve.notify_one();
        wait_for_journald(&counters).await;
    }
    let from = stored_from(&start, &options.location);
    let already_stored = store.apply(config.main.save_to_journald, from).await?;
    notifiers.apply(config.notifiers()).await;
    let bus = RawBus::new(RAW_BUS);
    let frontier = Frontier::default();
    let (burst, burst_changes) = watch::channel(config.burst);
    let earlier = super::recent::events(store.access.borrow().clone(), &start, &rules.borrow().clone()).await;
    let (inlet, faults) =
        Stage::start(store.sink.clone(), burst_changes, frontier.clone(), devices.clone(), &earlier);
    let context = parser::Context { devices: devices.clone(), faults: inlet };
    let parsers = parser::start(&bus, &context);
    // Only the parsers keep it: the stage behind them ends when they do.
    drop(context);
    if config.main.dump_blk_info_at_start {
        tokio::spawn(super::dump::dump(devices.clone(), store.sink.clone()));
    }
    let collector = Collector::start(reader::Settings {
        location: options.location.clone(),
        start,
        follow: options.follow,
        rules: rules.subscribe(),
        already_stored,
        watermark: watermark.clone(),
        counters: counters.clone(),
        frontier,
    })
    .await?;
    let memory = Memory::start(rules.subscribe(), counters.clone(), devices.clone());
    may_serve.notify_one();
    let heartbeat = Heartbeat::start(collector.stopper.clone(), store.sink.clone(), counters.clone());
    let reloader = Reloader {
        source: options.config,
        rules,
        state: config_state,
        burst,
        limits,
        journal: options.location,
    };
    crate::sys::give_back_memory();
    tracing::info!("{}; serving {}", reloader.status(), options.varlink);
    sd_notify::ready(&reloader.status());
    Ok(Running {
        devices,
        collector,
        bus,
        parsers,
        faults,
        store,
        notifiers,
        server,
        watermark,
        reloader,
        heartbeat,
        memory,
        counters,
    })
}

/// Serves clients once that is allowed; until then they wait.
async fn serve(
    allowed: Arc<Notify>,
    listener: UnixListener,
    service: Arc<Service>,
    limits: watch::Receiver<Limits>,
) {
    allowed.notified().await;
    listener::serve(listener, service, limits).await;
}

/// Waits until journald runs: nothing can be read or stored before. For systemd the daemon is ready meanwhile, because
/// starting it again and again would not help.
async fn wait_for_journald(counters: &Counters) {
    let text = format!("waiting for journald, which does not listen on {}", socket::PATH);
    tracing::warn!("{text}; start systemd-journald, or set save_to_journald = false");
    sd_notify::ready(&text);
    counters.journald.set(text);
    while !JournalSocket::new(socket::PATH.as_ref()).is_there() {
        sd_notify::alive();
        tokio::time::sleep(LOOK_FOR_JOURNALD).await;
    }
    tracing::info!("journald is running");
    counters.journald.clear();
}

fn open_tree(path: Option<PathBuf>) -> Result<Tree, DaemonError> {
    let Some(path) = path else { return Ok(Tree::live()) };
    Tree::open(&path).map_err(|cause| DaemonError::DeviceTree { path: path.display().to_string(), cause })
}

/// Where events that cover the entries to be read may be stored.
fn stored_from(start: &Start, source: &Location) -> StartAt {
    match start {
        Start::Resume(resume) => resume.stored.clone().map_or(StartAt::All, StartAt::Cursor),
        Start::Since(since) if source.is_local() => StartAt::Time(since.saturating_sub(query::SKEW)),
        Start::Beginning if source.is_local() => {
            journal::present_boot(&Location::Local).ok().flatten().map_or(StartAt::All, StartAt::Boot)
        }
        Start::Since(_) | Start::Beginning => StartAt::All,
    }
}
