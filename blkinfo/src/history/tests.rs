//! Sequences that happen on real machines.

use super::*;
use crate::info::BlkType;
use crate::name::DevNumber;

/// A SCSI disk with nothing on it.
pub(super) fn block(
    kdev: &str,
    number: DevNumber,
    address: &str,
    id: &str,
    diskseq: Option<u64>,
) -> BlockInfo {
    let tree = crate::Tree::recorded("# peripety device tree 1\n").unwrap();
    let device = crate::device::Device::absent(&tree, kdev);
    BlockInfo {
        major_minor: Some(number),
        address: Some(address.to_owned()),
        blk_type: BlkType::Scsi,
        dev_wwid: Some(format!("disk-{id}")),
        diskseq,
        ..tree.describe(&device)
    }
}

fn disk(kdev: &str, minor: u32, id: &str, diskseq: u64) -> BlockInfo {
    block(kdev, DevNumber { major: 8, minor }, &format!("2:0:0:{minor}"), id, Some(diskseq))
}

/// A look that takes no time.
pub(super) fn at(time: u64) -> Window {
    Window { after: time, by: time }
}

fn who(history: &History, name: &str, time: u64) -> Option<String> {
    match history.at(name, time) {
        Answer::Known { block, .. } => block.dev_wwid.clone(),
        Answer::Uncertain | Answer::Absent => None,
    }
}

fn here(mut block: BlockInfo) -> BlockInfo {
    block.present_since = Some(0);
    block
}

#[test]
fn a_disk_goes_and_another_takes_its_name() {
    let mut history = History::new("b", at(100), [here(disk("sdb", 16, "old", 1))]);
    history.advance(200);
    history.gone("sdb", Some(1), 210);
    history.advance(210);
    history.seen(disk("sdb", 16, "new", 2), 300);
    history.advance(300);
    for name in ["sdb", "[sdb]", "8:16", "b8:16", "/dev/sdb"] {
        assert_eq!(who(&history, name, 200).as_deref(), Some("disk-old"), "{name}");
        assert_eq!(history.at(name, 205), Answer::Uncertain, "{name}: it went about then");
        assert_eq!(history.at(name, 295), Answer::Uncertain, "{name}: the new one came about then");
        assert_eq!(who(&history, name, 300).as_deref(), Some("disk-new"), "{name}");
    }
    assert_eq!(history.at("sdc", 200), Answer::Absent);
}

/// "Synchronize Cache failed" is logged after the block device went, with the SCSI address.
#[test]
fn last_words_by_the_address() {
    let mut history = History::new("b", at(100), [here(disk("sdb", 16, "old", 1))]);
    history.gone("sdb", Some(1), 210);
    history.advance(210);
    history.advance(230);
    assert_eq!(who(&history, "2:0:0:16", 220).as_deref(), Some("disk-old"));
    assert_eq!(who(&history, "sdb", 220), None);
    history.address_gone("2:0:0:16", 240);
    history.advance(240);
    assert_eq!(who(&history, "+scsi:2:0:0:16", 230).as_deref(), Some("disk-old"));
    assert_eq!(who(&history, "2:0:0:16", 240), None);
}

#[test]
fn a_message_about_the_disk_before_comes_late() {
    let mut history = History::new("b", at(100), [here(disk("sdb", 16, "new", 2))]);
    history.gone("sdb", Some(1), 210);
    history.advance(220);
    assert_eq!(who(&history, "sdb", 220).as_deref(), Some("disk-new"));
}

#[test]
fn a_map_is_renamed() {
    let map = |name: &str| BlockInfo { dev_path: format!("/dev/mapper/{name}"), ..disk("dm-0", 0, "map", 5) };
    let mut history = History::new("b", at(100), [here(map("a"))]);
    history.advance(200);
    history.seen(here(map("b")), 210);
    history.advance(210);
    assert_eq!(who(&history, "/dev/mapper/a", 200).as_deref(), Some("disk-map"));
    assert_eq!(who(&history, "/dev/mapper/a", 210), None);
    assert_eq!(who(&history, "/dev/mapper/b", 210).as_deref(), Some("disk-map"));
    assert_eq!(who(&history, "dm-0", 205).as_deref(), Some("disk-map"), "its other names stay");
    assert_eq!(who(&history, "dm-0-8", 205).as_deref(), Some("disk-map"), "a journal on it");
}

