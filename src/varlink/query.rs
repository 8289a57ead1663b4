//! The method Query.

use peripety_api::{ErrorReply, Order};
use tokio::sync::mpsc;

use super::api::{invalid, unavailable, Call, Failure};
use super::frame::Gone;
use crate::journal::Error;
use crate::store::access::BatchResult;
use crate::store::filter::Selection;
use crate::store::query::{EventKey, Query};
use crate::store::stored::StoredEvent;

/// Events in a reply when the client names no limit.
const DEFAULT_PAGE: u64 = 100;
/// Most events in one reply.
const MAX_PAGE: u64 = 1000;

/// Answers a call: all matching events in several replies with `more`, else one page. Each event is sent as it was stored.
pub async fn answer(
    call: &Call,
    selection: Selection,
    limit: Option<u64>,
    order: Option<Order>,
    cursor: Option<String>,
) -> Result<(), Failure> {
    let not_ours = || invalid("cursor", "not a cursor that Query gave");
    let after = cursor.map(|text| EventKey::from_cursor(&text).ok_or_else(not_ours)).transpose()?;
    let order = order.unwrap_or(Order::OldestFirst);
    let query = Query { selection, order, after, limit, up_to: None };
    if call.more {
        stream(call, query).await
    } else {
        page(call, query).await
    }
}

/// One reply, which ends where the page does. It is written as the events are read.
async fn page(call: &Call, mut query: Query) -> Result<(), Failure> {
    let length = query.limit.unwrap_or(DEFAULT_PAGE).min(MAX_PAGE);
    query.limit = Some(length);
    let mut batches = run(call, query)?;
    let mut next = batches.recv().await.transpose().map_err(unreadable)?;
    let mut page = call.writer.list("events");
    let (mut count, mut last) = (0, None);
    while let Some(batch) = next {
        for event in batch {
            page.json_item(&event.json).await?;
            (count, last) = (count + 1, Some(event.key));
        }
        next = batches.recv().await.transpose().map_err(cut)?;
    }
    let cursor = last.filter(|_| count == length).map(|last| last.to_cursor());
    Ok(page.end(&[("cursor", cursor)]).await?)
}

/// The reply has begun, so an error can only end it.
fn cut(error: Error) -> Gone {
    tracing::warn!("a reply of Query ends too early: {error}");
    Gone
}

fn unreadable(error: Error) -> ErrorReply {
    unavailable(error.to_string())
}

async fn stream(call: &Call, query: Query) -> Result<(), Failure> {
    let mut batches = run(call, query)?;
    while let Some(batch) = batches.recv().await {
        let mut reply = call.writer.list("events");
        for event in batch.map_err(unreadable)? {
            reply.json_item(&event.json).await?;
        }
        reply.end_to_continue().await?;
    }
    Ok(call.writer.list("events").end::<()>(&[]).await?)
}

fn run(call: &Call, query: Query) -> Result<mpsc::Receiver<BatchResult<StoredEvent>>, ErrorReply> {
    let store = call.service.store().ok_or_else(|| call.service.no_store())?;
    Ok(store.query(query, call.peer.uid))
}
