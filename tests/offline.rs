//! `peripetyd parse`: every form of log, archives, what is broken or means harm.
//!
//! A case is a directory of tests/fixtures/offline with `input.log` and `expected.jsonl`. `BLESS=1 cargo test --test all offline`
//! writes the expectation, which you then read line by line. All cases tell the same incident.

#[path = "offline/archives.rs"]
mod archives;
#[path = "offline/faults.rs"]
mod faults;
#[path = "offline/forms.rs"]
mod forms;
#[path = "offline/machines.rs"]
mod machines;
#[path = "offline/report.rs"]
mod report;
#[path = "offline/times.rs"]
mod times;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn parse_command(arguments: &[&str], directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peripetyd"));
    command.arg("parse").args(arguments).current_dir(directory).env("TZ", "UTC").stdin(Stdio::null());
    command
}

fn parse(arguments: &[&str], directory: &Path) -> Output {
    parse_command(arguments, directory).output().unwrap()
}

fn events(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The cases. Their logs are of this day, by which a year that is missing is found.
fn cases() -> Vec<PathBuf> {
    static CASES: std::sync::OnceLock<Vec<PathBuf>> = std::sync::OnceLock::new();
    CASES.get_or_init(prepared).clone()
}

fn prepared() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/offline");
    let mut cases: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    let day = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_795_600_000);
    for case in &cases {
        fs::File::options().append(true).open(case.join("input.log")).unwrap().set_modified(day).unwrap();
    }
    cases
}

fn text(event: &Value, key: &str) -> String {
    event[key].as_str().unwrap_or_default().to_owned()
}

#[test]
fn every_form_gives_what_is_expected() {
    for case in cases() {
        let output = parse(&["-o", "json", "input.log"], &case);
        let found = String::from_utf8(output.stdout).unwrap();
        let file = case.join("expected.jsonl");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&file, &found).unwrap();
        }
        assert_eq!(found, fs::read_to_string(&file).unwrap_or_default(), "{}", case.display());
    }
}

/// The events are the same in every form, whatever it contains of times and writers.
#[test]
fn one_incident_in_all_forms_gives_the_same_events() {
    let found_in = |case: &Path| -> Vec<(String, String, String)> {
        let events = events(&parse(&["-o", "json", "input.log"], case));
        let kernel = events.iter().filter(|event| event["source"]["identifier"] == "kernel");
        let mut found: Vec<_> = kernel
            .map(|event| (text(event, "event_type"), text(event, "kdev"), text(event, "msg")))
            .collect();
        found.sort();
        found
    };
    let all = cases();
    let export = all.iter().find(|case| case.ends_with("export")).unwrap();
    let expected = found_in(export);
    assert_eq!(expected.len(), 4, "{expected:#?}");
    for case in &all {
        assert_eq!(found_in(case), expected, "{}", case.display());
    }
}

/// Copies of a journal have the identifiers that the daemon gives.
#[test]
fn copies_of_a_journal_have_the_same_identifiers() {
    let ids = |name: &str| -> Vec<String> {
        let case = cases().into_iter().find(|case| case.ends_with(name)).unwrap();
        events(&parse(&["-o", "json", "input.log"], &case))
            .iter()
            .map(|event| text(event, "event_id"))
            .collect()
    };
    let export = ids("export");
    assert_eq!(export.len(), 5);
    for name in ["json", "json-pretty", "json-sse", "json-seq", "json-bytes"] {
        assert_eq!(ids(name), export, "{name}");
    }
}

#[test]
fn lines_that_the_kernel_did_not_write() {
    let directory = tempfile::tempdir().unwrap();
    let line = r#"{"SYSLOG_IDENTIFIER":"kernel","_TRANSPORT":"T","SYSLOG_FACILITY":"F","MESSAGE":"XFS (dm-0): log I/O error -5"}"#;
    for (transport, facility, count) in [("kernel", "0", 1), ("kernel", "1", 0), ("syslog", "0", 0)] {
        let line =
            line.replace("\"T\"", &format!("\"{transport}\"")).replace("\"F\"", &format!("\"{facility}\""));
        fs::write(directory.path().join("x"), line).unwrap();
        assert_eq!(
            events(&parse(&["-o", "json", "x"], directory.path())).len(),
            count,
            "{transport} {facility}"
        );
    }
}

const LOG: &str = "[   12.345678] XFS (dm-0): log I/O error -5\n";

