//! Settings of notifiers: reload, filters, the standard output, and running without a store.

use super::*;

#[test]
fn changed_settings_take_effect_at_reload() {
    let Some(mut setup) = Setup::new("reload of exec") else { return };
    let hang = "[ ! -e \"$0.hang\" ] || sleep 1000\nprintf '%s' \"$*\" >>\"$0.arguments\"\n";
    let page = Script::new(&setup.machine, "page", &[hang, NOTE].concat());
    let daemon = setup.start(&[page.table("page", "arguments = [\"a\"]")]);
    setup.journal.write_failures(0..2);
    page.wait_for(0..2);
    setup.reload(&daemon, &[page.table("page", "arguments = [\"b\"]")]);
    setup.journal.write_failures(2..4);
    page.wait_for(0..4);
    assert_eq!(page.text("arguments"), "aabb");
    // One that hangs gets new settings, too, and the event that it had.
    std::fs::write(page.file("hang"), "").unwrap();
    setup.journal.write_failures(4..6);
    wait_for_status(&daemon, "page", "a backlog", |status| status["backlog"] == 2);
    let other = Script::new(&setup.machine, "other", NOTE);
    setup.reload(&daemon, &[other.table("page", "")]);
    wait_for("the events at hand", || (other.seen() == [4, 5]).then_some(()));
    wait_for_status(&daemon, "page", "6 deliveries", |status| status["delivered"] == 6);
    // One that is not configured is gone, and a new one when it comes back.
    setup.reload(&daemon, &[]);
    assert_eq!(daemon.status()["notifiers"], json!([]));
    let position = setup.machine.path("state/notifier-page.json");
    wait_for("no position", || (!position.exists()).then_some(()));
    setup.journal.write_failures(6..8);
    wait_for("stored events", || (daemon.status()["events_stored"] == 8).then_some(()));
    setup.reload(&daemon, &[other.table("page", "")]);
    setup.journal.write_failures(8..9);
    wait_for("the next event", || (other.seen() == [4, 5, 8]).then_some(()));
    assert!(position.exists());
}

#[test]
fn filters_choose_events() {
    let Some(mut setup) = Setup::new("filters of notifiers") else { return };
    let script = |name: &str| Script::new(&setup.machine, name, NOTE);
    let (types, severe, device) = (script("types"), script("severe"), script("device"));
    let daemon = setup.start(&[
        types.table("types", "filter = { event_types = [\"dm_mpath_path_reinstated\"] }"),
        severe.table("severe", "filter = { severity = \"error\", sub_systems = [\"block\"] }"),
        device.table("device", "filter = { devices = [\"8:3\", \"8:5\"] }"),
    ]);
    setup.journal.write_failures(0..6);
    setup.journal.write([
        "device-mapper: multipath: 253:2: Reinstating path 8:3.".to_owned(),
        "I/O error, dev sdz, sector 8 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 0".to_owned(),
    ]);
    for name in ["types", "severe", "device"] {
        let count = if name == "device" { 3 } else { 1 };
        let done = |status: &Value| status["delivered"] == count && status["backlog"] == 0;
        wait_for_status(&daemon, name, "its events and no others", done);
    }
    wait_for("all events", || (daemon.status()["events_stored"] == 8).then_some(()));
    assert_eq!((types.seen(), device.seen()), (vec![3], vec![3, 5, 3]));
    assert_eq!(severe.text("seen"), "sdz\n");
}

/// More events than wait for a notifier that is slow.
const MANY: usize = 5_000;

#[test]
fn the_standard_output_has_every_event_in_order() {
    let Some(mut setup) = Setup::new("stdout") else { return };
    setup.journal.write_failures(0..MANY);
    let print = |arguments: &[&str]| {
        let mut command = setup.machine.command(env!("CARGO_BIN_EXE_peripetyd"));
        let plain = setup.machine.path("plain.conf");
        std::fs::write(&plain, common::NO_BURSTS).unwrap();
        let (socket, state) =
            (setup.machine.path("sock"), tempfile::tempdir_in(setup.machine.dir.path()).unwrap());
        command.arg("--varlink").arg(format!("unix:{}", socket.display()));
        command.arg("--state-directory").arg(state.path()).arg("--config").arg(plain);
        command
            .arg("--journal-file")
            .arg(&setup.journal.file)
            .args(["--stdout", "--no-follow"])
            .args(arguments);
        let out = command.stdin(Stdio::null()).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    };
    wait_for("the journal to have all lines", || {
        let list = format!("journalctl --file '{}' -o cat | grep -c Failing", setup.journal.file.display());
        (setup.machine.shell(&list).stdout == format!("{MANY}\n").into_bytes()).then_some(())
    });
    let stored = print(&[]);
    let expected = |n: usize| {
        format!(" live Warning multipath DM_MPATH_PATH_FAILED 8:{n} device-mapper: multipath: 253:2: Failing path 8:{n}.")
    };
    for (n, line) in stored.lines().enumerate() {
        assert!(
            line.ends_with(&expected(n)) && line.len() == "2026-01-01 00:00:00.000".len() + expected(n).len(),
            "{line}"
        );
    }
    assert_eq!(stored.lines().count(), MANY);
    let live = print(&["--no-store"]);
    let lost: usize = live
        .lines()
        .filter_map(|line| line.strip_prefix("-- ")?.split(' ').next()?.parse::<usize>().ok())
        .sum();
    assert_eq!(live.lines().filter(|line| !line.starts_with("-- ")).count() + lost, MANY);
}

#[test]
fn without_a_store_events_come_as_they_happen() {
    let Some(mut setup) = Setup::new("exec without a store") else { return };
    let page = Script::new(&setup.machine, "page", NOTE);
    setup.configure(&[page.table("page", "")]);
    let daemon = setup.daemon(&["--no-store"]);
    setup.journal.write_failures(0..10);
    page.wait_for(0..10);
    // The store is switched on: what comes then has a position.
    assert!(!setup.machine.path("state/notifier-page.json").exists());
    wait_for_status(&daemon, "page", "no backlog", |status| status["backlog"] == 0);
}
