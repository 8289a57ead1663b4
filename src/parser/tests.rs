//! Events made of single lines and a recorded device tree.

use peripety_blkinfo::Tree;

use super::*;
use crate::bus::raw::EntryInfo;
use crate::bus::Ticket;
use crate::event::Severity;
use crate::rules::{builtin, RuleSet};

/// The machine of a recorded tree, with more files in it.
fn machine(case: &str, more: &str) -> Devices {
    let path = format!("{}/blkinfo/tests/fixtures/{case}/tree.txt", env!("CARGO_MANIFEST_DIR"));
    let tree = std::fs::read_to_string(path).unwrap();
    Devices::new(Tree::recorded(&(tree + more)).unwrap(), None)
}

/// The event of a kernel line that was written when everything in the tree was there.
fn event(devices: &Devices, line: &str) -> EventDraft {
    let rules = RuleSet::new(builtin::rules().unwrap());
    let matched = rules.matched(b"kernel", line.as_bytes()).unwrap();
    let raw = RawEvent {
        number: 0,
        sub_system: matched.rule.sub_system.to_string(),
        severity: Severity::Error,
        captures: matched.captures,
        event_id: "id".into(),
        entry: EntryInfo {
            boot_id: devices.boot_id().unwrap().into(),
            monotonic: u64::MAX,
            identifier: "kernel".into(),
            message: line.into(),
            ..EntryInfo::default()
        },
        ticket: Ticket::detached(),
        rule: matched.rule,
    };
    parse(devices, &raw)
}

/// Of three controllers that lead to the namespace, the line is about one.
#[test]
fn a_line_about_a_controller_has_its_address() {
    // udev saw it first at 5 s.
    let devices = machine("nvme-ana", "/run/udev/data/b259:12 =\n\tI:5000000\n");
    let detail = |line: &str, key: &str| event(&devices, line).extension.get(key).cloned();
    for (controller, address) in [("nvme3", "127.0.0.1"), ("nvme4", "127.0.0.2")] {
        let line = format!("nvme {controller}: starting error recovery");
        assert_eq!(event(&devices, &line).dev_path.as_deref(), Some("/dev/nvme3n1"));
        assert_eq!(detail(&line, "traddr").as_deref(), Some(address), "{line}");
        assert_eq!(detail(&line, "controllers").as_deref(), Some("nvme3 nvme4 nvme5"));
    }
    let line = "I/O error, dev nvme3n1, sector 8 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2";
    assert_eq!(detail(line, "traddr"), None, "several");
}

#[test]
fn a_server_that_does_not_answer_names_its_mounts() {
    let tree = "# peripety device tree 1\n\
        /proc/sys/kernel/random/boot_id = e183aead-d852-4e1b-b80f-d7dace1cf536\n/proc/self/mountinfo =\n\
        \t26 1 254:0 / / rw - ext4 /dev/vda rw\n\t30 26 0:50 / /mnt/a rw - nfs4 nas:/a rw,addr=192.0.2.1\n\
        \t31 26 0:51 / /mnt/b rw - nfs nas:/b rw\n\t32 26 0:52 / /mnt/c rw - nfs4 nas2:/c rw\n";
    let devices = Devices::new(Tree::recorded(tree).unwrap(), None);
    let hangs = event(&devices, "nfs: server nas not responding, still trying");
    assert_eq!(hangs.extension["mount_point"], "/mnt/a");
    assert_eq!(hangs.extension["mount_points"], "/mnt/a /mnt/b");
    let answers = event(&devices, "nfs: server nas2 OK");
    assert_eq!(answers.extension["mount_point"], "/mnt/c");
    assert!(!answers.extension.contains_key("mount_points"));
}

#[test]
fn exactly_one_family_takes_every_sub_system() {
    let builtin = crate::rules::builtin::rules().unwrap();
    let mut names: Vec<&str> = builtin.iter().map(|rule| &*rule.sub_system).collect();
    names.extend(["other", "my-array", "", "peripety"]);
    for name in names {
        let takers: Vec<_> = FAMILIES.iter().filter(|f| (f.takes)(name)).map(|f| f.name).collect();
        assert!(matches!(takers.as_slice(), [_, "generic"] | ["generic"]), "{name}: {takers:?}");
    }
}
