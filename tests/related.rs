//! What the kernel and a tool say of one fault, each in its own words, is one fault.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value;

/// The events of these lines, with a device tree if one is given.
fn events(log: &str, tree: Option<&str>) -> Vec<Value> {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("log"), log).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_peripetyd"));
    command.args(["parse", "-o", "json"]).current_dir(directory.path()).stdin(Stdio::null());
    if let Some(tree) = tree {
        fs::write(directory.path().join("tree.txt"), tree).unwrap();
        command.args(["--device-tree", "tree.txt"]);
    }
    let output = command.arg("log").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const BOOT: &str = "1e50b8d88e6640508bce8122546b493b";

/// A mirrored volume of LVM: vg-lv on two images.
fn mirrored_volume() -> String {
    let mut tree = format!("# peripety device tree 1\n/proc/sys/kernel/random/boot_id = {BOOT}\n");
    for (minor, name, links) in [
        (5, "vg-lv_rimage_0", "holders/dm-7"),
        (6, "vg-lv_rimage_1", "holders/dm-7"),
        (7, "vg-lv", "slaves/dm-5 slaves/dm-6"),
    ] {
        let dir = format!("/sys/devices/virtual/block/dm-{minor}");
        tree += &format!("/sys/class/block/dm-{minor} -> {dir}\n/sys/dev/block/253:{minor} -> {dir}\n");
        tree += &format!("{dir}/dev = 253:{minor}\n{dir}/dm/name = {name}\n{dir}/dm/uuid = LVM-{minor}\n");
        tree += &format!("/dev/mapper/{name} -> ../dm-{minor}\n/run/udev/data/b253:{minor} = I:1000\n");
        for link in links.split(' ') {
            let other = link.rsplit('/').next().unwrap();
            tree += &format!("{dir}/{link} -> /sys/class/block/{other}\n");
        }
    }
    tree
}

/// An entry as `journalctl -o json` prints it.
fn entry(identifier: &str, seconds: u64, message: &str) -> String {
    let transport = if identifier == "kernel" { "kernel" } else { "syslog" };
    let entry = serde_json::json!({
        "_BOOT_ID": BOOT, "_UID": "0", "_TRANSPORT": transport, "SYSLOG_FACILITY": "0", "SYSLOG_IDENTIFIER": identifier,
        "__REALTIME_TIMESTAMP": (1_795_514_400_000_000 + seconds * 1_000_000).to_string(),
        "__MONOTONIC_TIMESTAMP": (100_000_000 + seconds * 1_000_000).to_string(),
        "MESSAGE": message,
    });
    format!("{entry}\n")
}

/// All arrays that device-mapper makes are called mdX; the member tells which volume it is.
#[test]
fn an_array_of_device_mapper_is_its_volume() {
    let log = entry("kernel", 0, "md/raid1:mdX: Disk failure on dm-6, disabling device.")
        + &entry("dmeventd", 2, "WARNING: Device #1 of raid1 array, vg-lv, has failed.");
    let events = events(&log, Some(&mirrored_volume()));
    let [kernel, tool] = events.as_slice() else { panic!("{events:#?}") };
    assert_eq!(kernel["kdev"], "mdX");
    assert_eq!(kernel["dev_path"], "/dev/mapper/vg-lv");
    assert_eq!(tool["dev_path"], "/dev/mapper/vg-lv");
    assert_eq!(tool["root_cause_event_id"], kernel["event_id"]);
}

/// The kernel names the connection, iscsid at times the portal alone.
#[test]
fn a_portal_leads_to_its_connection() {
    let log = "\
Nov 24 10:00:00 host iscsid: Connection1:0 to [target: iqn.2003-01.org.example:lun1, portal: 192.168.1.10,3260] through [iface: default] is shutdown.
Nov 24 10:00:01 host kernel: connection1:0: detected conn error (1020)
Nov 24 10:00:03 host iscsid: connection1:0 cannot make a connection to 192.168.1.10:3260 (-1,11)
Nov 24 10:00:09 host iscsid: connect to 192.168.1.10:3260 failed (No route to host)
Nov 24 10:00:09 host iscsid: connect to 192.168.1.99:3260 failed (No route to host)
";
    let events = events(log, None);
    let [_, kernel, tool, portal, other] = events.as_slice() else { panic!("{events:#?}") };
    assert_eq!(kernel["event_type"], "ISCSI_CONN_ERROR");
    for follow_up in [tool, portal] {
        assert_eq!(follow_up["root_cause_event_id"], kernel["event_id"], "{follow_up:#}");
    }
    assert_eq!(other["root_cause_event_id"], Value::Null);
}

