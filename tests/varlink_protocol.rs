//! The Varlink protocol of the running daemon: the standard interface, parameters, framing, and
//! clients that misbehave.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

use crate::common::{self, project, wait_for, Client, Daemon, Machine};
use serde_json::{json, Value};

fn events_of_the_incident() -> usize {
    common::incident_counts("fs-lvm-multipath").0
}

fn started(test: &str) -> Option<(Machine, Daemon)> {
    let machine = Machine::start(test, &[])?;
    let daemon = machine.incident("fs-lvm-multipath", &[]);
    Some((machine, daemon))
}

fn error(name: &str, parameter: &str, value: &str) -> Result<Value, (String, Value)> {
    Err((format!("org.varlink.service.{name}"), json!({ parameter: value })))
}

fn message(call: &Value) -> Vec<u8> {
    [call.to_string().as_bytes(), b"\0"].concat()
}

/// The daemon still serves everyone else.
fn assert_alive(daemon: &Daemon) {
    assert_eq!(daemon.status()["events_stored"], events_of_the_incident());
}

#[test]
fn standard_interface() {
    let Some((_machine, daemon)) = started("standard interface") else { return };
    let mut client = daemon.connect();

    let info = client.call("org.varlink.service.GetInfo", json!({})).unwrap();
    assert_eq!(info["interfaces"], json!(["io.peripety", "org.varlink.service"]));
    assert_eq!(
        (&info["product"], &info["version"]),
        (&json!("peripetyd"), &json!(env!("CARGO_PKG_VERSION")))
    );
    assert!(info["vendor"].is_string() && info["url"].is_string());

    let mut describe =
        |interface: Value| client.call("org.varlink.service.GetInterfaceDescription", interface);
    let own = describe(json!({ "interface": "io.peripety" })).unwrap();
    let source = std::fs::read_to_string(project("io.peripety.varlink")).unwrap();
    assert_eq!(own["description"], source);
    let standard = describe(json!({ "interface": "org.varlink.service" })).unwrap();
    let text = standard["description"].as_str().unwrap();
    for member in [
        "GetInfo",
        "GetInterfaceDescription",
        "InterfaceNotFound",
        "MethodNotFound",
        "MethodNotImplemented",
        "InvalidParameter",
        "PermissionDenied",
        "ExpectedMore",
    ] {
        assert!(text.contains(&format!(" {member} ")) || text.contains(&format!(" {member}(")), "{member}");
    }
    assert_eq!(
        describe(json!({ "interface": "io.other" })),
        error("InterfaceNotFound", "interface", "io.other")
    );
    assert_eq!(describe(json!({})), error("InvalidParameter", "parameter", "interface"));
    assert_eq!(describe(json!({ "interface": 1 })), error("InvalidParameter", "parameter", "interface"));

    assert_eq!(client.call("io.other.Query", json!({})), error("InterfaceNotFound", "interface", "io.other"));
    assert_eq!(
        client.call("io.peripety.Nothing", json!({})),
        error("MethodNotFound", "method", "io.peripety.Nothing")
    );
    let standard = "org.varlink.service.Nothing";
    assert_eq!(client.call(standard, json!({})), error("MethodNotFound", "method", standard));
    client.send(&message(&json!({ "method": "nodots" })));
    assert_eq!(client.receive().unwrap()["error"], "org.varlink.service.InterfaceNotFound");
    client.send(&message(&json!({ "method": "io.peripety.GetStatus", "upgrade": true })));
    assert_eq!(client.receive().unwrap()["error"], "org.varlink.service.MethodNotImplemented");
    assert_alive(&daemon);
}

