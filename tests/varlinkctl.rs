//! varlinkctl (systemd 255 and later) against the running daemon.

use std::path::{Path, PathBuf};

use crate::common::{self, project, skip, tool, Daemon, Machine};
use serde_json::Value;

struct Varlinkctl {
    program: PathBuf,
    machine: Machine,
    daemon: Daemon,
}

impl Varlinkctl {
    fn start(test: &str) -> Option<Self> {
        let program = match tool("PERIPETY_VARLINKCTL", "varlinkctl.sh") {
            Ok(program) => program,
            Err(reason) => {
                skip(test, &reason);
                return None;
            }
        };
        let machine = Machine::start(test, &[])?;
        let daemon = machine.incident("fs-lvm-multipath", &[]);
        Some(Varlinkctl { program, machine, daemon })
    }

    /// Runs it; it must succeed. "@" stands for the daemon's address.
    fn run(&self, arguments: &[&str]) -> String {
        let address = self.daemon.address();
        let arguments: Vec<&str> =
            arguments.iter().map(|word| if *word == "@" { &address } else { *word }).collect();
        let out = self.machine.command(&self.program).args(&arguments).output().unwrap();
        let errors = String::from_utf8_lossy(&out.stderr);
        assert!(
            out.status.success() && errors.is_empty(),
            "varlinkctl {arguments:?}: {:?}: {errors}",
            out.status
        );
        String::from_utf8(out.stdout).unwrap()
    }

    fn has(&self, option: &str) -> bool {
        self.run(&["--help"]).contains(option)
    }
}

/// The objects of a JSON text sequence (RFC 7464).
fn sequence(text: &str) -> Vec<Value> {
    let records: Vec<&str> = text.split('\x1e').collect();
    assert_eq!(records[0], "", "a record does not begin with a separator");
    records[1..].iter().map(|record| serde_json::from_str(record).unwrap()).collect()
}

#[test]
fn describes_the_service() {
    let Some(varlinkctl) = Varlinkctl::start("varlinkctl describes") else { return };
    let info = varlinkctl.run(&["info", "@"]);
    assert!(
        info.contains("peripetyd") && info.contains("io.peripety") && info.contains("org.varlink.service"),
        "{info}"
    );
    assert_eq!(varlinkctl.run(&["list-interfaces", "@"]), "io.peripety\norg.varlink.service\n");
    if varlinkctl.has("list-methods") {
        let methods = varlinkctl.run(&["list-methods", "@", "io.peripety"]);
        let expected = [
            "GetBlockInfo",
            "GetStatus",
            "GetTopology",
            "ListBlockInfo",
            "ListRules",
            "Monitor",
            "Query",
            "TestRule",
        ];
        assert_eq!(methods.lines().collect::<Vec<_>>(), expected.map(|name| format!("io.peripety.{name}")));
    }
    for interface in ["io.peripety", "org.varlink.service"] {
        let description = varlinkctl.run(&["introspect", "@", interface]);
        assert!(description.contains(&format!("interface {interface}")), "{description}");
        let file = varlinkctl.machine.path(interface);
        std::fs::write(&file, description).unwrap();
        varlinkctl.run(&["validate-idl", file.to_str().unwrap()]);
    }
    varlinkctl.run(&["validate-idl", project("io.peripety.varlink").to_str().unwrap()]);
}

#[test]
fn calls_methods() {
    let Some(varlinkctl) = Varlinkctl::start("varlinkctl calls") else { return };
    // With --collect too, a record separator comes first.
    let json = |text: String| serde_json::from_str::<Value>(text.trim_start_matches('\x1e')).unwrap();
    let status = json(varlinkctl.run(&["--json=short", "call", "@", "io.peripety.GetStatus", "{}"]));
    assert_eq!(status["status"]["events_stored"], common::incident_counts("fs-lvm-multipath").0);
    let page = json(varlinkctl.run(&["--json=short", "call", "@", "io.peripety.Query", r#"{"limit": 3}"#]));
    assert!(page["events"].as_array().unwrap().len() == 3 && page["cursor"].is_string(), "{page}");
    let info =
        json(varlinkctl.run(&["--json=short", "call", "@", "io.peripety.GetBlockInfo", r#"{"blk": "sdb"}"#]));
    assert_eq!(info["info"]["dev_wwid"], "naa.33333330000007d0");

    let replies =
        sequence(&varlinkctl.run(&["--json=short", "--more", "call", "@", "io.peripety.Query", "{}"]));
    let events =
        |replies: &[Value]| replies.iter().map(|r| r["events"].as_array().unwrap().len()).sum::<usize>();
    assert_eq!(events(&replies), common::incident_counts("fs-lvm-multipath").0);
    let replies = sequence(&varlinkctl.run(&[
        "--json=short",
        "--timeout=infinity",
        "--more",
        "call",
        "@",
        "io.peripety.Monitor",
        r#"{"since": 0, "limit": 5}"#,
    ]));
    assert_eq!(replies.iter().filter(|reply| reply["event"].is_object()).count(), 5);
    if varlinkctl.has("--collect") {
        let all = json(varlinkctl.run(&[
            "--json=short",
            "--more",
            "--collect",
            "call",
            "@",
            "io.peripety.Query",
            "{}",
        ]));
        assert_eq!(events(all.as_array().unwrap()), common::incident_counts("fs-lvm-multipath").0);
    }
}

#[test]
fn shows_errors_by_name() {
    let Some(varlinkctl) = Varlinkctl::start("varlinkctl errors") else { return };
    let said = |method: &str, parameters: &str| {
        let mut command = varlinkctl.machine.command(Path::new(&varlinkctl.program));
        let out = command.args(["call", &varlinkctl.daemon.address(), method, parameters]).output().unwrap();
        assert!(!out.status.success());
        String::from_utf8(out.stderr).unwrap()
    };
    for (method, parameters, error) in [
        ("io.peripety.GetBlockInfo", r#"{"blk": "no-such-device"}"#, "io.peripety.BlockNotFound"),
        ("io.peripety.Monitor", "{}", "org.varlink.service.ExpectedMore"),
        ("io.peripety.Nothing", "{}", "org.varlink.service.MethodNotFound"),
        ("io.peripety.Query", r#"{"limit": "many"}"#, "org.varlink.service.InvalidParameter"),
    ] {
        let said = said(method, parameters);
        assert!(said.contains(error), "{method}: {said}");
    }
}
