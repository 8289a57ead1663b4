//! The running daemon, and its shutdown.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinHandle, JoinSet};

use super::heartbeat::Heartbeat;
use super::memory::Memory;
use super::reload::Reloader;
use super::saver::Saver;
use super::signals::{Asked, Signals};
use super::store_switch::StoreSwitch;
use super::DaemonError;
use crate::bus::{RawBus, Watermark};
use crate::collector::state::StateDirectory;
use crate::collector::{Collector, CollectorError};
use crate::correlate::task::Stage;
use crate::counters::Counters;
use crate::devices::Devices;
use crate::notifier::Notifiers;
use crate::sd_notify;

/// How often the position is saved.
const SAVE_EVERY: Duration = Duration::from_secs(1);
/// How long unfinished work may take when the daemon is asked to stop.
const DRAIN: Duration = Duration::from_secs(15);
/// The same when it exits because everything is read: nothing waits for it, and its output may be read slowly.
const DRAIN_BY_ITSELF: Duration = Duration::from_secs(600);

/// All that runs.
pub struct Running {
    /// What block device is this?
    pub devices: Arc<Devices>,
    /// Reads the journal.
    pub collector: Collector,
    /// From the collector to the parsers.
    pub bus: RawBus,
    /// Make events.
    pub parsers: JoinSet<&'static str>,
    /// Makes one event of one fault.
    pub faults: Stage,
    /// Keeps events.
    pub store: StoreSwitch,
    /// Act on events.
    pub notifiers: Notifiers,
    /// The Varlink service.
    pub server: JoinHandle<()>,
    /// Where a restart resumes.
    pub watermark: Watermark,
    /// Reads the configuration again.
    pub reloader: Reloader,
    /// Monitors that every stage makes progress.
    pub heartbeat: Heartbeat,
    /// Gives memory back.
    pub memory: Memory,
    /// What is counted.
    pub counters: Arc<Counters>,
}

impl Running {
    /// Saves the position periodically and reloads the configuration on request; at
    /// the end lets every stage finish what it has, in the order in which data flows.
    pub async fn until_end(
        mut self,
        signals: &mut Signals,
        state: &StateDirectory,
    ) -> Result<(), DaemonError> {
        let stopper = self.collector.stopper.clone();
        // The parsers end when the bus does: not before it is known how the collector ended.
        let mut collecting = tokio::spawn(self.collector.run(self.bus.clone()));
        let mut saver = Saver::new(state, self.watermark, self.devices);
        let mut tick = tokio::time::interval(SAVE_EVERY);
        let mut trouble = None;
        let collected = loop {
            tokio::select! {
                collected = &mut collecting => break Some(collected),
                asked = signals.next() => match asked {
                    Asked::End => break None,
                    Asked::Reload => self.reloader.reload(&mut self.store, &mut self.notifiers).await,
                },
                Some(ended) = self.parsers.join_next() => {
                    saver.end().await;
                    return Err(DaemonError::ParserEnded(ended.map_or_else(|e| e.to_string(), str::to_owned)));
                }
                _ = tick.tick() => {
                    saver.save();
                    self.reloader.report_trouble(&mut trouble, self.counters.trouble());
                }
            }
        };
        sd_notify::stopping();
        let drain = match collected {
            Some(_) => {
                self.faults.nothing_will_come();
                DRAIN_BY_ITSELF
            }
            None => DRAIN,
        };
        stopper.stop();
        drop(self.bus);
        let finish = async {
            let collected = match collected {
                Some(collected) => collected,
                None => collecting.await,
            };
            while self.parsers.join_next().await.is_some() {}
            self.faults.end().await;
            self.store.end().await;
            self.notifiers.end(drain).await;
            collected.unwrap_or_else(|e| Err(CollectorError::Thread(e.to_string())))
        };
        let result = tokio::select! {
            result = tokio::time::timeout(drain, finish) => result.ok(),
            () = signals.end() => None,
        };
        saver.end().await;
        self.server.abort();
        drop((self.heartbeat, self.memory));
        match result {
            Some(result) => Ok(result?),
            None => {
                tracing::warn!("unfinished work did not complete in time; it is repeated at the next start");
                Ok(())
            }
        }
    }
}
