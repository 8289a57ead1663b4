//! Monitor of the running daemon: live events, replay, limits, and monitors that are too slow.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use crate::common::{wait_for, Client, Daemon, LiveJournal, Machine};
use serde_json::{json, Value};

fn started(test: &str, arguments: &[&str]) -> Option<(Machine, LiveJournal, Daemon)> {
    let machine = Machine::start(test, &[])?;
    let journal = LiveJournal::start(machine.path("live.journal"));
    let daemon = machine.following(&journal, arguments);
    Some((machine, journal, daemon))
}

/// A monitor that has had its first reply.
fn monitor(daemon: &Daemon, parameters: Value) -> Client {
    let mut client = daemon.connect();
    client.request("Monitor", parameters, true);
    let first = client.receive().unwrap();
    assert_eq!((&first["continues"], empty(&first)), (&json!(true), true), "{first}");
    client
}

fn empty(reply: &Value) -> bool {
    reply["parameters"]["event"].is_null() && reply["parameters"]["lost"].is_null()
}

/// The next reply that is not just a sign of life.
fn next(client: &mut Client) -> Value {
    loop {
        let Some(reply) = client.receive() else { panic!("the daemon closed the connection") };
        if !empty(&reply) || reply["continues"] != true {
            return reply;
        }
    }
}

/// Number of the path in the event of a line of `write_failures`.
fn number(event: &Value) -> usize {
    assert_eq!(event["event_type"], "DM_MPATH_PATH_FAILED");
    event["kdev"].as_str().unwrap().strip_prefix("8:").unwrap().parse().unwrap()
}

fn numbers(client: &mut Client, count: usize) -> Vec<usize> {
    (0..count).map(|_| number(&next(client)["parameters"]["event"])).collect()
}

#[test]
fn live_events_filters_and_limits() {
    let Some((_machine, mut journal, daemon)) = started("live events", &[]) else { return };
    let mut all = monitor(&daemon, json!({}));
    let mut limited = monitor(&daemon, json!({ "limit": 2 }));
    let mut errors = monitor(&daemon, json!({ "filter": { "severity": "Error" } }));
    let mut reinstated = monitor(
        &daemon,
        json!({ "filter": { "event_types": ["dm_mpath_path_reinstated"], "sub_systems": ["MULTIPATH"] }, "limit": 1 }),
    );
    let mut by_wwid = monitor(&daemon, json!({ "filter": { "blk": "no-such-device" }, "limit": 1 }));
    assert_eq!(daemon.status()["monitors"], 5);

    let sent = Instant::now();
    journal.write_failures(0..5);
    assert_eq!(numbers(&mut all, 5), [0, 1, 2, 3, 4]);
    eprintln!("from a line in a journal file to Monitor: {:?}", sent.elapsed());
    assert!(sent.elapsed() < Duration::from_secs(5));
    assert_eq!(numbers(&mut limited, 2), [0, 1]);
    let last = limited.receive().unwrap();
    assert!(empty(&last) && last["continues"].is_null(), "{last}");
    // The connection serves on.
    assert_eq!(limited.call("GetStatus", json!({})).unwrap()["status"]["monitors"], 4);

    journal.write([
        "device-mapper: multipath: 253:2: Reinstating path 8:9.".to_owned(),
        "I/O error, dev sdz, sector 8 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 0".to_owned(),
    ]);
    let event = next(&mut reinstated)["parameters"]["event"].clone();
    assert_eq!((&event["event_type"], &event["kdev"]), (&json!("DM_MPATH_PATH_REINSTATED"), &json!("8:9")));
    assert!(next(&mut reinstated)["continues"].is_null());
    assert_eq!(next(&mut errors)["parameters"]["event"]["event_type"], "BLK_IO_ERROR");
    // The same event, from the bus and from the journal.
    let live = next(&mut all)["parameters"]["event"].clone();
    daemon.settle();
    assert_eq!(daemon.query(json!({ "event_id": live["event_id"] })), [live]);

    drop((all, limited, errors, reinstated));
    wait_for("the monitors to be counted as gone", || (daemon.status()["monitors"] == 1).then_some(()));
    by_wwid.0.get_mut().shutdown(std::net::Shutdown::Both).unwrap();
    wait_for("the last monitor to be counted as gone", || (daemon.status()["monitors"] == 0).then_some(()));
}

