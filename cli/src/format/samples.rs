//! Answers for the tests of the formats.

use std::collections::BTreeMap;

use peripety_api::{BlockInfo, BlockPath, NotifierStatus, Severity, Status, StorageEvent};

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn text(word: &str) -> Option<String> {
    Some(word.to_owned())
}

/// An ext4 file system that was mounted from a logical volume on a multipath device.
pub fn event() -> StorageEvent {
    let extension = [("mount_point", "/mnt/data"), ("fs_type", "ext4")];
    StorageEvent {
        hostname: "host1".to_owned(),
        severity: Severity::Info,
        sub_system: "ext4".to_owned(),
        timestamp: 1_779_387_436_123_456,
        event_id: "0cfb1b57-2d9e-5a0c-8a3e-1b7e3b1f0f4d".to_owned(),
        event_type: "FS_MOUNTED".to_owned(),
        dev_wwid: text("47841ee5-047d-4f73-8951-5a3d7a4c770e"),
        dev_path: text("/dev/mapper/vg-lv"),
        owners_wwids: texts(&["LVM-jM0Tz8", "mpath-333333330000007d0"]),
        owners_paths: texts(&["/dev/mapper/vg-lv", "/dev/mapper/mpatha"]),
        kdev: text("dm-1"),
        msg: "Filesystem was mounted".to_owned(),
        raw_msg: "EXT4-fs (dm-1): mounted filesystem with ordered data mode".to_owned(),
        extension: extension.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        repeat_count: 1,
        boot_id: "5b6f2b6c3f3e4c0c9b7d6f1e2a3b4c5d".to_owned(),
        source: peripety_api::Source {
            identifier: "kernel".to_owned(),
            first: None,
            last: None,
            entries: 1,
            file: None,
            lines: Vec::new(),
        },
        ..StorageEvent::default()
    }
}

/// A logical volume with everything.
pub fn info() -> BlockInfo {
    BlockInfo {
        kdev: "dm-1".to_owned(),
        major_minor: Some("253:1".to_owned()),
        dev_path: "/dev/mapper/vg-lv".to_owned(),
        blk_type: "dm-lvm".to_owned(),
        dev_wwid: text("LVM-jM0Tz8"),
        owners_wwids: texts(&["mpath-333333330000007d0"]),
        owners_paths: texts(&["/dev/mapper/mpatha", "/dev/sda"]),
        slaves: texts(&["sda"]),
        paths: vec![path()],
        serial: text("S1"),
        removable: Some(false),
        rotational: Some(true),
        read_only: Some(true),
        holders: texts(&["dm-2"]),
        size: 10_737_418_240,
        fs_type: text("ext4"),
        fs_uuid: text("47841ee5-047d-4f73-8951-5a3d7a4c770e"),
        fs_label: text("data"),
        mount_points: texts(&["/mnt/data", "/srv/with space"]),
        transport: text("iSCSI"),
        extension: BTreeMap::from([("lv_name".to_owned(), "lv".to_owned())]),
        ..BlockInfo::default()
    }
}

fn path() -> BlockPath {
    BlockPath {
        kdev: "sdb".to_owned(),
        address: text("2:0:0:1"),
        state: text("running"),
        access_state: text("active/optimized"),
        preferred: Some(true),
        dm_state: text("active"),
        ..BlockPath::default()
    }
}

/// The disk below [`info`].
pub fn disk() -> BlockInfo {
    let (kdev, dev_path, blk_type) = ("sda".to_owned(), "/dev/sda".to_owned(), "scsi".to_owned());
    BlockInfo { kdev, dev_path, blk_type, dev_wwid: text("naa.5000"), ..bare_info() }
}

/// A loop device with nothing.
pub fn bare_info() -> BlockInfo {
    BlockInfo {
        kdev: "loop0".to_owned(),
        major_minor: Some("7:0".to_owned()),
        dev_path: "/dev/loop0".to_owned(),
        blk_type: "loop".to_owned(),
        removable: Some(false),
        size: 512 * 1024,
        ..BlockInfo::default()
    }
}

/// A daemon whose numbers tell its counters apart.
pub fn status() -> Status {
    Status {
        version: "0.1.0".to_owned(),
        started: 1_779_387_436_123_456,
        journal: "local journal".to_owned(),
        rules: 7,
        config_files: vec!["/etc/peripetyd.conf".to_owned()],
        config_loaded: 1_779_387_436_123_456,
        config_error: Some("/etc/peripetyd.conf:1:1: bad".to_owned()),
        save_to_journald: false,
        entries_read: 8,
        entries_matched: 9,
        entries_untrusted: 10,
        entries_covered: 11,
        events: 12,
        events_stored: 13,
        events_not_stored: 1,
        in_flight: 14,
        caught_up: true,
        monitors: 15,
        trouble: Some("the local journal is written and not read".to_owned()),
        times_deaf: 2,
        journal_files_damaged: 3,
        journal_entries_damaged: 4,
        events_damaged: 5,
        notifiers: vec![NotifierStatus {
            name: "page".to_owned(),
            kind: "exec".to_owned(),
            delivered: 5,
            failed: 6,
            lost: 7,
            backlog: 8,
            last_error: text("exit 1"),
            last_error_at: Some(1_779_387_436_123_456),
        }],
    }
}
