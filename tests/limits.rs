//! What clients can make the daemon hold: memory, permits and connections.

use std::io::Read;

use crate::common::{self, program, wait_for, Client, Daemon, LiveJournal, Machine};
use peripety::rules::builtin;
use serde_json::{json, Value};

/// Events whose JSON is many times what a socket holds.
const MANY: usize = 2_500;

fn with_config(test: &str, config: &str, arguments: &[&str]) -> Option<(Machine, LiveJournal, Daemon)> {
    let machine = Machine::start(test, &[])?;
    let journal = LiveJournal::start(machine.path("live.journal"));
    let file = machine.path("limits.conf");
    std::fs::write(&file, [common::NO_BURSTS, config].concat()).unwrap();
    let daemon = machine.following(&journal, &[&["--config", file.to_str().unwrap()], arguments].concat());
    Some((machine, journal, daemon))
}

/// Clients that have asked, and have read one byte of the answer.
fn slow(daemon: &Daemon, count: usize, method: &str, more: bool) -> Vec<Client> {
    let ask = |_| {
        let mut client = daemon.connect();
        client.request(method, json!({}), more);
        client
    };
    let mut clients: Vec<Client> = (0..count).map(ask).collect();
    for client in &mut clients {
        // Not through the buffer, which would take more.
        assert_eq!(client.0.get_mut().read(&mut [0]).unwrap(), 1);
    }
    clients
}

/// The rest of the answer, whose first byte was read.
fn rest(client: &mut Client) -> Value {
    let mut bytes = vec![b'{'];
    std::io::BufRead::read_until(&mut client.0, 0, &mut bytes).unwrap();
    assert_eq!(bytes.pop(), Some(0), "the answer is cut");
    serde_json::from_slice(&bytes).unwrap()
}

fn kdevs(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["kdev"].as_str().unwrap()).collect()
}

/// More of them than there are permits.
#[test]
fn slow_readers_hold_nobody_up_and_get_everything() {
    let Some((_machine, mut journal, daemon)) = with_config("slow readers", "", &[]) else { return };
    journal.write_failures(0..MANY);
    wait_for("the events", || (daemon.status()["events_stored"] == MANY).then_some(()));
    let all: Vec<String> = (0..MANY).map(|n| format!("8:{n}")).collect();
    let mut readers = slow(&daemon, 6, "Query", true);
    // Others come through while they read nothing: a page, everything, and a replay.
    let page = daemon.connect().call("Query", json!({ "limit": 1 })).unwrap();
    assert_eq!(kdevs(page["events"].as_array().unwrap()), all[..1]);
    assert_eq!(kdevs(&daemon.query(json!({}))), all);
    let mut monitor = daemon.connect();
    monitor.request("Monitor", json!({ "since": 0, "limit": MANY }), true);
    monitor.receive().unwrap();
    assert_eq!(monitor.receive().unwrap()["parameters"]["event"]["kdev"], "8:0");
    // While the readers stand still there are new events, which may or may not be in their answers.
    journal.write_failures(MANY..MANY + 1);
    for client in &mut readers {
        let mut reply = rest(client);
        let mut events = Vec::new();
        loop {
            events.extend(reply["parameters"]["events"].as_array().unwrap().clone());
            if reply["continues"] != true {
                break;
            }
            reply = client.receive().expect("the answer is complete");
        }
        assert_eq!(kdevs(&events)[..MANY], all);
    }
}

#[test]
fn unread_answers_take_little_memory() {
    let Some((_machine, _journal, daemon)) = with_config("unread answers", "", &["--no-store"]) else {
        return;
    };
    let rules = daemon.status()["rules"].clone();
    let expected = daemon.connect().call("ListRules", json!({})).unwrap();
    assert_eq!(json!(expected["rules"].as_array().unwrap().len()), rules);
    let before = daemon.own_memory();
    let mut readers = slow(&daemon, 60, "ListRules", false);
    let grown = daemon.own_memory().saturating_sub(before);
    eprintln!("60 unread answers of ListRules: {grown} KiB");
    assert!(grown < 60 * 256, "{grown} KiB for 60 answers that nobody reads");
    assert_eq!(rest(&mut readers[0])["parameters"], expected);
    assert_eq!(rest(&mut readers[59])["parameters"], expected);
}

/// The built-in rules stand in the program's file, not in memory.
#[test]
fn a_start_takes_little_memory() {
    let Some((_machine, _journal, daemon)) = with_config("a start", "", &["--no-store"]) else { return };
    assert!(daemon.status()["rules"].as_u64().unwrap() > 1000);
    let taken = daemon.own_memory();
    eprintln!("after the start: {taken} KiB");
    assert!(taken < 8 << 10, "{taken} KiB after the start");
}

/// Lines of many rules, whole, cut and long, so that many regexes are needed.
#[test]
fn trials_leave_nothing_in_memory() {
    let Some((_machine, _journal, daemon)) = with_config("trials", "", &["--no-store"]) else { return };
    let mut client = daemon.connect();
    let mut test = |line: &str, identifier: &str| {
        client.call("TestRule", json!({ "line": line, "identifier": identifier })).unwrap();
    };
    let rules = builtin::rules().unwrap();
    test("sd 0:0:0:0: [sda] no such line", "kernel");
    let before = daemon.own_memory();
    let mut tried = 0;
    for (rule, line) in rules.iter().step_by(4).filter_map(|rule| Some((rule, rule.example_lines().next()?)))
    {
        let cut = (0..=line.len() / 2).rev().find(|at| line.is_char_boundary(*at)).unwrap();
        test(line, &rule.identifier);
        test(&line[..cut], &rule.identifier);
        test(&line.repeat(1 + 4096 / line.len()), &rule.identifier);
        tried += 3;
    }
    let grown = daemon.own_memory().saturating_sub(before);
    eprintln!("{tried} trials: {grown} KiB");
    assert!(tried > 1000 && grown < 16 << 10, "{grown} KiB after {tried} trials");
}

