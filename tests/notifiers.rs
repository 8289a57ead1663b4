//! Notifiers of the running daemon: every event once and in order, whatever happens to the program or to the daemon.

mod settings;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::common::{self, send_signal, wait_for, Daemon, LiveJournal, Machine};
use rustix::process::Signal;
use serde_json::{json, Value};

/// What programs do: note the event, after what a test adds.
const NOTE: &str = "cat >>\"$0.json\"; echo \"$PERIPETY_KDEV\" >>\"$0.seen\"\n";

/// A program beside the machine's journal.
struct Script(PathBuf);

impl Script {
    fn new(machine: &Machine, name: &str, text: &str) -> Self {
        let path = machine.path(name);
        let new = machine.path(&format!("{name}.new"));
        std::fs::write(&new, format!("#!/bin/sh\n{text}")).unwrap();
        std::fs::set_permissions(&new, PermissionsExt::from_mode(0o755)).unwrap();
        std::fs::rename(new, &path).unwrap();
        Script(path)
    }

    /// A file beside it.
    fn file(&self, ending: &str) -> PathBuf {
        Path::new(&format!("{}.{ending}", self.0.display())).to_owned()
    }

    fn text(&self, ending: &str) -> String {
        std::fs::read_to_string(self.file(ending)).unwrap_or_default()
    }

    /// Numbers of the paths in the events that it noted.
    fn seen(&self) -> Vec<usize> {
        self.text("seen").lines().map(|kdev| kdev.strip_prefix("8:").unwrap().parse().unwrap()).collect()
    }

    /// The events that it was given.
    fn events(&self) -> Vec<Value> {
        self.text("json").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn wait_for(&self, numbers: std::ops::Range<usize>) {
        let all: Vec<usize> = numbers.collect();
        wait_for(&format!("{all:?} in {}", self.0.display()), || {
            (self.seen().len() >= all.len()).then_some(())
        });
        assert_eq!(self.seen(), all, "{}", self.0.display());
    }

    /// Its table.
    fn table(&self, name: &str, more: &str) -> String {
        format!("[notifiers.{name}]\ntype = \"exec\"\nprogram = \"{}\"\n{more}\n", self.0.display())
    }
}

struct Setup {
    journal: LiveJournal,
    config: PathBuf,
    machine: Machine,
}

impl Setup {
    fn new(test: &str) -> Option<Self> {
        let machine = Machine::start(test, &[])?;
        let journal = LiveJournal::start(machine.path("live.journal"));
        Some(Setup { journal, config: machine.path("peripetyd.conf"), machine })
    }

    fn configure(&self, tables: &[String]) {
        std::fs::write(&self.config, [common::NO_BURSTS, &tables.concat()].concat()).unwrap();
    }

    fn daemon(&self, arguments: &[&str]) -> Daemon {
        let config = ["--config", self.config.to_str().unwrap()];
        self.machine.following(&self.journal, &[&config, arguments].concat())
    }

    /// A daemon with these tables.
    fn start(&self, tables: &[String]) -> Daemon {
        self.configure(tables);
        self.daemon(&[])
    }