/// A loop device whose file was taken away has the old sequence number for a moment.
#[test]
fn an_identity_is_learned_and_not_lost() {
    let nameless = |diskseq| BlockInfo { dev_wwid: None, ..disk("loop0", 0, "", diskseq) };
    let mut history = History::new("b", at(100), [nameless(1)]);
    history.advance(200);
    history.seen(disk("loop0", 0, "file", 1), 210);
    history.advance(220);
    assert_eq!(who(&history, "loop0", 150).as_deref(), Some("disk-file"));
    history.seen(nameless(1), 230);
    history.advance(240);
    history.seen(disk("loop0", 0, "other", 2), 250);
    history.advance(260);
    assert_eq!(who(&history, "loop0", 220).as_deref(), Some("disk-file"));
    assert_eq!(who(&history, "loop0", 240), None);
    assert_eq!(who(&history, "loop0", 250).as_deref(), Some("disk-other"));
}

#[test]
fn the_daemon_was_away() {
    let (stays, goes) = (here(disk("sda", 0, "stays", 1)), here(disk("sdb", 16, "goes", 2)));
    let mut history = History::new("b", at(100), [stays.clone(), goes]);
    history.advance(200);
    history.resync(at(500), [stays, disk("sdb", 16, "comes", 3)]);
    assert_eq!(who(&history, "sda", 350).as_deref(), Some("disk-stays"), "its sequence number is the same");
    assert_eq!(who(&history, "sdb", 200).as_deref(), Some("disk-goes"));
    assert_eq!(history.at("sdb", 350), Answer::Uncertain);
    assert_eq!(who(&history, "sdb", 500).as_deref(), Some("disk-comes"));
}

#[test]
fn ten_thousand_come_and_go() {
    let mut history = History::new("b", at(0), []);
    for round in 0..10u64 {
        for n in 0..1_000u32 {
            history.seen(
                disk(&format!("sd{n}"), n, &format!("{round}"), round * 1_000 + u64::from(n)),
                round * 10 + 1,
            );
        }
        history.advance(round * 10 + 5);
        for n in 0..1_000u32 {
            history.gone(&format!("sd{n}"), None, round * 10 + 6);
            history.address_gone(&format!("2:0:0:{n}"), round * 10 + 6);
        }
        history.advance(round * 10 + 9);
    }
    assert_eq!(who(&history, "sd7", 93).as_deref(), Some("disk-9"));
    assert_eq!(history.at("sd7", 99), Answer::Absent);
    assert!(history.ended.len() <= MAX_ENDED && history.len() <= MAX_ENDED);
    assert_eq!(who(&history, "sd7", 3), None, "so old that it is forgotten");
}

/// What happens while somebody looks is given afterwards.
#[test]
fn a_disk_goes_while_all_are_looked_at() {
    let mut history = History::new("b", Window { after: 100, by: 120 }, [here(disk("sda", 0, "a", 1))]);
    history.gone("sda", Some(1), 130);
    history.advance(140);
    assert_eq!(who(&history, "sda", 100).as_deref(), Some("disk-a"));
    assert_eq!(history.at("sda", 110), Answer::Uncertain);
    assert_eq!(history.at("sda", 135), Answer::Absent);
}

/// What is the same as before need not be saved again.
#[test]
fn the_generation_goes_up_with_changes_only() {
    let mut history = History::new("b", at(100), [here(disk("sda", 0, "a", 1))]);
    let before = history.generation();
    history.advance(200);
    history.seen(here(disk("sda", 0, "a", 1)), 210);
    history.refresh(here(disk("sda", 0, "a", 1)), 215);
    history.resync(at(220), [here(disk("sda", 0, "a", 1))]);
    history.gone("sdb", None, 230);
    assert_eq!(history.generation(), before);
    history.refresh(BlockInfo { mount_points: vec!["/".into()], ..here(disk("sda", 0, "a", 1)) }, 235);
    let mounted = history.generation();
    assert!(mounted > before);
    history.gone("sda", Some(1), 240);
    assert!(history.generation() > mounted);
}

