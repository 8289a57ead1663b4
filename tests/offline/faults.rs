//! What belongs together in a plain log, where lines name a device by its address or not at all.

use std::fs;

use serde_json::Value;

use super::{events, parse, text};

/// Type and device of each problem; one with a cause has a `-`.
fn told(log: &str) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("log"), log).unwrap();
    let events = events(&parse(&["-o", "json", "--severity", "warning", "log"], directory.path()));
    let row = |event: &Value| {
        let cause = if text(event, "root_cause_event_id").is_empty() { "" } else { "- " };
        format!("{cause}{} {}", text(event, "event_type"), text(event, "kdev")).trim_end().to_owned()
    };
    events.iter().map(row).collect()
}

#[test]
fn lines_about_a_partition_table_are_about_the_disk_whose_partitions_follow() {
    let log = "\
[    2.100001] GPT:Primary header thinks Alt. header is not at the end of the disk.
[    2.100002] GPT:4612095 != 20971519
[    2.100003] GPT: Use GNU Parted to correct GPT errors.
[    2.100090]  vda: vda1 vda14 vda15
";
    assert_eq!(told(log), ["BLK_PARTITION_TABLE_DAMAGED vda"]);
}

#[test]
fn a_failed_write_of_a_loop_device_is_one_event() {
    let log = "\
[  993.616601] loop: Write error at byte offset 673251328, length 4096.
[  993.622973] I/O error, dev loop1, sector 1314944 op 0x1:(WRITE) flags 0x0 phys_seg 2 prio class 2
[  993.631883] Buffer I/O error on device loop1, logical block 164368
";
    let told = told(log);
    let roots: Vec<&String> = told.iter().filter(|event| !event.starts_with('-')).collect();
    assert_eq!(roots, ["LOOP_IO_ERROR loop1"], "{told:?}");
}

#[test]
fn a_refusal_is_why_a_volume_cannot_be_opened() {
    let log = "\
[ 8123.100001] drbd r0: Declined by peer node2 (id: 1), see the kernel log there
[ 8123.100400] drbd r0: Auto-promote failed: State change was refused by peer node (-10)
";
    assert_eq!(told(log), ["DRBD_STATE_CHANGE_REFUSED", "- DRBD_PROMOTE_FAILED"]);
}

#[test]
fn a_disk_behind_usb_is_one_device_by_host_by_address_and_by_name() {
    let log = "\
[  406.913243] sd 1:0:0:0: tag#0 uas_eh_abort_handler 0 uas-tag 9 inflight: CMD OUT
[  406.957397] scsi host1: uas_eh_device_reset_handler start
[  407.146490] scsi host1: uas_eh_device_reset_handler FAILED err -19
[  407.146504] sd 1:0:0:0: Device offlined - not ready after error recovery
[  407.147725] blk_update_request: I/O error, dev sda, sector 6192120 op 0x1:(WRITE) flags 0x100000 phys_seg 3 prio class 0
[  407.147766] sd 1:0:0:0: [sda] Synchronizing SCSI cache
";
    let told = told(log);
    assert!(told.iter().all(|event| event.ends_with(" sda")), "{told:?}");
    assert_eq!(told.iter().filter(|event| !event.starts_with('-')).count(), 1, "{told:?}");
}

#[test]
fn a_reset_that_an_adapter_reports_is_about_its_disk() {
    let log = "\
[ 5012.100000] sd 2:2:3:0: [sdd] megasas: RESET cmd=28 retries=0
[ 5042.100000] blk_update_request: I/O error, dev sdd, sector 6192120 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 0
";
    let told = told(log);
    assert_eq!(told, ["HBA_RESET sdd", "- BLK_IO_ERROR sdd"]);
}

#[test]
fn a_thread_of_an_array_that_hangs_is_about_the_array() {
    let log = "[ 5012.100000] INFO: task md127_raid1:812 blocked for more than 120 seconds.\n";
    assert_eq!(told(log), ["KERNEL_TASK_HUNG md127"]);
}

#[test]
fn a_controller_is_one_device_by_name_and_by_slot() {
    let log = "\
[    8.010115] nvme nvme0: pci function 0004:41:00.0
[   40.991192] nvme nvme0: controller is down; will reset: CSTS=0xffffffff, PCI_STATUS read failed (134)
[   44.013048] nvme 0004:41:00.0: can't change power state from D3cold to D0 (config space inaccessible)
";
    assert_eq!(told(log), ["NVME_CTRL_DOWN nvme0", "- PCI_DEVICE_PROBLEM nvme0"]);
}
