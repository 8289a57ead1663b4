//! Lines about a disk that has no name yet, or has none any more.

use super::tests::{at, block};
use super::*;
use crate::mounts::Mount;
use crate::name::DevNumber;

const SECOND: u64 = 1_000_000;
const UUID: &str = "47841ee5-047d-4f73-8951-5a3d7a4c770e";

fn disk(kdev: &str, address: &str, id: &str, diskseq: u64) -> BlockInfo {
    block(kdev, DevNumber { major: 8, minor: 16 }, address, id, Some(diskseq))
}

fn claim(name: &str, address: &str, time: u64) -> Claim {
    Claim { name: name.to_owned(), address: address.to_owned(), time }
}

fn who(probed: &Probed) -> Option<&str> {
    match probed {
        Probed::By(block) => block.dev_wwid.as_deref(),
        Probed::NotYet | Probed::Nobody => None,
    }
}

/// A history that listens from second 1 on.
fn listening() -> History {
    History::new("b", at(SECOND), [])
}

fn comes(history: &mut History, disk: BlockInfo, time: u64) {
    history.advance(time - 20_000);
    history.seen(disk, time);
    history.advance(time);
}

#[test]
fn a_new_disk_has_errors_before_the_uevent_about_it() {
    let mut history = listening();
    let line = claim("sdb", "2:0:0:1", 10 * SECOND);
    assert_eq!(history.probed("sdb", 10 * SECOND, [&line]), Probed::NotYet);
    assert_eq!(history.probed("sdb", 10 * SECOND, []), Probed::NotYet, "nobody ever had the name");
    comes(&mut history, disk("sdb", "2:0:0:1", "new", 7), 11 * SECOND);
    assert_eq!(who(&history.probed("sdb", 10 * SECOND, [&line])), Some("disk-new"));
    assert_eq!(who(&history.probed("sdb", 10 * SECOND, [])), Some("disk-new"));
    assert_eq!(history.probed("sdb", 2 * SECOND, []), Probed::Nobody, "so long before it cannot be this one");
    assert_eq!(history.probed("sdc", 10 * SECOND, []), Probed::NotYet);
    let other = claim("sdb", "2:0:0:2", 10 * SECOND);
    assert_eq!(history.probed("sdb", 10 * SECOND, [&other]), Probed::Nobody, "another address");
}

#[test]
fn a_name_that_another_disk_had_needs_the_address() {
    let mut history = listening();
    comes(&mut history, disk("sdb", "2:0:0:1", "old", 7), 5 * SECOND);
    history.advance(8 * SECOND);
    history.gone("sdb", Some(7), 8 * SECOND);
    history.address_gone("2:0:0:1", 8 * SECOND);
    history.advance(9 * SECOND);
    let line = claim("sdb", "3:0:0:1", 10 * SECOND);
    assert_eq!(history.probed("sdb", 10 * SECOND, []), Probed::Nobody, "it may be about the old disk");
    assert_eq!(history.probed("sdb", 10 * SECOND, [&line]), Probed::NotYet);
    comes(&mut history, disk("sdb", "3:0:0:1", "new", 8), 11 * SECOND);
    assert_eq!(who(&history.probed("sdb", 10 * SECOND, [&line])), Some("disk-new"));
    assert_eq!(history.probed("sdb", 9 * SECOND, [&line]), Probed::Nobody, "before the line that proves it");
    assert_eq!(who(&history.probed("sdb", 10 * SECOND + 5, [&line])), Some("disk-new"), "after it");
}

/// The address itself was another disk's meanwhile.
#[test]
fn an_address_that_is_used_again_proves_nothing() {
    let mut history = listening();
    let line = claim("sdb", "2:0:0:1", 10 * SECOND);
    // The SCSI device of the line went before it had a block device.
    history.advance(10 * SECOND + 1);
    history.address_gone("2:0:0:1", 10 * SECOND + 2);
    comes(&mut history, disk("sdb", "2:0:0:1", "new", 8), 11 * SECOND);
    assert_eq!(history.probed("sdb", 10 * SECOND, [&line]), Probed::Nobody);

    let mut history = listening();
    comes(&mut history, disk("sdc", "2:0:0:1", "other", 8), 10 * SECOND + 500_000);
    history.gone("sdc", Some(8), 10 * SECOND + 600_000);
    history.address_gone("2:0:0:1", 10 * SECOND + 600_000);
    comes(&mut history, disk("sdb", "2:0:0:1", "new", 9), 11 * SECOND);
    assert_eq!(history.probed("sdb", 10 * SECOND, [&line]), Probed::Nobody);
}

