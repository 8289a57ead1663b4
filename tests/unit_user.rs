//! The daemon as its unit runs it: the system user, its groups and capabilities, a read-only file
//! system, the socket passed by systemd, readiness reported to systemd.

use std::io::BufReader;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::common::{self, program, project, skip, wait_for, Client, Machine, TIMEOUT};
use serde_json::{json, Value};

/// A rule for lines that this test logs.
const RULE: &str = r#"
[[collector_regexs]]
identifier = "mydrv"
regex = '''^(?P<kdev>sd[a-z]+): wear level (?P<percent>[0-9]+)%$'''
sub_system = "mydrv"
event_type = "MYDRV_WORN"
severity = "Warning"
"#;

/// Why this test cannot run here.
fn impossible() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("only root can become another user".into());
    }
    for tool in ["systemd-socket-activate", "systemd-sysusers", "setpriv", "logger"] {
        if Command::new(tool).arg("--version").output().is_err() {
            return Some(format!("there is no {tool}"));
        }
    }
    let groups = std::fs::read_to_string("/etc/group").unwrap_or_default();
    let known = groups.lines().any(|line| line.starts_with("systemd-journal:"));
    (!known).then(|| "there is no group systemd-journal".into())
}

/// What the unit's sandbox leaves writable, and the sockets around the daemon.
struct Service<'m> {
    machine: &'m Machine,
    state: PathBuf,
    socket: PathBuf,
    log: PathBuf,
    systemd: UnixDatagram,
    child: Child,
}

impl<'m> Service<'m> {
    fn start(machine: &'m Machine) -> Self {
        machine.open_to_all();
        prepare(machine);
        let (state, socket, log) = (machine.path("state"), machine.path("sock"), machine.path("log"));
        let notify = machine.path("notify");
        let systemd = UnixDatagram::bind(&notify).unwrap();
        systemd.set_read_timeout(Some(TIMEOUT)).unwrap();
        std::fs::set_permissions(&notify, std::fs::Permissions::from_mode(0o666)).unwrap();
        // As ProtectSystem=strict and StateDirectory=: all is read-only but the state.
        let sandbox = "mount --bind \"$STATE_DIRECTORY\" \"$STATE_DIRECTORY\" && mount -o remount,bind,ro / \
                       && mount -o remount,bind,ro /run && umask 077 && exec \"$@\"";
        let child = machine
            .command("systemd-socket-activate")
            .args(["--fdname=varlink", "--setenv=NOTIFY_SOCKET", "--setenv=STATE_DIRECTORY", "--listen"])
            .arg(&socket)
            .args(["unshare", "--mount", "--propagation", "slave", "sh", "-c", sandbox, "sh"])
            .args(["setpriv", "--reuid=peripety", "--regid=peripety", "--init-groups", "--no-new-privs"])
            .args(["--inh-caps=-all,+syslog", "--ambient-caps=-all,+syslog", "--bounding-set=-all,+syslog"])
            .arg(machine.path("peripetyd"))
            .arg("--root")
            .arg(machine.path("root"))
            .env("NOTIFY_SOCKET", &notify)
            .env("STATE_DIRECTORY", &state)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        Service { machine, state, socket, log, systemd, child }
    }

    /// The first connection starts the daemon.
    fn connect(&self) -> Client {
        let running = Path::new("/proc").join(self.child.id().to_string()).join("exe");
        let stream = wait_for("the socket", || {
            assert!(running.read_link().is_ok(), "the service ended: {}", self.said());
            UnixStream::connect(&self.socket).ok()
        });
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        Client(BufReader::new(stream))
    }

    /// The notifications that systemd receives, up to this one.
    fn notified(&self, wanted: &str) -> String {
        let mut buffer = [0; 4096];
        loop {
            let length = self
                .systemd
                .recv(&mut buffer)
                .unwrap_or_else(|e| panic!("the daemon did not say {wanted} ({e}): {}", self.said()));
            let text = String::from_utf8(buffer[..length].to_vec()).unwrap();
            if text.lines().any(|line| line == wanted) {
                return text;
            }
        }
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The daemon's lines of /proc/PID/status.
    fn process(&self, field: &str) -> String {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':')).unwrap();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The daemon holds this file open.
    fn has_open(&self, path: &str) -> bool {
        use std::os::unix::fs::MetadataExt;
        let device = std::fs::metadata(path).unwrap().rdev();
        let files = std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap();
        files.flatten().any(|fd| std::fs::metadata(fd.path()).is_ok_and(|file| file.rdev() == device))
    }

    fn worn(&self) -> Vec<Value> {
        let parameters = json!({ "filter": { "event_types": ["MYDRV_WORN"] } });
        let replies = self.connect().call_more("Query", parameters).unwrap();
        replies.into_iter().flat_map(|reply| reply["events"].as_array().unwrap().clone()).collect()
    }
}