/// The lines of PID 1 about one mount whose device does not come, as systemd 257 writes them.
fn missing_device(unit: &str, node: &str, mount: &str) -> Vec<String> {
    vec![
        format!("dev-{unit}.device: Job dev-{unit}.device/start timed out."),
        format!("Timed out waiting for device dev-{unit}.device - /dev/{node}."),
        format!("Dependency failed for mnt-{mount}.mount - /mnt/{mount}."),
        format!("mnt-{mount}.mount: Job mnt-{mount}.mount/start failed with result 'dependency'."),
        format!("Dependency failed for systemd-fsck@dev-{unit}.service - File System Check on /dev/{node}."),
        format!("systemd-fsck@dev-{unit}.service: Job systemd-fsck@dev-{unit}.service/start failed with result 'dependency'."),
        format!("dev-{unit}.device: Job dev-{unit}.device/start failed with result 'timeout'."),
    ]
}

/// A line of fstab whose device is missing is one alarm; two of them, reported at the same moment, are two.
#[test]
fn a_mount_that_fails_is_one_event() {
    let uuid = r"disk-by\x2duuid-deadbeef\x2d0000\x2d4000\x2d8000\x2d000000000001";
    let first = missing_device(uuid, "disk/by-uuid/deadbeef-0000-4000-8000-000000000001", "bad1");
    let lines = first.into_iter().chain(missing_device("sda", "sda", "bad2"));
    let log: String = lines.map(|line| entry("systemd", 5, &line)).collect();
    let events = events(&log, None);
    let [bad1, bad2] = events.as_slice() else { panic!("{events:#?}") };
    for (event, mount_point, kdev) in [
        (bad1, "/mnt/bad1", "/dev/disk/by-uuid/deadbeef-0000-4000-8000-000000000001"),
        (bad2, "/mnt/bad2", "/dev/sda"),
    ] {
        assert_eq!(event["event_type"], "MOUNT_DEVICE_MISSING", "{event:#}");
        assert_eq!(event["extension"]["mount_point"], mount_point, "{event:#}");
        assert_eq!(event["kdev"], kdev, "{event:#}");
        assert_eq!(event["source"]["entries"], 7, "{event:#}");
        assert!(event["msg"].as_str().unwrap().starts_with("Timed out waiting for device"), "{event:#}");
    }
}

/// Mounts and checks that fail for reasons of their own are not mixed, though PID 1 reports them at once.
#[test]
fn mounts_that_fail_together_stay_apart() {
    let lines = [
        ("mount", "mount: /srv/a: wrong fs type, bad option, bad superblock on /dev/sdb1, missing codepage or helper program, or other error."),
        ("systemd", "srv-a.mount: Mount process exited, code=exited, status=32/n/a"),
        ("systemd", "srv-b.mount: Mount process exited, code=exited, status=32/n/a"),
        ("systemd", "srv-a.mount: Failed with result 'exit-code'."),
        ("systemd", "srv-b.mount: Failed with result 'exit-code'."),
        ("systemd", "Failed to mount srv-a.mount - /srv/a."),
        ("systemd", "Failed to mount srv-b.mount - /srv/b."),
        ("systemd", "systemd-fsck@dev-sdc1.service: Main process exited, code=exited, status=1/FAILURE"),
        ("systemd", "systemd-fsck@dev-sdc1.service: Failed with result 'exit-code'."),
        ("systemd", "Failed to start systemd-fsck@dev-sdc1.service - File System Check on /dev/sdc1."),
        ("systemd", "Dependency failed for srv-c.mount - /srv/c."),
        ("systemd", "Dependency failed for local-fs.target - Local File Systems."),
        ("systemd", "multipathd.service: Main process exited, code=killed, status=11/SEGV"),
        ("systemd", "multipathd.service: Failed with result 'signal'."),
    ];
    let log: String = lines.iter().map(|(identifier, line)| entry(identifier, 5, line)).collect();
    let events = events(&log, None);
    let counted: Vec<(&str, u64)> = events
        .iter()
        .map(|event| (event["event_type"].as_str().unwrap(), event["source"]["entries"].as_u64().unwrap()))
        .collect();
    assert_eq!(
        counted,
        [("MOUNT_FAILED", 4), ("MOUNT_FAILED", 3), ("FSCK_FAILED", 5), ("MOUNT_SERVICE_FAILED", 2)],
        "{events:#?}"
    );
    assert_eq!(events[0]["kdev"], "/dev/sdb1");
    assert_eq!(events[2]["extension"]["mount_point"], "/srv/c");
}