/// While there was no listener, other devices may have appeared and disappeared.
#[test]
fn a_name_alone_proves_nothing_of_a_time_without_messages() {
    let mut history = listening();
    history.advance(10 * SECOND);
    history.resync(at(11 * SECOND), [disk("sdb", "2:0:0:1", "new", 7)]);
    assert_eq!(history.probed("sdb", 10 * SECOND, []), Probed::Nobody);
}

#[test]
fn the_last_words_about_a_disk() {
    let mut history = listening();
    comes(&mut history, disk("sdb", "2:0:0:1", "old", 7), 5 * SECOND);
    let last = |history: &History, name: &str, time: u64| {
        history.last_holder(name, time).and_then(|block| block.dev_wwid.clone())
    };
    assert_eq!(last(&history, "sdb", 6 * SECOND), None, "it is there");
    history.advance(8 * SECOND);
    history.gone("sdb", Some(7), 9 * SECOND);
    history.advance(9 * SECOND);
    assert_eq!(last(&history, "sdb", 8 * SECOND + 1).as_deref(), Some("disk-old"), "it went about then");
    assert_eq!(last(&history, "sdb", 20 * SECOND).as_deref(), Some("disk-old"));
    assert_eq!(last(&history, "sdb", 4 * SECOND), None, "before it was there");
    history.advance(20 * SECOND);
    history.seen(disk("sdb", "3:0:0:1", "new", 8), 22 * SECOND);
    assert_eq!(last(&history, "sdb", 21 * SECOND), None, "or the next one");
    assert_eq!(last(&history, "sdb", 19 * SECOND).as_deref(), Some("disk-old"));
}

fn mount() -> Mount {
    Mount {
        id: 40,
        major_minor: DevNumber { major: 8, minor: 16 },
        root: "/".to_owned(),
        mount_point: "/mnt".to_owned(),
        fs_type: "ext4".to_owned(),
        source: "/dev/sdb".to_owned(),
    }
}

/// Tells that nothing came or went, and that this is mounted.
fn mounted(history: &mut History, time: u64, table: &[Mount]) {
    history.advance(time);
    history.mounts(at(time), table);
}

#[test]
fn a_removed_disk_whose_file_system_is_mounted_still() {
    let mut history = listening();
    comes(&mut history, disk("sdb", "2:0:0:1", "old", 7), 5 * SECOND);
    mounted(&mut history, 6 * SECOND, &[]);
    mounted(&mut history, 7 * SECOND, &[mount()]);
    history.gone("sdb", Some(7), 8 * SECOND);
    mounted(&mut history, 9 * SECOND, &[mount()]);
    let found = history.mounted_and_gone("sdb", 9 * SECOND).unwrap();
    assert_eq!(
        (found.dev_wwid.as_deref(), found.mount_points.as_slice()),
        (Some("disk-old"), &["/mnt".to_owned()][..])
    );
    mounted(&mut history, 10 * SECOND, &[]);
    assert_eq!(history.mounted_and_gone("sdb", 11 * SECOND), None, "it was unmounted");
    assert!(history.mounted_and_gone("sdb", 9 * SECOND).is_some(), "but not yet then");
}

/// udev does not know the file system yet, or not any more.
#[test]
fn a_mounted_file_system_keeps_its_uuid() {
    let with =
        |uuid: Option<&str>| BlockInfo { fs_uuid: uuid.map(str::to_owned), ..disk("sdb", "2:0:0:1", "a", 7) };
    let mut history = listening();
    comes(&mut history, with(None), 5 * SECOND);
    mounted(&mut history, 6 * SECOND, &[]);
    history.note_file_system("sdb", UUID, 7 * SECOND);
    assert_eq!(history.mounted_uuid(&with(None)), Some(UUID), "from the line about the mount");
    mounted(&mut history, 8 * SECOND, &[mount()]);
    let stale = with(Some("00000000-0000-0000-0000-00000000000a"));
    assert_eq!(history.mounted_uuid(&stale), Some(UUID), "udev has not looked since mkfs");
    history.gone("sdb", Some(7), 9 * SECOND);
    mounted(&mut history, 10 * SECOND, &[mount()]);
    assert_eq!(history.mounted_uuid(&with(None)), Some(UUID), "the disk is gone");
    mounted(&mut history, 20 * SECOND, &[]);
    assert_eq!(history.mounted_uuid(&with(None)), None, "it is mounted no more");

    let mut history = listening();
    comes(&mut history, with(Some(UUID)), 5 * SECOND);
    mounted(&mut history, 6 * SECOND, &[]);
    mounted(&mut history, 7 * SECOND, &[mount()]);
    history.refresh(with(None), 8 * SECOND);
    assert_eq!(history.mounted_uuid(&with(None)), Some(UUID), "udev could not read it again");
    let other = BlockInfo { diskseq: Some(8), ..with(None) };
    assert_eq!(history.mounted_uuid(&other), None, "another disk of that name");
}

