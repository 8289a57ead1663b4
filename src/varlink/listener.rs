//! The listening socket and the accept loop.

use std::collections::HashMap;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net as std_net;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

use super::address::Address;
use super::peer::Peer;
use super::{connection, Service};

/// Most connections at a time, of which only root may have the last eighth.
const MOST: usize = 512;
/// File descriptors that connections leave to the daemon, for the journal above all.
const KEPT: u64 = 40;
/// Most connections of one user other than root.
const MOST_OF_A_USER: usize = 64;
/// How often refused connections are mentioned in the log.
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
/// thread is started: it takes the environment variables away.
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

/// Binds a path, replacing the socket of a daemon that is gone.
fn bind_path(path: &Path, address: &Address) -> Result<UnixListener, ListenError> {
    let unusable = |cause| ListenError::Unusable { address: address.clone(), cause };
    let folder = path.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(folder).map_err(unusable)?;
    // Of two daemons started at once neither may take the other's fresh socket for a dead one.
    let turn = std::fs::File::open(folder).map_err(unusable)?;
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

/// Most connections with so many file descriptors (RLIMIT_NOFILE of getrlimit(2); `None`: no limit).
fn most(descriptors: Option<u64>) -> usize {
    let free = descriptors.map_or(u64::MAX, |all| all.saturating_sub(KEPT));
    usize::try_from(free).unwrap_or(MOST).clamp(8, MOST)
}

/// Serves connections until dropped.
pub async fn serve(listener: UnixListener, service: Arc<Service>) {
    let descriptors = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let users = Arc::new(Users { most: most(descriptors), ..Users::default() });
    let mut connections = JoinSet::new();
    let mut said: Option<Instant> = None;
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => admit(stream, &users, &service, &mut connections),
                Err(e) => {
                    if said.is_none_or(|said| said.elapsed() > COMPLAIN_EVERY) {
                        tracing::warn!("cannot accept a Varlink connection: {e}; trying again");
                        said = Some(Instant::now());
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

fn admit(stream: UnixStream, users: &Arc<Users>, service: &Arc<Service>, connections: &mut JoinSet<()>) {
    let peer = match Peer::of(&stream) {
        Ok(peer) => peer,
        Err(e) => return tracing::debug!("a client left before it said who it is: {e}"),
    };
    match users.enter(peer.uid) {
        Some(seat) => {
            let service = service.clone();
            connections.spawn(async move {
                connection::serve(stream, peer, service).await;
                drop(seat);
            });
        }
        None => users.complain(peer.uid),
    }
}

/// Who has how many connections.
#[derive(Debug, Default)]
struct Users {
    /// Most connections of all together.
    most: usize,
    counts: Mutex<HashMap<u32, usize>>,
    refused: Mutex<Refused>,
}

/// Connections refused since the log last said so.
#[derive(Debug, Default)]
struct Refused {
    count: u64,
    said: Option<Instant>,
}

struct Seat {
    users: Arc<Users>,
    uid: u32,
}

impl Users {
    fn enter(self: &Arc<Self>, uid: u32) -> Option<Seat> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = counts.values().sum();
        let own = counts.get(&uid).copied().unwrap_or(0);
        let free = match uid {
            0 => all < self.most,
            _ => all < self.most - self.most / 8 && own < MOST_OF_A_USER,
        };
        free.then(|| {
            counts.insert(uid, own + 1);
            Seat { users: self.clone(), uid }
        })
    }

    /// Says, not too often, that connections are refused.
    fn complain(&self, uid: u32) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.count += 1;
        if refused.said.is_none_or(|said| said.elapsed() > COMPLAIN_EVERY) {
            tracing::warn!("too many Varlink connections: {} closed, the last of uid {uid}; {} are possible with LimitNOFILE= of the service", refused.count, self.most);
            *refused = Refused { count: 0, said: Some(Instant::now()) };
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.users.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = counts.get_mut(&self.uid) {
            *own -= 1;
            if *own == 0 {
                counts.remove(&self.uid);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_keeps_its_descriptors() {
        let limits = [Some(64), Some(1024), Some(1), None];
        assert_eq!(limits.map(most), [24, MOST, 8, MOST]);
    }

    #[test]
    fn one_user_cannot_take_all_connections() {
        let users = Arc::new(Users { most: MOST, ..Users::default() });
        let seats: Vec<_> = (0..MOST_OF_A_USER).map(|_| users.enter(1000)).collect();
        assert!(seats.iter().all(Option::is_some));
        assert!(users.enter(1000).is_none());
        let others: Vec<_> = (1..=MOST as u32).map(|uid| users.enter(uid)).collect();
        assert!(others.iter().any(Option::is_none));
        assert!(users.enter(0).is_some());
        drop((seats, others));
        assert!(users.enter(1000).is_some());
    }
}
