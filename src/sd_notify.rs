//! Notifies systemd of the daemon's state: the protocol of sd_notify(3).

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// The daemon is ready.
pub fn ready(status: &str) {
    send(&format!("READY=1\nSTATUS={status}\n"));
}

/// The daemon reads its configuration again; [`ready`] ends that.
pub fn reloading() {
    send(&format!("RELOADING=1\nMONOTONIC_USEC={}\n", crate::journal::monotonic_now()));
}

/// What the daemon is doing, for "systemctl status".
pub fn status(status: &str) {
    send(&format!("STATUS={status}\n"));
}

/// The daemon lives.
pub fn alive() {
    send("WATCHDOG=1\n");
}

/// How often systemd expects [`alive`]; `None` without a watchdog (sd_watchdog_enabled(3)).
pub fn watchdog() -> Option<Duration> {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let for_us = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
    number("WATCHDOG_USEC").filter(|usec| for_us && *usec > 0).map(Duration::from_micros)
}

/// The daemon ends.
pub fn stopping() {
    send("STOPPING=1\n");
}

fn send(message: &str) {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let path = path.to_string_lossy().into_owned();
    let send = || -> std::io::Result<()> {
        let address = match path.strip_prefix('@') {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(&path)?,
        };
        UnixDatagram::unbound()?.send_to_addr(message.as_bytes(), &address).map(drop)
    };
    if let Err(e) = send() {
        tracing::warn!("cannot notify systemd of the daemon's state: {e}");
    }
}
