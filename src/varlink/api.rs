//! The methods of `io.peripety`.

use std::sync::Arc;

use async_trait::async_trait;
use peripety_blkinfo::BlockInfo;
use tokio::sync::watch;

use super::convert::int;
use super::frame::FrameWriter;
use super::generated::{
    Call_GetBlockInfo, Call_GetStatus, Call_GetTopology, Call_ListBlockInfo, Call_ListRules, Call_Monitor,
    Call_Query, Call_TestRule, Filter, Order, Status, VarlinkCallError, VarlinkInterface,
};
use super::peer::Peer;
use super::rules::{self, Wanted};
use super::{blocks, listing, monitor, query};
use crate::bus::{EventBus, Watermark};
use crate::config::ConfigState;
use crate::counters::Counters;
use crate::devices::Devices;
use crate::permits::Permits;
use crate::rules::RuleSet;
use crate::store::access::StoreAccess;
use crate::store::filter::{self, Device};

/// Readings of the device tree at the same time, and those of one user.
const TREE_READINGS: (usize, usize) = (4, 2);
/// Lines that are tried on the rules at the same time, and those of one user.
const TRIALS: (usize, usize) = (2, 1);
/// Messages of up to 1 MiB that come in at the same time, and those of one user.
const LONG_MESSAGES: (usize, usize) = (16, 8);
/// Most names in one list of a filter: journald's index takes longer the more there are.
const MOST_NAMES: usize = 64;

/// What all calls share.
#[derive(Debug)]
pub struct Service {
    /// The device tree.
    pub devices: Arc<Devices>,
    /// Live events.
    pub events: EventBus,
    /// Stored events; `None` when they are not kept.
    pub store: watch::Receiver<Option<StoreAccess>>,
    /// What is counted.
    pub counters: Arc<Counters>,
    /// Entries being worked on.
    pub watermark: Watermark,
    /// Where entries are read, for people.
    pub journal: String,
    /// Rules in force.
    pub rules: watch::Receiver<Arc<RuleSet>>,
    /// What is known of the configuration.
    pub config: watch::Receiver<ConfigState>,
    /// When the daemon started, µs since the epoch.
    pub started: u64,
    /// For work that clients ask for.
    pub work: Work,
}

/// Permits, by kind of work. Stored events have their own: [`StoreAccess`].
#[derive(Debug)]
pub struct Work {
    /// For those who read the device tree.
    pub tree: Arc<Permits>,
    /// For those who try lines on the rules.
    pub trials: Arc<Permits>,
    /// For messages that are not small, while they come in.
    pub long_messages: Arc<Permits>,
}

impl Default for Work {
    fn default() -> Self {
        Work {
            tree: Permits::new(TREE_READINGS.0, TREE_READINGS.1),
            trials: Permits::new(TRIALS.0, TRIALS.1),
            long_messages: Permits::new(LONG_MESSAGES.0, LONG_MESSAGES.1),
        }
    }
}

impl Service {
    /// The rules in force.
    pub fn rules(&self) -> Arc<RuleSet> {
        self.rules.borrow().clone()
    }

    /// How stored events are read; `None` while they are not stored.
    pub fn store(&self) -> Option<StoreAccess> {
        self.store.borrow().clone()
    }

    /// Why no stored events can be read.
    pub fn no_store(&self) -> Refusal {
        self.counters.journald.get().map_or(Refusal::NotStored, Refusal::Unavailable)
    }

    fn status(&self) -> Status {
        let counters = &self.counters;
        let config = self.config.borrow().clone();
        Status {
            version: env!("CARGO_PKG_VERSION").into(),
            started: int(self.started),
            journal: self.journal.clone(),
            rules: int(self.rules().len() as u64),
            config_files: config.files,
            config_loaded: int(config.loaded),
            config_error: config.error,
            save_to_journald: self.store().is_some(),
            entries_read: int(counters.entries_read.get()),
            entries_matched: int(counters.entries_matched.get()),
            entries_untrusted: int(counters.entries_untrusted.get()),
            entries_covered: int(counters.entries_covered.get()),
            events: int(self.events.count()),
            events_stored: int(counters.events_stored.get()),
            events_not_stored: int(counters.events_not_stored.get()),
            in_flight: int(self.watermark.in_flight() as u64),
            caught_up: counters.caught_up(),
            monitors: int(counters.monitors.get()),
            trouble: counters.trouble(),
            times_deaf: int(counters.times_deaf.get()),
            journal_files_damaged: int(counters.journal_files_damaged.get()),
            journal_entries_damaged: int(counters.journal_entries_damaged.get()),
        }
    }