/// Lines of a storm, and devices that it is about.
const STORM: usize = 4_000;
const DEVICES: usize = 100;

/// What the kernel says of many failing disks, maps and file systems, each line another one.
fn storm() -> impl Iterator<Item = String> {
    (0..STORM).map(|n| {
        let device = n * 7 % DEVICES;
        let disk: String = ["sd", "b", &char::from(b'a' + (device % 26) as u8).to_string()].concat();
        match n % 6 {
            0 => format!("device-mapper: multipath: 253:{device}: Failing path 8:{device}."),
            1 => format!("device-mapper: multipath: 253:{device}: Reinstating path 8:{device}."),
            2 => format!("sd {device}:0:0:0: [{disk}] tag#{n} FAILED Result: hostbyte=DID_OK driverbyte=DRIVER_OK"),
            3 => format!("sd {device}:0:0:0: [{disk}] tag#{n} CDB: Read(10) 28 00 00 00 {:02x} 00 00 00 08 00", n % 256),
            4 => format!("critical medium error, dev {disk}, sector {n} op 0x0:(READ) flags 0x80700 phys_seg 1 prio class 2"),
            _ => format!("XFS (dm-{device}): metadata I/O error in \"xfs_trans_read_buf_map\" at daddr 0x{n:x} len 8 error 5"),
        }
    })
}

#[test]
fn a_storm_takes_bounded_memory() {
    let Some(machine) = Machine::start("memory of a storm", &[]) else { return };
    let mut journal = LiveJournal::start(machine.path("live.journal"));
    let config = machine.path("bursts.conf");
    std::fs::write(&config, "").unwrap();
    let daemon = machine.following(&journal, &["--config", config.to_str().unwrap(), "--no-store"]);
    let before = daemon.own_memory();
    journal.write(storm());
    let mut most = 0;
    wait_for("the storm", || {
        most = most.max(daemon.own_memory());
        (daemon.status()["entries_matched"] == STORM).then_some(())
    });
    let grown = most.saturating_sub(before);
    eprintln!("a storm of {STORM} lines: {grown} KiB");
    assert!(grown < 32 << 10, "{grown} KiB for {STORM} lines about {DEVICES} devices");
}

const FEW: &str = "[varlink]\nmax_connections = 16\nidle_seconds = 1\n";

#[test]
fn a_refused_connection_is_answered() {
    let few = FEW.replace("idle_seconds = 1", "idle_seconds = 86400");
    let Some((_machine, _journal, daemon)) = with_config("refusals", &few, &["--no-store"]) else { return };
    let mut clients: Vec<Client> = Vec::new();
    let refused = wait_for("the limit", || {
        let mut client = Client::connect(&daemon.socket);
        client.request("GetStatus", json!({}), false);
        let reply = client.receive().unwrap();
        let refused = reply["error"].is_string();
        clients.push(client);
        refused.then_some(reply)
    });
    assert_eq!(clients.len(), 17);
    assert_eq!(refused["error"], "io.peripety.TooManyConnections");
    assert!(refused["parameters"]["message"].as_str().unwrap().contains("max_connections"), "{refused}");
    assert!(clients.pop().unwrap().receive().is_none());
    let prpt = |arguments: &[&str]| {
        let out = std::process::Command::new(program("prpt"))
            .args(["--address", &daemon.address()])
            .args(arguments)
            .output()
            .unwrap();
        (out.status.code(), String::from_utf8(out.stderr).unwrap())
    };
    for arguments in [&["status"][..], &["query"], &["monitor"]] {
        let (code, said) = prpt(arguments);
        assert!(code == Some(1) && said.contains("refused the connection: too many connections"), "{said}");
    }
    assert!(daemon.log().contains("Varlink connections refused"), "{}", daemon.log());
    drop(clients);
    wait_for("room", || (prpt(&["status"]).0 == Some(0)).then_some(()));
}

/// More events than the bus keeps, and than a socket holds.
const BURST: usize = 9_000;

#[test]
fn who_does_not_read_leaves_only_when_room_is_scarce() {
    let Some((_machine, mut journal, daemon)) = with_config("dead monitor", FEW, &["--no-store"]) else {
        return;
    };
    let mut dead = daemon.connect();
    dead.request("Monitor", json!({}), true);
    dead.receive().unwrap();
    journal.write_failures(0..BURST);
    wait_for("all events", || (daemon.status()["events"] == BURST).then_some(()));
    // With room it stays, however long.
    assert_eq!(daemon.status()["monitors"], 1);
    assert!(!daemon.log().contains("to make room"), "{}", daemon.log());
    // The crowd is new each time, or it would be ended before a monitor that took its last bytes later.
    wait_for("the monitor to be ended", || {
        let crowd: Vec<Client> = (0..13).map(|_| Client::connect(&daemon.socket)).collect();
        let gone =
            daemon.connect().call("GetStatus", json!({})).is_ok_and(|reply| reply["status"]["monitors"] == 0);
        drop(crowd);
        gone.then_some(())
    });
    assert!(daemon.log().contains("ended to make room"), "{}", daemon.log());
}