    fn reload(&self, daemon: &Daemon, tables: &[String]) {
        let before = daemon.status()["config_loaded"].clone();
        self.configure(tables);
        send_signal(&daemon.child.id().to_string(), Signal::HUP);
        wait_for("the new configuration", || (daemon.status()["config_loaded"] != before).then_some(()));
    }
}

/// The status of a notifier.
fn status(daemon: &Daemon, name: &str) -> Option<Value> {
    let all = daemon.status()["notifiers"].as_array().unwrap().clone();
    all.into_iter().find(|notifier| notifier["name"] == name)
}

fn wait_for_status(daemon: &Daemon, name: &str, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    wait_for(&format!("{what} of {name}"), || status(daemon, name).filter(|status| is(status)))
}

fn variables(environment: &str) -> BTreeMap<String, String> {
    let pairs = environment.split('\0').filter_map(|variable| variable.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn a_program_is_given_every_event_in_order_and_nothing_else() {
    let Some(mut setup) = Setup::new("exec") else { return };
    let text = "env -0 >\"$0.env\"; pwd >\"$0.process\"\n\
                grep -E '^(Cap|NoNewPrivs)' /proc/self/status >>\"$0.process\"\n\
                for fd in /proc/$$/fd/*; do readlink \"$fd\"; done >\"$0.descriptors\"\n\
                printf '%s\\n' \"$@\" >\"$0.arguments\"\n";
    let program = Script::new(&setup.machine, "page", &[text, NOTE].concat());
    let daemon = setup.start(&[program.table("page", "arguments = [\"a b\", \"$(id)\", \"*\"]")]);
    setup.journal.write_failures(0..20);
    program.wait_for(0..20);
    let counts = wait_for_status(&daemon, "page", "20 deliveries", |status| status["delivered"] == 20);
    let none = json!({"name": "page", "kind": "exec", "delivered": 20, "failed": 0, "lost": 0, "backlog": 0,
        "last_error": null, "last_error_at": null});
    assert_eq!(counts, none);
    assert_eq!(program.events(), daemon.query(json!({})), "what Query serves");

    let mut variables = variables(&program.text("env"));
    let last = program.events().pop().unwrap();
    for (name, field) in [
        ("EVENT_ID", "event_id"),
        ("EVENT_TYPE", "event_type"),
        ("SEVERITY", "severity"),
        ("SUB_SYSTEM", "sub_system"),
        ("HOSTNAME", "hostname"),
        ("KDEV", "kdev"),
        ("MSG", "msg"),
    ] {
        assert_eq!(variables.remove(&format!("PERIPETY_{name}")).unwrap(), last[field].as_str().unwrap());
    }
    assert_eq!(variables.remove("PERIPETY_TIMESTAMP").unwrap(), last["timestamp"].to_string());
    let left: Vec<String> = variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let shell = ["_=", "PWD=", "SHLVL=", "OLDPWD="];
    let left: Vec<&String> = left.iter().filter(|v| !shell.iter().any(|name| v.starts_with(name))).collect();
    let expected = [
        "LANG=C.UTF-8",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "PERIPETY_ATTEMPT=1",
        "PERIPETY_ITEM=event",
        "PERIPETY_NOTIFIER=page",
        "PERIPETY_PRIORITY=4",
        "PERIPETY_REPEAT_COUNT=1",
    ];
    assert_eq!(left, expected);
    assert_eq!(program.text("arguments"), "a b\n$(id)\n*\n");

    let process = program.text("process");
    let mut lines = process.lines();
    assert_eq!(lines.next(), Some("/"), "working directory");
    for line in lines.clone() {
        let (name, value) = line.split_once(":\t").unwrap();
        let expected = if name == "NoNewPrivs" { "1" } else { "0000000000000000" };
        assert!(value == expected || name == "CapBnd" && !rustix::process::geteuid().is_root(), "{line}");
    }
    assert_eq!(lines.count(), 6, "{process}");
    // The shell has its script open, and the file that it writes.
    let own = |file: &&str| !file.starts_with("pipe:") && !file.starts_with(program.0.to_str().unwrap());
    let descriptors = program.text("descriptors");
    assert_eq!(descriptors.lines().filter(own).collect::<Vec<_>>(), Vec::<&str>::new());
}

/// Texts that do harm where they are taken for something else.
fn hostile_texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "a\r\nBcc: x@example.org\r\n\r\nbody",
        "a\nPERIPETY_SEVERITY=Info",
        "a\0b",
        "\u{202e}gnp.exe\u{2066}x\u{2069}",
        "\u{1b}]0;title\u{7}\u{1b}[2J",
        "$(touch /tmp/x) `id` ; rm -rf / && | > <",
        "'\"\\ %s %n {{x}} <!channel> <b>",
        "\u{feff}\u{200b}\u{2028}\u{85}",
    ]
    .map(str::to_owned)
    .into();
    texts.push("ä".repeat(32_000));
    texts.push("\n".repeat(60_000));
    texts
}

#[test]
fn hostile_texts_arrive_as_they_are_and_harm_nothing() {
    let Some(mut setup) = Setup::new("hostile texts for exec") else { return };
    let text = "env -0 >\"$0.env.$PERIPETY_EVENT_ID\"; cat >>\"$0.json\"\n";
    let program = Script::new(&setup.machine, "page", text);
    let rule =
        "[[collector_regexs]]\nregex = '''(?s)^hostile: (?P<text>.*)$'''\ndevice = \"none\"\n".to_owned();
    let daemon = setup.start(&[rule, program.table("page", "")]);
    let messages: Vec<String> = hostile_texts().iter().map(|text| format!("hostile: {text}")).collect();
    for (n, message) in messages.iter().enumerate() {
        let head = format!(
            "__REALTIME_TIMESTAMP={}\n__MONOTONIC_TIMESTAMP={m}\n_BOOT_ID=0123456789abcdef0123456789abcdef\n\
             _SOURCE_MONOTONIC_TIMESTAMP={m}\n_TRANSPORT=kernel\nSYSLOG_FACILITY=0\nSYSLOG_IDENTIFIER=kernel\n\
             PRIORITY=4\n_HOSTNAME=live\nMESSAGE\n",
            common::now() + n as u64,
            m = 2_000_000 + n * 10,
        );
        let length = (message.len() as u64).to_le_bytes();
        setup.journal.write_export([head.as_bytes(), &length, message.as_bytes(), b"\n\n"].concat());
    }
    let delivered = |status: &Value| status["delivered"] == messages.len();
    let counts = wait_for_status(&daemon, "page", "all deliveries", delivered);
    assert_eq!((&counts["failed"], &counts["lost"]), (&json!(0), &json!(0)), "{}", daemon.log());
    let events = program.events();
    let seen: Vec<&str> = events.iter().map(|event| event["raw_msg"].as_str().unwrap()).collect();
    assert_eq!(seen, messages);
    for event in &events {
        assert!(event["extension"]["text"].is_string());
        let environment = program.text(&format!("env.{}", event["event_id"].as_str().unwrap()));
        let variables = variables(&environment);
        let (msg, severity) = (&variables["PERIPETY_MSG"], &variables["PERIPETY_SEVERITY"]);
        assert!(msg.len() <= 4096 && msg.starts_with("hostile:"), "{msg}");
        assert_eq!(severity, "Warning");
        let bad = |c: char| c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c) || c == '\u{200b}';
        let ours = variables.iter().filter(|(name, _)| name.starts_with("PERIPETY_"));
        for (name, value) in ours {
            assert!(!value.contains(bad), "{name}={value:?}");
        }
    }
}

