//! Starts every task, the last stage first.

use std::path::PathBuf;
use std::sync::Arc;

use peripety_blkinfo::Tree;
use tokio::net::UnixListener;
use tokio::sync::watch;

use super::heartbeat::Heartbeat;
use super::memory::Memory;
use super::reload::Reloader;
use super::running::Running;
use super::sinks::{Parts, Sinks};
use super::{DaemonError, Options};
use crate::bus::{EventBus, Frontier, RawBus, Watermark};
use crate::collector::state::State;
use crate::collector::{reader, Collector, Start};
use crate::config::{Config, ConfigState};
use crate::counters::Counters;
use crate::devices::Devices;
use crate::faults::task::Stage;
use crate::journal::{self, Location};
use crate::store::query;
use crate::store::readback::From;
use crate::varlink::{listener, Service, Work};
use crate::{notify, parser};

/// Raw events that may wait for the slowest parser.
const RAW_BUS: usize = 1024;
/// Storage events kept for slow notifiers and monitors.
const EVENT_BUS: usize = 4096;

/// Starts the daemon; systemd is told when it is ready.
pub async fn start(
    options: Options,
    config: Config,
    listener: UnixListener,
    state: &State,
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
    let parts = Parts { events: events.clone(), counters: counters.clone(), watermark: watermark.clone() };
    let mut sinks = Sinks::new(parts);
    let coverage = sinks.apply(&config.main, stored_from(&start, &options.location)).await?;
    let bus = RawBus::new(RAW_BUS);
    let frontier = Frontier::default();
    let (burst, burst_changes) = watch::channel(config.burst);
    let (limits, limits_changes) = watch::channel(config.limits);
    let (inlet, faults) = Stage::start(sinks.sink.clone(), burst_changes, frontier.clone());
    let context = parser::Context { devices: devices.clone(), faults: inlet };
    let parsers = parser::start(&bus, &context);
    // Only the parsers keep it: the stage behind them ends when they do.
    drop(context);
    if config.main.dump_blk_info_at_start {
        tokio::spawn(super::dump::dump(devices.clone(), sinks.sink.clone()));
    }
    let collector = Collector::start(reader::Settings {
        location: options.location.clone(),
        start,
        follow: options.follow,
        rules: rules.subscribe(),
        coverage,
        watermark: watermark.clone(),
        counters: counters.clone(),
        frontier,
    })
    .await?;
    let memory = Memory::start(rules.subscribe(), counters.clone());
    let service = Arc::new(Service {
        devices: devices.clone(),
        events,
        store: sinks.access.subscribe(),
        counters,
        watermark: watermark.clone(),
        journal: options.location.to_string(),
        rules: rules.subscribe(),
        config: config_state.subscribe(),
        started: journal::now(),
        work: Work::default(),
    });
    let server = tokio::spawn(listener::serve(listener, service, limits_changes));
    let heartbeat = Heartbeat::start(collector.stopper.clone(), sinks.sink.clone());
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
    notify::ready(&reloader.status());
    Ok(Running {
        devices,
        collector,
        bus,
        parsers,
        faults,
        sinks,
        server,
        watermark,
        reloader,
        heartbeat,
        memory,
    })
}

fn open_tree(path: Option<PathBuf>) -> Result<Tree, DaemonError> {
    let Some(path) = path else { return Ok(Tree::live()) };
    Tree::open(&path).map_err(|cause| DaemonError::DeviceTree { path: path.display().to_string(), cause })
}

/// Where events that cover the entries to be read may be stored.
fn stored_from(start: &Start, source: &Location) -> From {
    match start {
        Start::Resume(resume) => resume.stored.clone().map_or(From::All, From::Cursor),
        Start::Since(since) if source.is_local() => From::Time(since.saturating_sub(query::SKEW)),
        Start::Beginning if source.is_local() => {
            journal::present_boot(&Location::Local).ok().flatten().map_or(From::All, From::Boot)
        }
        Start::Since(_) | Start::Beginning => From::All,
    }
}
