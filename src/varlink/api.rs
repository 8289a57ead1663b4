//! The methods of `io.peripety`.

use std::sync::Arc;

use peripety_api::{
    blocks, Device, ErrorReply, Filter, GetBlockInfoParameters, GetBlockInfoReply, GetStatusReply,
    GetTopologyParameters, GetTopologyReply, MethodCall, MonitorParameters, NotifierStatus, QueryParameters,
    Status, TestRuleParameters, TestRuleReply,
};
use peripety_blkinfo::BlockInfo;
use tokio::sync::watch;

use super::frame::{FrameWriter, Gone};
use super::peer::Peer;
use super::{listing, monitor, query, rules, service};
use crate::bus::{EventBus, Outbox, Watermark};
use crate::config::ConfigState;
use crate::counters::Counters;
use crate::devices::Devices;
use crate::notifier::status::{self, Board};
use crate::permits::Permits;
use crate::rules::RuleSet;
use crate::store::access::StoreAccess;
use crate::store::filter::Selection;

/// Readings of the device tree at the same time, and those of one user.
const TREE_READINGS: (usize, usize) = (4, 2);
/// Lines that are tried on the rules at the same time, and those of one user.
const TRIALS: (usize, usize) = (2, 1);
/// Messages of up to 1 MiB that come in at the same time, and those of one user.
const LONG_MESSAGES: (usize, usize) = (16, 8);
/// Maximum number of names in a list of a filter: each costs time in journald's index.
const MAX_NAMES: usize = 64;

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
    /// What is counted of the notifiers.
    pub notifiers: Arc<Board>,
    /// What waits for them.
    pub outbox: Outbox,
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
    pub work: WorkPermits,
}

/// Permits, by kind of work. Stored events have their own: [`StoreAccess`].
#[derive(Debug)]
pub struct WorkPermits {
    /// For those who read the device tree.
    pub tree: Arc<Permits>,
    /// For those who try lines on the rules.
    pub trials: Arc<Permits>,
    /// For messages that are not small, while they come in.
    pub long_messages: Arc<Permits>,
}

impl Default for WorkPermits {
    fn default() -> Self {
        WorkPermits {
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
    pub fn no_store(&self) -> ErrorReply {
        let message = "events are not kept here: save_to_journald is off; Monitor shows new ones";
        let off = || ErrorReply::NotStored { message: message.into() };
        self.counters.journald.get().map_or_else(off, unavailable)
    }

    /// The state; with the texts of errors for a client that may read events.
    fn status(&self, may_read: bool) -> Status {
        let counters = &self.counters;
        let config = self.config.borrow().clone();
        Status {
            version: env!("CARGO_PKG_VERSION").into(),
            started: self.started,
            journal: self.journal.clone(),
            rules: self.rules().len() as u64,
            config_files: config.files,
            config_loaded: config.loaded,
            config_error: config.error,
            save_to_journald: self.store().is_some(),
            entries_read: counters.entries_read.get(),
            entries_matched: counters.entries_matched.get(),
            entries_untrusted: counters.entries_untrusted.get(),
            entries_covered: counters.entries_covered.get(),
            events: self.events.count(),
            events_stored: counters.events_stored.get(),
            events_not_stored: counters.events_not_stored.get(),
            in_flight: self.watermark.in_flight() as u64,
            caught_up: counters.caught_up(),
            monitors: counters.monitors.get(),
            trouble: counters.trouble(),
            times_deaf: counters.times_deaf.get(),
            journal_files_damaged: counters.journal_files_damaged.get(),
            journal_entries_damaged: counters.journal_entries_damaged.get(),
            events_damaged: counters.events_damaged.get(),
            notifiers: self.notifiers.all().iter().map(|status| self.notifier(status, may_read)).collect(),
        }
    }

    fn notifier(&self, status: &status::Status, may_read: bool) -> NotifierStatus {
        let error = status.last_error();
        NotifierStatus {
            name: status.name.clone(),
            kind: status.kind().into(),
            delivered: status.delivered.get(),
            failed: status.failed.get(),
            lost: status.lost.get(),
            backlog: status.backlog(&self.outbox),
            last_error_at: error.as_ref().map(|error| error.at),
            // It may quote events.
            last_error: error.filter(|_| may_read).map(|error| error.text),
        }
    }

    /// Resolves a client's filter, including its device. Blocks, because it reads sysfs.
    fn select(&self, mut filter: Filter) -> Result<Selection, ErrorReply> {
        for (name, list) in
            [("event_types", &mut filter.event_types), ("sub_systems", &mut filter.sub_systems)]
        {
            if list.as_ref().is_some_and(|list| list.len() > MAX_NAMES) {
                let message = format!("more than {MAX_NAMES} names; ask for all and choose");
                return Err(invalid(&format!("filter.{name}"), &message));
            }
            list.take_if(|list| list.is_empty());
        }
        let device = filter.blk.take().map(|blk| self.device(&blk)).transpose()?;
        Ok(Selection { filter, device })
    }

    /// The names of a device in events. A string that names no present device
    /// is treated as a WWID.
    fn device(&self, blk: &str) -> Result<Device, ErrorReply> {
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
            Err(Error::Ambiguous { candidates, .. }) => {
                Err(ErrorReply::BlockAmbiguous { blk: blk.to_owned(), candidates })
            }
            Err(e) => Err(unavailable(e.to_string())),
        }
    }
}

/// A parameter makes no sense.
pub fn invalid(parameter: &str, message: &str) -> ErrorReply {
    ErrorReply::InvalidRequest { parameter: parameter.into(), message: message.into() }
}

/// Something cannot be read.
pub fn unavailable(message: String) -> ErrorReply {
    ErrorReply::Unavailable { message }
}

/// The client may not read events.
fn denied() -> ErrorReply {
    let message = "events may be read by root and by members of the groups systemd-journal and adm; ask the administrator for \"usermod -aG systemd-journal USER\"";
    ErrorReply::PermissionDenied { message: message.into() }
}

/// The error for a device lookup that failed.
fn no_block(error: peripety_blkinfo::Error) -> ErrorReply {
    use peripety_blkinfo::Error;
    let message = error.to_string();
    match error {
        Error::NotFound { device, .. } => ErrorReply::BlockNotFound { blk: device, message },
        Error::Ambiguous { device, candidates } => ErrorReply::BlockAmbiguous { blk: device, candidates },
        _ => unavailable(message),
    }
}

/// Why a call has no (further) reply.
#[derive(Debug)]
pub enum Failure {
    /// An error of the interface is to be replied.
    Refused(ErrorReply),
    /// The method answers several times, and `more` is missing.
    ExpectedMore,
    /// The client is gone.
    Gone,
}

impl From<ErrorReply> for Failure {
    fn from(error: ErrorReply) -> Self {
        Failure::Refused(error)
    }
}

impl From<Gone> for Failure {
    fn from(_: Gone) -> Self {
        Failure::Gone
    }
}

/// One call of a client.
pub struct Call {
    /// What all calls share.
    pub service: Arc<Service>,
    /// For the replies.
    pub writer: FrameWriter,
    /// The client.
    pub peer: Peer,
    /// The call accepts several replies.
    pub more: bool,
}

impl Call {
    /// Answers it.
    pub async fn answer(&self, method: MethodCall) -> Result<(), Gone> {
        let answered = match method {
            MethodCall::GetBlockInfo(parameters) => self.get_block_info(parameters).await,
            MethodCall::GetStatus(_) => self.get_status().await,
            MethodCall::GetTopology(parameters) => self.get_topology(parameters).await,
            MethodCall::ListBlockInfo(_) => listing::answer(self).await,
            MethodCall::ListRules(wanted) => {
                rules::list(&self.service.rules(), &wanted, &self.writer).await.map_err(Failure::from)
            }
            MethodCall::Monitor(parameters) => self.monitor(parameters).await,
            MethodCall::Query(parameters) => self.query(parameters).await,
            MethodCall::TestRule(parameters) => self.test_rule(parameters).await,
        };
        match answered {
            Ok(()) => Ok(()),
            Err(Failure::Refused(error)) => self.writer.refuse(&error).await,
            Err(Failure::ExpectedMore) => service::expected_more(&self.writer).await,
            Err(Failure::Gone) => Err(Gone),
        }
    }