#[test]
fn parameters_are_checked() {
    let Some((_machine, daemon)) = started("parameters") else { return };
    let mut client = daemon.connect();
    let wrong = [
        ("Query", json!({ "limit": "5" }), "limit"),
        ("Query", json!({ "limit": 1.5 }), "limit"),
        ("Query", json!({ "limit": 1e30 }), "limit"),
        ("Query", json!({ "order": "Backwards" }), "order"),
        ("Query", json!({ "cursor": 7 }), "cursor"),
        ("Query", json!({ "filter": [] }), "filter"),
        ("Query", json!({ "filter": { "severity": "warning" } }), "filter.severity"),
        ("Query", json!({ "filter": { "event_types": "FS_ERROR" } }), "filter.event_types"),
        ("Query", json!({ "filter": { "since": "today" } }), "filter.since"),
        ("Query", json!({ "filter": { "Severity": "Error" } }), "filter.Severity"),
        ("Query", json!({ "surprise": null }), "surprise"),
        ("Monitor", json!({ "limit": true }), "limit"),
        ("GetBlockInfo", json!({}), "blk"),
        ("GetBlockInfo", json!({ "blk": null }), "blk"),
        ("GetBlockInfo", json!({ "blk": { "name": "sdb" } }), "blk"),
        ("GetStatus", json!({ "verbose": true }), "verbose"),
        ("ListBlockInfo", json!({ "blk": "sdb" }), "blk"),
    ];
    for (method, parameters, name) in wrong {
        let shown = parameters.to_string();
        client.request(method, parameters, true);
        let reply = client.receive().unwrap();
        assert_eq!(reply["error"], "org.varlink.service.InvalidParameter", "{method} {shown}: {reply}");
        assert_eq!(reply["parameters"], json!({ "parameter": name }), "{method} {shown}");
    }
    let mut status = |call: Value| {
        client.send(&message(&call));
        let status = client.receive().unwrap()["parameters"]["status"].clone();
        (status["started"].clone(), status["events"].clone())
    };
    let method = "io.peripety.GetStatus";
    let usual = status(json!({ "method": method, "parameters": {} }));
    assert_eq!(usual.1, events_of_the_incident());
    assert_eq!(status(json!({ "method": method })), usual);
    assert_eq!(status(json!({ "method": method, "parameters": null, "more": null, "oneway": null })), usual);
    assert_eq!(
        client.call("Monitor", json!({})),
        Err(("org.varlink.service.ExpectedMore".to_owned(), Value::Null))
    );
    assert_alive(&daemon);
}

#[test]
fn calls_are_answered_in_order() {
    let Some((_machine, daemon)) = started("order of calls") else { return };
    let mut client = daemon.connect();
    // A one-way call has no reply, not even an error; the calls around it do.
    let oneway = json!({ "method": "io.peripety.Query", "oneway": true });
    let unknown = json!({ "method": "io.peripety.Nothing", "oneway": true });
    let blocks = ["sdb", "dm-0", "no-such-device", "dm-1"];
    let mut calls = Vec::new();
    for blk in blocks {
        calls.extend([oneway.clone(), unknown.clone()]);
        calls.push(json!({ "method": "io.peripety.GetBlockInfo", "parameters": { "blk": blk } }));
        calls.push(json!({ "method": "io.peripety.Query", "parameters": { "limit": 3 }, "more": true }));
    }
    let bytes: Vec<u8> = calls.iter().flat_map(message).collect();
    // In pieces that no message ends with.
    for piece in bytes.chunks(7) {
        client.send(piece);
    }
    for blk in blocks {
        let reply = client.receive().unwrap();
        match blk {
            "no-such-device" => assert_eq!(reply["error"], "io.peripety.BlockNotFound"),
            _ => assert_eq!(reply["parameters"]["info"]["kdev"], blk),
        }
        let mut events = 0;
        loop {
            let reply = client.receive().unwrap();
            events += reply["parameters"]["events"].as_array().unwrap().len();
            if reply["continues"] != true {
                break;
            }
        }
        assert_eq!(events, 3);
    }
    assert_alive(&daemon);
}

#[test]
fn garbage_gets_an_error_or_a_close() {
    let Some((_machine, daemon)) = started("garbage") else { return };
    let random: Vec<u8> = (0u32..50_000).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let garbage: Vec<(&str, Vec<u8>)> = vec![
        ("random bytes", random),
        ("no JSON", b"hello\0".to_vec()),
        ("cut JSON", b"{\"method\":\"io.peripety.Get\0".to_vec()),
        ("no object", b"[1,2]\0".to_vec()),
        ("a number", b"7\0".to_vec()),
        ("nothing", b"\0".to_vec()),
        ("no method", b"{\"parameters\":{}}\0".to_vec()),
        ("a method that is no string", b"{\"method\":7}\0".to_vec()),
        (
            "parameters that are a list",
            b"{\"method\":\"io.peripety.GetStatus\",\"parameters\":[]}\0".to_vec(),
        ),
        ("no UTF-8", b"{\"method\":\"io.peripety.\xff\xfe\"}\0".to_vec()),
        ("half a surrogate", b"{\"method\":\"io.peripety.\\ud800\"}\0".to_vec()),
        ("deep nesting", [vec![b'['; 100_000], b"\0".to_vec()].concat()),
        (
            "deep parameters",
            [
                b"{\"method\":\"io.peripety.Query\",\"parameters\":{\"filter\":".to_vec(),
                vec![b'['; 100_000],
                b"\0".to_vec(),
            ]
            .concat(),
        ),
        ("a method in another protocol", b"GET / HTTP/1.1\r\n\r\n\0".to_vec()),
    ];
    for (what, bytes) in garbage {
        let mut client = daemon.connect();
        let _ = client.0.get_mut().write_all(&bytes);
        let _ = client.0.get_mut().shutdown(Shutdown::Write);
        while let Some(reply) = client.receive() {
            assert_eq!(reply["error"], "org.varlink.service.InvalidParameter", "{what}: {reply}");
        }
        assert_alive(&daemon);
    }
}

