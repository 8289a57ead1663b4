//! Asks a running daemon what it has done.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{bail, Context};
use serde::Deserialize;

/// How long the daemon may take.
const STATUS_TIMEOUT: Duration = Duration::from_secs(120);
/// Pause between two questions.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// What the daemon has done, as far as it matters here; see `Status` in io.peripety.varlink.
#[derive(Debug, Deserialize)]
pub struct Status {
    caught_up: bool,
    in_flight: u64,
    /// Entries that are storage events.
    pub entries_matched: u64,
    /// Events made of them.
    pub events: u64,
}

#[derive(Deserialize)]
struct Reply {
    parameters: Parameters,
}

#[derive(Deserialize)]
struct Parameters {
    status: Status,
}

/// Waits until the daemon has read its journal to the end.
pub fn when_caught_up(daemon: &mut Child, socket: &Path) -> anyhow::Result<Status> {
    let start = Instant::now();
    while start.elapsed() < STATUS_TIMEOUT {
        if let Some(status) = daemon.try_wait()? {
            bail!("peripetyd ended with {status}");
        }
        if let Ok(stream) = UnixStream::connect(socket) {
            let status = ask(stream)?;
            if status.caught_up && status.in_flight == 0 {
                return Ok(status);
            }
        }
        std::thread::sleep(ASK_EVERY);
    }
    bail!("peripetyd has not read its journal in {} s", STATUS_TIMEOUT.as_secs())
}

fn ask(mut stream: UnixStream) -> anyhow::Result<Status> {
    stream.set_read_timeout(Some(STATUS_TIMEOUT))?;
    stream.write_all(b"{\"method\":\"io.peripety.GetStatus\"}\0")?;
    let mut reply = Vec::new();
    BufReader::new(stream).read_until(0, &mut reply)?;
    reply.pop();
    let reply: Reply = serde_json::from_slice(&reply).context("GetStatus gave no status")?;
    Ok(reply.parameters.status)
}