    /// What a client selects that may read events.
    async fn selection(&self, wanted: Option<Filter>) -> Result<Selection, ErrorReply> {
        if !self.peer.may_read {
            return Err(denied());
        }
        let service = self.service.clone();
        let _permit = self.service.work.tree.acquire(self.peer.uid).await;
        blocking(move || service.select(wanted.unwrap_or_default())).await?
    }

    async fn get_block_info(&self, wanted: GetBlockInfoParameters) -> Result<(), Failure> {
        let tree = self.service.devices.tree();
        let _permit = self.service.work.tree.acquire(self.peer.uid).await;
        let block = blocking(move || blocks::block(&tree, &wanted.blk)).await?.map_err(no_block)?;
        Ok(self.writer.reply(&GetBlockInfoReply { info: block.into() }, false).await?)
    }

    async fn get_topology(&self, wanted: GetTopologyParameters) -> Result<(), Failure> {
        let tree = self.service.devices.tree();
        let _permit = self.service.work.tree.acquire(self.peer.uid).await;
        let topology = blocking(move || blocks::topology(&tree, &wanted.blk)).await?.map_err(no_block)?;
        let side = |blocks: Vec<&BlockInfo>| blocks.into_iter().cloned().map(Into::into).collect();
        let (below, above) = (side(topology.all_below()), side(topology.all_above()));
        let reply = GetTopologyReply { info: topology.block.into(), below, above };
        Ok(self.writer.reply(&reply, false).await?)
    }

    async fn get_status(&self) -> Result<(), Failure> {
        let status = self.service.status(self.peer.may_read);
        Ok(self.writer.reply(&GetStatusReply { status }, false).await?)
    }

    async fn test_rule(
        &self,
        TestRuleParameters { line, identifier }: TestRuleParameters,
    ) -> Result<(), Failure> {
        rules::check_length(&line, self.peer)?;
        let permit = self.service.work.trials.acquire(self.peer.uid).await;
        let in_force = self.service.rules();
        let trial =
            blocking(move || crate::rules::shown::test(&in_force, &line, identifier.as_deref())).await;
        drop(permit);
        let (matched, misses) = trial?;
        Ok(self.writer.reply(&TestRuleReply { matched, misses }, false).await?)
    }

    async fn query(&self, wanted: QueryParameters) -> Result<(), Failure> {
        let selection = self.selection(wanted.filter).await?;
        query::answer(self, selection, wanted.limit, wanted.order, wanted.cursor).await
    }

    async fn monitor(&self, wanted: MonitorParameters) -> Result<(), Failure> {
        if !self.more {
            return Err(Failure::ExpectedMore);
        }
        let selection = self.selection(wanted.filter).await?;
        monitor::answer(self, selection, wanted.since, wanted.limit).await
    }
}

/// Reads block devices away from the async threads.
pub async fn list_blocks(service: &Service) -> Result<Vec<BlockInfo>, ErrorReply> {
    let tree = service.devices.tree();
    blocking(move || blocks::list(&tree)).await?.map_err(no_block)
}

/// Runs what reads files away from the async threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ErrorReply> {
    tokio::task::spawn_blocking(work).await.map_err(|e| unavailable(e.to_string()))
}