#[test]
fn replay_goes_over_into_live_events() {
    let Some((_machine, mut journal, daemon)) = started("replay", &[]) else { return };
    journal.write_failures(0..50);
    wait_for("the first events", || (daemon.status()["events_stored"] == 50).then_some(()));
    let time = |n: usize| daemon.query(json!({}))[n]["timestamp"].clone();
    let mut all = monitor(&daemon, json!({ "since": 0 }));
    let mut half = monitor(&daemon, json!({ "since": time(25) }));
    let mut four = monitor(&daemon, json!({ "since": 0, "limit": 4 }));
    let mut filtered =
        monitor(&daemon, json!({ "since": 0, "filter": { "since": time(48), "until": time(49) } }));
    let mut across = monitor(&daemon, json!({ "since": time(48), "limit": 4 }));
    // While the replay goes on.
    journal.write_failures(50..400);
    assert_eq!(numbers(&mut all, 400), (0..400).collect::<Vec<_>>());
    assert_eq!(numbers(&mut half, 375), (25..400).collect::<Vec<_>>());
    assert_eq!(numbers(&mut four, 4), [0, 1, 2, 3]);
    assert!(next(&mut four)["continues"].is_null());
    assert_eq!(numbers(&mut filtered, 2), [48, 49]);
    assert_eq!(numbers(&mut across, 4), [48, 49, 50, 51]);
    assert!(next(&mut across)["continues"].is_null());
    // What was replayed does not come live, too.
    journal.write_failures(400..401);
    assert_eq!(numbers(&mut all, 1), [400]);
}

#[test]
fn limits_that_need_no_event() {
    let Some((_machine, _journal, daemon)) = started("monitor limits", &[]) else { return };
    let mut client = daemon.connect();
    assert!(client.call_more("Monitor", json!({ "limit": 0 })).is_ok_and(|replies| replies.len() == 1));
    for (parameters, name) in [
        (json!({ "limit": -1 }), "limit"),
        (json!({ "since": -1 }), "since"),
        (json!({ "filter": { "since": -1 } }), "filter.since"),
    ] {
        let (error, refused) = client.call_more("Monitor", parameters).unwrap_err();
        assert_eq!((error.as_str(), &refused["parameter"]), ("io.peripety.InvalidRequest", &json!(name)));
    }
    assert_eq!(daemon.status()["monitors"], 0);
}

/// More events than the bus keeps, and than a socket holds.
const BURST: usize = 9_000;

/// One monitor reads, one does not: the first gets every event at once, the second reads what it
/// missed from the journal.
#[test]
fn a_slow_monitor_holds_nobody_up_and_catches_up() {
    let Some((_machine, mut journal, daemon)) = started("slow monitor", &[]) else { return };
    let mut slow = monitor(&daemon, json!({}));
    let mut fast = monitor(&daemon, json!({}));
    let sent = Instant::now();
    journal.write_failures(0..BURST);
    assert_eq!(numbers(&mut fast, BURST), (0..BURST).collect::<Vec<_>>());
    eprintln!("{BURST} events beside a monitor that does not read: {:?}", sent.elapsed());
    assert_eq!(numbers(&mut slow, BURST), (0..BURST).collect::<Vec<_>>());
    journal.write_failures(BURST..BURST + 1);
    assert_eq!(numbers(&mut slow, 1), [BURST]);
}

/// Events that are not stored cannot be read again: they are counted, and the rest comes.
#[test]
fn what_a_slow_monitor_lost_is_counted() {
    let Some((_machine, mut journal, daemon)) = started("lost events", &["--no-store"]) else { return };
    let mut slow = monitor(&daemon, json!({}));
    journal.write_failures(0..BURST);
    wait_for("all events", || (daemon.status()["events"] == BURST).then_some(()));
    let (mut lost, mut seen) = (0, HashSet::new());
    while lost + seen.len() < BURST {
        let reply = next(&mut slow);
        match reply["parameters"]["lost"].as_u64() {
            Some(count) => lost += usize::try_from(count).unwrap(),
            None => assert!(seen.insert(number(&reply["parameters"]["event"])), "twice: {reply}"),
        }
    }
    assert!(lost > 0 && !seen.is_empty(), "{lost} lost, {} seen", seen.len());
    assert_eq!(lost + seen.len(), BURST);
    journal.write_failures(BURST..BURST + 1);
    assert_eq!(numbers(&mut slow, 1), [BURST]);
}

/// The connection shows that it lives while nothing happens.
#[test]
fn silence_is_broken_before_clients_give_up() {
    let Some((_machine, _journal, daemon)) = started("keep-alive", &["--no-store"]) else { return };
    let mut idle = monitor(&daemon, json!({}));
    let start = Instant::now();
    let reply = idle.receive().unwrap();
    assert!(empty(&reply) && reply["continues"] == true, "{reply}");
    assert!(start.elapsed() < Duration::from_secs(40), "{:?}", start.elapsed());
}
