//! Each command in each format, against a server that answers as peripetyd does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use common::{block_info, event, last, more, status, Daemon, Step, EVENT_LINE};
use serde_json::{json, Value};

fn query_answer() -> Daemon {
    Daemon::answering(vec![
        more(json!({ "events": [event(0), event(1)], "cursor": "c1" })),
        last(json!({ "events": [event(2)], "cursor": null })),
    ])
}

#[test]
fn query_prints_every_batch() {
    let daemon = query_answer();
    let lines = daemon.run(&["query"]).ok();
    assert!(lines.starts_with(EVENT_LINE), "{lines}");
    assert_eq!(lines.lines().count(), 3);
    let call = daemon.call();
    assert_eq!(call["method"], "io.peripety.Query");
    assert_eq!(call["more"], true);
    assert_eq!(call["parameters"], json!({}));
}

#[test]
fn query_sends_its_options() {
    let daemon = query_answer();
    let args = "query --blk sdb --event-type A,B --event-type C --severity err --sub-system scsi \
                --since @5 --until 2026-05-21T00:00:00Z --limit 7 --event-id ID --causes -r";
    daemon.run(&args.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>()).ok();
    let expected = json!({
        "filter": {
            "blk": "sdb", "event_types": ["A", "B", "C"], "severity": "Error", "sub_systems": ["scsi"],
            "since": 5_000_000, "until": 1_779_321_600_000_000_i64, "event_id": "ID", "causes_only": true
        },
        "limit": 7,
        "order": "NewestFirst"
    });
    assert_eq!(daemon.call()["parameters"], expected);
}

