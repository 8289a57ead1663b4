//! Devices that are asked for by what lay on them, when they are gone.

use super::tests::{at, block};
use super::*;
use crate::info::Owner;
use crate::mounts::Mount;
use crate::name::DevNumber;

const UUID: &str = "47841ee5-047d-4f73-8951-5a3d7a4c770e";

fn disk(kdev: &str, minor: u32, id: &str, uuid: Option<&str>) -> BlockInfo {
    let number = DevNumber { major: 8, minor };
    let block = block(kdev, number, &format!("2:0:0:{minor}"), id, Some(id.len() as u64));
    BlockInfo { fs_uuid: uuid.map(str::to_owned), present_since: Some(0), ..block }
}

fn who(answer: &Answer) -> Option<&str> {
    match answer {
        Answer::Known { block, .. } => block.dev_wwid.as_deref(),
        Answer::Uncertain | Answer::Absent => None,
    }
}

fn mount(point: &str, minor: u32) -> Mount {
    mount_with_id(point, minor, 40 + minor)
}

fn mount_with_id(point: &str, minor: u32, id: u32) -> Mount {
    Mount {
        id,
        major_minor: DevNumber { major: 8, minor },
        root: "/".to_owned(),
        mount_point: point.to_owned(),
        fs_type: "ext4".to_owned(),
        source: "x".to_owned(),
    }
}

/// Tells that nothing came or went, and that this is mounted.
fn give(history: &mut History, time: u64, table: &[Mount]) {
    history.advance(time);
    history.mounts(at(time), table);
}

#[test]
fn a_file_system_of_a_disk_that_is_gone() {
    let mut history = History::new("b", at(100), [disk("sdb", 16, "a", Some(UUID))]);
    history.advance(200);
    history.gone("sdb", None, 210);
    history.advance(220);
    assert_eq!(who(&history.content_at(UUID, 150)), Some("disk-a"));
    assert_eq!(who(&history.content_at(&UUID.to_uppercase(), 200)), Some("disk-a"));
    assert_eq!(history.content_at(UUID, 205), Answer::Uncertain, "it went about then");
    assert_eq!(history.content_at(UUID, 215), Answer::Absent);
    assert_eq!(history.content_at("other", 150), Answer::Absent);
}

/// A snapshot has the UUID of its origin; a map has that of its paths and is meant.
#[test]
fn several_have_the_file_system() {
    let mut map = disk("dm-0", 1, "map", Some(UUID));
    map.owners = vec![Owner { kdev: "sdb".to_owned(), dev_path: "/dev/sdb".to_owned(), dev_wwid: None }];
    let (path, copy) = (disk("sdb", 16, "path", Some(UUID)), disk("sdc", 32, "a copy", Some(UUID)));
    let mut history = History::new("b", at(100), [map, path]);
    history.advance(200);
    assert_eq!(who(&history.content_at(UUID, 150)), Some("disk-map"));
    history.seen(copy, 300);
    history.advance(310);
    assert_eq!(who(&history.content_at(UUID, 150)), Some("disk-map"), "the copy was not there yet");
    assert_eq!(history.content_at(UUID, 250), Answer::Uncertain);
    assert_eq!(history.content_at(UUID, 305), Answer::Uncertain);
}

/// What was moved from one disk to another lay on the first one before.
#[test]
fn a_file_system_that_was_somewhere_else() {
    let (from, to) = (disk("sdb", 16, "from", Some(UUID)), disk("sdc", 32, "to", None));
    let mut history = History::new("b", at(100), [from, to]);
    history.advance(200);
    history.seen(disk("sdc", 32, "to", Some(UUID)), 210);
    history.seen(disk("sdb", 16, "from", None), 220);
    history.advance(230);
    assert_eq!(history.content_at(UUID, 150), Answer::Uncertain);
    assert_eq!(who(&history.content_at(UUID, 225)), Some("disk-to"));
}

