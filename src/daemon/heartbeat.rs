//! Monitors that every stage makes progress.
//!
//! A token travels from the reader over the raw bus and every parser to the store. When its last
//! copy is dropped, every stage has made progress, and systemd's watchdog (sd_watchdog_enabled(3)) is notified.
//! Waiting for a journald that accepts nothing is not a hang of the daemon: it is reported, and the watchdog does not fire.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::bus::Beat;
use crate::collector::Stopper;
use crate::counters::Counters;
use crate::sd_notify;
use crate::store::EventOutput;

/// How often the token walks when systemd wants no sign of life.
const DEFAULT_PERIOD: Duration = Duration::from_secs(20);

/// The running watch.
pub struct Heartbeat(JoinHandle<()>);

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Heartbeat {
    /// Sends tokens through the reader of `stopper`; `sink` knows whether journald is waited for, `counters` learn of it.
    pub fn start(stopper: Stopper, sink: EventOutput, counters: Arc<Counters>) -> Self {
        let period = sd_notify::watchdog().map_or(DEFAULT_PERIOD, |timeout| timeout / 3);
        Heartbeat(tokio::spawn(watch(stopper, sink, counters, period)))
    }
}

async fn watch(stopper: Stopper, sink: EventOutput, counters: Arc<Counters>, period: Duration) {
    let returned = Arc::new(Notify::new());
    let mut waiting = false;
    loop {
        tokio::time::sleep(period).await;
        stopper.beat(Arc::new(Beat::new(returned.clone())));
        while tokio::time::timeout(period, returned.notified()).await.is_err() {
            if sink.waits_for_journald() {
                if !waiting {
                    tracing::warn!("waiting for journald to accept events: nothing is lost, but nothing is stored; check systemd-journald");
                    counters.journald.set("waiting for journald to accept events".into());
                }
                waiting = true;
                sd_notify::alive();
            } else {
                tracing::warn!("a stage of the daemon has made no progress for {period:?}");
            }
        }
        if std::mem::replace(&mut waiting, false) {
            tracing::info!("journald accepts events again");
            counters.journald.clear();
        }
        sd_notify::alive();
    }
}
