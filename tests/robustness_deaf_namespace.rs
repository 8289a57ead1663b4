//! The journal of a namespace moves, goes and comes back, as the machine's own does in `robustness_deaf.rs`. Its journald
//! writes to /var/log/journal from its start on, or not at all: it has no flush.

use serde_json::{json, Value};

use crate::common::{signal, wait_for, Daemon, Journald, Machine, Namespace, NAMESPACE};
use crate::robustness_deaf::{assert_once_after, heard, report, run};

/// Where the files of the namespace are, by the shell's patterns.
const VOLATILE: &str = "/run/log/journal/*.tests";
const PERSISTENT: &str = "/var/log/journal/*.tests/system.journal";

/// A machine whose journal stays where it is. /var/log is its own, and empty.
fn machine(test: &str) -> Option<Machine> {
    let machine = Machine::start(test, &[])?;
    run(&machine, "umount -l /var/log/journal 2>/dev/null; mount -t tmpfs tmpfs /var/log");
    Some(machine)
}

fn daemon(machine: &Machine, environment: &[(&str, &str)]) -> Daemon {
    let rule = machine.tool_rule();
    let arguments = [&rule.each_ref().map(String::as_str)[..], &["--namespace", NAMESPACE]].concat();
    let mut daemon = machine.spawn_daemon(&arguments, environment);
    daemon.wait_until_ready();
    daemon
}

/// Ends the namespace's journald, runs a script, starts it again.
fn restart(machine: &Machine, namespace: &mut Namespace<'_>, script: &str) {
    namespace.end();
    run(machine, script);
    namespace.start_again();
}

/// The same with the journald of the machine, whose journal has the events.
fn restart_both(machine: &Machine, namespace: &mut Namespace<'_>, script: &str) -> Option<Journald> {
    namespace.end();
    machine.end_journald("TERM");
    run(machine, script);
    let journald = machine.start_journald();
    namespace.start_again();
    Some(journald)
}

fn assert_has(machine: &Machine, files: &str) {
    wait_for(files, || machine.shell(&format!("ls {files}")).status.success().then_some(()));
}

/// Lines before and after `trouble` are heard, and each of those after it has one stored event. `before` is run before the
/// journald of the namespace is started.
fn heard_after(
    test: &str,
    before: &str,
    trouble: impl FnOnce(&Machine, &mut Namespace<'_>) -> Option<Journald>,
) {
    let Some(machine) = machine(test) else { return };
    run(&machine, before);
    let mut namespace = Namespace::start(&machine);
    let daemon = daemon(&machine, &[]);
    machine.tool_writes_to(&namespace.socket(), 0..5);
    wait_for("the lines before", || (heard(&daemon, &(0..5)) == 5).then_some(()));
    let _journald = trouble(&machine, &mut namespace);
    for n in 5..10 {
        machine.tool_writes_to(&namespace.socket(), n..n + 1);
        wait_for("a line after", || (heard(&daemon, &(n..n + 1)) == 1).then_some(()));
    }
    assert_once_after(&machine, &daemon);
}

const NOTHING: &str = "true";
const MAKE_PERSISTENT: &str = "mkdir /var/log/journal";

#[test]
fn made_persistent() {
    heard_after("journal of a namespace made persistent", NOTHING, |machine, namespace| {
        restart(machine, namespace, MAKE_PERSISTENT);
        assert_has(machine, PERSISTENT);
        None
    });
}

#[test]
fn persistent_directory_replaced() {
    let test = "persistent journal of a namespace replaced";
    heard_after(test, MAKE_PERSISTENT, |machine, namespace| {
        assert_has(machine, PERSISTENT);
        restart(machine, namespace, "rm -r /var/log/journal && mkdir /var/log/journal");
        assert_has(machine, PERSISTENT);
        None
    });
}

#[test]
fn file_system_mounted_over() {
    let test = "file system mounted over the journal of a namespace";
    heard_after(test, MAKE_PERSISTENT, |machine, namespace| {
        restart(machine, namespace, "mount -t tmpfs tmpfs /var/log && mkdir /var/log/journal");
        assert_has(machine, PERSISTENT);
        None
    });
}

#[test]
fn directory_removed() {
    heard_after("journal of a namespace removed", NOTHING, |machine, namespace| {
        restart(machine, namespace, &format!("rm -r {VOLATILE}"));
        None
    });
}

#[test]
fn all_directories_removed() {
    heard_after("journal of a namespace and of the machine removed", NOTHING, |machine, namespace| {
        restart_both(machine, namespace, "rm -r /run/log/journal")
    });
}

#[test]
fn directory_removed_below_journald() {
    heard_after("journal of a namespace removed below journald", NOTHING, |machine, namespace| {
        run(machine, &format!("rm -r {VOLATILE}"));
        // journald makes the directory again when it has something to write.
        wait_for("a new file", || {
            signal("USR2", namespace.pid());
            machine.tool_writes_to(&namespace.socket(), 100..101);
            machine.shell(&format!("sleep 0.5; ls {VOLATILE}/system.journal")).status.success().then_some(())
        });
        None
    });
}

#[test]
fn machine_id_changed() {
    heard_after("machine id changed, with a namespace", NOTHING, |machine, namespace| {
        let id = machine.path("machine-id").display().to_string();
        let change =
            format!("tr -d - </proc/sys/kernel/random/uuid >{id} && mount --bind {id} /etc/machine-id");
        restart_both(machine, namespace, &change)
    });
}

/// A reader that never opens its journal again notices that it is deaf, and says so.
#[test]
fn deafness_is_reported() {
    let Some(machine) = machine("deafness of a namespace reported") else { return };
    let mut namespace = Namespace::start(&machine);
    let daemon = daemon(&machine, &[("PERIPETY_TEST_WITHOUT_REOPEN", "1")]);
    machine.tool_writes_to(&namespace.socket(), 0..5);
    wait_for("the lines before", || (heard(&daemon, &(0..5)) == 5).then_some(()));
    restart(&machine, &mut namespace, MAKE_PERSISTENT);
    machine.tool_writes_to(&namespace.socket(), 5..10);
    let report = report(&daemon);
    let file = report["extension"]["file"].as_str().unwrap();
    assert!(file.starts_with("/var/log/journal/") && file.contains(".tests/"), "{report}");
    assert_eq!(daemon.status()["times_deaf"], json!(1));
    assert_eq!(heard(&daemon, &(5..10)), 0, "the repair is disabled");
}

/// journald goes on writing to files that were removed: nobody can read them, and that is reported.
#[test]
fn removed_files_are_reported() {
    let Some(machine) = machine("removed files of a namespace reported") else { return };
    let mut namespace = Namespace::start(&machine);
    let daemon = daemon(&machine, &[]);
    machine.tool_writes_to(&namespace.socket(), 0..5);
    wait_for("the lines before", || (heard(&daemon, &(0..5)) == 5).then_some(()));
    run(&machine, &format!("rm -r {VOLATILE}"));
    daemon.wait_until_said("its files are gone, restart systemd-journald@tests");
    assert!(daemon.status()["trouble"].is_string());
    restart(&machine, &mut namespace, NOTHING);
    machine.tool_writes_to(&namespace.socket(), 5..10);
    wait_for("the lines after", || (heard(&daemon, &(5..10)) == 5).then_some(()));
    assert_eq!(report(&daemon)["extension"]["file"], Value::Null);
    wait_for("the end of the trouble", || daemon.status()["trouble"].is_null().then_some(()));
}