#[test]
fn a_program_that_fails_is_tried_again_and_holds_up_nobody() {
    let Some(mut setup) = Setup::new("failing exec") else { return };
    let fail = "echo \"$PERIPETY_ATTEMPT\" >>\"$0.attempts\"\n\
                [ ! -e \"$0.broken\" ] || { printf 'the pager\\033[31m is off' >&2; exit 7; }\n\
                [ \"$PERIPETY_KDEV\" != 8:1 ] || { echo no such number; exit 65; }\n";
    let (page, other) = (
        Script::new(&setup.machine, "page", &[fail, NOTE].concat()),
        Script::new(&setup.machine, "other", NOTE),
    );
    std::fs::write(page.file("broken"), "").unwrap();
    let daemon = setup.start(&[page.table("page", ""), other.table("other", "")]);
    setup.journal.write_failures(0..4);
    other.wait_for(0..4);
    let counts = wait_for_status(&daemon, "page", "two failures", |status| status["failed"] == 2);
    let error = counts["last_error"].as_str().unwrap();
    assert!(error.ends_with("failed (exit status: 7); it printed: the pager\\x1b[31m is off"), "{error}");
    assert_eq!((&counts["delivered"], &counts["backlog"]), (&json!(0), &json!(4)));
    assert!(counts["last_error_at"].as_u64().unwrap() > common::now() - 60_000_000);
    std::fs::remove_file(page.file("broken")).unwrap();
    let counts = wait_for_status(&daemon, "page", "deliveries", |status| status["delivered"] == 3);
    assert_eq!(page.seen(), [0, 2, 3], "one was refused");
    assert!(counts["last_error"].as_str().unwrap().contains("refused an event (exit status: 65)"));
    wait_for_status(&daemon, "page", "no backlog", |status| status["backlog"] == 0);
    assert!(page.text("attempts").starts_with("1\n2\n3\n"), "{}", page.text("attempts"));
    assert!(daemon.log().contains("notifier page: delivery works again"), "{}", daemon.log());
}

