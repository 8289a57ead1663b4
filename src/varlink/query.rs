//! The method Query.

use tokio::sync::mpsc;

use super::api::{Call, Refusal};
use super::frame::Gone;
use super::generated::{Call_Query, Order, Query_Reply, StorageEvent as ApiEvent};
use crate::journal::Error;
use crate::store::access::Batch;
use crate::store::filter::Filter;
use crate::store::query::{self, Key, Query};

/// Events in a reply when the client names no limit.
const DEFAULT_PAGE: u64 = 100;
/// Most events in one reply.
const LONGEST_PAGE: u64 = 1000;

/// Answers a call: all matching events in several replies with `more`, else one page.
pub async fn answer(
    call: &Call,
    reply: &mut dyn Call_Query,
    filter: Filter,
    limit: Option<i64>,
    order: Option<Order>,
    cursor: Option<String>,
) -> varlink::Result<()> {
    match prepare(filter, limit, order, cursor) {
        Ok(query) if call.more => stream(call, reply, query).await,
        Ok(query) => page(call, reply, query).await,
        Err(refusal) => refusal.reply(reply),
    }
}

fn prepare(
    filter: Filter,
    limit: Option<i64>,
    order: Option<Order>,
    cursor: Option<String>,
) -> Result<Query, Refusal> {
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

/// One reply, which ends where the page does. It is written as the events are read.
async fn page(call: &Call, reply: &mut dyn Call_Query, mut query: Query) -> varlink::Result<()> {
    let length = query.limit.unwrap_or(DEFAULT_PAGE).min(LONGEST_PAGE);
    query.limit = Some(length);
    let Some(mut batches) = run(call, query) else { return call.service.no_store().reply(reply) };
    let mut next = batches.recv().await;
    if let Some(Err(e)) = next {
        return Refusal::Unavailable(e.to_string()).reply(reply);
    }
    let mut page = call.writer.list("events");
    let (mut count, mut last) = (0, None);
    while let Some(batch) = next {
        for event in batch.map_err(cut)? {
            (count, last) = (count + 1, Some(Key::of(&event)));
            page.item(&ApiEvent::from(event)).await?;
        }
        next = batches.recv().await;
    }
    let cursor = last.filter(|_| count == length).map(|last| last.to_cursor());
    Ok(page.end(&[("cursor", cursor)]).await?)
}

/// The reply has begun, so that the error can only end it.
fn cut(error: Error) -> Gone {
    tracing::warn!("a reply of Query ends too early: {error}");
    Gone
}

async fn stream(call: &Call, reply: &mut dyn Call_Query, query: Query) -> varlink::Result<()> {
    let Some(mut batches) = run(call, query) else { return call.service.no_store().reply(reply) };
    while let Some(batch) = batches.recv().await {
        match batch {
            Ok(batch) => {
                let events = batch.into_iter().map(Into::into).collect();
                call.writer.reply(&Query_Reply { events, cursor: None }, true).await?;
            }
            Err(e) => return Refusal::Unavailable(e.to_string()).reply(reply),
        }
    }
    reply.reply(Vec::new(), None)
}

fn run(call: &Call, query: Query) -> Option<mpsc::Receiver<Batch>> {
    call.service.store().map(|store| store.query(query, call.peer.uid))
}
