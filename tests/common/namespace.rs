//! A journald of a journal namespace (systemd-journald.service(8)), beside the private journald.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

use super::journald::{blocks, journald_program, Journald};
use super::{wait_for, Machine};

use rustix::process::Signal;

/// Its name.
pub const NAME: &str = "tests";

/// The journald of the namespace. Its journal is volatile, unless there is /var/log/journal when it starts: such a journald has
/// no flush.
pub struct Namespace<'m> {
    machine: &'m Machine,
    journald: Option<Journald>,
}

impl<'m> Namespace<'m> {
    /// Starts it.
    pub fn start(machine: &'m Machine) -> Self {
        let drop_ins = format!("/run/systemd/journald@{NAME}.conf.d");
        let settings = "[Journal]\\nStorage=auto\\nRateLimitIntervalSec=0\\n";
        let out =
            machine.shell(&format!("mkdir -p {drop_ins} && printf '{settings}' >{drop_ins}/tests.conf"));
        assert!(out.status.success(), "{out:?}");
        let mut namespace = Namespace { machine, journald: None };
        namespace.start_again();
        namespace
    }

    /// Process id of its journald.
    pub fn pid(&self) -> u32 {
        self.journald.as_ref().expect("the namespace's journald does not run").pid()
    }

    /// Ends journald.
    pub fn end(&mut self) {
        if let Some(journald) = self.journald.take() {
            journald.end();
        }
    }

    /// Starts journald, when it was ended.
    pub fn start_again(&mut self) {
        let log = self.machine.path("namespace.log");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        let mut command = self.machine.command(journald_program());
        command.arg(NAME).env("SYSTEMD_LOG_TARGET", "console");
        command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null()).stderr(log);
        let journald = Journald::of(command.spawn().unwrap());
        wait_for("the namespace's journald", || UnixDatagram::unbound().unwrap().connect(self.socket()).ok());
        wait_for("journald to wait for signals", || blocks(journald.pid(), Signal::USR2).then_some(()));
        self.journald = Some(journald);
    }

    /// Its native socket, seen from outside.
    pub fn socket(&self) -> PathBuf {
        self.machine.root().join(format!("run/systemd/journal.{NAME}/socket"))
    }
}
