//! What `peripetyd parse` prints for people: tables, the order of events, and what it says when there is none.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use super::{events, parse};

fn written(log: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("log"), log).unwrap();
    directory
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn rows(directory: &Path) -> Vec<Value> {
    let output = parse(&["--summary=devices", "-o", "json", "log"], directory);
    events(&output)[0].as_array().unwrap().clone()
}

const QUIET: &str = "[    1.000000] usb 1-1: new high-speed USB device number 4 using xhci_hcd\n";

#[test]
fn no_event_is_reported_with_what_was_understood() {
    let directory =
        written(&format!("{QUIET}no head here\n[    2.000000] frobnicator 1-1: request failed\n"));
    let output = parse(&["log"], directory.path());
    let text = "peripetyd: no storage event: 3 lines, 2 with a known time stamp, 2 of the kernel, 1 that look like a problem \
        but match no rule (see --unmatched); first line without a known header: log:2: no head here\n";
    assert_eq!((String::from_utf8(output.stderr).unwrap().as_str(), output.status.code()), (text, Some(3)));
    let output = parse(&["-o", "json", "log"], directory.path());
    let object: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(
        (output.status.code(), &object["lines"], &object["unmatched"]),
        (Some(3), &3.into(), &1.into())
    );
    let first = serde_json::json!({"file": "log", "line": 2, "text": "no head here"});
    assert_eq!(object["first_not_understood"], first);
    // Events that are not wanted are events.
    let directory = written("[    1.000000] XFS (dm-0): log I/O error -5\n");
    let output = parse(&["--severity", "emergency", "log"], directory.path());
    assert_eq!(
        (out(&output).as_str(), output.stderr.as_slice(), output.status.code()),
        ("", &b""[..], Some(0))
    );
}

#[test]
fn lines_that_no_rule_takes_are_printed() {
    let log = "[    1.000000] frobnicator 1-1: request failed\n[    2.000000] XFS (dm-0): log I/O error -5\n\
        Nov 24 12:48:14 h app[7]: request failed\n[    3.000000] frobnicator 1-1: ready\n";
    let directory = written(log);
    let output = parse(&["--unmatched", "log"], directory.path());
    assert_eq!(out(&output), "log:1: [    1.000000] frobnicator 1-1: request failed\n");
    let output = parse(&["--unmatched", "-o", "json", "log"], directory.path());
    assert_eq!(events(&output)[0]["line"], 1);
}

/// What repeats has its count and its last time, in the order of the first times; the time since the boot is no date.
#[test]
fn text_is_in_the_order_of_time() {
    let mut log = String::new();
    for second in 100..104 {
        writeln!(log, "[{second:5}.000000] XFS (dm-0): log I/O error -5").unwrap();
    }
    log += "[  103.500000] XFS (dm-1): log I/O error -5\n";
    let directory = written(&log);
    let text = out(&parse(&["log"], directory.path()));
    assert!(text.starts_with("+0d 00:01:40.000 - Critical xfs FS_IO_ERROR dm-0 "), "{text}");
    assert!(text.contains(" times, last +0d 00:01:43.000)\n"), "{text}");
    let times: Vec<&str> = text.lines().filter_map(|line| line.get(..16)).collect();
    assert!(times.len() > 2 && times.is_sorted(), "{text}");
    assert!(!text.contains("1970"), "{text}");
}

#[test]
fn a_summary_counts_by_device() {
    let log = "[   12.345678] XFS (dm-0): log I/O error -5\n".repeat(3)
        + "[   99.000000] XFS (dm-1): log I/O error -5\n";
    let directory = written(&log);
    let all = rows(directory.path());
    assert_eq!((all[0]["device"].as_str(), all[0]["count"].as_u64()), (Some("dm-0"), Some(3)));
    assert_eq!((all[1]["device"].as_str(), all[1]["last"].as_u64()), (Some("dm-1"), Some(99_000_000)));
    let text = out(&parse(&["--summary=devices", "log"], directory.path()));
    assert!(text.starts_with("DEVICE") && text.lines().count() == 3, "{text}");
    assert!(text.contains("+0d 00:01:39"), "{text}");
    assert_eq!(parse(&["--summary=colours", "log"], directory.path()).status.code(), Some(2));
}

/// Of a counted event, LAST is when it happened last.
#[test]
fn a_summary_has_the_last_time() {
    let mut log = String::new();
    for second in (100..160).step_by(10) {
        writeln!(log, "[{second:5}.000000] nvme nvme0: failed to connect socket: -111").unwrap();
    }
    let all = rows(written(&log).path());
    let times = |key: &str| all.iter().filter_map(|row| row[key].as_u64()).collect::<Vec<u64>>();
    assert_eq!((times("first"), times("last")), (vec![100_000_000], vec![150_000_000]), "{all:#?}");
    assert_eq!(times("count"), [6]);
}

