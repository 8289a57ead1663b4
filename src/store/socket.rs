//! journald's native socket: a connected datagram socket that waits instead of dropping.

use std::io::{self, IoSlice, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{fcntl_add_seals, memfd_create, MemfdFlags, SealFlags};
use rustix::net::{sendmsg, SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use tokio::io::Interest;
use tokio::net::UnixDatagram;

/// Where journald listens.
pub const PATH: &str = "/run/systemd/journal/socket";

/// First pause before reconnecting to journald; doubled up to [`MAX_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const MAX_PAUSE: Duration = Duration::from_secs(1);
/// Interval between checks of what journald has not read.
const DRAIN_STEP: Duration = Duration::from_millis(2);

/// How long journald may leave messages unread before this is logged.
const MENTION_AFTER: Duration = Duration::from_secs(1);

/// A connection to journald that comes back when journald does.
#[derive(Debug)]
pub struct JournalSocket {
    path: PathBuf,
    socket: Option<UnixDatagram>,
    waiting: Stall,
}

/// Since when the socket has been waiting for journald, and whether this has been logged (once each time).
#[derive(Debug, Default)]
struct Stall {
    since: Option<Instant>,
    mentioned: bool,
}

impl Stall {
    fn mention(&mut self, why: std::fmt::Arguments<'_>) {
        self.since.get_or_insert_with(Instant::now);
        if !std::mem::replace(&mut self.mentioned, true) {
            tracing::warn!("journald does not {why}: waiting, nothing is lost");
        }
    }

    fn ends(&mut self) {
        let waited = std::mem::take(self);
        if let (true, Some(since)) = (waited.mentioned, waited.since) {
            tracing::info!("journald accepts events again, after {:.1} s", since.elapsed().as_secs_f64());
        }
    }
}

const UNREAD: &str = "read what is sent to it";

impl JournalSocket {
    /// A socket at this path; journald need not run yet.
    pub fn new(path: &Path) -> Self {
        JournalSocket { path: path.to_owned(), socket: None, waiting: Stall::default() }
    }

    /// journald listens.
    pub fn is_there(&mut self) -> bool {
        self.connected().is_ok()
    }

    /// Sends one entry, waiting as long as journald does not take it.
    pub async fn send(&mut self, entry: &[u8]) {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.try_send(entry).await {
                Ok(()) => return,
                Err(e) => {
                    self.waiting.mention(format_args!("take events ({e})"));
                    self.socket = None;
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(MAX_PAUSE);
                }
            }
        }
    }

    /// Bytes sent that journald has not read yet.
    pub fn unread(&self) -> usize {
        self.socket.as_ref().and_then(|s| crate::sys::unread_by_peer(s).ok()).unwrap_or(0)
    }

    /// journald has not read all that was sent. To be asked when an event is late: after a while the
    /// log mentions it.
    pub fn is_behind(&mut self) -> bool {
        if self.unread() == 0 {
            return false;
        }
        if self.waiting.since.get_or_insert_with(Instant::now).elapsed() >= MENTION_AFTER {
            self.waiting.mention(format_args!("{UNREAD}"));
        }
        true
    }

    /// An event came back from journald: nothing waits for it any more.
    pub fn works(&mut self) {
        self.waiting.ends();
    }

    /// Waits until journald has read everything that was sent to it before, by whomever. It reads
    /// in the order of sending, so this holds once it has read an empty message, which it ignores.
    /// False: journald does not listen, or has not read it within `patience`.
    pub async fn drain(&mut self, patience: Duration) -> bool {
        let reading = async {
            self.try_send(&[]).await?;
            while self.is_behind() {
                tokio::time::sleep(DRAIN_STEP).await;
            }
            self.works();
            Ok::<(), io::Error>(())
        };
        matches!(tokio::time::timeout(patience, reading).await, Ok(Ok(())))
    }

    async fn try_send(&mut self, entry: &[u8]) -> io::Result<()> {
        self.connected()?;
        let JournalSocket { socket: Some(socket), waiting, .. } = self else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let mut sending = std::pin::pin!(send_whole(socket, entry));
        match tokio::time::timeout(MENTION_AFTER, &mut sending).await {
            Ok(result) => result,
            Err(_) => {
                waiting.mention(format_args!("{UNREAD}"));
                sending.await
            }
        }
    }

    fn connected(&mut self) -> io::Result<&UnixDatagram> {
        let socket = match self.socket.take() {
            Some(socket) => socket,
            None => {
                let socket = UnixDatagram::unbound()?;
                socket.connect(&self.path)?;
                socket
            }
        };
        Ok(self.socket.insert(socket))
    }
}

async fn send_whole(socket: &UnixDatagram, entry: &[u8]) -> io::Result<()> {
    match socket.send(entry).await {
        Err(e) if is_too_large(&e) => send_as_file(socket, entry).await,
        result => result.map(drop),
    }
}

/// The datagram is above the socket's limit.
fn is_too_large(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMSGSIZE | libc::ENOBUFS))
}

/// Sends a large entry as a sealed memory file.
async fn send_as_file(socket: &UnixDatagram, entry: &[u8]) -> io::Result<()> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let mut file = std::fs::File::from(memfd_create("peripety-event", flags)?);
    file.write_all(entry)?;
    fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL)?;
    let send = || {
        let descriptors = [file.as_fd()];
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(&descriptors));
        sendmsg(socket, &[] as &[IoSlice<'_>], &mut control, SendFlags::NOSIGNAL)?;
        Ok(())
    };
    socket.async_io(Interest::WRITABLE, send).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waits_for_a_listener_and_reconnects() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let mut socket = JournalSocket::new(&path);
        assert!(!socket.is_there());
        for text in [b"first", b"again"] {
            let _ = std::fs::remove_file(&path);
            let late = async {
                tokio::time::sleep(Duration::from_millis(30)).await;
                UnixDatagram::bind(&path).unwrap()
            };
            let (listener, ()) = tokio::join!(late, socket.send(text));
            let mut buffer = [0; 16];
            let length = listener.recv(&mut buffer).await.unwrap();
            assert_eq!(buffer.get(..length), Some(text.as_slice()));
        }
    }

    #[tokio::test]
    async fn what_others_sent_before_is_read_first() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let mut socket = JournalSocket::new(&path);
        assert!(!socket.drain(Duration::from_secs(1)).await);
        let listener = UnixDatagram::bind(&path).unwrap();
        JournalSocket::new(&path).send(b"of another").await;
        assert!(!socket.drain(Duration::from_millis(30)).await);
        let read = async {
            for expected in [b"of another".as_slice(), b"", b""] {
                let mut buffer = [0; 16];
                let length = listener.recv(&mut buffer).await.unwrap();
                assert_eq!(buffer.get(..length), Some(expected));
            }
        };
        let (drained, ()) = tokio::join!(socket.drain(Duration::from_secs(10)), read);
        assert!(drained);
    }

    #[tokio::test]
    async fn a_large_entry_goes_as_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let listener = UnixDatagram::bind(&path).unwrap();
        let mut socket = JournalSocket::new(&path);
        socket.send(&vec![b'x'; 1 << 20]).await;
        let mut buffer = [0; 16];
        assert_eq!(listener.recv(&mut buffer).await.unwrap(), 0);
    }
}
