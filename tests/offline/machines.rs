//! `peripetyd parse` on support archives of which only what tools print for people is known.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{events, parse, tar, text};

/// A sosreport without lists for programs.
fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sosreport")
}

/// All files of the report, as members of an archive in this directory.
fn members(directory: &str) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    let mut todo = vec![fixture().join("lab")];
    while let Some(next) = todo.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
                continue;
            }
            let inside = path.strip_prefix(fixture().join("lab")).unwrap();
            all.push((format!("{directory}/{}", inside.display()), fs::read(&path).unwrap()));
        }
    }
    all.sort();
    all
}

/// The device fields of events.
fn device_fields(events: &[Value]) -> Vec<Value> {
    const KEYS: [&str; 7] =
        ["timestamp", "event_type", "kdev", "dev_wwid", "dev_path", "owners_wwids", "owners_paths"];
    let one = |event: &Value| {
        let mut fields: serde_json::Map<String, Value> =
            KEYS.iter().map(|key| ((*key).to_owned(), event[*key].clone())).collect();
        fields.insert("mount_point".into(), event["extension"]["mount_point"].clone());
        Value::Object(fields)
    };
    events.iter().map(one).collect()
}

/// What the report says of its devices comes into the events: identity, map, volume, mount point. `BLESS=1` writes the
/// expectation.
#[test]
fn a_report_for_people_says_what_its_devices_are() {
    let file = fixture().join("expected.jsonl");
    let found = device_fields(&events(&parse(&["-o", "json", "lab"], &fixture())));
    let found: String = found.iter().map(|event| format!("{event}\n")).collect();
    if std::env::var_os("BLESS").is_some() {
        fs::write(&file, &found).unwrap();
    }
    assert_eq!(found, fs::read_to_string(&file).unwrap_or_default());
}

/// Two machines in one archive, each packed by itself: the devices of one are not those of the other.
#[test]
fn machines_in_one_archive_are_kept_apart() {
    let directory = tempfile::tempdir().unwrap();
    let packed = |files: &[(String, Vec<u8>)]| {
        let files: Vec<(&str, &[u8])> =
            files.iter().map(|(name, data)| (name.as_str(), data.as_slice())).collect();
        tar(&files)
    };
    let first = packed(&members("sosreport-lab"));
    let log = b"2026-11-24T12:50:20+00:00 other kernel: XFS (dm-2): log I/O error -5\n";
    let second = packed(&[
        ("sosreport-other/hostname".into(), b"other\n".to_vec()),
        ("sosreport-other/proc/stat".into(), b"btime 1795524000\n".to_vec()),
        (
            "sosreport-other/sos_commands/multipath/multipath_-l".into(),
            b"data (36001405abea000100000000000000000) dm-2 LIO-ORG,FILEIO\n`- 3:0:0:0 sdb 8:16 active undef running\n".to_vec(),
        ),
        ("sosreport-other/var/log/messages".into(), log.to_vec()),
    ]);
    fs::write(directory.path().join("both.tar"), tar(&[("first.tar", &first), ("second.tar", &second)]))
        .unwrap();
    let found = events(&parse(&["-o", "json", "both.tar"], directory.path()));
    let of = |member: &str| -> Vec<String> {
        let from =
            |event: &&Value| text(&event["source"], "file").ends_with(member) && event["kdev"] == "dm-2";
        found.iter().filter(from).map(|event| text(event, "dev_path")).collect()
    };
    assert_eq!(of("first.tar/sosreport-lab/var/log/messages"), ["", "/dev/mapper/labvg-x"]);
    assert_eq!(of("second.tar/sosreport-other/var/log/messages"), ["/dev/mapper/data"]);
}

/// Lists of two moments between which a name changed hands: nothing is made up.
#[test]
fn contradictions_give_no_identity() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("a.txt"), "mpatha (36001405abea000100000000000000000) dm-0 LIO-ORG,FILEIO\n").unwrap();
    fs::write(at("dmesg"), "[   12.345678] XFS (dm-0): log I/O error -5\n").unwrap();
    let wwids = || events(&parse(&["-o", "json", "."], directory.path()))[0]["owners_wwids"].clone();
    assert_eq!(wwids(), serde_json::json!(["mpath-36001405abea000100000000000000000"]));
    fs::write(at("b.txt"), "mpathb (36001405abea000200000000000000000) dm-0 LIO-ORG,FILEIO\n").unwrap();
    assert_eq!(wwids(), serde_json::json!([]));
}
