//! A history that is told anything: devices of the fixtures come, go and change places, mount tables are read, messages of
//! the kernel are any bytes. No answer names a device that the name never meant.
#![no_main]

use libfuzzer_sys::fuzz_target;
use peripety_blkinfo::history::{Answer, History, Uevent, Window};
use peripety_blkinfo::BlockInfo;
use peripety_fuzz::{trees, Bytes};
use std::sync::OnceLock;

fn blocks() -> &'static [BlockInfo] {
    static BLOCKS: OnceLock<Vec<BlockInfo>> = OnceLock::new();
    BLOCKS.get_or_init(|| trees().iter().flat_map(|tree| tree.list_all().unwrap_or_default()).collect())
}

fuzz_target!(|data: &[u8]| {
    let mut bytes = Bytes(data);
    let _ = Uevent::parse(data).map(|event| (event.name(), event.old_name()));
    let mut history = History::new("0", Window { after: 0, by: 1 }, []);
    let mut now = 1;
    while !bytes.0.is_empty() {
        now += u64::from(bytes.byte() % 8);
        let block = &blocks()[bytes.below(blocks().len())];
        match bytes.byte() % 9 {
            0 | 1 => history.seen(block.clone(), now),
            2 => history.gone(&block.kdev, block.diskseq.filter(|_| now % 2 == 0), now),
            3 => history.address_gone(block.address.as_deref().unwrap_or("0:0:0:0"), now),
            4 => history.refresh(block.clone(), now),
            5 => history.advance(now),
            6 => history.advance_in_part(now),
            7 => {
                let from = bytes.below(blocks().len());
                let there = blocks().iter().skip(from).take(usize::from(bytes.byte() % 8)).cloned();
                history.resync(Window { after: now, by: now + 1 }, there);
            }
            _ => {
                let tree = &trees()[bytes.below(trees().len())];
                history.mounts(Window { after: now, by: now + 1 }, &tree.mounts().unwrap_or_default());
            }
        }
        check(&history, block, now.saturating_sub(u64::from(bytes.byte() % 16)));
    }
});

fn check(history: &History, block: &BlockInfo, time: u64) {
    if let Answer::Known { block: found, .. } = history.at(&block.kdev, time) {
        assert_eq!(found.kdev, block.kdev);
    }
    if let Some(number) = block.major_minor {
        if let Answer::Known { block: found, .. } = history.at(&number.to_string(), time) {
            assert_eq!(found.major_minor, Some(number));
        }
    }
    if let Some(uuid) = &block.fs_uuid {
        if let Answer::Known { block: found, .. } = history.content_at(uuid, time) {
            assert_eq!(found.fs_uuid.as_ref(), Some(uuid));
        }
    }
    for point in &block.mount_points {
        let _ = history.content_at(point, time);
    }
}
