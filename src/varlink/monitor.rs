//! The method Monitor.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use peripety_api::{MonitorReply, Order};

use super::api::{unavailable, Call, Failure};
use super::frame::{put_event, Gone};
use crate::bus::{json, Published};
use crate::store::filter::Selection;
use crate::store::query::Query;
use crate::subscription::{Delivery, Subscription};

/// Pause after which an empty reply shows that the connection lives; varlinkctl gives up after
/// 45 s of silence.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Bytes sent at a time, at most, when many events wait.
const CHUNK: usize = 64 * 1024;

const EMPTY: MonitorReply = MonitorReply { event: None, lost: None };

/// Handles a call until the client disconnects or the limit is reached.
pub async fn answer(
    call: &Call,
    selection: Selection,
    since: Option<u64>,
    limit: Option<u64>,
) -> Result<(), Failure> {
    if since.is_some() && call.service.store().is_none() {
        return Err(call.service.no_store().into());
    }
    call.service.counters.monitors.increment();
    let _leaving = Leaving(call);
    let mut monitor = Monitor {
        call,
        events: Subscription::new(&call.service.events, call.service.store(), call.peer.uid),
        selection,
        left: limit.unwrap_or(u64::MAX),
    };
    if monitor.left > 0 {
        call.writer.reply(&EMPTY, true).await?;
        if let Some(since) = since {
            monitor.replay(since).await?;
        }
        monitor.follow().await?;
    }
    Ok(call.writer.reply(&EMPTY, false).await?)
}

/// Decrements the number of monitors, however the call ends.
struct Leaving<'a>(&'a Call);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.service.counters.monitors.decrement();
    }
}

struct Monitor<'a> {
    call: &'a Call,
    events: Subscription,
    selection: Selection,
    /// Number of events still to be returned.
    left: u64,
}

impl Monitor<'_> {
    /// Sends the stored events since a time; first waits for those of this run to be stored.
    /// Events published since the subscription come live.
    async fn replay(&mut self, since: u64) -> Result<(), Failure> {
        let Some(store) = self.call.service.store() else { return Ok(()) };
        store.settle(self.events.seen()).await;
        let mut selection = self.selection.clone();
        selection.filter.since = Some(selection.filter.since.unwrap_or(0).max(since));
        let up_to = Some((store.run().to_owned(), self.events.seen()));
        let query =
            Query { selection, order: Order::OldestFirst, after: None, limit: Some(self.left), up_to };
        let mut batches = store.query(query, self.call.peer.uid);
        while let Some(batch) = batches.recv().await {
            let events = batch.map_err(|e| unavailable(e.to_string()))?;
            self.send(events.into_iter().map(|event| event.json)).await?;
        }
        Ok(())
    }

    /// Sends live events as they come.
    async fn follow(&mut self) -> Result<(), Gone> {
        let mut buffer = BytesMut::with_capacity(4096);
        while self.left > 0 {
            match tokio::time::timeout(KEEP_ALIVE, self.events.next()).await {
                Err(_) => self.call.writer.reply(&EMPTY, true).await?,
                Ok(None) => return Ok(()),
                Ok(Some(delivery)) => {
                    self.take(delivery, &mut buffer).await?;
                    // Pending events are included, so that a burst costs few writes.
                    while let Some(more) = (buffer.len() < CHUNK).then(|| self.events.try_next()).flatten() {
                        self.take(more, &mut buffer).await?;
                    }
                    self.flush(&mut buffer).await?;
                }
            }
        }
        Ok(())
    }

    async fn take(&mut self, delivery: Delivery, buffer: &mut BytesMut) -> Result<(), Gone> {
        match delivery {
            Delivery::Live(published) => {
                self.put(&published, buffer);
                Ok(())
            }
            Delivery::Stored(events) => {
                self.flush(buffer).await?;
                let wanted = events.iter().filter(|event| self.selection.matches(event));
                let encoded: Vec<Bytes> = wanted.map(json).collect();
                self.send(encoded).await
            }
            Delivery::Lost(count) => {
                self.flush(buffer).await?;
                let lost = MonitorReply { event: None, lost: Some(count) };
                self.call.writer.reply(&lost, true).await
            }
        }
    }

    fn put(&mut self, published: &Published, buffer: &mut BytesMut) {
        if self.left > 0 && self.selection.matches(&published.event) {
            self.left -= 1;
            put_event(buffer, &published.json());
        }
    }

    /// Sends events given as JSON.
    async fn send(&mut self, events: impl IntoIterator<Item = Bytes>) -> Result<(), Gone> {
        let mut buffer = BytesMut::new();
        for event in events {
            if self.left == 0 {
                break;
            }
            self.left -= 1;
            put_event(&mut buffer, &event);
            if buffer.len() >= CHUNK {
                self.flush(&mut buffer).await?;
            }
        }
        self.flush(&mut buffer).await
    }

    async fn flush(&self, buffer: &mut BytesMut) -> Result<(), Gone> {
        if !buffer.is_empty() {
            self.call.writer.send(buffer).await?;
            buffer.clear();
        }
        Ok(())
    }
}