    /// The daemon's filter of a client's; the device is looked up now. Blocks: it reads sysfs.
    fn filter(&self, wanted: Filter) -> Result<filter::Filter, Refusal> {
        let time = |name: &'static str, time: Option<i64>| {
            let negative = Refusal::Invalid(name, "a time before 1970".into());
            time.map(|t| u64::try_from(t).map_err(|_| negative)).transpose()
        };
        let names = |name: &'static str, list: Option<Vec<String>>| match list {
            Some(list) if list.len() > MOST_NAMES => {
                Err(Refusal::Invalid(name, format!("more than {MOST_NAMES} names; ask for all and choose")))
            }
            list => Ok(list.filter(|list| !list.is_empty())),
        };
        Ok(filter::Filter {
            device: wanted.blk.map(|blk| self.device(&blk)).transpose()?,
            event_types: names("filter.event_types", wanted.event_types)?,
            sub_systems: names("filter.sub_systems", wanted.sub_systems)?,
            severity: wanted.severity.map(Into::into),
            since: time("filter.since", wanted.since)?,
            until: time("filter.until", wanted.until)?,
            event_id: wanted.event_id,
            causes_only: wanted.causes_only.unwrap_or(false),
        })
    }

    /// The names under which a device stands in events. A string that names no present device
    /// is taken as a world wide id.
    fn device(&self, blk: &str) -> Result<Device, Refusal> {
        use peripety_blkinfo::Error;
        match self.devices.tree().block(blk) {
            Ok(block) => {
                let path = block.dev_wwid.is_none().then_some(block.dev_path);
                let mut wwids: Vec<String> = block.dev_wwid.into_iter().collect();
                if !wwids.iter().any(|wwid| wwid == blk) {
                    wwids.push(blk.to_owned());
                }
                Ok(Device { wwids, path })
            }
            Err(Error::NotFound { .. }) => Ok(Device { wwids: vec![blk.to_owned()], path: None }),
            Err(Error::Ambiguous { candidates, .. }) => Err(Refusal::Ambiguous(blk.to_owned(), candidates)),
            Err(e) => Err(Refusal::Unavailable(e.to_string())),
        }
    }
}

/// Why a call is not answered: the errors of `io.peripety`.
#[derive(Debug)]
pub enum Refusal {
    /// The client may not read events.
    Denied,
    /// Events are not kept.
    NotStored,
    /// A parameter makes no sense.
    Invalid(&'static str, String),
    /// No device.
    NotFound(String, String),
    /// Several devices.
    Ambiguous(String, Vec<String>),
    /// Something cannot be read.
    Unavailable(String),
    /// `more` is needed.
    ExpectedMore,
}

impl Refusal {
    /// Replies with the error.
    pub fn reply<C: VarlinkCallError + ?Sized>(self, call: &mut C) -> varlink::Result<()> {
        match self {
            Refusal::Denied => call.reply_permission_denied(
                "events may be read by root and by members of the groups systemd-journal and adm; ask the administrator for \"usermod -aG systemd-journal USER\"".into(),
            ),
            Refusal::NotStored => call.reply_not_stored(
                "events are not kept here: save_to_journald is off; Monitor shows new ones".into(),
            ),
            Refusal::Invalid(parameter, message) => call.reply_invalid_request(parameter.into(), message),
            Refusal::NotFound(blk, message) => call.reply_block_not_found(blk, message),
            Refusal::Ambiguous(blk, candidates) => call.reply_block_ambiguous(blk, candidates),
            Refusal::Unavailable(message) => call.reply_unavailable(message),
            Refusal::ExpectedMore => {
                call.reply_struct(varlink::Reply::error("org.varlink.service.ExpectedMore", None))
            }
        }
    }
}

impl From<peripety_blkinfo::Error> for Refusal {
    fn from(error: peripety_blkinfo::Error) -> Self {
        use peripety_blkinfo::Error;
        let message = error.to_string();
        match error {
            Error::NotFound { device, .. } => Refusal::NotFound(device, message),
            Error::Ambiguous { device, candidates } => Refusal::Ambiguous(device, candidates),
            _ => Refusal::Unavailable(message),
        }
    }
}

/// One call: implements the generated trait.
pub struct Call {
    /// What all calls share.
    pub service: Arc<Service>,
    /// For replies before the last.
    pub writer: FrameWriter,
    /// The client.
    pub peer: Peer,
    /// It takes several replies.
    pub more: bool,
}

impl Call {
    /// The filter of a client that may read events.
    async fn checked_filter(&self, wanted: Option<Filter>) -> Result<filter::Filter, Refusal> {
        if !self.peer.may_read {
            return Err(Refusal::Denied);
        }
        let service = self.service.clone();
        let _permit = self.service.work.tree.acquire(self.peer.uid).await;
        let wanted = wanted.unwrap_or(NO_FILTER);
        blocking(move || service.filter(wanted)).await?
    }
}

const NO_FILTER: Filter = Filter {
    blk: None,
    event_types: None,
    sub_systems: None,
    severity: None,
    since: None,
    until: None,
    event_id: None,
    causes_only: None,
};

/// Runs what reads files away from the async threads.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work).await.map_err(|e| Refusal::Unavailable(e.to_string()))
}

