//! The times of archives: years that lines lack, boots to which lines belong, zones.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{events, parse, tar, text};

/// Lists by which dm-6 is known.
const LISTS: &str = "#==[ Command ]======================================#\n# /sbin/multipath -ll\n\
36006016040203100d2fba8d4190de711 dm-6 DGC,VRAID\n\
size=10G features='0' hwhandler='1 alua' wp=rw\n\
`-+- policy='service-time 0' prio=50 status=active\n  |- 1:0:1:1 sdg 8:96   active ready running\n";
const PATH: &str = "/dev/mapper/36006016040203100d2fba8d4190de711";

/// Writes files below a directory.
fn write(directory: &Path, files: &[(&str, &str)]) {
    for (name, content) in files {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

fn read(directory: &Path, path: &str) -> Vec<Value> {
    events(&parse(&["-o", "json", "--no-progress", path], directory))
}

/// Of events about dm-6, time and node.
fn of_map(found: &[Value]) -> Vec<(String, String)> {
    let about = found.iter().filter(|event| event["kdev"] == "dm-6");
    let time =
        |event: &Value| jiff::Timestamp::from_microsecond(event["timestamp"].as_i64().unwrap()).unwrap();
    about.map(|event| (time(event).to_string(), text(event, "dev_path"))).collect()
}

/// The boot at 2024-05-06 06:00 UTC is known by what each of these files says; a line before it is of another boot.
#[test]
fn dated_lines_of_this_boot_have_their_devices() {
    let date = "#==[ Command ]======================================#\n# /usr/bin/date\nMon May  6 10:00:00 CEST 2024\n";
    let environment =
        format!("{date}# /usr/bin/uptime\n 10:00:00  up   2:00,  1 user,  load average: 0,00, 0,01, 0,05\n");
    let stamped = "2024-05-06T10:00:00.000000+02:00 host1 kernel: [ 7200.000000] usb 1-1: x\n";
    let banner = "2024-05-06T08:00:01.000000+02:00 host1 kernel: Linux version 5.14\n";
    let boot = "         system boot  2024-05-06 08:00\n";
    let said: [&[(&str, &str)]; 4] = [
        &[("scc/basic-environment.txt", &environment)],
        &[("scc/who.txt", boot), ("scc/date", "Mon May  6 10:00:00 CEST 2024\n")],
        &[("scc/stamped.log", stamped)],
        &[("scc/banner.log", banner)],
    ];
    for files in said {
        let directory = tempfile::tempdir().unwrap();
        let messages = "2024-05-06T07:00:00.000000+02:00 host1 kernel: XFS (dm-6): log I/O error -5\n\
            2024-05-06T09:00:02.000000+02:00 host1 kernel: XFS (dm-6): log I/O error -5\n";
        write(directory.path(), &[("scc/mpio.txt", LISTS), ("scc/messages.txt", messages)]);
        write(directory.path(), files);
        let found = of_map(&read(directory.path(), "scc"));
        let expected = [
            ("2024-05-06T05:00:00Z".to_owned(), String::new()),
            ("2024-05-06T07:00:02Z".to_owned(), PATH.to_owned()),
        ];
        assert_eq!(found, expected, "{files:?}");
    }
}

/// Dates without a zone are of the zone that `date` or timedatectl name.
#[test]
fn a_machine_s_zone_counts_for_its_logs() {
    let timedatectl = "               Local time: Mon 2024-05-06 10:00:00 CEST\n                Time zone: Europe/Berlin (CEST, +0200)\n";
    for (file, content) in [
        ("date", "Mon May  6 10:00:00 AM CEST 2024\n"),
        ("date", timedatectl),
        ("timedatectl.txt", timedatectl),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let messages = "May  6 09:00:02 host1 kernel: XFS (dm-6): log I/O error -5\n";
        write(
            directory.path(),
            &[("sos/mpio.txt", LISTS), ("sos/messages", messages), ("sos/proc/uptime", "7200.00 1.00\n")],
        );
        write(directory.path(), &[(&format!("sos/{file}"), content)]);
        let found = of_map(&read(directory.path(), "sos"));
        assert_eq!(found, [("2024-05-06T07:00:02Z".to_owned(), PATH.to_owned())], "{file} {content}");
    }
}

/// A missing year comes from the member's time, from `date`, or from journalctl's heading, though the archive is new.
#[test]
fn a_missing_year_is_not_that_of_the_archive() {
    const LINE: &str = "Feb 11 19:23:37 host1 kernel: XFS (dm-6): log I/O error -5\n";
    let heading = "-- Logs begin at Fri 2022-02-11 18:58:10 UTC, end at Fri 2022-02-11 19:23:49 UTC. --\n";
    let directory = tempfile::tempdir().unwrap();
    let mut archive = tar(&[("sos/var/log/messages", LINE.as_bytes())]);
    // 2022-02-12, in octal digits, and the sum of the header anew.
    archive[136..147].copy_from_slice(b"14201574200");
    archive[148..156].copy_from_slice(b"        ");
    let sum: u32 = archive[..512].iter().map(|byte| u32::from(*byte)).sum();
    archive[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    fs::write(directory.path().join("a.tar"), archive).unwrap();
    write(directory.path(), &[("dated/date", "Fri Feb 11 19:24:03 UTC 2022\n"), ("dated/messages", LINE)]);
    write(directory.path(), &[("headed/journal.log", &format!("{heading}{LINE}"))]);
    for path in ["a.tar", "dated", "headed"] {
        let times: Vec<String> =
            of_map(&read(directory.path(), path)).into_iter().map(|(time, _)| time).collect();
        assert_eq!(times, ["2022-02-11T19:23:37Z"], "{path}");
    }
}

/// `-- Boot …` of journalctl: what failed before it is not the cause of what fails after it.
#[test]
fn a_heading_of_journalctl_begins_a_boot() {
    let directory = tempfile::tempdir().unwrap();
    let log = "\
Nov 30 10:00:10 a kernel: I/O error, dev sda, sector 8 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2\n\
-- Boot 5f0c97e1a8e34b31b1c0a5c7f1b2c3d4 --\n\
Nov 30 10:00:12 a kernel: EXT4-fs error (device sda): ext4_find_entry:1689: inode #2: comm ls: reading directory lblock 0\n";
    write(directory.path(), &[("log", log)]);
    let found = read(directory.path(), "log");
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(
        found[0]["boot_id"] != found[1]["boot_id"] && found[1]["root_cause_event_id"].is_null(),
        "{found:#?}"
    );
}