/// Lines of the kernel about one fault, a second apart, and the one event of them that is an alarm, unless there is none.
#[test]
fn one_fault_is_one_alarm() {
    let faults: [(&[&str], Option<&str>); 6] = [
        (
            &[
                "device-mapper: thin: 253:2: reached low water mark for data device: sending event.",
                "device-mapper: thin: 253:2: switching pool to out-of-data-space (error IO) mode",
                "buffer_io_error: 2550 callbacks suppressed",
            ],
            Some("DM_THIN_LOW_WATER_MARK"),
        ),
        (
            &[
                "md/raid1:md127: not clean -- starting background reconstruction",
                "md: resync of RAID array md127",
            ],
            None,
        ),
        (
            &[
                "nvme nvme0: Removing controller (-111)...",
                "nvme nvme0: Removing ctrl: NQN \"nqn.2014-08.org.example:t\"",
            ],
            Some("NVME_FABRICS_GIVEN_UP"),
        ),
        (&["EXT4-fs (dm-0): VFS: Can't find ext4 filesystem"], None),
        (
            &[
                "critical medium error, dev sda, sector 0 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2",
                "ldm_validate_partition_table(): Disk read failed.",
                "sda: unable to read partition table",
            ],
            Some("BLK_IO_ERROR"),
        ),
        (&["EXT4-fs (sda2): couldn't mount as ext3 due to feature incompatibilities"], None),
    ];
    for (lines, alarm) in faults {
        let log: String = (0..).zip(lines).map(|(second, line)| entry("kernel", second, line)).collect();
        let events = events(&log, None);
        assert_eq!(events.len(), lines.len(), "{events:#?}");
        let is_alarm = |event: &&Value| {
            let severity = event["severity"].as_str().unwrap();
            ["Warning", "Error", "Critical"].contains(&severity) && event["root_cause_event_id"].is_null()
        };
        let alarms: Vec<&str> =
            events.iter().filter(is_alarm).map(|event| event["event_type"].as_str().unwrap()).collect();
        assert_eq!(alarms, alarm.into_iter().collect::<Vec<_>>(), "{events:#?}");
    }
}

/// A pool that is full is worse than one that is nearly full.
#[test]
fn a_full_pool_escalates() {
    let log = entry(
        "kernel",
        0,
        "device-mapper: thin: 253:2: reached low water mark for data device: sending event.",
    ) + &entry(
        "kernel",
        0,
        "device-mapper: thin: 253:2: switching pool to out-of-data-space (error IO) mode",
    );
    let events = events(&log, None);
    let [low, full] = events.as_slice() else { panic!("{events:#?}") };
    assert_eq!(full["root_cause_event_id"], low["event_id"]);
    assert_eq!(full["extension"]["escalates"], "true");
}

/// The line about the superblock names no device: it goes with the member that failed at the same moment.
#[test]
fn a_superblock_that_cannot_be_written_is_the_member_s_failure() {
    let log = entry("kernel", 0, "md: super_written gets error=-5")
        + &entry(
            "kernel",
            0,
            "md/raid1:md127: Disk failure on dm-1, disabling device.\nmd/raid1:md127: Operation continuing on 1 devices.",
        );
    let events = events(&log, None);
    let [event] = events.as_slice() else { panic!("{events:#?}") };
    assert_eq!(event["event_type"], "MD_DISK_FAILED");
    assert_eq!(event["source"]["entries"], 2);
}

