//! What the previous run reported shortly before it ended: later lines of a fault are consequences of it, and repeats go on being
//! counted.

use std::collections::BTreeMap;

use peripety_api::{Filter, Order};

use crate::collector::Start;
use crate::correlate::Reported;
use crate::event::StorageEvent;
use crate::rules::RuleSet;
use crate::store::access::StoreAccess;
use crate::store::query::Query;

/// How far to look back from the end of the previous run, µs: older events have no consequences any more.
const SPAN: u64 = 60_000_000;
/// Events that are read back, the oldest of that span.
const MAX_EVENTS: u64 = 4096;

/// Reads back the events of the last minute before reading resumes, in the order of their times.
pub async fn events(access: Option<StoreAccess>, start: &Start, rules: &RuleSet) -> Vec<Reported> {
    let (Some(access), Start::Resume(resume)) = (access, start) else { return Vec::new() };
    let since = resume.position.realtime.saturating_sub(SPAN);
    let filter = Filter { since: Some(since), ..Filter::default() };
    let query = Query {
        selection: filter.into(),
        order: Order::OldestFirst,
        after: None,
        limit: Some(MAX_EVENTS),
        up_to: None,
    };
    let mut batches = access.query(query, rustix::process::geteuid().as_raw());
    let closes = closes_by_type(rules);
    let mut all = Vec::new();
    while let Some(batch) = batches.recv().await {
        match batch {
            Ok(events) => {
                let events = events.iter().filter_map(|stored| stored.event().ok());
                all.extend(events.map(|event| reported(event, &closes)));
            }
            Err(e) => {
                tracing::warn!(
                    "cannot read back the events of the last minute ({e}): a fault may be reported again"
                );
                break;
            }
        }
    }
    all
}

fn closes_by_type(rules: &RuleSet) -> BTreeMap<&str, &[String]> {
    rules.rules().map(|rule| (&*rule.event_type, rule.closes.as_slice())).collect()
}

fn reported(event: StorageEvent, closes: &BTreeMap<&str, &[String]>) -> Reported {
    let ended = event.event_types().filter_map(|name| closes.get(name)).flat_map(|list| list.iter().cloned());
    Reported { closes: ended.collect(), event: event.into() }
}
