//! Forms in which logs come: a table. A new form is a new row.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{events, parse, text};

/// A form, the name of its file, a log in it, and its events: type, device, host and time of each. All files are of 2024-12-31, and
/// the machine that reads them is in UTC.
struct Form {
    form: &'static str,
    file: &'static str,
    log: &'static str,
    events: &'static [&'static str],
}

const fn form(
    form: &'static str,
    file: &'static str,
    log: &'static str,
    events: &'static [&'static str],
) -> Form {
    Form { form, file, log, events }
}

const READ_ONLY_DATED: &[&str] = &["FS_REMOUNT_READ_ONLY sda1 h1 2024-06-03T05:16:06Z"];
const READ_ONLY_RING: &[&str] = &["FS_REMOUNT_READ_ONLY sda1 - 2024-06-03T05:16:06Z"];
const PENDING: &str = "SMART_PENDING_SECTORS /dev/sda h1 2024-06-03T05:16:06Z";

const FORMS: &[Form] = &[
    // Dates in other languages.
    form("dmesg -T, German", "1", "[Mo Jun  3 05:16:06 2024] EXT4-fs (sda1): Remounting filesystem read-only\n", READ_ONLY_RING),
    form("dmesg -T, French", "2", "[lun. juin  3 05:16:06 2024] EXT4-fs (sda1): Remounting filesystem read-only\n", READ_ONLY_RING),
    form("dmesg -T, Russian", "3", "[Пн июн  3 05:16:06 2024] EXT4-fs (sda1): Remounting filesystem read-only\n", READ_ONLY_RING),
    form("dmesg -T, Japanese", "4", "[月  6月  3 05:16:06 2024] EXT4-fs (sda1): Remounting filesystem read-only\n", READ_ONLY_RING),
    form("dmesg -T, Polish", "5", "[pon cze  3 05:16:06 2024] EXT4-fs (sda1): Remounting filesystem read-only\n", READ_ONLY_RING),
    form("dmesg -T, Spanish, the order of a translation", "6", "[lun 3 jun 05:16:06 2024] EXT4-fs (sda1): Remounting filesystem read-only\n", READ_ONLY_RING),
    form("dmesg -T -d, decimal comma", "7", "[Mo Jun  3 05:16:06 2024 <    0,000012>] EXT4-fs (sda1): Remounting filesystem read-only\n", READ_ONLY_RING),
    form("journalctl, German", "8", "Okt 09 05:16:06 h1 kernel: EXT4-fs (sda1): Remounting filesystem read-only\n", &["FS_REMOUNT_READ_ONLY sda1 h1 2024-10-09T05:16:06Z"]),
    form("journalctl, Korean", "9", " 6월 03 05:16:06 h1 kernel: EXT4-fs (sda1): Remounting filesystem read-only\n", READ_ONLY_DATED),
    form("journalctl, German, a tool", "10", "Jun 03 05:16:06 h1 smartd[12]: Device: /dev/sda, 8 Currently unreadable (pending) sectors\nOkt 09 05:16:06 h1 smartd[12]: Device: /dev/sda, 9 Currently unreadable (pending) sectors\n", &[PENDING, "SMART_PENDING_SECTORS /dev/sda h1 2024-10-09T05:16:06Z"]),
    // What systems of their own print.
    form(
        "Talos, with the dictionary of the record",
        "talos",
        "kern: warning: [2024-06-03T05:16:06.655294812Z]: EXT4-fs (sda1): Remounting filesystem read-only\n  SUBSYSTEM=block\n  DEVICE=b8:1\n",
        &["FS_REMOUNT_READ_ONLY sda1 - 2024-06-03T05:16:06.655294Z"],
    ),
    form("SONiC, the kernel", "sonic", "2024 Jun  3 05:16:06.749644 h1 ERR kernel: [  993.622973] EXT4-fs (sda1): Remounting filesystem read-only\n", &["FS_REMOUNT_READ_ONLY sda1 h1 2024-06-03T05:16:06.749644Z"]),
    form("SONiC, a tool", "sonic-tool", "2024 Jun  3 05:16:06 h1 ERR smartd[12]: Device: /dev/sda, 8 Currently unreadable (pending) sectors\n", &[PENDING]),
    form("year first, month in words", "year", "2024 Jun  3 05:16:06 h1 kernel: EXT4-fs (sda1): Remounting filesystem read-only\n", READ_ONLY_DATED),
    // What stands around lines.
    form("bars of a terminal program", "bars", "│Jun  3 05:16:06 h1 kernel: EXT4-fs (sda1): Remounting filesystem read-only      │\n", READ_ONLY_DATED),
    form("bars of a table", "table", "| Jun  3 05:16:06 h1 kernel: EXT4-fs (sda1): Remounting filesystem read-only |\n", READ_ONLY_DATED),
    form("a container's name before each line", "compose", "h2  | Jun  3 05:16:06 h1 kernel: EXT4-fs (sda1): Remounting filesystem read-only\n", READ_ONLY_DATED),
    form("grep's file name before a year", "grep-year", "syslog.82:2024 Jun  3 05:16:06 h1 ERR kernel: EXT4-fs (sda1): Remounting filesystem read-only\n", READ_ONLY_DATED),
    form("numbers of lines", "numbers", "   12\t[    1.000000] EXT4-fs (sda1): Remounting filesystem read-only\n", &["FS_REMOUNT_READ_ONLY sda1 - +1.000000"]),
    // Containers, shippers, relays.
    form("container runtime interface", "cri", "2024-06-03T05:16:06.123456789Z stdout F EXT4-fs (sda1): Remounting filesystem read-only\n", &["FS_REMOUNT_READ_ONLY sda1 - 2024-06-03T05:16:06.123456Z"]),
    form("container runtime interface around syslog", "cri-syslog", "2024-06-03T06:00:00.123456789Z stderr F Jun  3 05:16:06 h1 kernel: EXT4-fs (sda1): Remounting filesystem read-only\n", READ_ONLY_DATED),
    form("Docker", "docker", "{\"log\":\"EXT4-fs (sda1): Remounting filesystem read-only\\n\",\"stream\":\"stdout\",\"time\":\"2024-06-03T05:16:06.5Z\"}\n", &["FS_REMOUNT_READ_ONLY sda1 - 2024-06-03T05:16:06.5Z"]),
    form("Elastic", "elastic", "{\"@timestamp\":\"2024-06-03T05:16:06Z\",\"host\":{\"name\":\"h1\"},\"process\":{\"name\":\"kernel\"},\"message\":\"EXT4-fs (sda1): Remounting filesystem read-only\"}\n", READ_ONLY_DATED),
    form("Elastic, flat names", "elastic-flat", "{\"@timestamp\":\"2024-06-03T05:16:06Z\",\"host.name\":\"h1\",\"message\":\"EXT4-fs (sda1): Remounting filesystem read-only\"}\n", READ_ONLY_DATED),
    form(
        "Elastic, an export of several lines",
        "elastic.json",
        "[\n {\n  \"_source\": {\n   \"@timestamp\": \"2024-06-03T05:16:06Z\",\n   \"host\": { \"name\": \"h1\" },\n   \"message\": \"EXT4-fs (sda1): Remounting filesystem read-only\"\n  }\n }\n]\n",
        READ_ONLY_DATED,
    ),
    form("a shipper's tool", "shipper", "{\"timestamp\":1717391766,\"hostname\":\"h1\",\"ident\":\"smartd\",\"message\":\"Device: /dev/sda, 8 Currently unreadable (pending) sectors\"}\n", &[PENDING]),
    form("an object behind a container's head", "cri-json", "2024-06-03T05:16:06Z stdout F {\"level\":\"error\",\"msg\":\"EXT4-fs (sda1): Remounting filesystem read-only\"}\n", READ_ONLY_RING),
    form("an object within an object", "nested", "{\"time\":\"2024-06-03T05:16:06Z\",\"log\":\"{\\\"hostname\\\":\\\"h1\\\",\\\"message\\\":\\\"EXT4-fs (sda1): Remounting filesystem read-only\\\"}\"}\n", READ_ONLY_DATED),
    form("messages with a newline inside", "newline", "{\"log\":\"first\\n[    1.000000] EXT4-fs (sda1): Remounting filesystem read-only\\n[    2.000000] XFS (dm-0): log I/O error -5\\n\"}\n", &["FS_REMOUNT_READ_ONLY sda1 - +1.000000", "FS_IO_ERROR dm-0 - +2.000000"]),
    form("the console's text in one object", "console.json", "{\n  \"Timestamp\": \"2024-06-03T06:00:00Z\",\n  \"Output\": \"[    1.000000] x\\r\\n[    2.000000] EXT4-fs (sda1): Remounting filesystem read-only\\r\\n\"\n}\n", &["FS_REMOUNT_READ_ONLY sda1 - +2.000000"]),
    form("a journal's message with a newline inside", "journal-newline", "{\"__REALTIME_TIMESTAMP\":\"1717391766000000\",\"_TRANSPORT\":\"kernel\",\"SYSLOG_FACILITY\":\"0\",\"SYSLOG_IDENTIFIER\":\"kernel\",\"_HOSTNAME\":\"h1\",\"MESSAGE\":\"first\\nEXT4-fs (sda1): Remounting filesystem read-only\"}\n", READ_ONLY_DATED),
    form("an entry of the kernel without facility", "no-facility", "{\"__REALTIME_TIMESTAMP\":\"1717391766000000\",\"_TRANSPORT\":\"kernel\",\"_HOSTNAME\":\"h1\",\"MESSAGE\":\"EXT4-fs (sda1): Remounting filesystem read-only\"}\n", READ_ONLY_DATED),
    form("syslog-ng, a relayed host", "relayed", "Jun  3 05:16:06 h1/h2 kernel: EXT4-fs (sda1): Remounting filesystem read-only\n", READ_ONLY_DATED),
    form("syslog-ng, a source", "source", "Jun  3 05:16:06 src@h1 kernel: EXT4-fs (sda1): Remounting filesystem read-only\n", READ_ONLY_DATED),
    form("a head before the head", "doubled", "Jun  3 06:00:00 relay Jun  3 05:16:06 h1 kernel: EXT4-fs (sda1): Remounting filesystem read-only\n", READ_ONLY_DATED),
    form("a relay's name before the host's", "relay-name", "Jun  3 05:16:06 relay h1 kernel: EXT4-fs (sda1): Remounting filesystem read-only\n", READ_ONLY_DATED),
    form("RFC 5424 without priority", "rfc5424", "2024-06-03T05:16:06.000000Z h1 kernel - - - EXT4-fs (sda1): Remounting filesystem read-only\n", READ_ONLY_DATED),
    form("Talos, several nodes", "talos-nodes", "10.0.0.5: kern:    err: [2024-06-03T05:16:06Z]: EXT4-fs (sda1): Remounting filesystem read-only\n", READ_ONLY_RING),
    form("Talos, a node's name", "talos-node", "h1   kern:    err: [2024-06-03T05:16:06Z]: EXT4-fs (sda1): Remounting filesystem read-only\n", READ_ONLY_DATED),
    form("a list in a ticket", "bullet", "- Jun  3 05:16:06 h1 kernel: EXT4-fs (sda1): Remounting filesystem read-only\n", READ_ONLY_DATED),
    form("code in a ticket", "code", "`Jun  3 05:16:06 h1 kernel: EXT4-fs (sda1): Remounting filesystem read-only`\n", READ_ONLY_DATED),
    form("a line that logger passed on", "logger", "Jun  3 06:00:00 h2 root: Jun  3 05:16:06 h1 kernel: EXT4-fs (sda1): Remounting filesystem read-only\n", READ_ONLY_DATED),
    form("a collection's words", "corpus", "- 1717391766 2024.06.03 h1 Jun 3 05:16:06 h1/h1 kernel: EXT4-fs (sda1): Remounting filesystem read-only\n", READ_ONLY_DATED),
    form("rsyslog's message to all users", "wall", "\nMessage from syslogd@h1 at Jun  3 05:16:06 ...\n kernel:EXT4-fs (sda1): Remounting filesystem read-only\n", READ_ONLY_DATED),
    // Tables.
    form("comma-separated values", "csv", "\"timestamp\",\"host\",\"program\",\"message\"\n\"2024-06-03 05:16:06\",\"h1\",\"kernel\",\"EXT4-fs (sda1): Remounting filesystem read-only\"\n", READ_ONLY_DATED),
    form("comma-separated values of a tool", "csv-tool", "2024-06-03T05:16:06Z,h1,smartd,\"Device: /dev/sda, 8 Currently unreadable (pending) sectors\"\n", &[PENDING]),
    form("values with semicolons, the message first", "csv-semicolon", "\"EXT4-fs (sda1): Remounting filesystem read-only\";kern;err;h1;2024-06-03 05:16:06\n", READ_ONLY_DATED),
    form("date and time in two cells", "csv-cells", "6/3/2024,5:16:06 AM,h1,kernel,EXT4-fs (sda1): Remounting filesystem read-only\n", READ_ONLY_DATED),
    form("values with tabs", "tsv", "2024-06-03 05:16:06\th1\tkernel\tEXT4-fs (sda1): Remounting filesystem read-only\n", READ_ONLY_DATED),
    form("a database's table", "psql", " 2024-06-03 05:16:06 | h1 | kernel | EXT4-fs (sda1): Remounting filesystem read-only\n", READ_ONLY_DATED),
    // Mails and forums.
    form("quoted-printable", "qp", "[    1.000000] sd 0:1:0:0: Device offlined - not ready after =\nerror recovery\n[    2.000000] smartpqi: x=3D0x01\n", &["SCSI_DEVICE_OFFLINED 0:1:0:0 - +1.000000"]),
    form("wrapped at a blank", "wrapped", "> [    1.000000] I/O error, dev sda, sector\n> 49163872 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 0\n", &["BLK_IO_ERROR sda - +1.000000"]),
    form("wrapped within a word", "hard", "[    1.000000] I/O error, dev sda, sec\ntor 49163872 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 0\n", &["BLK_IO_ERROR sda - +1.000000"]),
    form("wrapped twice", "twice", "Jun  3 05:16:06 h1 kernel: I/O error, dev\n  sda, sector 49163872 op 0x0:(READ) flags\n  0x0 phys_seg 1 prio class 0\n", &["BLK_IO_ERROR sda h1 2024-06-03T05:16:06Z"]),
    form("wrapped, where a part alone is something vague", "vague", "XFS (sda4): Corruption of in-memory data (0x8) detected at\n  xfs_defer_finish_noroll+0x323/0x450 (fs/xfs/libxfs/xfs_defer.c:721).  Shutting down filesystem.\n", &["FS_SHUTDOWN sda4 - -"]),
    // Consoles.
    form("systemd's words on a console", "console", "[\u{1b}[0;1;31mFAILED\u{1b}[0m] Failed to mount \u{1b}[0;1;39m/data\u{1b}[0m.\n[ TIME ] Timed out waiting for device /dev/sdb1.\n", &["MOUNT_FAILED - - -", "MOUNT_DEVICE_MISSING /dev/sdb1 - -"]),
    form("systemd's words behind a time stamp", "console-time", "[   93.123456] [FAILED] Failed to mount /data.\n", &["MOUNT_FAILED - - +93.123456"]),
    form("systemd's words without escape characters", "boot.log", "[[0;1;31mFAILED[0m] Failed to mount [0;1;39m/data[0m.\n", &["MOUNT_FAILED - - -"]),
    form("a file system check without a name", "checkfs", "/dev/sdb7: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.\n\t(i.e., without -a or -p options)\n", &["FSCK_INCONSISTENT /dev/sdb7 - -"]),
    // Files that programs write.
    form("ceph's own log", "ceph-osd.40.log", "2024-06-03T05:16:06.226+0000 7fc33ca06700 -1 bdev(0x55d9 /var/lib/ceph/osd/ceph-40/block) _aio_thread got r=-5 ((5) Input/output error)\n", &["CEPH_OSD_PROBLEM /var/lib/ceph/osd/ceph-40/block - 2024-06-03T05:16:06.226Z"]),
    form("a Ceph cluster's log", "ceph.log", "2024-06-03T05:16:06.004691+0000 mon.h1 (mon.0) 3887456 : cluster [WRN] Health check failed: 1 osds down (OSD_DOWN)\n", &["CEPH_HEALTH - - 2024-06-03T05:16:06.004691Z"]),
    // Lines without a time.
    form("a line between two with times", "between", "[  100.000000] EXT4-fs (sda1): Remounting filesystem read-only\nEXT4-fs (sda2): Remounting filesystem read-only\n", &["FS_REMOUNT_READ_ONLY sda1 - +100.000000", "FS_REMOUNT_READ_ONLY sda2 - +100.000000"]),
    form("dmesg -e", "reltime", "[Jun 3 05:16] sd 0:0:0:0: [sda] Attached SCSI disk\n[  +6.000000] EXT4-fs (sda1): Remounting filesystem read-only\n", READ_ONLY_RING),
    form("dmesg -d alone", "delta", "[<    0.000000>] sd 0:0:0:0: [sda] Attached SCSI disk\n[<    6,500000>] EXT4-fs (sda1): Remounting filesystem read-only\n", &["FS_REMOUNT_READ_ONLY sda1 - +6.500000"]),
];