/// The disk reports that its size changed, then the block layer does; multipathd names the path that it fails.
#[test]
fn what_follows_names_the_device() {
    let log = entry("kernel", 0, "sd 2:0:0:0: [sdb] Capacity data has changed")
        + &entry("kernel", 1, "sdb: detected capacity change from 2097152 to 4194304")
        + &entry("kernel", 5, "device-mapper: multipath: 253:0: Failing path 8:0.")
        + &entry("multipathd", 5, "sync_map_state: failing sda state 2 dmstate 2");
    let events = events(&log, None);
    let [sense, block, _, multipathd] = events.as_slice() else { panic!("{events:#?}") };
    assert_eq!(block["root_cause_event_id"], sense["event_id"]);
    assert_eq!(
        (&multipathd["event_type"], &multipathd["kdev"]),
        (&"DM_MPATH_PATH_MARKED_FAILED".into(), &"sda".into())
    );
}

/// What umount(8) returned and what PID 1 makes of it are one failure, and the plainest line names it.
#[test]
fn an_unmount_that_fails_is_one_event() {
    let lines = [
        "srv-a.mount: Mount process exited, code=exited, status=32/n/a",
        "Failed unmounting srv-a.mount - /srv/a.",
    ];
    let log: String = lines.iter().map(|line| entry("systemd", 5, line)).collect();
    let events = events(&log, None);
    let [event] = events.as_slice() else { panic!("{events:#?}") };
    assert_eq!((&event["event_type"], &event["severity"]), (&"MOUNT_UNMOUNT_FAILED".into(), &"Error".into()));
}

/// The block layer limits its lines, and a file system notices first: a failed read is one alarm, in whichever order the lines come, until
/// the file system is mounted again.
#[test]
fn a_file_system_that_speaks_before_the_block_layer_is_one_alarm() {
    let round = |begin: u64| {
        let lines = [
            "EXT4-fs error (device dm-0): __ext4_find_entry:1647: inode #2: comm dd: reading directory lblock 0",
            "EXT4-fs error (device dm-0): __ext4_find_entry:1647: inode #2: comm touch: reading directory lblock 0",
            "Buffer I/O error on dev dm-0, logical block 49153, lost sync page write",
            "EXT4-fs error (device dm-0): ext4_wait_block_bitmap:586: comm ext4lazyinit: Cannot read block bitmap - block_group = 12, block_bitmap = 98",
            "EXT4-fs (dm-0): Remounting filesystem read-only",
            "EXT4-fs (dm-0): unmounting filesystem 0aca93a8-3713-4945-8de1-7eeab91833cc.",
        ];
        let lines = lines.iter().enumerate();
        lines.map(|(second, line)| entry("kernel", begin + second as u64, line)).collect::<String>()
    };
    let events = events(&(round(0) + &round(10)), None);
    let problems =
        events.iter().filter(|event| event["severity"] == "Critical" || event["severity"] == "Error");
    let (alarms, effects): (Vec<&Value>, Vec<&Value>) =
        problems.partition(|event| event["root_cause_event_id"].is_null());
    let types: Vec<&Value> = alarms.iter().map(|event| &event["event_type"]).collect();
    assert_eq!(types, ["FS_ERROR", "FS_ERROR"], "{events:#?}");
    assert_eq!(effects.len(), 8, "{events:#?}");
    let of_first = |event: &&&Value| event["root_cause_event_id"] == alarms[0]["event_id"];
    assert_eq!(effects.iter().filter(of_first).count(), 4);
}