impl Drop for Service<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program, the configuration, the user, and a journal as tmpfiles.d leaves it.
fn prepare(machine: &Machine) {
    let config = machine.path("root/etc/peripetyd.conf.d");
    std::fs::create_dir_all(&config).unwrap();
    let notifier = format!(
        "[notifiers.exec]\nprogram = \"/bin/sh\"\narguments = [\"-c\", '''{}''', \"{}\"]\n",
        "grep -E '^(Cap|NoNewPrivs)' /proc/self/status >\"$0\"",
        machine.path("state/privileges").display()
    );
    std::fs::write(config.join("mydrv.toml"), [common::NO_BURSTS, &notifier, RULE].concat()).unwrap();
    std::fs::copy(program("peripetyd"), machine.path("peripetyd")).unwrap();
    let script = format!(
        "set -e; cd {dir}; mkdir -p etc; cp /etc/passwd /etc/group etc/
         systemd-sysusers --root={dir} {users}
         chmod 644 etc/passwd etc/group
         mount --bind etc/passwd /etc/passwd; mount --bind etc/group /etc/group
         chgrp -R systemd-journal /run/log/journal; chmod -R g+rX /run/log/journal
         find /run/log/journal -type d -exec chmod g+s {{}} +
         install -d -o peripety -g peripety state",
        dir = machine.dir.path().display(),
        users = project("systemd/peripety.sysusers").display(),
    );
    let out = machine.shell(&script);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

fn kmsg_is_readable() -> bool {
    std::fs::File::open("/dev/kmsg").is_ok_and(|mut file| std::io::Seek::rewind(&mut file).is_ok())
}

#[test]
fn the_daemon_works_as_its_unit_runs_it() {
    const TEST: &str = "the_daemon_works_as_its_unit_runs_it";
    if let Some(reason) = impossible() {
        return skip(TEST, &reason);
    }
    let Some(machine) = Machine::start(TEST, &[]) else { return };
    let mut service = Service::start(&machine);
    let status = service.connect().call("GetStatus", json!({})).unwrap();
    assert!(status["status"].is_object(), "{status}");
    let ready = service.notified("READY=1");
    assert!(ready.contains("STATUS="), "{ready}");

    // Who it is: nobody special, and nothing but CAP_SYSLOG (34).
    let syslog = format!("{:016x}", 1u64 << 34);
    for set in ["CapEff", "CapPrm", "CapBnd", "CapAmb"] {
        assert_eq!(service.process(set), syslog, "{set}");
    }
    assert_eq!(service.process("NoNewPrivs"), "1");
    assert!(!service.process("Uid").split(' ').any(|uid| uid == "0"));
    let mounts = std::fs::read_to_string(format!("/proc/{}/mountinfo", service.child.id())).unwrap();
    let last_root = mounts.lines().rfind(|line| line.split(' ').nth(4) == Some("/")).unwrap();
    assert!(last_root.split(' ').nth(5).unwrap().starts_with("ro"), "{last_root}");
    if kmsg_is_readable() {
        assert!(service.has_open("/dev/kmsg"), "{}", service.said());
        assert!(!service.said().contains("no /dev/kmsg"), "{}", service.said());
    }

    // The first own rule fires; the event is stored and read back by the same user.
    let logged = machine
        .shell("logger --journald <<'END'\nSYSLOG_IDENTIFIER=mydrv\nMESSAGE=sdzz: wear level 91%\nEND");
    assert!(logged.status.success(), "{}", String::from_utf8_lossy(&logged.stderr));
    let events = wait_for("the event", || Some(service.worn()).filter(|events| !events.is_empty()));
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["extension"]["percent"], "91");
    let stored = machine.journal("PERIPETY_EVENT_TYPE=MYDRV_WORN");
    assert_eq!(stored.len(), 1);
    let uid = service.process("Uid").split(' ').next().unwrap().to_owned();
    assert_eq!(stored[0]["_UID"], uid);
    let delivered = || {
        let status = service.connect().call("GetStatus", json!({})).unwrap()["status"].clone();
        assert_eq!(status["events_not_stored"], 0, "{status}");
        (status["notifiers"][0]["delivered"] == 1).then_some(())
    };
    wait_for("the notifier", delivered);
    // A program of a notifier has no capability, and can get none.
    let privileges = std::fs::read_to_string(service.state.join("privileges")).unwrap();
    for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert!(privileges.contains(&format!("{set}:\t{:016x}\n", 0)), "{privileges}");
    }
    assert!(privileges.contains("NoNewPrivs:\t1\n"), "{privileges}");

    // It ends as systemd ends it, and has saved its position.
    common::send_signal(&service.child.id().to_string(), rustix::process::Signal::TERM);
    service.notified("STOPPING=1");
    assert!(service.child.wait().unwrap().success(), "{}", service.said());
    let saved = std::fs::read_dir(&service.state).unwrap().flatten().count();
    assert!(saved > 0, "the state directory is empty: {}", service.said());
    assert!(!service.said().contains("ERROR"), "{}", service.said());
}

#[test]
fn others_ask_the_running_service_as_they_may() {
    const TEST: &str = "others_ask_the_running_service_as_they_may";
    if let Some(reason) = impossible() {
        return skip(TEST, &reason);
    }
    let Some(machine) = Machine::start(TEST, &[]) else { return };
    let service = Service::start(&machine);
    service.connect().call("GetStatus", json!({})).unwrap();
    service.notified("READY=1");
    std::fs::set_permissions(&service.socket, std::fs::Permissions::from_mode(0o666)).unwrap();
    let prpt = service.machine.path("prpt");
    std::fs::copy(program("prpt"), &prpt).unwrap();
    let address = format!("--address=unix:{}", service.socket.display());
    let root = machine.command(&prpt).args([&address, "query", "-J"]).output().unwrap();
    assert!(root.status.success(), "{}", String::from_utf8_lossy(&root.stderr));
    let nobody = machine.as_nobody(&prpt).args([&address, "query", "-J"]).output().unwrap();
    let said = String::from_utf8_lossy(&nobody.stderr);
    assert_eq!(nobody.status.code(), Some(1), "{said}");
    assert!(said.contains("systemd-journal"), "{said}");
    let status = machine.as_nobody(&prpt).args([&address, "status"]).output().unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
}