/// A namespace with these controllers.
fn namespace(kdev: &str, controllers: &str) -> BlockInfo {
    let mut block = BlockInfo {
        address: None,
        blk_type: crate::BlkType::Nvme,
        major_minor: Some(DevNumber { major: 259, minor: kdev.len() as u32 }),
        ..disk(kdev, "", kdev, 7)
    };
    block.extension = crate::Extension::from_iter([("controllers".to_owned(), controllers.to_owned())]);
    block
}

#[test]
fn lines_about_a_controller_that_is_removed() {
    let mut history = listening();
    comes(&mut history, namespace("nvme0n1", "nvme0 nvme1"), 5 * SECOND);
    let found = |history: &History, time| match history.at("nvme1", time) {
        Answer::Known { block, present } => Some((block.kdev.clone(), present)),
        _ => None,
    };
    assert_eq!(found(&history, 5 * SECOND), Some(("nvme0n1".to_owned(), true)));
    history.advance(6 * SECOND);
    history.controller_gone("nvme1", 7 * SECOND);
    history.advance(7 * SECOND);
    assert_eq!(found(&history, 6 * SECOND), Some(("nvme0n1".to_owned(), false)));
    assert_eq!(history.at("nvme1", 7 * SECOND + 1), Answer::Absent);
    assert_eq!(history.last_holder("nvme1", 7 * SECOND + 1).unwrap().kdev, "nvme0n1");
    assert_eq!(history.at("nvme0", 7 * SECOND), history.at("nvme0n1", 7 * SECOND), "the other one stays");
    // Another namespace on the controller: one of two is not guessed.
    comes(&mut history, namespace("nvme0n12", "nvme0"), 8 * SECOND);
    assert_eq!(history.at("nvme0", 8 * SECOND), Answer::Uncertain);
    assert_eq!(found(&history, 6 * SECOND), Some(("nvme0n1".to_owned(), false)));
}

/// A disk behind a remote port of a Fibre Channel network.
fn behind_port(kdev: &str, address: &str, minor: u32) -> BlockInfo {
    let mut block = BlockInfo {
        major_minor: Some(DevNumber { major: 8, minor }),
        ..disk(kdev, address, kdev, u64::from(minor) + 1)
    };
    block.extension = crate::Extension::from_iter([("rport".to_owned(), "rport-3:0-0".to_owned())]);
    block
}

#[test]
fn lines_about_a_remote_port_that_is_removed() {
    let mut history = listening();
    comes(&mut history, behind_port("sdq", "3:0:0:0", 0), 5 * SECOND);
    let found = |history: &History, time| match history.at("rport-3:0-0", time) {
        Answer::Known { block, .. } => Some(block.kdev.clone()),
        _ => None,
    };
    assert_eq!(found(&history, 5 * SECOND).as_deref(), Some("sdq"));
    history.advance(6 * SECOND);
    history.gone("sdq", Some(1), 7 * SECOND);
    history.advance(7 * SECOND);
    assert_eq!(found(&history, 6 * SECOND).as_deref(), Some("sdq"));
    assert_eq!(history.last_holder("rport-3:0-0", 8 * SECOND).unwrap().kdev, "sdq");
    // Two disks behind the port: neither is guessed.
    for (kdev, address, minor) in [("sdr", "3:0:0:1", 16), ("sds", "3:0:0:2", 32)] {
        comes(&mut history, behind_port(kdev, address, minor), 9 * SECOND);
    }
    assert_eq!(found(&history, 9 * SECOND), None);
}