/// A tar archive of files.
fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, data) in files {
        let mut head = [0u8; 512];
        head[..name.len()].copy_from_slice(name.as_bytes());
        head[124..135].copy_from_slice(format!("{:011o}", data.len()).as_bytes());
        head[156] = b'0';
        head[257..263].copy_from_slice(b"ustar\0");
        head[148..156].copy_from_slice(b"        ");
        let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
        head[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        archive.extend(head);
        archive.extend(*data);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.extend([0; 1024]);
    archive
}

fn gz(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn packed_files_and_archives_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let inner = gz(&tar(&[("deep/dmesg", LOG.as_bytes())]));
    let archive = tar(&[
        ("sos/dmesg", LOG.as_bytes()),
        ("sos/var/log/messages.gz", &gz(b"Nov 24 12:48:14 host kernel: XFS (dm-1): log I/O error -5\n")),
        ("sos/sys/block/sda/size", b"1000\n"),
        ("sos/core", &[0x7f; 2000]),
        ("../../etc/dmesg", LOG.as_bytes()),
        ("inner.tar.gz", &inner),
    ]);
    let xz = {
        let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
        encoder.write_all(&archive).unwrap();
        encoder.finish().unwrap()
    };
    let bz2 = {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(&archive).unwrap();
        encoder.finish().unwrap()
    };
    let packed = [
        ("a.tar", archive.clone()),
        ("a.tgz", gz(&archive)),
        ("a.xz", xz),
        ("a.bz2", bz2),
        ("a.zst", zstd::encode_all(&archive[..], 1).unwrap()),
    ];
    for (name, data) in packed {
        fs::write(directory.path().join(name), data).unwrap();
        let output = parse(&["-o", "json", name], directory.path());
        let files: Vec<String> = events(&output).iter().map(|event| text(&event["source"], "file")).collect();
        let expected = ["sos/dmesg", "sos/var/log/messages.gz", "../../etc/dmesg", "inner.tar.gz/deep/dmesg"];
        assert_eq!(files, expected.map(|member| format!("{name}/{member}")), "{name}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("skipped: 2 files that are not logs"), "{said}");
    }
}

#[test]
fn what_is_broken_or_means_harm() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let run = |name: &str| {
        let output = parse(&["-o", "json", name], directory.path());
        (events(&output), String::from_utf8(output.stderr).unwrap(), output.status.code())
    };
    // A file that ends early: what is there counts, and it is said.
    let mut cut = gz(LOG.repeat(20_000).as_bytes());
    cut.truncate(cut.len() / 2);
    fs::write(at("cut.gz"), cut).unwrap();
    let (found, said, code) = run("cut.gz");
    assert!(
        !found.is_empty() && said.contains("cut.gz: the rest cannot be read") && code == Some(0),
        "{said}"
    );
    // A line of 20 MB.
    let mut long = LOG.as_bytes().to_vec();
    long.extend(vec![b'x'; 20_000_000]);
    long.extend(b"\n");
    long.extend(LOG.as_bytes());
    fs::write(at("long.log"), long).unwrap();
    let lines: Vec<Value> = run("long.log").0.iter().map(|event| event["source"]["lines"].clone()).collect();
    assert_eq!(lines, [serde_json::json!([1]), serde_json::json!([3])]);
    // Rubbish, and nothing at all.
    let rubbish: Vec<u8> = (0..100_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    fs::write(at("rubbish"), rubbish).unwrap();
    assert_eq!(
        run("rubbish"),
        (
            vec![],
            "peripetyd: rubbish: not a log\n{\"lines\":0,\"timed\":0,\"kernel\":0,\"unmatched\":0,\
             \"first_not_understood\":null,\"skipped\":1,\"failed\":0}\n"
                .into(),
            Some(3)
        )
    );
    fs::write(at("empty"), "").unwrap();
    assert_eq!(run("empty").2, Some(3));
    // A file that is not there.
    let (_, said, code) = run("none");
    assert!(said.starts_with("peripetyd: none: ") && code == Some(1), "{said}");
    // Not UTF-8, several forms in one file.
    let mut mixed = b"[    1.000000] XFS (dm-\xff0): log I/O error -5\n".to_vec();
    mixed.extend(b"Nov 24 12:48:14 h kernel: XFS (dm-1): log I/O error -5\n");
    mixed.extend(br#"{"SYSLOG_IDENTIFIER":"kernel","MESSAGE":"XFS (dm-2): log I/O error -5"}"#);
    mixed.extend(b"\n> 3,1,5,-;XFS (dm-3): log I/O error -5\n");
    fs::write(at("mixed.log"), mixed).unwrap();
    let mut kdevs: Vec<String> = run("mixed.log").0.iter().map(|event| text(event, "kdev")).collect();
    // Lines of different hosts and boots do not wait for each other.
    kdevs[1..].sort();
    assert_eq!(kdevs[1..], ["dm-1", "dm-2", "dm-3"], "{kdevs:?}");
    // A header that promises a name of 8 GiB.
    let mut liar = tar(&[("x", b"")]);
    liar[156] = b'L';
    liar[124..135].copy_from_slice(b"77777777777");
    let sum: u32 = liar[..512]
        .iter()
        .enumerate()
        .map(|(i, b)| if (148..156).contains(&i) { 32 } else { u32::from(*b) })
        .sum();
    liar[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    fs::write(at("liar.tar"), liar).unwrap();
    assert!(run("liar.tar").1.contains("liar.tar: "));
    // The wrong command line.
    assert_eq!(parse(&["--output", "xml"], directory.path()).status.code(), Some(2));
}

/// Devices come from what a directory says of its machine, for lines of the boot of which it speaks.
#[test]
fn a_directory_says_what_its_devices_are() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::create_dir_all(at("proc")).unwrap();
    fs::write(
        at("lsblk.json"),
        r#"{"blockdevices":[{"kname":"dm-0","maj:min":"253:0","type":"lvm","path":"/dev/mapper/vg-a"}]}"#,
    )
    .unwrap();
    fs::write(at("udevadm_info_--export-db"), "P: /devices/virtual/block/dm-0\nE: SUBSYSTEM=block\nE: DM_NAME=vg-a\nE: DM_UUID=LVM-abc\nE: MAJOR=253\nE: MINOR=0\nE: USEC_INITIALIZED=20000000\n\n\
        P: /devices/pci/host0/target0:0:0/0:0:0:0/block/sda\nE: SUBSYSTEM=block\nE: MAJOR=8\nE: MINOR=0\nE: USEC_INITIALIZED=2000000\n").unwrap();
    fs::write(at("proc/mounts"), "/dev/mapper/vg-a /data xfs rw 0 0\n").unwrap();
    fs::write(at("proc/uptime"), "1000.00 1.00\n").unwrap();
    fs::write(at("date"), "Tue Nov 24 13:00:00 UTC 2026\n").unwrap();
    fs::write(at("hostname"), "lab\n").unwrap();
    fs::write(
        at("dmesg"),
        "[    1.000000] XFS (dm-0): log I/O error -5\n[   22.345678] XFS (dm-0): log I/O error -5\n",
    )
    .unwrap();
    fs::write(at("messages"), "Nov 23 12:48:14 lab kernel: XFS (dm-0): log I/O error -5\nNov 24 12:48:14 lab kernel: XFS (dm-0): log I/O error -5\n").unwrap();
    let config = at("c.conf");
    fs::write(&config, "[burst]\nenabled = false\n").unwrap();
    let output = parse(&["-o", "json", "--config", config.to_str().unwrap(), "."], directory.path());
    let found: Vec<(u64, Value)> = events(&output)
        .iter()
        .map(|event| (event["timestamp"].as_u64().unwrap(), event["owners_wwids"].clone()))
        .collect();
    let known = serde_json::json!(["LVM-abc"]);
    let none = serde_json::json!([]);
    let booted = 1_795_525_200_000_000 - 1_000_000_000;
    // Before udev saw the device, which came when the others of this boot were there, and in the boot before, nothing is known of it.
    assert_eq!(found[0], (booted + 1_000_000, none.clone()));
    assert_eq!(found[1], (booted + 22_345_678, known.clone()));
    assert_eq!(found[2].1, none);
    assert_eq!(found[3].1, known);
}

/// The kernel's first line begins a boot: what failed before it is not the cause of what fails after it, on that host.
#[test]
fn a_boot_in_a_text_begins_anew() {
    let directory = tempfile::tempdir().unwrap();
    let log = "\
Nov 30 10:00:00 a kernel: Linux version 6.1.0-18-amd64 (x@y) (gcc) #1 SMP\n\
Nov 30 10:00:10 a kernel: I/O error, dev sda, sector 8 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2\n\
Nov 30 10:00:10 b kernel: I/O error, dev sda, sector 8 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2\n\
Nov 30 10:00:20 a kernel: Linux version 6.1.0-18-amd64 (x@y) (gcc) #1 SMP\n\
Nov 30 10:00:25 a kernel: EXT4-fs error (device sda): ext4_find_entry:1689: inode #2: comm ls: reading directory lblock 0\n\
Nov 30 10:00:25 b kernel: EXT4-fs error (device sda): ext4_find_entry:1689: inode #2: comm ls: reading directory lblock 0\n";
    std::fs::write(directory.path().join("messages"), log).unwrap();
    let found = events(&parse(&["-o", "json", "messages"], directory.path()));
    let root = |host: &str| {
        let mut of_host = found.iter().filter(|event| text(event, "hostname") == host);
        let (first, second) = (of_host.next().unwrap(), of_host.next().unwrap());
        assert!(text(second, "event_type").starts_with("FS_"), "{second:#}");
        (second["root_cause_event_id"] == first["event_id"], first["boot_id"] == second["boot_id"])
    };
    assert_eq!((root("a"), root("b")), ((false, false), (true, true)));
}
