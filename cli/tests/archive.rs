//! Devices of another machine, from its support archive: without a daemon.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{prpt, run};
use serde_json::Value;

/// A sosreport with what tools printed for people, as its directory.
fn report() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/sosreport/lab")
}

fn asked(from: &Path, arguments: &[&str]) -> String {
    let mut all = vec!["--from", from.to_str().unwrap()];
    let (command, rest) = arguments.split_first().unwrap();
    all.insert(0, command);
    all.extend(rest);
    run(prpt(&all)).ok()
}

fn pack(directory: &Path, archive: &Path) {
    let packed =
        Command::new("tar").arg("-cf").arg(archive).arg("-C").arg(directory).arg(".").status().unwrap();
    assert!(packed.success());
}

#[test]
fn a_device_of_a_sosreport_packed_or_not() {
    let directory = tempfile::tempdir().unwrap();
    let archive = directory.path().join("report.tar");
    pack(&report(), &archive);
    for from in [&report(), &archive] {
        let device: Value = serde_json::from_str(&asked(from, &["info", "-J", "labvg/x"])).unwrap();
        assert_eq!((device["kdev"].as_str(), device["blk_type"].as_str()), (Some("dm-2"), Some("dm-lvm")));
        assert_eq!(device["dev_path"], "/dev/mapper/labvg-x");
        assert_eq!(device["mount_points"], serde_json::json!(["/mnt/d2"]));
        let below: Vec<&str> =
            device["below"].as_array().unwrap().iter().map(|block| block["kdev"].as_str().unwrap()).collect();
        assert_eq!(below.first(), Some(&"dm-0"), "{below:?}");
        assert!(below.contains(&"sdb") && below.contains(&"sdc"), "{below:?}");
        // By its number, as a log line has it, and by where it is mounted.
        for name in ["253:2", "/mnt/d2/file", "/dev/mapper/labvg-x"] {
            assert!(asked(from, &["info", name]).contains("dm-2"), "{name}");
        }
    }
}

#[test]
fn all_devices_as_trees() {
    let list = asked(&report(), &["list"]);
    assert!(list.contains("└─dm-0") && list.contains("/mnt/d1"), "{list}");
}

#[test]
fn a_single_list_is_enough() {
    let lsblk = report().join("sos_commands/block/lsblk");
    assert!(asked(&lsblk, &["info", "sdc"]).contains("/dev/sdc"));
}

#[test]
fn of_several_machines_one_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let hosts = directory.path().join("hosts");
    for (host, map) in [("first", "mpatha"), ("second", "data")] {
        let commands = hosts.join(host).join("sos_commands/multipath");
        fs::create_dir_all(&commands).unwrap();
        fs::write(hosts.join(host).join("hostname"), format!("{host}.example\n")).unwrap();
        let text = format!("{map} (36001405abea000100000000000000000) dm-2 LIO-ORG,FILEIO\n`- 3:0:0:0 sdb 8:16 active undef running\n");
        fs::write(commands.join("multipath_-l"), text).unwrap();
    }
    let archive = directory.path().join("both.tar");
    pack(&hosts, &archive);
    let info = |arguments: &[&str]| {
        let mut all = vec!["info", "dm-2", "--from", archive.to_str().unwrap()];
        all.extend(arguments);
        run(prpt(&all))
    };
    assert!(info(&["--host", "second.example"]).ok().contains("/dev/mapper/data"));
    assert!(info(&["--host", "first"]).ok().contains("/dev/mapper/mpatha"));
    let unnamed = info(&[]).error();
    assert!(unnamed.contains("first.example, second.example") && unnamed.contains("both.tar"), "{unnamed}");
    assert!(info(&["--host", "third"]).error().contains("third"));
}

#[test]
fn what_cannot_be_read_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let fails = |from: &Path| run(prpt(&["info", "sda", "--from", from.to_str().unwrap()])).error();
    assert!(fails(&at("missing.tar")).contains("missing.tar"));
    fs::write(at("notes.txt"), "To see the devices, call lsblk.\n").unwrap();
    assert!(fails(&at("notes.txt")).contains("no list of block devices"));
    // Half a JSON text: the file and the line.
    fs::write(at("lsblk.json"), "{\"blockdevices\": [\n  {\"name\": \"sda\",\n").unwrap();
    let damaged = fails(&at("lsblk.json"));
    assert!(damaged.contains("lsblk.json, line 3: damaged JSON"), "{damaged}");
    // An archive that was cut off: what is behind the cut is missing, and reported.
    pack(&report(), &at("whole.tar"));
    let whole = fs::read(at("whole.tar")).unwrap();
    fs::write(at("half.tar"), &whole[..whole.len() / 2]).unwrap();
    let half = run(prpt(&["list", "--from", at("half.tar").to_str().unwrap()]));
    assert!(half.stderr.contains("half.tar"), "{}", half.stderr);
}

#[test]
fn options_that_exclude_each_other() {
    let usage = run(prpt(&["info", "sda", "--local", "--from", "x.tar"])).usage();
    assert!(usage.contains("--from"), "{usage}");
    assert!(run(prpt(&["list", "--host", "a"])).usage().contains("--from"));
}
