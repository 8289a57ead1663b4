//! What the daemon tells systemd: sd_notify(3). In a file of its own, because it sets variables of
//! the environment.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::os::unix::net::UnixDatagram;
use std::time::Instant;

use common::{send_signal, LiveJournal, Machine, TIMEOUT};
use rustix::process::Signal;

/// It is ready, signs of life, reloading and ready again, stopping.
#[test]
fn systemd_is_told() {
    let Some(machine) = Machine::start("messages to systemd", &[]) else { return };
    let journal = LiveJournal::start(machine.path("live.journal"));
    let path = machine.path("notify");
    let systemd = UnixDatagram::bind(&path).unwrap();
    systemd.set_read_timeout(Some(TIMEOUT)).unwrap();
    std::env::set_var("NOTIFY_SOCKET", &path);
    std::env::set_var("WATCHDOG_USEC", "600000");
    let mut daemon = machine.following(&journal, &[]);
    std::env::remove_var("NOTIFY_SOCKET");
    std::env::remove_var("WATCHDOG_USEC");
    let hear = |wanted: &str| {
        let mut buffer = [0; 4096];
        let start = Instant::now();
        loop {
            assert!(start.elapsed() < TIMEOUT, "never heard {wanted}");
            let length = systemd.recv(&mut buffer).unwrap();
            let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if message.contains(wanted) {
                return message;
            }
        }
    };
    assert!(hear("READY=1").contains("STATUS=Reading the journal file"));
    hear("WATCHDOG=1");
    hear("WATCHDOG=1");
    send_signal(&daemon.child.id().to_string(), Signal::HUP);
    assert!(hear("RELOADING=1").contains("MONOTONIC_USEC="));
    hear("READY=1");
    let end = std::thread::spawn(move || daemon.terminate());
    hear("STOPPING=1");
    assert!(end.join().unwrap().success());
}
