//! The method Query.

use tokio::sync::mpsc;

use super::api::{Call, Refusal};
use super::generated::{Call_Query, Order, Query_Reply};
use crate::event::StorageEvent;
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

async fn page(call: &Call, reply: &mut dyn Call_Query, mut query: Query) -> varlink::Result<()> {
    let length = query.limit.unwrap_or(DEFAULT_PAGE).min(LONGEST_PAGE);
    query.limit = Some(length);
    let Some(mut batches) = run(call, query) else { return Refusal::NotStored.reply(reply) };
    let mut events: Vec<StorageEvent> = Vec::new();
    while let Some(batch) = batches.recv().await {
        match batch {
            Ok(batch) => events.extend(batch),
            Err(e) => return Refusal::Unavailable(e.to_string()).reply(reply),
        }
    }
    let full = events.len() as u64 == length;
    let cursor = events.last().filter(|_| full).map(|last| Key::of(last).to_cursor());
    reply.reply(events.into_iter().map(Into::into).collect(), cursor)
}

async fn stream(call: &Call, reply: &mut dyn Call_Query, query: Query) -> varlink::Result<()> {
    let Some(mut batches) = run(call, query) else { return Refusal::NotStored.reply(reply) };
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
    call.service.store().map(|store| store.query(query))
}
