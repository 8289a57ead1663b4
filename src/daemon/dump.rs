//! `dump_blk_info_at_start`: one event for each block device.

use std::sync::Arc;

use peripety_blkinfo::BlockInfo;

use crate::devices::Devices;
use crate::event::{event_id, EntryTime, EventDraft, Severity, Source, StorageEvent};
use crate::journal::{monotonic_now, now};
use crate::parser::build;
use crate::store::EventOutput;

/// Type of the events.
pub const EVENT_TYPE: &str = "PERIPETY_BLK_INFO";

/// Makes an event of every block device that `prpt list` shows. They are of the time of this start, and new at each.
pub async fn dump(devices: Arc<Devices>, sink: EventOutput) {
    let blocks = match tokio::task::block_in_place(|| devices.tree().list()) {
        Ok(blocks) => blocks,
        Err(e) => return tracing::error!("cannot list the block devices at the start: {e}"),
    };
    let moment = Moment {
        hostname: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        boot_id: devices.boot_id().unwrap_or_default().to_owned(),
        realtime: now(),
        monotonic: monotonic_now(),
    };
    tracing::info!("emitting an event for each of {} block devices (dump_blk_info_at_start)", blocks.len());
    for block in &blocks {
        sink.emit(event(block, &moment), Vec::new()).await;
    }
}

/// When and where the devices were read.
struct Moment {
    hostname: String,
    boot_id: String,
    realtime: u64,
    monotonic: u64,
}

fn event(block: &BlockInfo, moment: &Moment) -> EventDraft {
    let wwid = block.dev_wwid.as_deref().unwrap_or("without a WWID");
    let message = format!("{} is {} {wwid}, {} bytes", block.kdev, block.blk_type, block.size_bytes);
    let time = EntryTime::Received { realtime: moment.realtime, monotonic: moment.monotonic };
    let mut event = EventDraft::from(StorageEvent {
        hostname: moment.hostname.clone(),
        severity: Severity::Info,
        sub_system: "peripety".into(),
        timestamp: moment.realtime,
        event_id: event_id(&moment.boot_id, time, message.as_bytes(), 0),
        event_type: EVENT_TYPE.into(),
        kdev: Some(block.kdev.clone()),
        raw_msg: message.clone(),
        msg: message,
        extension: facts(block).into_iter().collect(),
        repeat_count: 1,
        boot_id: moment.boot_id.clone(),
        source: Source { identifier: "peripetyd".into(), entries: 0, ..Source::default() },
        ..StorageEvent::default()
    });
    build::set_device(&mut event, block);
    build::add_path_detail(&mut event, block);
    let points = block.mount_points.iter().filter(|point| point.starts_with('/'));
    build::set_mount_points(&mut event, points.cloned().collect());
    event
}

/// Fields that the event has elsewhere, or that do not tell what the device is like.
const NOT_DUMPED: [&str; 6] = ["kdev", "dev_path", "dev_wwid", "transport", "address", "diskseq"];

/// The other fields that are one value, under the names of the interface.
fn facts(block: &BlockInfo) -> Vec<(String, String)> {
    let block = peripety_api::BlockInfo::from(block.clone());
    let dumped = block.facts().into_iter().filter(|fact| !NOT_DUMPED.contains(&fact.name));
    dumped.filter_map(|fact| Some((fact.name.to_owned(), fact.value.single()?))).collect()
}