#[test]
fn query_json_is_an_event_a_line() {
    let lines = query_answer().run(&["query", "-J"]).ok();
    let events: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events, [event(0), event(1), event(2)]);
    assert!(lines.starts_with(r#"{"hostname":"host1","severity":"Warning","sub_system":"multipath","#));
    assert!(lines
        .contains(r#""extension":{"blk_major_minor":"8:48","mount_point":"/mnt/data","transport":"FC"}"#));
    for spelling in ["Json", "JSON", "json"] {
        assert_eq!(query_answer().run(&["--format", spelling, "query"]).ok(), lines);
    }
}

#[test]
fn query_json_pretty() {
    let text = query_answer().run(&["query", "-o", "json-pretty"]).ok();
    let values: Vec<Value> =
        serde_json::Deserializer::from_str(&text).into_iter().map(Result::unwrap).collect();
    assert_eq!(values, [event(0), event(1), event(2)]);
    assert!(text.starts_with("{\n  \"hostname\": \"host1\",\n"));
}

#[test]
fn query_json_seq_is_rfc_7464() {
    let text = query_answer().run(&["query", "-o", "Json_Seq"]).ok();
    let records: Vec<&str> = text.split_terminator('\x1e').collect();
    assert_eq!(records[0], "", "each record begins with a separator");
    assert_eq!(records.len(), 4);
    for (record, number) in records[1..].iter().zip(0..) {
        assert!(record.ends_with('\n'));
        assert_eq!(serde_json::from_str::<Value>(record).unwrap(), event(number));
    }
}

#[test]
fn a_query_that_finds_nothing_is_silent_success() {
    for format in ["short", "json", "jsonpretty", "jsonseq"] {
        let daemon = Daemon::answering(vec![last(json!({ "events": [] }))]);
        assert_eq!(daemon.run(&["query", "-o", format]).ok(), "");
    }
}

#[test]
fn a_field_of_a_newer_daemon_does_not_matter() {
    let mut newer = event(0);
    newer["added_later"] = json!([1, 2]);
    let daemon = Daemon::answering(vec![last(json!({ "events": [newer], "more_to_say": 1 }))]);
    assert_eq!(daemon.run(&["query"]).ok(), EVENT_LINE);
}

#[test]
fn monitor_ignores_keep_alives_and_ends_with_the_call() {
    let daemon = Daemon::answering(vec![
        more(json!({})),
        more(json!({ "event": event(0) })),
        more(json!({ "event": null, "lost": null })),
        last(json!({ "event": event(1) })),
    ]);
    let lines = daemon.run(&["monitor", "--since", "@5", "--limit", "2", "--severity", "warn"]).ok();
    assert!(lines.starts_with(EVENT_LINE), "{lines}");
    assert_eq!(lines.lines().count(), 2);
    let call = daemon.call();
    assert_eq!(call["method"], "io.peripety.Monitor");
    assert_eq!(call["more"], true);
    assert_eq!(call["parameters"]["since"], 5_000_000);
    assert_eq!(call["parameters"]["limit"], 2);
    assert_eq!(call["parameters"]["filter"]["severity"], "Warning");
}

#[test]
fn monitor_warns_of_lost_events() {
    let daemon = Daemon::answering(vec![
        more(json!({})),
        more(json!({ "lost": 0 })),
        more(json!({ "lost": 3 })),
        last(json!({ "event": event(0) })),
    ]);
    let outcome = daemon.run(&["monitor", "-J"]);
    assert_eq!(outcome.code, Some(0));
    assert_eq!(outcome.stdout.lines().count(), 1);
    assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
    assert!(outcome.stderr.starts_with("prpt: warning: 3 events were lost"), "{}", outcome.stderr);
}

/// The connection breaks, a new one is refused, and the third brings some events again.
#[test]
fn monitor_survives_a_restart_of_the_daemon() {
    let send = |value: Value| Step::Send(value);
    let refusal = json!({ "error": "io.peripety.TooManyConnections", "parameters": { "message": "x" } });
    let event_of = |number: u32| send(more(json!({ "event": event(number) })));
    let daemon = Daemon::restarting(vec![
        vec![send(more(json!({}))), event_of(0), event_of(100), event_of(99)],
        vec![send(refusal)],
        vec![send(more(json!({}))), event_of(99), event_of(100), event_of(101), event_of(102), Step::Hold],
    ]);
    let outcome = daemon.run(&["monitor", "--since", "@5", "--limit", "5"]);
    let times: Vec<&str> = outcome.stdout.lines().map(|line| &line[11..19]).collect();
    assert_eq!(times, ["18:17:16", "18:18:56", "18:18:55", "18:18:57", "18:18:58"]);
    assert_eq!(outcome.code, Some(0));
    let said: Vec<&str> = outcome.stderr.lines().collect();
    assert!(
        said.len() == 2 && said[0].contains("the connection to peripetyd was lost; connecting again"),
        "{said:?}"
    );
    assert!(said[1].contains("connected to peripetyd again; going on after the last event"), "{said:?}");
    let calls = daemon.calls();
    assert_eq!(calls[0]["parameters"]["since"], 5_000_000);
    assert_eq!(calls[2]["parameters"]["since"], event(100)["timestamp"].as_i64().unwrap() - 60_000_000);
}

/// Without stored events the new ones are followed, and the gap is mentioned.
#[test]
fn monitor_goes_on_where_no_events_are_kept() {
    let refusal = json!({ "error": "io.peripety.NotStored", "parameters": { "message": "x" } });
    let daemon = Daemon::restarting(vec![
        vec![Step::Send(more(json!({})))],
        vec![Step::Send(refusal)],
        vec![Step::Send(more(json!({}))), Step::Send(last(json!({ "event": event(0) })))],
    ]);
    let outcome = daemon.run(&["monitor"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), EVENT_LINE));
    assert!(outcome.stderr.contains("those made meanwhile are missing"), "{}", outcome.stderr);
    let since: Vec<bool> = daemon.calls().iter().map(|call| call["parameters"]["since"].is_null()).collect();
    assert_eq!(since, [true, false, true]);
}

/// A path with its map.
fn topology() -> Value {
    let mut map = block_info("dm-0");
    map["slaves"] = json!(["sdd"]);
    map["holders"] = json!([]);
    json!({ "info": block_info("sdd"), "below": [], "above": [map] })
}

#[test]
fn info_in_every_format() {
    let daemon = || Daemon::answering(vec![last(topology())]);
    let text = daemon().run(&["info", "sdd"]).ok();
    assert!(text.contains("Size:         10GiB (10737418240 bytes)\n"), "{text}");
    assert!(text.contains("driver_name:  lpfc\n"), "{text}");
    for (format, head) in [("json", "{\"kdev\":"), ("json-pretty", "{\n  \"kdev\":"), ("json-seq", "\x1e{")] {
        let text = daemon().run(&["info", "sdd", "-o", format]).ok();
        assert!(text.starts_with(head), "{text}");
        let value: Value = serde_json::from_str(text.trim_start_matches('\x1e')).unwrap();
        assert_eq!(value["above"][0]["kdev"], "dm-0");
        let mut expected = block_info("sdd");
        expected["below"] = json!([]);
        expected["above"] = topology()["above"].clone();
        assert_eq!(value, expected);
        assert_eq!(value["size"], 10_737_418_240_i64);
    }
    let asked = daemon();
    asked.run(&["info", "/srv/data"]).ok();
    assert_eq!(asked.call()["parameters"], json!({ "blk": "/srv/data" }));
}

#[test]
fn list_in_every_format() {
    let infos = [block_info("sdd"), block_info("sde")];
    let daemon = || Daemon::answering(vec![last(json!({ "infos": infos }))]);
    let text = daemon().run(&["list"]).ok();
    assert!(text.starts_with("NAME  PATH      TYPE  SIZE   WWID "), "{text}");
    assert!(
        text.contains("\nsdd   /dev/sdd  scsi  10GiB  t10.NETAPP-LUN-2FiCl+EflVyF  FC         -        -\n"),
        "{text}"
    );
    for format in ["json", "json-pretty", "json-seq"] {
        let text = daemon().run(&["list", "-o", format]).ok().replace('\x1e', "");
        let values: Vec<Value> =
            serde_json::Deserializer::from_str(&text).into_iter().map(Result::unwrap).collect();
        assert_eq!(values, infos, "{format}");
    }
    assert_eq!(daemon().run(&["list", "-J"]).ok().lines().count(), 2);
}

#[test]
fn status_in_every_format() {
    let daemon = || Daemon::answering(vec![last(json!({ "status": status() }))]);
    let text = daemon().run(&["status"]).ok();
    assert!(text.contains("Started:            2026-05-21 18:17:16.000\n"), "{text}");
    assert!(text.contains("Events stored:      9\n"), "{text}");
    for format in ["json", "json-pretty", "json-seq"] {
        let text = daemon().run(&["status", "-o", format]).ok();
        let value: Value = serde_json::from_str(text.trim_start_matches('\x1e')).unwrap();
        assert_eq!(value, status());
    }
}

#[test]
fn a_pipe_is_plain_and_colour_can_be_forced() {
    assert!(!query_answer().run(&["query"]).ok().contains('\x1b'));
    assert!(!query_answer().run(&["query", "--color", "never"]).ok().contains('\x1b'));
    let coloured = query_answer().run(&["query", "--color", "always"]).ok();
    assert!(coloured.contains("\x1b[33mPath 8:48 failed\x1b[0m"), "{coloured:?}");
    assert!(!query_answer().run(&["query", "--color", "always", "-J"]).ok().contains('\x1b'));
}

#[test]
fn control_characters_of_a_device_stay_harmless() {
    let mut evil = event(0);
    evil["msg"] = json!("a\x1b[2J\nb\u{202e}c\u{9b}31m");
    for format in ["short", "json", "json-pretty", "json-seq"] {
        let daemon = Daemon::answering(vec![last(json!({ "events": [evil] }))]);
        let text = daemon.run(&["query", "-o", format]).ok();
        let raw = |c: char| "\x1b\u{202e}\u{9b}".contains(c);
        assert!(!text.contains(raw), "{format}: {text:?}");
    }
}
