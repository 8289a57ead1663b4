//! What goes wrong is said in one sentence with a remedy, and in the exit code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixListener;
use std::process::Stdio;

use common::{event, last, more, prpt, run, Daemon, Step, EVENT_LINE};
use serde_json::json;

#[test]
fn a_daemon_that_does_not_run() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing");
    let dead = directory.path().join("dead");
    drop(UnixListener::bind(&dead).unwrap());
    for (socket, reason) in [(missing, "No such file or directory"), (dead, "Connection refused")] {
        let address = socket.to_str().unwrap();
        for args in [["query"], ["monitor"], ["list"], ["status"]] {
            let mut command = prpt(&args);
            command.args(["--address", address]);
            let expected = format!(
                "prpt: cannot reach peripetyd at unix:{address}: {reason}. Start it with \"systemctl \
                 start peripetyd.socket\", or name its address with --address.\n"
            );
            assert_eq!(run(command).error(), expected);
        }
    }
}

#[test]
fn the_option_wins_over_the_environment() {
    let daemon = Daemon::answering(vec![last(json!({ "events": [event(0)] }))]);
    let mut command = prpt(&["query", "--address", &format!("unix:{}", daemon.socket().display())]);
    command.env("PERIPETY_ADDRESS", "unix:/nonexistent");
    assert_eq!(run(command).ok(), EVENT_LINE);
}

/// Error, its parameters, and what the sentence must contain: the reason and the remedy.
#[test]
fn errors_of_the_daemon() {
    let message = json!({ "message": "Because of this." });
    let table = [
        ("io.peripety.PermissionDenied", message.clone(), &["because of this", "systemd-journal"]),
        ("org.varlink.service.PermissionDenied", json!({}), &["permission denied", "systemd-journal"]),
        ("io.peripety.NotStored", message.clone(), &["because of this", "prpt monitor"]),
        ("io.peripety.Unavailable", message, &["because of this", "journalctl -u peripetyd"]),
        ("io.peripety.NotStored", json!(null), &["keeps no events", "prpt monitor"]),
        (
            "io.peripety.TooManyConnections",
            json!({ "message": "too many connections: Close some." }),
            &["refused the connection", "too many connections: close some."],
        ),
        (
            "io.peripety.BlockNotFound",
            json!({ "blk": "sdz", "message": "Not present." }),
            &["no block device \"sdz\": not present.", "prpt list"],
        ),
        (
            "io.peripety.BlockAmbiguous",
            json!({ "blk": "data", "candidates": ["sdb", "sdc"] }),
            &["\"data\" names several", "sdb, sdc. use one"],
        ),
        (
            "io.peripety.InvalidRequest",
            json!({ "parameter": "limit", "message": "must be at least 1" }),
            &["refused \"limit\": must be at least 1.", "change that option"],
        ),
        ("io.peripety.InvalidRequest", json!({}), &["io.peripety.invalidrequest", "journalctl"]),
        (
            "org.varlink.service.InvalidParameter",
            json!({ "parameter": "filter" }),
            &["did not understand \"filter\"", "same version"],
        ),
        (
            "org.varlink.service.MethodNotFound",
            json!({ "method": "io.peripety.Query" }),
            &["io.peripety.query is not offered", "--address"],
        ),
        (
            "org.varlink.service.InterfaceNotFound",
            json!({ "interface": "io.peripety" }),
            &["io.peripety is not offered", "--address"],
        ),
        ("io.peripety.Unheard", json!({ "x": 1 }), &["io.peripety.unheard", "journalctl"]),
    ];
    for (error, parameters, parts) in table {
        let said = Daemon::failing(error, parameters).run(&["query"]).error();
        for part in parts {
            assert!(said.to_lowercase().contains(part), "{error}: {said}");
        }
        for debug in ["{", "Some(", "Error(", ".rs:", ".."] {
            assert!(!said.contains(debug), "{error}: {said}");
        }
    }
}