#[test]
fn a_place_where_first_one_and_then_the_other_was_mounted() {
    let (one, two) = (disk("sdb", 16, "one", None), disk("sdc", 32, "two!", None));
    let mut history = History::new("b", at(100), [one, two]);
    give(&mut history, 200, &[mount("/mnt", 16)]);
    give(&mut history, 300, &[mount("/mnt", 16)]);
    give(&mut history, 400, &[mount("/mnt", 32)]);
    give(&mut history, 500, &[]);
    history.gone("sdb", None, 600);
    history.gone("sdc", None, 600);
    history.advance(700);
    assert_eq!(history.content_at("/mnt", 150), Answer::Absent, "nobody had looked yet");
    assert_eq!(who(&history.content_at("/mnt", 250)), Some("disk-one"));
    assert_eq!(history.content_at("/mnt", 350), Answer::Uncertain);
    assert_eq!(who(&history.content_at("/mnt", 400)), Some("disk-two!"));
    assert_eq!(history.content_at("/mnt", 450), Answer::Uncertain);
    assert_eq!(history.content_at("/mnt", 550), Answer::Absent);
    assert_eq!(history.content_at("/other", 250), Answer::Absent);
}

/// A disk that was pulled out is mounted still; its number may be another one's when it is not.
#[test]
fn mounted_and_gone() {
    let mut history = History::new("b", at(100), [disk("sdb", 16, "one", None)]);
    give(&mut history, 200, &[mount("/mnt", 16)]);
    history.gone("sdb", None, 250);
    give(&mut history, 300, &[mount("/mnt", 16)]);
    history.advance_mounts(350);
    assert_eq!(who(&history.content_at("/mnt", 340)), Some("disk-one"));
    assert_eq!(history.content_at("/mnt", 360), Answer::Uncertain, "not complete yet");
    // In one go: unmounted, another disk of the number, mounted under the number of the old mount.
    history.seen(disk("sdb", 16, "two!", None), 400);
    give(&mut history, 500, &[mount("/mnt", 16)]);
    give(&mut history, 600, &[mount("/mnt", 16)]);
    assert_eq!(who(&history.content_at("/mnt", 550)), Some("disk-two!"));
    assert_eq!(history.content_at("/mnt", 450), Answer::Uncertain);
}

/// The table shows the holder of a number while it was read: a disk that appeared in the meantime is not certain to be meant.
#[test]
fn a_disk_comes_while_the_table_is_read() {
    let mut history = History::new("b", at(100), []);
    history.advance(200);
    history.seen(disk("sdb", 16, "one", None), 250);
    history.advance(300);
    history.mounts(Window { after: 220, by: 260 }, &[mount("/mnt", 16)]);
    history.advance(400);
    history.advance_mounts(400);
    assert_eq!(history.content_at("/mnt", 350), Answer::Uncertain);
    // Another mount there later.
    give(&mut history, 500, &[mount_with_id("/mnt", 16, 99)]);
    give(&mut history, 600, &[mount_with_id("/mnt", 16, 99)]);
    assert_eq!(who(&history.content_at("/mnt", 600)), Some("disk-one"));
}

#[test]
fn what_is_remembered_has_an_end() {
    let mut history = History::new("b", at(100), [disk("sdb", 16, "one", None)]);
    for round in 0..6_000u64 {
        let point = format!("/mnt/{round}");
        give(&mut history, 200 + round * 10, &[mount(&point, 16)]);
        let uuid = format!("uuid-{round}");
        history.seen(disk("sdb", 16, "one", Some(&uuid)), 205 + round * 10);
    }
    give(&mut history, 1_000_000, &[]);
    assert_eq!(history.content_at("/mnt/0", 200), Answer::Absent);
    assert_eq!(who(&history.content_at("/mnt/5990", 200 + 59_900)), Some("disk-one"));
    assert_eq!(history.content_at("uuid-5999", 150), Answer::Uncertain, "others were lost since");
    assert!(history.lost.len() <= 1024);
}