#[test]
fn an_endless_message_is_not_kept() {
    let Some((_machine, daemon)) = started("endless message") else { return };
    let before = daemon.memory();
    let chunk = vec![b'x'; 1 << 16];
    let mut accepted = 0;
    let mut client = daemon.connect();
    while accepted < 100 << 20 && client.0.get_mut().write_all(&chunk).is_ok() {
        accepted += chunk.len();
    }
    assert!(accepted < 4 << 20, "{accepted} bytes of one message were taken");
    assert_eq!(client.receive().unwrap()["error"], "org.varlink.service.InvalidParameter");
    assert!(client.receive().is_none());
    let grown = daemon.memory().saturating_sub(before);
    assert!(grown < 10 << 10, "{grown} KiB more than before");

    // Many that stop just below the limit cost no more than they hold.
    let clients: Vec<Client> = (0..8)
        .map(|_| {
            let mut client = daemon.connect();
            client.send(&vec![b'x'; 1 << 20]);
            client
        })
        .collect();
    assert_alive(&daemon);
    // Of more the daemon takes the beginning. They do not wait for each other: that they are many is all that counts.
    let more: Vec<Client> = (0..64)
        .map(|_| {
            let mut client = daemon.connect();
            client.0.get_mut().set_nonblocking(true).unwrap();
            while client.0.get_mut().write(&chunk).is_ok() {}
            client
        })
        .collect();
    assert_alive(&daemon);
    let grown = daemon.memory().saturating_sub(before);
    assert!(grown < 28 << 10, "{grown} KiB more than before");
    drop((clients, more));
    wait_for("the memory of clients that left", || (daemon.memory() < before + (10 << 10)).then_some(()));
    assert_alive(&daemon);
}

#[test]
fn many_connections() {
    let Some((_machine, daemon)) = started("many connections") else { return };
    let descriptors = || std::fs::read_dir(format!("/proc/{}/fd", daemon.child.id())).unwrap().count();
    let before = descriptors();
    // Idle ones, and ones in the middle of a message.
    let half = b"{\"method\":\"io.peripety.Get";
    let open: Vec<Client> = (0..300)
        .map(|n| {
            let mut client = daemon.connect();
            if n % 2 == 0 {
                client.send(half);
            }
            client
        })
        .collect();
    assert_alive(&daemon);
    // More than the daemon takes: the last ones are refused, the others go on.
    let mut more: Vec<Client> = (0..300).map(|_| Client::connect(&daemon.socket)).collect();
    let last = more.last_mut().unwrap();
    assert_eq!(last.receive().unwrap()["error"], "io.peripety.TooManyConnections");
    assert!(last.receive().is_none(), "the last one is not closed");
    let mut first = open.into_iter().next().unwrap();
    first.send(b"Status\"}\0");
    assert_eq!(first.receive().unwrap()["parameters"]["status"]["events"], events_of_the_incident());
    drop((first, more));
    wait_for("the connections to be closed", || (descriptors() <= before + 2).then_some(()));
    for _ in 0..2000 {
        drop(UnixStream::connect(&daemon.socket).unwrap());
    }
    assert_alive(&daemon);
}

#[test]
fn a_client_that_leaves_or_goes_silent() {
    let Some((_machine, daemon)) = started("clients that leave") else { return };
    // More often than there are seats for queries.
    for read in 0..20 {
        let mut client = daemon.connect();
        client.request("Query", json!({}), true);
        client.0.read_exact(&mut vec![0; read * 100]).unwrap();
    }
    // One that has nothing more to say still gets its whole answer.
    let mut client = daemon.connect();
    client.request("Query", json!({}), true);
    client.0.get_mut().shutdown(Shutdown::Write).unwrap();
    let mut events = 0;
    while let Some(reply) = client.receive() {
        events += reply["parameters"]["events"].as_array().unwrap().len();
    }
    assert_eq!(events, events_of_the_incident());
    // A monitor that closes its side has left.
    let mut monitor = daemon.connect();
    monitor.request("Monitor", json!({}), true);
    monitor.receive().unwrap();
    assert_eq!(daemon.status()["monitors"], 1);
    monitor.0.get_mut().shutdown(Shutdown::Write).unwrap();
    assert!(monitor.receive().is_none());
    wait_for("the monitor to be counted as gone", || (daemon.status()["monitors"] == 0).then_some(()));
    assert_alive(&daemon);
}