#[test]
fn a_program_that_hangs_is_killed_with_all_that_it_started() {
    let Some(mut setup) = Setup::new("hanging exec") else { return };
    let hang = "[ ! -e \"$0.hang\" ] || { sleep 1000 & echo $! >\"$0.child\"; echo waiting; sleep 1000; }\n";
    let (page, other) = (
        Script::new(&setup.machine, "page", &[hang, NOTE].concat()),
        Script::new(&setup.machine, "other", NOTE),
    );
    std::fs::write(page.file("hang"), "").unwrap();
    let daemon = setup.start(&[page.table("page", "timeout_seconds = 1"), other.table("other", "")]);
    setup.journal.write_failures(0..3);
    other.wait_for(0..3);
    let counts = wait_for_status(&daemon, "page", "a failure", |status| status["failed"] == 1);
    let error = counts["last_error"].as_str().unwrap();
    assert!(error.ends_with("did not end within 1 s and was killed; it printed: waiting"), "{error}");
    let child = page.text("child");
    let gone = || std::fs::read_to_string(format!("/proc/{}/comm", child.trim())).is_err();
    wait_for("the end of the program's child", || gone().then_some(()));
    std::fs::remove_file(page.file("hang")).unwrap();
    page.wait_for(0..3);
}

#[test]
fn a_program_that_is_missing_is_reported_and_awaited() {
    let Some(mut setup) = Setup::new("missing exec") else { return };
    let page = Script(setup.machine.path("page"));
    let daemon = setup.start(&[page.table("page", "")]);
    setup.journal.write_failures(0..2);
    let counts = wait_for_status(&daemon, "page", "a failure", |status| status["failed"] != 0);
    let error = counts["last_error"].as_str().unwrap();
    assert!(error.contains("cannot run") && error.contains("No such file or directory"), "{error}");
    let page = Script::new(&setup.machine, "page", NOTE);
    page.wait_for(0..2);
}

#[test]
fn what_waits_is_delivered_after_a_restart_and_a_new_notifier_begins_now() {
    let Some(mut setup) = Setup::new("exec over restarts") else { return };
    let fail = "[ ! -e \"$0.broken\" ] || exit 1\n";
    let page = Script::new(&setup.machine, "page", &[fail, NOTE].concat());
    // Few runs of the program among more events than are read at a time.
    let wanted = [0, 1, 5, 200, 399, 405, 419];
    let devices = format!("filter = {{ devices = {:?} }}", wanted.map(|number| format!("8:{number}")));
    let mut daemon = setup.start(&[page.table("page", &devices)]);
    setup.journal.write_failures(0..2);
    page.wait_for(0..2);
    std::fs::write(page.file("broken"), "").unwrap();
    setup.journal.write_failures(2..400);
    wait_for("stored events", || (daemon.status()["events_stored"] == 400).then_some(()));
    wait_for_status(&daemon, "page", "a backlog", |status| status["backlog"] == 395);
    assert!(daemon.terminate().success(), "{}", daemon.log());
    setup.journal.write_failures(400..420);
    let new = Script::new(&setup.machine, "new", NOTE);
    let daemon = setup.start(&[page.table("page", &devices), new.table("new", "")]);
    new.wait_for(400..420);
    wait_for_status(&daemon, "page", "the backlog of both", |status| status["backlog"] == 415);
    std::fs::remove_file(page.file("broken")).unwrap();
    wait_for_status(&daemon, "page", "no backlog", |status| status["backlog"] == 0);
    assert_eq!(page.seen(), wanted);
}

/// How often the daemon is killed.
const KILLS: usize = 8;

#[test]
fn a_killed_daemon_loses_no_event_and_repeats_at_most_the_one_in_flight() {
    let Some(mut setup) = Setup::new("exec over kills") else { return };
    let page = Script::new(&setup.machine, "page", "echo \"$PERIPETY_EVENT_ID\" >>\"$0.ids\"; sleep 0.01\n");
    let mut daemon = setup.start(&[page.table("page", "")]);
    let ids = || page.text("ids").lines().map(str::to_owned).collect::<Vec<_>>();
    for round in 0..KILLS {
        let before = ids().len();
        setup.journal.write_failures(round * 20..(round + 1) * 20);
        // In the middle of them.
        wait_for("some deliveries", || (ids().len() >= before + 5 + round).then_some(()));
        daemon.kill();
        daemon = setup.daemon(&[]);
    }
    let lines = KILLS * 20;
    let done = |status: &Value| status["backlog"] == 0;
    wait_for("every event", || (daemon.settle(), daemon.query(json!({})).len() == lines).1.then_some(()));
    wait_for_status(&daemon, "page", "no backlog", done);
    let mut seen = ids();
    let all = seen.len();
    seen.dedup();
    let stored: Vec<String> =
        daemon.query(json!({})).iter().map(|event| event["event_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(seen, stored, "{}", daemon.log());
    assert!(all <= lines + KILLS, "{all} runs for {lines} events and {KILLS} kills");
}
