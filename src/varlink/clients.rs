//! Connected clients, their limits, and which are disconnected if connections become scarce.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{watch, Notify};

use super::limits::Limits;

/// How often refused connections are mentioned in the log.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

/// When a client last sent a call or took something.
#[derive(Debug)]
pub struct Activity(AtomicU64);

impl Default for Activity {
    fn default() -> Self {
        Activity(AtomicU64::new(milliseconds()))
    }
}

impl Activity {
    /// It does so now.
    pub fn touch(&self) {
        self.0.store(milliseconds(), Ordering::Relaxed);
    }

    fn idle(&self) -> Duration {
        Duration::from_millis(milliseconds().saturating_sub(self.0.load(Ordering::Relaxed)))
    }
}

/// Milliseconds since the first call.
fn milliseconds() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// All clients.
#[derive(Debug)]
pub struct Clients {
    limits: watch::Receiver<Limits>,
    /// Most connections that the file descriptors of the process allow.
    possible: usize,
    state: Mutex<Connections>,
}

#[derive(Debug, Default)]
struct Connections {
    connected: HashMap<u64, Connected>,
    /// Number of the next connection.
    next: u64,
    /// Connections refused since that was last logged, and when that was.
    refused: u64,
    complained: Option<Instant>,
}

#[derive(Debug)]
struct Connected {
    uid: u32,
    activity: Arc<Activity>,
    end: Arc<Notify>,
}

/// The place of a connection, until dropped.
#[derive(Debug)]
pub struct Seat {
    clients: Arc<Clients>,
    number: u64,
    /// To be touched by the connection.
    pub activity: Arc<Activity>,
    /// Notified when the connection is to end.
    pub end: Arc<Notify>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.clients.state().connected.remove(&self.number);
    }
}

impl Clients {
    /// Nobody yet; `possible` connections are the most that the process can have.
    pub fn new(limits: watch::Receiver<Limits>, possible: usize) -> Arc<Self> {
        Arc::new(Clients { limits, possible, state: Mutex::default() })
    }

    /// Admits a client, or gives the reason for refusing it. If connections become scarce, idle clients are disconnected.
    pub fn enter(self: &Arc<Self>, uid: u32) -> Result<Seat, String> {
        let limits = self.limits.borrow().clone();
        let total = limits.connections.min(self.possible);
        let mut state = self.state();
        state.make_room(uid, total, &limits);
        // The last eighth is for root.
        let for_uid = if uid == 0 { total } else { total - total / 8 };
        let refusal = if uid != 0 && state.of(uid) >= limits.connections_per_user {
            format!("uid {uid} has {} connections, the most for one user (max_connections_per_user in peripetyd.conf)", limits.connections_per_user)
        } else if state.connected.len() >= for_uid {
            format!("there are {} connections, the most for all users (max_connections in peripetyd.conf, LimitNOFILE= of the service)", state.connected.len())
        } else {
            return Ok(state.seat(self, uid));
        };
        state.complain(&refusal);
        Err(format!("too many connections: {refusal}; close some, or try again later"))
    }

    fn state(&self) -> MutexGuard<'_, Connections> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connections {
    fn of(&self, uid: u32) -> usize {
        self.connected.values().filter(|client| client.uid == uid).count()
    }

    fn seat(&mut self, clients: &Arc<Clients>, uid: u32) -> Seat {
        let (activity, end) = (Arc::new(Activity::default()), Arc::new(Notify::new()));
        self.next += 1;
        self.connected.insert(self.next, Connected { uid, activity: activity.clone(), end: end.clone() });
        Seat { clients: clients.clone(), number: self.next, activity, end }
    }

    /// Ends connections that are idle, but only when more than seven eighths of those possible are in use.
    fn make_room(&mut self, uid: u32, total: usize, limits: &Limits) {
        let is_near = |count: usize, limit: usize| count >= limit - limit / 8;
        let all = is_near(self.connected.len(), total);
        if !all && (uid == 0 || !is_near(self.of(uid), limits.connections_per_user)) {
            return;
        }
        let before = self.connected.len();
        let mut uids = Vec::new();
        self.connected.retain(|_, client| {
            let stays = (!all && client.uid != uid) || client.activity.idle() < limits.idle;
            if !stays {
                uids.push(client.uid);
                client.end.notify_one();
            }
            stays
        });
        if !uids.is_empty() {
            uids.sort_unstable();
            uids.dedup();
            tracing::warn!("{} of {before} Varlink connections ended to make room: for {} seconds they took no reply and sent no call; uids: {uids:?}", before - self.connected.len(), limits.idle.as_secs());
        }
    }

    /// Mentions, not too often, that connections are refused.
    fn complain(&mut self, refusal: &str) {
        self.refused += 1;
        if self.complained.is_none_or(|at| at.elapsed() > COMPLAIN_EVERY) {
            tracing::warn!("{} Varlink connections refused; of the last: {refusal}", self.refused);
            (self.refused, self.complained) = (0, Some(Instant::now()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clients(limits: Limits, possible: usize) -> Arc<Clients> {
        Clients::new(watch::channel(limits).1, possible)
    }

    #[test]
    fn one_user_cannot_take_all_connections() {
        let clients = clients(Limits::default(), 1000);
        let seats: Vec<_> = (0..64).map(|_| clients.enter(1000)).collect();
        assert!(seats.iter().all(Result::is_ok));
        assert!(clients.enter(1000).unwrap_err().contains("max_connections_per_user"));
        let others: Vec<_> = (1..=512).map(|uid| clients.enter(uid)).collect();
        assert_eq!(others.iter().filter(|seat| seat.is_ok()).count(), 512 - 64 - 64);
        assert!(clients.enter(0).is_ok());
        drop((seats, others));
        assert!(clients.enter(1000).is_ok());
    }

    #[test]
    fn the_process_may_have_fewer_descriptors() {
        let clients = clients(Limits::default(), 8);
        let seats: Vec<_> = (0..10).map(|_| clients.enter(0)).collect();
        assert_eq!(seats.iter().filter(|seat| seat.is_ok()).count(), 8);
    }

    #[test]
    fn the_idle_leave_when_room_gets_scarce_and_not_before() {
        let limits = Limits { connections: 16, connections_per_user: 8, idle: Duration::ZERO };
        let clients = clients(limits, 1000);
        let mut seats: Vec<_> = (0..7).map(|_| clients.enter(1000).unwrap()).collect();
        seats.push(clients.enter(2000).unwrap());
        assert_eq!(clients.state().connected.len(), 8);
        // The user's own limit is near: only the user's connections end.
        seats.push(clients.enter(1000).unwrap());
        let of = |uid| clients.state().of(uid);
        assert_eq!([1000, 2000].map(of), [1, 1]);
        // Of all connections 14 are many.
        let rest: Vec<_> = (0..12).map(|_| clients.enter(0).unwrap()).collect();
        assert_eq!(clients.state().connected.len(), 14);
        seats.push(clients.enter(0).unwrap());
        assert_eq!(clients.state().connected.len(), 1);
        drop((seats, rest));
        assert_eq!(clients.state().connected.len(), 0);
    }
}