/// The kernel limits the lines of the block layer, not those of SCSI: the next command that fails is no second alarm.
#[test]
fn a_failed_command_without_its_block_line_follows_the_error_before() {
    let command = |seconds, tag| {
        let result = format!(
            "sd 0:0:0:0: [sda] tag#{tag} FAILED Result: hostbyte=DID_OK driverbyte=DRIVER_OK cmd_age=0s"
        );
        let sense = format!("sd 0:0:0:0: [sda] tag#{tag} Sense Key : Medium Error [current] ");
        entry("kernel", seconds, &result) + &entry("kernel", seconds, &sense)
    };
    let block = entry(
        "kernel",
        0,
        "critical medium error, dev sda, sector 0 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2",
    );
    let events = events(&(command(0, 190) + &block + &command(5, 165)), None);
    let [first, second] = events.as_slice() else { panic!("{events:#?}") };
    assert_eq!(
        (&first["event_type"], &second["event_type"]),
        (&"BLK_IO_ERROR".into(), &"SCSI_CMD_RESULT".into())
    );
    assert_eq!(second["root_cause_event_id"], first["event_id"]);
}

/// Adapters and loop devices that print no device: the line of the command or of the block layer beside theirs has it.
#[test]
fn a_line_without_a_device_takes_that_of_its_command() {
    let cases = [
        (
            "mptscsih: ioc0: attempting task abort! (sc=ffff9e36fb9ccd80)",
            "sd 2:0:0:0: [sda] tag#0 CDB: Write(10) 2a 00 06 07 b0 f8 00 00 88 00",
            ("HBA_COMMAND_ABORTED", "sda"),
        ),
        (
            "mpt2sas0: attempting target reset! scmd(ffff8814605d2100)",
            "sd 2:0:0:0: [sdb] CDB: Read(10): 28 00 1f 2c 3a 40 00 00 08 00",
            ("HBA_COMMAND_ABORTED", "sdb"),
        ),
        (
            "loop: Write error at byte offset 673251328, length 4096.",
            "I/O error, dev loop1, sector 1314944 op 0x1:(WRITE) flags 0x0 phys_seg 2 prio class 2",
            ("LOOP_IO_ERROR", "loop1"),
        ),
    ];
    for (first, second, (event_type, kdev)) in cases {
        let events = events(&(entry("kernel", 0, first) + &entry("kernel", 0, second)), None);
        let [event] = events.as_slice() else { panic!("{events:#?}") };
        assert_eq!((&event["event_type"], &event["kdev"]), (&event_type.into(), &kdev.into()), "{event}");
    }
}

/// What a UFS host, a disk of Hyper-V or a port of libata reports of one fault in several lines is one alarm.
#[test]
fn several_errors_of_one_host_are_one_alarm() {
    for lines in [
        [
            "ufshcd-qcom 1d84000.ufs: ufshcd_uic_hibern8_enter: hibern8 enter failed. ret = -110",
            "ufshcd-qcom 1d84000.ufs: ufshcd_err_handler started; HBA state eh_fatal; powered 1; shutting down 0; force_reset = 0",
            "ufshcd-qcom 1d84000.ufs: ufshcd_dme_change_power_mode: power mode change failed -67",
        ],
        [
            "ata2.00: cmd 61/08:18:00:d0:59/00:00:02:00:00/40 tag 3 ncq dma 4096 out\n         res 40/00:01:00:4f:c2/00:00:00:00:00/00 Emask 0x4 (timeout)",
            "ata2.00: cmd 61/08:20:20:cd:15/00:00:04:00:00/40 tag 4 ncq dma 4096 out\n         res 40/00:00:00:00:00/00:00:00:00:00/00 Emask 0x4 (timeout)",
            "ata2: hard resetting link",
        ],
        [
            "hv_storvsc a8b3781b-1e82-4818-a1c3-63d806ec15aa: tag#59 cmd 0x28 status: scsi 0x2 srb 0xa hv 0xc0000001",
            "hv_storvsc a8b3781b-1e82-4818-a1c3-63d806ec15aa: tag#59 cmd 0x3 status: scsi 0x0 srb 0x20 hv 0xc0000001",
            "hv_storvsc a8b3781b-1e82-4818-a1c3-63d806ec15aa: tag#60 cmd 0x3 status: scsi 0x0 srb 0x20 hv 0xc0000001",
        ],
    ] {
        let log: String = (0..).zip(lines).map(|(second, line)| entry("kernel", second, line)).collect();
        let events = events(&log, None);
        let alarms = events.iter().filter(|event| event["root_cause_event_id"].is_null());
        assert_eq!(alarms.count(), 1, "{events:#?}");
    }
}