#[test]
fn what_the_daemon_says_cannot_reach_the_terminal_raw() {
    let daemon =
        Daemon::failing("io.peripety.BlockNotFound", json!({ "blk": "a\x1b[2J\nb", "message": "\u{202e}" }));
    let said = daemon.run(&["info", "x"]).error();
    assert!(said.contains(r"a\x1b[2J\nb") && said.contains(r"\u{202e}"), "{said}");
}

#[test]
fn a_connection_that_breaks_half_way() {
    let first = || Step::Send(more(json!({ "events": [event(0)] })));
    let half = Step::Raw(br#"{"parameters":{"events":["#.to_vec());
    for steps in [vec![first()], vec![first(), half]] {
        let outcome = Daemon::start(steps).run(&["query"]);
        assert_eq!(outcome.stdout, EVENT_LINE, "what came is printed");
        let said = outcome.error();
        assert!(said.contains("closed the connection before its answer was complete"), "{said}");
    }
    let said = Daemon::start(vec![]).run(&["monitor"]).error();
    assert!(said.contains("closed the connection"), "{said}");
}

#[test]
fn answers_that_are_none() {
    let mut wrong = event(0);
    wrong["timestamp"] = json!("noon");
    let no_answers = [
        Step::Raw(b"HTTP/1.1 400 Bad Request\r\n\0".to_vec()),
        Step::Raw(b"\xff\xfe\0".to_vec()),
        Step::Raw(b"\0".to_vec()),
        Step::Raw(b"{\"parameters\":\0".to_vec()),
        Step::Send(json!([1, 2])),
        Step::Send(json!({ "parameters": [] })),
        Step::Send(last(json!({}))),
        Step::Send(last(json!({ "events": [wrong] }))),
    ];
    for answer in no_answers {
        let said = Daemon::start(vec![answer]).run(&["query"]).error();
        assert!(said.contains("the answer cannot be understood"), "{said}");
        assert!(said.contains("--address"), "{said}");
        assert!(!said.contains("HTTP"), "{said}");
    }
}

#[test]
fn usage_errors() {
    let table: [(&[&str], &str); 10] = [
        (&[], "Usage:"),
        (&["frobnicate"], "frobnicate"),
        (&["query", "--since", "soon"], "yesterday"),
        (&["query", "--severity", "bad"], "warning"),
        (&["query", "--format", "xml"], "JsonPretty"),
        (&["query", "--limit", "0"], "0"),
        (&["query", "--since", "now", "--until", "-1h"], "--since is later than --until"),
        (&["monitor", "--reverse"], "--reverse"),
        (&["info"], "BLK"),
        (&["list", "--address", "ssh:host"], "tcp:HOST:PORT"),
    ];
    for (args, part) in table {
        let said = run(prpt(args)).usage();
        assert!(said.contains(part), "{args:?}: {said}");
    }
}

#[test]
fn help_and_version() {
    let help = run(prpt(&["--help"])).ok();
    for part in ["Exit codes:", "PERIPETY_ADDRESS", "prpt query --since today", "monitor", "--color"] {
        assert!(help.contains(part), "{help}");
    }
    for command in ["query", "monitor", "info", "list", "status"] {
        assert!(run(prpt(&[command, "--help"])).ok().contains("Exit codes:"), "{command}");
    }
    assert_eq!(run(prpt(&["--version"])).ok(), format!("prpt {}\n", env!("CARGO_PKG_VERSION")));
}

/// It accepts nothing, as a daemon that hangs; then it does.
#[test]
fn a_daemon_that_does_not_answer_is_waited_for_and_mentioned() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("socket");
    let listener = UnixListener::bind(&socket).unwrap();
    let mut command = prpt(&["query"]);
    command.args(["--address", socket.to_str().unwrap()]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut said = String::new();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    stderr.read_line(&mut said).unwrap();
    assert!(said.contains("has not answered for 5 s; still waiting"), "{said}");
    let (mut stream, _) = listener.accept().unwrap();
    stream.write_all(format!("{}\0", last(json!({ "events": [event(0)] }))).as_bytes()).unwrap();
    let mut printed = String::new();
    child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
    assert_eq!((printed.as_str(), common::wait(&mut child).code()), (EVENT_LINE, Some(0)));
}