/// An event of several lines counts under each of its types.
#[test]
fn a_summary_counts_all_types_of_an_event() {
    let log = "\
[  100.000000] sd 2:0:0:1: [sdb] tag#3 FAILED Result: hostbyte=DID_OK driverbyte=DRIVER_OK cmd_age=0s\n\
[  100.000001] sd 2:0:0:1: [sdb] tag#3 Sense Key : Medium Error [current] \n\
[  100.000002] sd 2:0:0:1: [sdb] tag#3 Add. Sense: Unrecovered read error\n\
[  100.000003] sd 2:0:0:1: [sdb] tag#3 CDB: Read(10) 28 00 00 00 12 30 00 00 08 00\n\
[  100.000004] critical medium error, dev sdb, sector 4656 op 0x0:(READ) flags 0x800 phys_seg 1 prio class 2\n";
    let all = rows(written(log).path());
    let types: Vec<&str> = all.iter().filter_map(|row| row["event_type"].as_str()).collect();
    assert!(types.contains(&"SCSI_CMD_RESULT") && types.contains(&"BLK_IO_ERROR"), "{types:?}");
    assert!(all.iter().all(|row| row["device"] == "sdb"), "{all:#?}");
}

/// Two adapters, of which one is back: two devices, though the lines name no block device.
#[test]
fn a_summary_tells_apart_what_is_no_block_device() {
    let log = "\
[  100.000000] qla2xxx [0000:81:00.0]-500b:1: LOOP DOWN detected (2 7 0 0).\n\
[  200.000000] qla2xxx [0000:82:00.0]-500b:2: LOOP DOWN detected (2 7 0 0).\n\
[  210.000000] qla2xxx [0000:82:00.0]-500a:2: LOOP UP detected (16 Gbps).\n";
    let all = rows(written(log).path());
    let of = |device: &str| all.iter().filter(|row| row["device"] == device).count();
    assert_eq!((of("0000:81:00.0"), of("0000:82:00.0"), of("-")), (1, 2, 0), "{all:#?}");
}

/// One disk under the names that lists give it is one device; the same name on two hosts is two.
#[test]
fn a_summary_merges_by_identity_and_splits_by_host() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::write(
        at("lsblk.json"),
        r#"{"blockdevices":[{"kname":"sdb","maj:min":"8:16","type":"disk","path":"/dev/sdb","hctl":"2:0:0:1","wwn":"0x5000c5007817bb36"}]}"#,
    )
    .unwrap();
    fs::write(
        at("dmesg"),
        "[    1.000000] sd 2:0:0:1: Device offlined - not ready after error recovery\n\
         [  100.000000] I/O error, dev sdb, sector 8 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2\n",
    )
    .unwrap();
    let output = parse(&["--summary=devices", "-o", "json", "."], directory.path());
    let all = events(&output)[0].as_array().unwrap().clone();
    assert!(all.len() >= 2 && all.iter().all(|row| row["device"] == "/dev/sdb"), "{all:#?}");
    let log = "\
Nov 24 12:48:14 a kernel: XFS (dm-0): log I/O error -5\n\
Nov 24 12:48:15 b kernel: XFS (dm-0): log I/O error -5\n";
    let text = out(&parse(&["--summary=devices", "log"], written(log).path()));
    assert!(text.starts_with("HOST") && text.lines().count() == 3, "{text}");
}

/// The worst first; of equally bad ones the earliest.
#[test]
fn a_summary_is_sorted_by_severity_and_time() {
    let log = "\
[    1.000000] EXT4-fs (sda1): Remounting filesystem read-only\n\
[    2.000000] Buffer I/O error on dev sdc, logical block 1, async page read\n\
[    3.000000] XFS (dm-0): log I/O error -5\n\
[    4.000000] XFS (dm-1): log I/O error -5\n";
    let all = rows(written(log).path());
    let severities = ["Emergency", "Alert", "Critical", "Error", "Warning"];
    let rank = |row: &Value| severities.iter().position(|name| row["severity"] == *name).unwrap();
    let keys: Vec<(usize, u64)> = all.iter().map(|row| (rank(row), row["first"].as_u64().unwrap())).collect();
    assert!(keys.len() == 4 && keys.is_sorted(), "{all:#?}");
}
