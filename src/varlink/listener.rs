//! The listening socket and the accept loop.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net as std_net;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use peripety_api::ErrorReply;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{watch, Semaphore};
use tokio::task::JoinSet;

use super::address::Address;
use super::clients::Clients;
use super::limits::Limits;
use super::peer::Peer;
use super::{connection, frame, Service};

/// File descriptors that connections leave to the daemon, for the journal above all.
const RESERVED: u64 = 40;
/// Refused clients that get the reason at the same time.
const REFUSALS: usize = 16;
/// How long a refused client may take to read the reason.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a failure to accept is mentioned in the log.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);
/// Pause after accepting failed, as it does without free file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Why the service cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Somebody does already.
    #[error("another service already listens on {0}; stop it, or choose another address with --varlink")]
    InUse(Address),
    /// The socket cannot be made.
    #[error("cannot listen on {address}: {cause}; choose another address with --varlink")]
    Unusable {
        /// Address.
        address: Address,
        /// Why not.
        cause: io::Error,
    },
    /// systemd passed something else than a listening socket.
    #[error("the socket that systemd passed cannot be used: {0}; the socket unit needs Accept=no and one ListenStream=")]
    Passed(String),
}

/// The socket that systemd passed (sd_listen_fds(3)), if it did. To be called before the first
/// thread is started: it removes the environment variables.
pub fn passed() -> Result<Option<std_net::UnixListener>, ListenError> {
    crate::sys::passed_socket().map_err(ListenError::Passed)
}

/// The socket passed, else one bound to the address.
pub fn listen(passed: Option<std_net::UnixListener>, address: &Address) -> Result<UnixListener, ListenError> {
    let unusable = |cause| ListenError::Unusable { address: address.clone(), cause };
    if let Some(passed) = passed {
        passed.set_nonblocking(true).map_err(unusable)?;
        return UnixListener::from_std(passed).map_err(unusable);
    }
    match address {
        Address::Path(path) => bind_path(path, address),
        Address::Abstract(name) => {
            let name = std_net::SocketAddr::from_abstract_name(name).map_err(unusable)?;
            let listener = std_net::UnixListener::bind_addr(&name).map_err(|cause| match cause.kind() {
                io::ErrorKind::AddrInUse => ListenError::InUse(address.clone()),
                _ => unusable(cause),
            })?;
            listener.set_nonblocking(true).map_err(unusable)?;
            UnixListener::from_std(listener).map_err(unusable)
        }
    }
}

/// Binds a path, replacing the socket of a daemon that no longer runs.
fn bind_path(path: &Path, address: &Address) -> Result<UnixListener, ListenError> {
    let unusable = |cause| ListenError::Unusable { address: address.clone(), cause };
    let directory = path.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(directory).map_err(unusable)?;
    // Of two daemons started at once neither may take the other's fresh socket for a dead one.
    let turn = std::fs::File::open(directory).map_err(unusable)?;
    rustix::fs::flock(&turn, rustix::fs::FlockOperation::LockExclusive).map_err(|e| unusable(e.into()))?;
    let listener = match UnixListener::bind(path) {
        Err(e) if e.kind() == io::ErrorKind::AddrInUse => {
            if std_net::UnixStream::connect(path).is_ok() {
                return Err(ListenError::InUse(address.clone()));
            }
            if !std::fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket()) {
                return Err(unusable(e));
            }
            std::fs::remove_file(path).map_err(unusable)?;
            UnixListener::bind(path)
        }
        bound => bound,
    };
    let listener = listener.map_err(unusable)?;
    // Who may read events is decided by credentials, with a clear error.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666)).map_err(unusable)?;
    Ok(listener)
}

/// Maximum number of connections for a limit of file descriptors (RLIMIT_NOFILE of getrlimit(2); `None`: unlimited).
fn possible(descriptors: Option<u64>) -> usize {
    let reserved = RESERVED + REFUSALS as u64;
    let free = descriptors.map_or(u64::MAX, |all| all.saturating_sub(reserved));
    usize::try_from(free).unwrap_or(usize::MAX).max(8)
}

/// Serves connections until dropped.
pub async fn serve(listener: UnixListener, service: Arc<Service>, limits: watch::Receiver<Limits>) {
    let descriptors = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let clients = Clients::new(limits, possible(descriptors));
    let refusals = Arc::new(Semaphore::new(REFUSALS));
    let mut connections = JoinSet::new();
    let mut complained: Option<Instant> = None;
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => admit(stream, &clients, &refusals, &service, &mut connections),
                Err(e) => {
                    if complained.is_none_or(|at| at.elapsed() > COMPLAIN_EVERY) {
                        tracing::warn!("cannot accept a Varlink connection: {e}; trying again");
                        complained = Some(Instant::now());
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

fn admit(
    stream: UnixStream,
    clients: &Arc<Clients>,
    refusals: &Arc<Semaphore>,
    service: &Arc<Service>,
    connections: &mut JoinSet<()>,
) {
    let peer = match Peer::of(&stream) {
        Ok(peer) => peer,
        Err(e) => return tracing::debug!("a client left before its credentials were read: {e}"),
    };
    match clients.enter(peer.uid) {
        Ok(seat) => drop(connections.spawn(connection::serve(stream, peer, seat, service.clone()))),
        Err(why) => match refusals.clone().try_acquire_owned() {
            Ok(permit) => drop(connections.spawn(async move {
                let _ = tokio::time::timeout(REFUSAL_TIMEOUT, refuse(stream, &why)).await;
                drop(permit);
            })),
            // Too many at once: the message fits into the empty socket, but a call that comes later fails.
            Err(_) => drop(stream.try_write(&refusal(&why))),
        },
    }
}

/// Answers a client's first call, whatever it is, with an error.
async fn refuse(mut stream: UnixStream, why: &str) -> io::Result<()> {
    stream.write_all(&refusal(why)).await?;
    stream.shutdown().await?;
    // To close while a call is unread or still to come would make it fail before the answer is read.
    while stream.read(&mut [0; 4096]).await? > 0 {}
    Ok(())
}

fn refusal(why: &str) -> Vec<u8> {
    frame::encode(&ErrorReply::TooManyConnections { message: why.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_keeps_its_descriptors() {
        let limits = [Some(64), Some(1024), Some(1), None];
        assert_eq!(limits.map(possible), [8, 968, 8, usize::MAX]);
    }
}