/// A history that was saved when it changed last, and how far it is complete, are the history.
#[test]
fn what_was_told_is_saved_apart() {
    let mut history = History::new("b", at(100), [here(disk("sda", 0, "a", 1))]);
    history.mounts(at(100), &[]);
    let saved = history.clone();
    history.advance(200);
    history.advance_in_part(210);
    history.advance_mounts(220);
    let mut again = saved.clone();
    again.catch_up(&history.progress());
    assert_eq!(again, history);
    assert_eq!(history.progress().generation(), saved.generation());
    history.seen(disk("sdb", 16, "b", 2), 230);
    let mut late = saved.clone();
    late.catch_up(&history.progress());
    assert_eq!(late, saved, "that is about a later one");
    let mut other = History { boot_id: "c".into(), ..saved.clone() };
    other.catch_up(&again.progress());
    assert_eq!(other.complete_until(), 100);
}

#[test]
fn the_same_device_seen_again() {
    let (old, now) = (disk("sda", 0, "a", 1), here(disk("sda", 0, "a", 1)));
    assert!(old.is_same(&now) && BlockInfo { dev_wwid: None, ..old.clone() }.is_same(&now));
    assert!(!old.is_same(&BlockInfo { dev_wwid: None, ..now.clone() }), "an identity is not lost");
    assert!(!old.is_same(&disk("sda", 0, "a", 2)) && !old.is_same(&disk("sdb", 0, "a", 1)));
    let unnumbered = |block: &BlockInfo| BlockInfo { diskseq: None, ..block.clone() };
    assert!(unnumbered(&now).is_same(&unnumbered(&now)));
    assert!(!unnumbered(&old).is_same(&unnumbered(&old)), "nothing tells");
}

/// Messages may be missing: only the device itself proves that it still has its name.
#[test]
fn not_all_was_told() {
    let mut history = History::new("b", at(100), [here(disk("sdb", 16, "old", 1))]);
    history.advance(200);
    let ask = |history: &History, time, same| match history.at_or_look("sdb", time, 500, |_| same) {
        Answer::Known { block, present } => Some((block.dev_wwid.clone().unwrap(), present)),
        _ => None,
    };
    assert_eq!(history.at("sdb", 300), Answer::Uncertain);
    assert_eq!(ask(&history, 300, true), Some(("disk-old".to_owned(), true)));
    assert_eq!(ask(&history, 300, false), None);
    assert_eq!(ask(&history, 501, true), None, "after the look");
    history.seen(disk("sdb", 16, "new", 2), 400);
    assert_eq!(ask(&history, 300, true), None, "one or the other");
    assert_eq!(ask(&history, 450, true), Some(("disk-new".to_owned(), true)));
    assert_eq!(ask(&history, 150, false), Some(("disk-old".to_owned(), false)));
    history.gone("sdb", Some(2), 460);
    assert_eq!(ask(&history, 450, true), None);
}

/// A disk is lost while containers come and go: the message about it came.
#[test]
fn a_disk_goes_while_not_all_is_told() {
    let mut history =
        History::new("b", at(100), [here(disk("sdb", 16, "old", 1)), here(disk("sdc", 32, "c", 2))]);
    history.advance(200);
    history.advance_in_part(400);
    history.gone("sdb", Some(1), 410);
    history.gone("sdc", None, 410);
    history.advance_in_part(420);
    assert_eq!(who(&history, "sdb", 390).as_deref(), Some("disk-old"));
    assert_eq!(history.at("sdb", 405), Answer::Uncertain);
    assert_eq!(history.at("sdc", 390), Answer::Uncertain, "perhaps another disk's message");
}
