//! The method Monitor.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::broadcast::Receiver;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::api::{Call, Refusal, StoreAccess};
use super::convert::int;
use super::frame::{put_event, Gone};
use super::generated::{Call_Monitor, Monitor_Reply};
use crate::bus::Published;
use crate::event::StorageEvent;
use crate::store::filter::Filter;
use crate::store::query::{self, Order, Query};

/// Pause after which an empty reply shows that the connection lives; varlinkctl gives up after
/// 45 s of silence.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Bytes sent at a time, at most, when many events wait.
const CHUNK: usize = 64 * 1024;
/// How long the store may take to settle events that are to be read from it.
const SETTLE: Duration = Duration::from_secs(30);
/// Events read from the journal that may wait for the client.
const QUEUE: usize = 64;

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
    if since.is_some() && call.service.store.is_none() {
        return Refusal::NotStored.reply(reply);
    }
    call.service.counters.monitors.increment();
    let _leaving = Leaving(call);
    let mut monitor = Monitor {
        call,
        live: call.service.events.subscribe(),
        seen: call.service.events.count(),
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
    live: Receiver<Arc<Published>>,
    /// Number of the last event looked at.
    seen: u64,
    filter: Filter,
    /// Events still wanted.
    left: u64,
}

impl Monitor<'_> {
    /// Sends the stored events since a time; first waits for those of this run to be stored.
    async fn replay(&mut self, since: u64) -> Result<Result<(), Refusal>, Gone> {
        let Some(store) = self.call.service.store.clone() else { return Ok(Ok(())) };
        settle(&store, self.seen).await;
        let mut filter = self.filter.clone();
        filter.since = Some(filter.since.unwrap_or(0).max(since));
        // Events published since the subscription come live.
        let up_to = Some((store.run.clone(), self.seen));
        let query = Query { filter, order: Order::OldestFirst, after: None, limit: Some(self.left), up_to };
        let (sender, mut events) = mpsc::channel(QUEUE);
        let reading = tokio::task::spawn_blocking(move || {
            query::run(&store.location, &store.trust, &query, |batch| {
                batch.into_iter().all(|event| sender.blocking_send(event).is_ok())
            })
        });
        while let Some(event) = events.recv().await {
            self.send(event).await?;
        }
        match reading.await {
            Ok(Ok(())) => Ok(Ok(())),
            Ok(Err(e)) => Ok(Err(Refusal::Unavailable(e.to_string()))),
            Err(e) => Ok(Err(Refusal::Unavailable(e.to_string()))),
        }
    }

    /// Sends live events as they come.
    async fn follow(&mut self) -> Result<(), Gone> {
        let mut buffer = BytesMut::with_capacity(4096);
        while self.left > 0 {
            match tokio::time::timeout(KEEP_ALIVE, self.live.recv()).await {
                Err(_) => self.call.writer.reply(&EMPTY, true).await?,
                Ok(Ok(event)) => {
                    self.take(&event, &mut buffer);
                    self.take_waiting(&mut buffer);
                    if !buffer.is_empty() {
                        self.call.writer.send(&buffer).await?;
                        buffer.clear();
                    }
                }
                Ok(Err(RecvError::Lagged(_))) => self.catch_up().await?,
                Ok(Err(RecvError::Closed)) => return Ok(()),
            }
        }
        Ok(())
    }

    /// Takes what waits already, so that a burst costs few writes.
    fn take_waiting(&mut self, buffer: &mut BytesMut) {
        while self.left > 0 && buffer.len() < CHUNK {
            match self.live.try_recv() {
                Ok(event) => self.take(&event, buffer),
                Err(TryRecvError::Lagged(_) | TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    fn take(&mut self, published: &Published, buffer: &mut BytesMut) {
        if published.sequence <= self.seen {
            return;
        }
        self.seen = published.sequence;
        let event = &published.event;
        if self.left > 0 && self.filter.matches(event) {
            self.left -= 1;
            put_event(buffer, &published.json());
        }
    }

    async fn send(&mut self, event: StorageEvent) -> Result<(), Gone> {
        self.left = self.left.saturating_sub(1);
        let reply = Monitor_Reply { event: Some(event.into()), lost: None };
        self.call.writer.reply(&reply, true).await
    }

    /// After the bus dropped events that this client was too slow for: reads them from the
    /// journal. What is not there (yet) is counted as lost.
    async fn catch_up(&mut self) -> Result<(), Gone> {
        let next = loop {
            match self.live.try_recv() {
                Ok(event) => break Some(event),
                Err(TryRecvError::Lagged(_)) => {}
                Err(_) => break None,
            }
        };
        let last = next.as_ref().map_or_else(|| self.call.service.events.count(), |e| e.sequence - 1);
        let missed = last.saturating_sub(self.seen);
        let found = match self.call.service.store.clone() {
            Some(store) if missed > 0 => self.reread(store, last).await?,
            _ => 0,
        };
        self.seen = self.seen.max(last);
        if found < missed {
            let lost = Some(int(missed - found));
            self.call.writer.reply(&Monitor_Reply { event: None, lost }, true).await?;
        }
        if let Some(event) = next {
            let mut buffer = BytesMut::new();
            self.take(&event, &mut buffer);
            self.call.writer.send(&buffer).await?;
        }
        Ok(())
    }

    /// Sends the wanted ones of the stored events up to `last`. Returns how many were there.
    async fn reread(&mut self, store: StoreAccess, last: u64) -> Result<u64, Gone> {
        settle(&store, last).await;
        let range = (self.seen + 1, last);
        let (sender, mut events) = mpsc::channel(QUEUE);
        tokio::task::spawn_blocking(move || {
            let take = |event| sender.blocking_send(event).is_ok();
            if let Err(e) = query::of_run(&store.location, &store.trust, &store.run, range, take) {
                tracing::warn!("cannot read back events for a slow monitor: {e}");
            }
        });
        let mut found = 0;
        while let Some(event) = events.recv().await {
            found += 1;
            if self.left > 0 && self.filter.matches(&event) {
                self.send(event).await?;
            }
        }
        Ok(found)
    }
}

/// Waits until every event up to this number is stored or given up, or the time is over.
async fn settle(store: &StoreAccess, sequence: u64) {
    let mut settled = store.settled.clone();
    let deadline = Instant::now() + SETTLE;
    let done = settled.wait_for(|up_to| *up_to >= sequence);
    if tokio::time::timeout_at(deadline, done).await.is_err() {
        tracing::warn!("journald has not stored all events in time for a monitor");
    }
}
