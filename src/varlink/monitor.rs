//! The method Monitor.

use std::time::Duration;

use bytes::BytesMut;

use super::api::{Call, Refusal};
use super::convert::int;
use super::frame::{put_event, Gone};
use super::generated::{Call_Monitor, Monitor_Reply};
use crate::bus::Published;
use crate::event::StorageEvent;
use crate::store::filter::Filter;
use crate::store::query::{Order, Query};
use crate::subscription::{Delivery, Subscription};

/// Pause after which an empty reply shows that the connection lives; varlinkctl gives up after
/// 45 s of silence.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Bytes sent at a time, at most, when many events wait.
const CHUNK: usize = 64 * 1024;

const EMPTY: Monitor_Reply = Monitor_Reply { event: None, lost: None };

/// Answers a call until the client leaves or has as many events as it wanted.
pub async fn answer(
    call: &Call,
    reply: &mut dyn Call_Monitor,
    filter: Filter,
    since: Option<i64>,
    limit: Option<i64>,
) -> varlink::Result<()> {
    let number = |name, n: Option<i64>| {
        let negative = || Refusal::Invalid(name, "a negative number".into());
        n.map(|n| u64::try_from(n).map_err(|_| negative())).transpose()
    };
    let (since, limit) = match (number("since", since), number("limit", limit)) {
        (Ok(since), Ok(limit)) => (since, limit),
        (Err(refusal), _) | (_, Err(refusal)) => return refusal.reply(reply),
    };
    if since.is_some() && call.service.store().is_none() {
        return call.service.no_store().reply(reply);
    }
    call.service.counters.monitors.increment();
    let _leaving = Leaving(call);
    let mut monitor = Monitor {
        call,
        events: Subscription::new(&call.service.events, call.service.store(), call.peer.uid),
        filter,
        left: limit.unwrap_or(u64::MAX),
    };
    if monitor.left == 0 {
        return reply.reply(None, None);
    }
    call.writer.reply(&EMPTY, true).await?;
    if let Some(since) = since {
        if let Err(refusal) = monitor.replay(since).await? {
            return refusal.reply(reply);
        }
    }
    monitor.follow().await?;
    reply.reply(None, None)
}

/// Counts the monitor as gone, however the call ends.
struct Leaving<'a>(&'a Call);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.service.counters.monitors.decrement();
    }
}

struct Monitor<'a> {
    call: &'a Call,
    events: Subscription,
    filter: Filter,
    /// Events still wanted.
    left: u64,
}

impl Monitor<'_> {
    /// Sends the stored events since a time; first waits for those of this run to be stored.
    /// Events published since the subscription come live.
    async fn replay(&mut self, since: u64) -> Result<Result<(), Refusal>, Gone> {
        let Some(store) = self.call.service.store() else { return Ok(Ok(())) };
        store.settle(self.events.seen()).await;
        let mut filter = self.filter.clone();
        filter.since = Some(filter.since.unwrap_or(0).max(since));
        let up_to = Some((store.run().to_owned(), self.events.seen()));
        let query = Query { filter, order: Order::OldestFirst, after: None, limit: Some(self.left), up_to };
        let mut batches = store.query(query, self.call.peer.uid);
        while let Some(batch) = batches.recv().await {
            match batch {
                Ok(events) => self.send(events).await?,
                Err(e) => return Ok(Err(Refusal::Unavailable(e.to_string()))),
            }
        }
        Ok(Ok(()))
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
                    // What waits already goes with it, so that a burst costs few writes.
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
                let wanted = events.into_iter().filter(|event| self.filter.matches(event)).collect();
                self.send(wanted).await
            }
            Delivery::Lost(count) => {
                self.flush(buffer).await?;
                let lost = Monitor_Reply { event: None, lost: Some(int(count)) };
                self.call.writer.reply(&lost, true).await
            }
        }
    }

    fn put(&mut self, published: &Published, buffer: &mut BytesMut) {
        if self.left > 0 && self.filter.matches(&published.event) {
            self.left -= 1;
            put_event(buffer, &published.json());
        }
    }

    async fn send(&mut self, events: Vec<StorageEvent>) -> Result<(), Gone> {
        for event in events {
            if self.left == 0 {
                break;
            }
            self.left -= 1;
            let reply = Monitor_Reply { event: Some(event.into()), lost: None };
            self.call.writer.reply(&reply, true).await?;
        }
        Ok(())
    }

    async fn flush(&self, buffer: &mut BytesMut) -> Result<(), Gone> {
        if !buffer.is_empty() {
            self.call.writer.send(buffer).await?;
            buffer.clear();
        }
        Ok(())
    }
}
