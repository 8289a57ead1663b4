//! The raw bus: collector → parsers.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{broadcast, Notify};

use super::{Beat, Ticket};
use crate::event::Severity;
use crate::rules::Rule;

/// A log entry that a rule matched; its device is not yet looked up.
#[derive(Debug)]
pub struct RawEvent {
    /// Its number among all that this run put on the bus, from 0 without gaps.
    pub number: u64,
    /// The rule.
    pub rule: Arc<Rule>,
    /// Family.
    pub sub_system: String,
    /// How bad it is.
    pub severity: Severity,
    /// What the rule captured.
    pub captures: BTreeMap<String, String>,
    /// Identifier of the event made from this entry alone.
    pub event_id: String,
    /// The entry.
    pub entry: EntryInfo,
    /// Held until the event is confirmed.
    pub ticket: Arc<Ticket>,
}

/// What goes over the raw bus.
#[derive(Clone, Debug)]
pub enum RawItem {
    /// A raw event.
    Event(Arc<RawEvent>),
    /// A sign of life, to be handed on by every parser.
    Beat(Arc<Beat>),
}

/// What later stages need to know of a log entry.
#[derive(Clone, Debug, Default)]
pub struct EntryInfo {
    /// Cursor of the entry.
    pub cursor: String,
    /// Host that logged it.
    pub hostname: String,
    /// Boot during which it was logged.
    pub boot_id: String,
    /// When it happened, µs since the epoch.
    pub timestamp: u64,
    /// When journald received it, µs since the epoch.
    pub received: u64,
    /// When it happened, µs since the boot.
    pub monotonic: u64,
    /// Who wrote it.
    pub identifier: String,
    /// The text.
    pub message: String,
    /// journald's `_KERNEL_DEVICE`: "+scsi:2:0:0:0", "b8:16" …
    pub kernel_device: Option<String>,
    /// journald's `_UDEV_DEVNODE`.
    pub udev_devnode: Option<String>,
}

/// Carries raw events to all parsers, and makes the sender wait before the slowest of them
/// would lose one.
#[derive(Clone, Debug)]
pub struct RawBus {
    sender: broadcast::Sender<RawItem>,
    taken: Arc<Notify>,
    high_water: usize,
}

/// A parser's end of the raw bus.
#[derive(Debug)]
pub struct RawReceiver {
    receiver: broadcast::Receiver<RawItem>,
    taken: Arc<Notify>,
}

/// All parsers have ended: nothing can be worked on any more.
#[derive(Debug, thiserror::Error)]
#[error("no parser is running any more; restart peripetyd and report this as a fault of Peripety")]
pub struct NoParser;

impl RawBus {
    /// A bus that holds at most `capacity` events for its slowest parser.
    pub fn new(capacity: usize) -> Self {
        let (sender, _) = broadcast::channel(capacity);
        RawBus { sender, taken: Arc::new(Notify::new()), high_water: capacity }
    }

    /// Joins a parser; it sees every event sent from now on.
    pub fn subscribe(&self) -> RawReceiver {
        RawReceiver { receiver: self.sender.subscribe(), taken: self.taken.clone() }
    }

    /// Sends an event, waiting while the slowest parser has no room for it. There must be one
    /// sender only.
    pub async fn send(&self, item: RawItem) -> Result<(), NoParser> {
        while self.sender.len() >= self.high_water {
            self.taken.notified().await;
        }
        self.sender.send(item).map(drop).map_err(|_| NoParser)
    }
}

impl RawReceiver {
    /// The next item; `None` when the collector has ended. An event is lost only if the flow
    /// control is broken: that ends the receiver too, so that a restart reads it again.
    pub async fn recv(&mut self) -> Option<RawItem> {
        let received = self.receiver.recv().await;
        self.taken.notify_one();
        if let Err(broadcast::error::RecvError::Lagged(lost)) = &received {
            tracing::error!(lost, "a parser lost raw events; this is a fault of Peripety, please report it");
        }
        received.ok()
    }
}

impl Drop for RawReceiver {
    fn drop(&mut self) {
        self.taken.notify_one();
    }
}
