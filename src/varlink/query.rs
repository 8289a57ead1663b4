//! The method Query.

use tokio::sync::mpsc;

use super::api::{Call, Refusal};
use super::generated::{Call_Query, Order, Query_Reply};
use crate::event::StorageEvent;
use crate::store::filter::Filter;
use crate::store::query::{self, Key, Query};

/// Events in a reply when the client names no limit.
const DEFAULT_PAGE: u64 = 100;
/// Most events in one reply.
const LONGEST_PAGE: u64 = 1000;
/// Batches that may wait for the client.
const QUEUE: usize = 2;

/// Answers a call: all matching events in several replies with `more`, else one page.
pub async fn answer(
    call: &Call,
    reply: &mut dyn Call_Query,
    filter: Filter,
    limit: Option<i64>,
    order: Option<Order>,
    cursor: Option<String>,
) -> varlink::Result<()> {
    match prepare(call, filter, limit, order, cursor) {
        Ok(query) if call.more => stream(call, reply, query).await,
        Ok(query) => page(call, reply, query).await,
        Err(refusal) => refusal.reply(reply),
    }
}

fn prepare(
    call: &Call,
    filter: Filter,
    limit: Option<i64>,
    order: Option<Order>,
    cursor: Option<String>,
) -> Result<Query, Refusal> {
    if call.service.store.is_none() {
        return Err(Refusal::NotStored);
    }
    let invalid = |parameter, message: &str| Refusal::Invalid(parameter, message.into());
    let limit =
        limit.map(|n| u64::try_from(n).map_err(|_| invalid("limit", "a negative number"))).transpose()?;
    let after = cursor
        .map(|text| Key::from_cursor(&text).ok_or_else(|| invalid("cursor", "not a cursor that Query gave")))
        .transpose()?;
    let order = match order {
        None | Some(Order::OldestFirst) => query::Order::OldestFirst,
        Some(Order::NewestFirst) => query::Order::NewestFirst,
    };
    Ok(Query { filter, order, after, limit, up_to: None })
}

async fn page(call: &Call, reply: &mut dyn Call_Query, mut query: Query) -> varlink::Result<()> {
    let length = query.limit.unwrap_or(DEFAULT_PAGE).min(LONGEST_PAGE);
    query.limit = Some(length);
    let mut batches = run(call, query);
    let mut events: Vec<StorageEvent> = Vec::new();
    while let Some(batch) = batches.recv().await {
        match batch {
            Ok(batch) => events.extend(batch),
            Err(refusal) => return refusal.reply(reply),
        }
    }
    let full = events.len() as u64 == length;
    let cursor = events.last().filter(|_| full).map(|last| Key::of(last).to_cursor());
    reply.reply(events.into_iter().map(Into::into).collect(), cursor)
}

async fn stream(call: &Call, reply: &mut dyn Call_Query, query: Query) -> varlink::Result<()> {
    let mut batches = run(call, query);
    while let Some(batch) = batches.recv().await {
        match batch {
            Ok(batch) => {
                let events = batch.into_iter().map(Into::into).collect();
                call.writer.reply(&Query_Reply { events, cursor: None }, true).await?;
            }
            Err(refusal) => return refusal.reply(reply),
        }
    }
    reply.reply(Vec::new(), None)
}

/// Reads the journal on a thread of its own, no faster than the batches are taken.
fn run(call: &Call, query: Query) -> mpsc::Receiver<Result<Vec<StorageEvent>, Refusal>> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let service = call.service.clone();
    tokio::spawn(async move {
        let Some(store) = service.store.clone() else { return };
        let Ok(seat) = service.query_seats.acquire().await else { return };
        let work = move || {
            let take = |batch| sender.blocking_send(Ok(batch)).is_ok();
            if let Err(e) = query::run(&store.location, &store.trust, &query, take) {
                let _ = sender.blocking_send(Err(Refusal::Unavailable(e.to_string())));
            }
        };
        let _ = tokio::task::spawn_blocking(work).await;
        drop(seat);
    });
    receiver
}
