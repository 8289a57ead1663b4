//! Who may ask what: PermissionDenied, NotStored, and the questions about devices.

use std::process::Output;

use crate::common::{self, program, project, skip, Daemon, Machine};
use serde_json::{json, Map, Value};

fn names(error: Result<Value, (String, Value)>) -> (String, Value) {
    error.unwrap_err()
}

#[test]
fn devices() {
    let Some(machine) = Machine::start("devices", &[]) else { return };
    let daemon = machine.incident("fs-lvm-multipath", &[]);
    let mut client = daemon.connect();
    let mut info =
        |blk: &str| client.call("GetBlockInfo", json!({ "blk": blk })).map(|reply| reply["info"].clone());

    // What lsblk, dmsetup and mountinfo said when the incident was recorded.
    let ext4 = info("/mnt/d1").unwrap();
    let known: Map<String, Value> =
        ext4.as_object().unwrap().clone().into_iter().filter(|(_, value)| !value.is_null()).collect();
    assert_eq!(
        Value::from(known),
        json!({
            "kdev": "dm-1", "major_minor": "253:1", "dev_path": "/dev/mapper/labvg-e", "blk_type": "dm-lvm",
            "dev_wwid": "LVM-Wo2teEqKSFVuYD3K23swOGY1o3OHfzjzj6eWIrYQq49EiMIq2XCkJuge2CtTeSzV",
            "owners_wwids": ["mpath-1Linux_scsi_debug_2000", "naa.33333330000007d0"],
            "owners_paths": ["/dev/mapper/mpathb", "/dev/sdb", "/dev/sdc", "/dev/sde", "/dev/sdf"],
            "holders": [], "size": 209_715_200, "fs_type": "ext4",
            "fs_uuid": "75cbc990-1bda-4427-9934-616ac2b1f72f", "mount_points": ["/mnt/d1"],
            "extension": {}, "diskseq": 94, "paths": [], "slaves": ["dm-0"],
            "stable_path": "/dev/mapper/labvg-e",
        })
    );
    for spelling in
        ["dm-1", "253:1", "/dev/dm-1", "/dev/mapper/labvg-e", "75cbc990-1bda-4427-9934-616ac2b1f72f"]
    {
        assert_eq!(info(spelling).unwrap(), ext4, "{spelling}");
    }
    assert_eq!(info("mpathb").unwrap()["holders"], json!(["dm-1", "dm-2"]));
    for nothing in ["no-such-device", "", "/mnt/../etc/passwd", "8:48", "\u{0}"] {
        let (error, parameters) = names(info(nothing));
        assert_eq!((error.as_str(), &parameters["blk"]), ("io.peripety.BlockNotFound", &json!(nothing)));
        assert!(!parameters["message"].as_str().unwrap().is_empty());
    }

    let topology = client.call("GetTopology", json!({ "blk": "mpathb" })).unwrap();
    let side = |side: &str| -> Vec<String> {
        let blocks = topology[side].as_array().unwrap().iter();
        blocks.map(|block| block["kdev"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(topology["info"]["kdev"], "dm-0");
    assert_eq!(side("below"), ["sdb", "sdc", "sde", "sdf"]);
    assert_eq!(side("above"), ["dm-1", "dm-2"]);
    let path = &topology["info"]["paths"][1];
    assert_eq!(
        (&path["address"], &path["access_state"]),
        (&json!("4:0:0:0"), &json!("active/non-optimized"))
    );

    let infos = client.call("ListBlockInfo", json!({})).unwrap()["infos"].clone();
    let kdevs: Vec<&str> =
        infos.as_array().unwrap().iter().map(|info| info["kdev"].as_str().unwrap()).collect();
    assert_eq!(kdevs, ["dm-0", "dm-1", "dm-2", "sdb", "sdc", "sde", "sdf", "vda"]);
    assert_eq!(infos[1], ext4);
}

#[test]
fn a_name_of_several_devices() {
    let Some(machine) = Machine::start("ambiguous device", &[]) else { return };
    let tree = project("blkinfo/tests/fixtures/nvme-loop/tree.txt");
    let journal = machine.path("empty.journal");
    common::journal_file(b"__REALTIME_TIMESTAMP=1700000000000000\n__MONOTONIC_TIMESTAMP=1\n_BOOT_ID=0123456789abcdef0123456789abcdef\nMESSAGE=x\n\n", &journal);
    let daemon = machine.daemon(&[
        "--journal-file",
        journal.to_str().unwrap(),
        "--device-tree",
        tree.to_str().unwrap(),
    ]);
    let expected = json!({ "blk": "nvme0", "candidates": ["nvme0n1", "nvme0n2"] });
    let mut client = daemon.connect();
    for (method, parameters) in
        [("GetBlockInfo", json!({ "blk": "nvme0" })), ("Query", json!({ "filter": { "blk": "nvme0" } }))]
    {
        let error = names(client.call(method, parameters));
        assert_eq!(error, ("io.peripety.BlockAmbiguous".to_owned(), expected.clone()), "{method}");
    }
    let filter = json!({ "filter": { "blk": "nvme0" } });
    assert_eq!(
        names(client.call_more("Monitor", filter).map(|_| Value::Null)).0,
        "io.peripety.BlockAmbiguous"
    );
    assert_eq!(client.call("GetBlockInfo", json!({ "blk": "nvme0n2" })).unwrap()["info"]["kdev"], "nvme0n2");
}

#[test]
fn a_daemon_that_keeps_nothing() {
    let Some(machine) = Machine::start("no store", &[]) else { return };
    let daemon = machine.incident("fs-lvm-multipath", &["--no-store"]);
    let status = daemon.status();
    assert_eq!(
        (&status["save_to_journald"], &status["events"], &status["events_stored"]),
        (&json!(false), &json!(common::incident_counts("fs-lvm-multipath").0), &json!(0))
    );
    let mut client = daemon.connect();
    for (method, parameters) in [("Query", json!({})), ("Monitor", json!({ "since": 0 }))] {
        let (error, parameters) = names(client.call_more(method, parameters).map(|_| Value::Null));
        assert_eq!(error, "io.peripety.NotStored", "{method}");
        assert!(parameters["message"].as_str().unwrap().contains("save_to_journald"));
    }
    client.request("Monitor", json!({}), true);
    assert_eq!(client.receive().unwrap()["continues"], true);
    assert!(machine.journal("PERIPETY_FORMAT=1").is_empty());
}

/// What a program printed may quote events.
#[test]
fn errors_of_notifiers_are_for_readers_of_the_journal() {
    if !rustix::process::geteuid().is_root() {
        return skip("another user's status", "only root can run a client as another user");
    }
    let Some(machine) = Machine::start("another user's status", &[]) else { return };
    machine.open_to_all();
    let config = machine.path("peripetyd.conf");
    let table = "[notifiers.exec]\nprogram = \"/nonexistent/page\"\n";
    std::fs::write(&config, [common::NO_BURSTS, table].concat()).unwrap();
    let daemon = machine.incident("fs-lvm-multipath", &["--config", config.to_str().unwrap()]);
    let error = common::wait_for("an error", || {
        daemon.status()["notifiers"][0]["last_error"].as_str().map(str::to_owned)
    });
    assert!(error.contains("/nonexistent/page"), "{error}");
    let out = as_nobody(&machine, &daemon, &["status"]);
    let said = String::from_utf8(out.stdout).unwrap();
    assert!(out.status.success() && said.contains("exec (exec): 0 delivered") && said.contains("last error"));
    assert!(!said.contains("nonexistent"), "{said}");
}

/// prpt as the user nobody.
fn as_nobody(machine: &Machine, daemon: &Daemon, arguments: &[&str]) -> Output {
    let copy = machine.path("prpt");
    if !copy.exists() {
        std::fs::copy(program("prpt"), &copy).unwrap();
    }
    machine.as_nobody(copy).arg("--address").arg(daemon.address()).args(arguments).output().unwrap()
}

#[test]
fn events_are_for_readers_of_the_journal() {
    if !rustix::process::geteuid().is_root() {
        return skip("another user's questions", "only root can run a client as another user");
    }
    let Some(machine) = Machine::start("another user's questions", &[]) else { return };
    machine.open_to_all();
    let daemon = machine.incident("fs-lvm-multipath", &[]);
    for arguments in
        [&["query"][..], &["query", "--limit", "1"], &["monitor", "--limit", "1"], &["query", "--blk", "sdb"]]
    {
        let out = as_nobody(&machine, &daemon, arguments);
        let said = String::from_utf8(out.stderr).unwrap();
        assert_eq!(out.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(out.stdout.is_empty());
        // The daemon's own words: it is the daemon's error, not the socket's.
        assert!(
            said.contains("permission denied by peripetyd: ")
                && said.contains("usermod -aG systemd-journal USER"),
            "{said}"
        );
    }
    let events = common::incident_counts("fs-lvm-multipath").0.to_string();
    for (arguments, word) in [
        (&["status"][..], events.as_str()),
        (&["list"], "mpath-1Linux_scsi_debug_2000"),
        (&["info", "sdb"], "naa.33333330000007d0"),
        (&["rules", "list", "--sub-system", "xfs"], "FS_SHUTDOWN"),
        (&["rules", "test", "device-mapper: multipath: Failing path 8:48."], "kdev: 8:48"),
    ] {
        let out = as_nobody(&machine, &daemon, arguments);
        let text =
            format!("{}{}", String::from_utf8(out.stdout).unwrap(), String::from_utf8(out.stderr).unwrap());
        assert!(out.status.success() && text.contains(word), "{arguments:?}: {text}");
    }
    // A short line is enough for those who may not read the log.
    for (length, code) in [(8192, Some(3)), (8193, Some(1))] {
        let out = as_nobody(&machine, &daemon, &["rules", "test", &"x".repeat(length)]);
        let said = String::from_utf8(out.stderr).unwrap();
        assert_eq!((out.status.code(), said.contains("at most 8192")), (code, code == Some(1)), "{said}");
    }
}