/// The events of a log, in the form of the table.
fn rows(events: &[&Value]) -> Vec<String> {
    let or = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    let one = |event: &&Value| {
        let usec = event["timestamp"].as_i64().unwrap();
        let untimed = event["source"]["lines"][0].as_i64().is_some_and(|line| usec == line * 50_000);
        let time = match usec {
            _ if untimed => "-".to_owned(),
            ..600_000_000_000_000 => format!("+{}.{:06}", usec / 1_000_000, usec % 1_000_000),
            _ => jiff::Timestamp::from_microsecond(usec).unwrap().to_string(),
        };
        let (kdev, host) = (or(text(event, "kdev")), or(text(event, "hostname")));
        format!("{} {kdev} {host} {time}", text(event, "event_type"))
    };
    let mut rows: Vec<String> = events.iter().map(one).collect();
    rows.sort();
    rows
}

/// Writes the logs, each into a file of its own.
fn write(directory: &Path) {
    let day = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_735_600_000);
    for Form { file, log, .. } in FORMS {
        let path = directory.join(file);
        assert!(!path.exists(), "{file}: two forms have this file");
        fs::write(&path, log).unwrap();
        fs::File::options().append(true).open(path).unwrap().set_modified(day).unwrap();
    }
}

#[test]
fn every_form_of_the_table() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path());
    let files = FORMS.iter().map(|form| form.file);
    let arguments: Vec<&str> = ["-o", "json", "--no-progress"].into_iter().chain(files).collect();
    let all = super::events(&parse(&arguments, directory.path()));
    let mut wrong = String::new();
    for Form { form, file, events, .. } in FORMS {
        let mut expected: Vec<String> = events.iter().map(|event| (*event).to_owned()).collect();
        expected.sort();
        let of_file: Vec<&Value> = all.iter().filter(|event| event["source"]["file"] == *file).collect();
        let found = rows(&of_file);
        if found != expected {
            writeln!(wrong, "{form}:\n  found    {found:?}\n  expected {expected:?}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// What dmesg of util-linux 2.34 to 2.41 prints before a message with its options: `-x`, the formats of `--time-format` (from 2.41 on
/// several), `-d`, and the caller that the kernel adds. All of one moment.
#[test]
fn every_combination_of_dmesg_s_options() {
    const TIMES: [(&str, bool); 9] = [
        ("", false),
        ("[Mon Jun  3 05:16:06 2024] ", true),
        ("[Mon Jun  3 05:16:06 2024 <    0.000000>] ", true),
        ("[<    0.000000>] ", false),
        ("[<    0,000000>] ", false),
        ("[Jun 3 05:16] ", true),
        ("[  +0.000000] ", false),
        ("[   12.345678] ", true),
        ("2024-06-03T05:16:06,000000+00:00 ", true),
    ];
    let directory = tempfile::tempdir().unwrap();
    let (mut log, mut count) = (String::new(), 0);
    for decoded in ["", "kern  :err   : "] {
        for (first, first_timed) in TIMES {
            for (second, second_timed) in TIMES {
                // An option that is given twice counts once.
                if first == second && !first.is_empty() {
                    continue;
                }
                for caller in ["", "[   T12] ", "[    C1] "] {
                    if !caller.is_empty() && !first_timed && !second_timed {
                        continue;
                    }
                    count += 1;
                    let head = format!("{decoded}{first}{second}{caller}");
                    writeln!(log, "{head}XFS (dm-{count}): log I/O error -5").unwrap();
                }
            }
        }
    }
    fs::write(directory.path().join("dmesg"), &log).unwrap();
    let found = events(&parse(&["-o", "json", "--no-progress", "dmesg"], directory.path()));
    let mut kdevs: Vec<String> = found.iter().map(|event| text(event, "kdev")).collect();
    let mut expected: Vec<String> = (1..=count).map(|number| format!("dm-{number}")).collect();
    kdevs.sort();
    expected.sort();
    assert_eq!(kdevs, expected);
}
