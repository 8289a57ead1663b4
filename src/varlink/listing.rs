//! The method ListBlockInfo.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use peripety_api::ErrorReply;
use peripety_blkinfo::BlockInfo;

use super::api::{list_blocks, Call, Failure};
use super::frame::Gone;

/// How long the list is kept while the client reads nothing of it.
const GRACE: Duration = Duration::from_millis(250);

/// Replies with all block devices. With thousands of devices the list takes megabytes: if the client is slow, it is
/// dropped, and read again when the client continues.
pub async fn answer(call: &Call) -> Result<(), Failure> {
    let mut rest = read(call).await?;
    let mut reply = call.writer.list("infos");
    let mut sent = Sent::default();
    while let Some(block) = rest.blocks.next() {
        sent.add(&block);
        let block = peripety_api::BlockInfo::from(block);
        let mut sending = pin!(reply.item(&block));
        if in_time(&mut sending).await.transpose()?.is_some() {
            continue;
        }
        drop(rest);
        sending.await?;
        // The beginning is sent: an error can only end the connection.
        rest = read(call).await.map_err(|_| Gone)?;
        sent.skip(&mut rest.blocks);
    }
    drop(rest);
    Ok(reply.end::<()>(&[]).await?)
}

/// The result, if it comes before the client counts as slow.
async fn in_time<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    tokio::time::timeout(GRACE, future).await.ok()
}

/// Block devices and the permit to hold them.
struct List {
    blocks: std::vec::IntoIter<BlockInfo>,
    _permit: crate::permits::Permit,
}

async fn read(call: &Call) -> Result<List, ErrorReply> {
    let permit = call.service.work.tree.acquire(call.peer.uid).await;
    let blocks = list_blocks(&call.service).await?;
    Ok(List { blocks: blocks.into_iter(), _permit: permit })
}

/// How far the list was sent.
#[derive(Default)]
struct Sent {
    count: usize,
    last: String,
}

impl Sent {
    fn add(&mut self, block: &BlockInfo) {
        self.count += 1;
        self.last.clone_from(&block.kdev);
    }

    /// Leaves the devices that are still to be sent of a list that was read again.
    fn skip(&self, blocks: &mut std::vec::IntoIter<BlockInfo>) {
        let skipped = self.skipped(blocks.as_slice().iter().map(|block| block.kdev.as_str()));
        blocks.by_ref().take(skipped).for_each(drop);
    }

    /// How many devices of a new list were sent.
    fn skipped<'n>(&self, mut kdevs: impl Iterator<Item = &'n str>) -> usize {
        // When the last one is gone, about as many as were sent lie before its place.
        kdevs.position(|kdev| kdev == self.last).map_or(self.count.saturating_sub(1), |place| place + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_was_read_again_goes_on_behind_the_last_device() {
        let sent = Sent { count: 2, last: "sdb".into() };
        for (kdevs, left) in [
            (["sda", "sdb", "sdc"], 1),
            (["dm-0", "sda", "sdb"], 0),
            (["sdb", "sdc", "sdd"], 2),
            (["sda", "sdc", "sdd"], 2),
        ] {
            assert_eq!(kdevs.len() - sent.skipped(kdevs.into_iter()), left, "{kdevs:?}");
        }
    }
}