#[async_trait]
impl VarlinkInterface for Call {
    async fn get_block_info(&self, call: &mut dyn Call_GetBlockInfo, blk: String) -> varlink::Result<()> {
        let tree = self.service.devices.tree();
        let _permit = self.service.work.tree.acquire(self.peer.uid).await;
        let found = blocking(move || blocks::block(&tree, &blk)).await;
        match found.and_then(|block| block.map_err(Refusal::from)) {
            Ok(block) => call.reply(block.into()),
            Err(refusal) => refusal.reply(call),
        }
    }

    async fn list_block_info(&self, call: &mut dyn Call_ListBlockInfo) -> varlink::Result<()> {
        match listing::answer(self).await? {
            Ok(()) => Ok(()),
            Err(refusal) => refusal.reply(call),
        }
    }

    async fn get_topology(&self, call: &mut dyn Call_GetTopology, blk: String) -> varlink::Result<()> {
        let tree = self.service.devices.tree();
        let _permit = self.service.work.tree.acquire(self.peer.uid).await;
        let found = blocking(move || blocks::topology(&tree, &blk)).await;
        match found.and_then(|topology| topology.map_err(Refusal::from)) {
            Ok(topology) => {
                let side = |blocks: Vec<&BlockInfo>| blocks.into_iter().cloned().map(Into::into).collect();
                let (below, above) = (side(topology.all_below()), side(topology.all_above()));
                call.reply(topology.block.into(), below, above)
            }
            Err(refusal) => refusal.reply(call),
        }
    }

    async fn get_status(&self, call: &mut dyn Call_GetStatus) -> varlink::Result<()> {
        call.reply(self.service.status())
    }

    async fn list_rules(
        &self,
        _call: &mut dyn Call_ListRules,
        event_types: Option<Vec<String>>,
        sub_systems: Option<Vec<String>>,
        identifiers: Option<Vec<String>>,
    ) -> varlink::Result<()> {
        let wanted = Wanted { event_types, sub_systems, identifiers };
        rules::list(&self.service.rules(), &wanted, &self.writer).await?;
        Ok(())
    }

    async fn test_rule(
        &self,
        call: &mut dyn Call_TestRule,
        line: String,
        identifier: Option<String>,
    ) -> varlink::Result<()> {
        if let Err(refusal) = rules::check_length(&line, self.peer) {
            return refusal.reply(call);
        }
        let permit = self.service.work.trials.acquire(self.peer.uid).await;
        let in_force = self.service.rules();
        let trial = blocking(move || rules::test(&in_force, &line, identifier.as_deref())).await;
        drop(permit);
        match trial {
            Ok((matched, misses)) => call.reply(matched, misses),
            Err(refusal) => refusal.reply(call),
        }
    }

    async fn query(
        &self,
        call: &mut dyn Call_Query,
        filter: Option<Filter>,
        limit: Option<i64>,
        order: Option<Order>,
        cursor: Option<String>,
    ) -> varlink::Result<()> {
        let filter = match self.checked_filter(filter).await {
            Ok(filter) => filter,
            Err(refusal) => return refusal.reply(call),
        };
        query::answer(self, call, filter, limit, order, cursor).await
    }

    async fn monitor(
        &self,
        call: &mut dyn Call_Monitor,
        filter: Option<Filter>,
        since: Option<i64>,
        limit: Option<i64>,
    ) -> varlink::Result<()> {
        if !self.more {
            return Refusal::ExpectedMore.reply(call);
        }
        let filter = match self.checked_filter(filter).await {
            Ok(filter) => filter,
            Err(refusal) => return refusal.reply(call),
        };
        monitor::answer(self, call, filter, since, limit).await
    }
}
