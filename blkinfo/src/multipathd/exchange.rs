//! One question and its answer (libmpathcmd/mpath_cmd.c): each a length, eight bytes in the machine's own order (four
//! where a `size_t` has four), and a text that ends with a NUL, which the length counts.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Instant;

use rustix::event::{poll, PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::net::{
    self, sockopt, AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType,
};

/// The longest answer: a hundred thousand paths. multipathd's own limit is eight times that.
const MAX_ANSWER_BYTES: usize = 4 << 20;
const PIECE: usize = 16 << 10;
/// Bytes of a length.
const LENGTH: usize = size_of::<usize>();

/// What the one who listens at `place` answers. `None`: nobody does, or not `uid`, or the answer is not complete before the
/// deadline, or makes no sense.
pub(super) fn ask(place: &SocketAddrUnix, uid: u32, question: &str, deadline: Instant) -> Option<String> {
    let socket = connect(place).ok()?;
    if sockopt::socket_peercred(&socket).ok()?.uid.as_raw() != uid {
        return None;
    }
    send(&socket, question).ok()?;
    let length = receive(&socket, LENGTH, deadline)?;
    let length = usize::from_ne_bytes(length.try_into().ok()?);
    if length == 0 || length > MAX_ANSWER_BYTES {
        return None;
    }
    let mut text = receive(&socket, length, deadline)?;
    text.pop();
    String::from_utf8(text).ok()
}

/// Does not wait: if the queue of connections is full, this counts as no answer.
fn connect(place: &SocketAddrUnix) -> Result<OwnedFd, Errno> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    net::connect(&socket, place)?;
    Ok(socket)
}

/// An empty socket accepts a short request at once.
fn send(socket: &OwnedFd, question: &str) -> Result<(), Errno> {
    let length = question.len() + 1;
    let message = [&length.to_ne_bytes(), question.as_bytes(), b"\0"].concat();
    match net::send(socket, &message, SendFlags::NOSIGNAL)? {
        sent if sent == message.len() => Ok(()),
        _ => Err(Errno::AGAIN),
    }
}

/// The next `length` bytes, no more memory than has come.
fn receive(socket: &OwnedFd, length: usize, deadline: Instant) -> Option<Vec<u8>> {
    let mut received = Vec::new();
    let mut piece = [0; PIECE];
    while received.len() < length {
        wait(socket, deadline)?;
        let room = piece.get_mut(..PIECE.min(length - received.len()))?;
        match net::recv(socket, &mut *room, RecvFlags::empty()) {
            Ok((0, _)) => return None,
            Ok((read, _)) => received.extend_from_slice(room.get(..read)?),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => return None,
        }
    }
    Some(received)
}

/// Until something can be read; `None` when the time is over.
fn wait(socket: &OwnedFd, deadline: Instant) -> Option<()> {
    loop {
        let left = deadline.checked_duration_since(Instant::now())?;
        let left = Timespec::try_from(left).ok()?;
        match poll(&mut [PollFd::from_borrowed_fd(socket.as_fd(), PollFlags::IN)], Some(&left)) {
            Ok(0) => return None,
            Ok(_) => return Some(()),
            Err(Errno::INTR) => {}
            Err(_) => return None,
        }
    }
}
