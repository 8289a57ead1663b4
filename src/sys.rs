//! The few system calls that no safe library offers, each with the reason why it is sound.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

use rustix::event::{poll, PollFd, PollFlags, Timespec};

/// Waits until one of the descriptors is readable (or in an error state) or the time is over.
/// Says for each whether it is. A negative descriptor is never ready.
pub fn poll_readable<const N: usize>(fds: [RawFd; N], timeout: Duration) -> io::Result<[bool; N]> {
    poll_for(fds.map(|fd| (fd, PollFlags::IN)), timeout)
}

/// The same for other events than data that can be read.
pub fn poll_for<const N: usize>(fds: [(RawFd, PollFlags); N], timeout: Duration) -> io::Result<[bool; N]> {
    let mut ready = [false; N];
    let mut index = Vec::with_capacity(N);
    let mut set = Vec::with_capacity(N);
    for (i, (fd, events)) in fds.into_iter().enumerate().filter(|(_, (fd, _))| *fd >= 0) {
        // SAFETY: the descriptor is used for this call only, while the caller, who passed it,
        // holds its owner; a closed one yields POLLNVAL.
        let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
        set.push(PollFd::from_borrowed_fd(borrowed, events));
        index.push(i);
    }
    let timeout = Timespec {
        tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(timeout.subsec_nanos()),
    };
    match poll(&mut set, Some(&timeout)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(e) => return Err(e.into()),
    }
    for (fd, i) in set.iter().zip(index) {
        if let Some(slot) = ready.get_mut(i) {
            *slot = !fd.revents().is_empty();
        }
    }
    Ok(ready)
}

/// Bytes that were sent on a Unix socket and that its peer has not read yet (SIOCOUTQ of
/// unix(7)).
pub fn unread_by_peer(socket: &impl AsRawFd) -> io::Result<usize> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: TIOCOUTQ (the same number as SIOCOUTQ) writes one int to the address given.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &mut bytes) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(usize::try_from(bytes).unwrap_or(0))
}

/// Has the C library keep little memory for itself: two arenas (one more than none for a thread that waits), and big
/// pieces go back to the kernel at once. To be called before the first thread is started.
pub fn keep_little_memory() {
    // SAFETY: mallopt(3) changes numbers inside of the allocator.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
        libc::mallopt(libc::M_MMAP_THRESHOLD, 128 * 1024);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 512 * 1024);
    }
}

/// Gives memory that was freed back to the kernel.
pub fn give_back_memory() {
    // SAFETY: malloc_trim(3) releases pages that hold nothing.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Supplementary groups of the process at the other end of a Unix socket (SO_PEERGROUPS of
/// Linux 4.13, include/uapi/asm-generic/socket.h).
pub fn peer_groups(socket: &impl AsRawFd) -> io::Result<Vec<u32>> {
    let mut groups: Vec<libc::gid_t> = vec![0; 64];
    loop {
        let item = std::mem::size_of::<libc::gid_t>();
        let mut length = (groups.len() * item) as libc::socklen_t;
        // SAFETY: the kernel writes at most `length` bytes to the buffer, which is that long,
        // and sets `length` to what it wrote or, with ERANGE, to what it needs.
        let result = unsafe {
            libc::getsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERGROUPS,
                groups.as_mut_ptr().cast(),
                &mut length,
            )
        };
        let count = length as usize / item;
        if result == 0 {
            groups.truncate(count);
            return Ok(groups);
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::ERANGE) || count <= groups.len() {
            return Err(error);
        }
        groups.resize(count, 0);
    }
}

/// The listening stream socket that systemd passed, if it passed one to this process
/// (sd_listen_fds(3): `LISTEN_PID`, `LISTEN_FDS`, first descriptor 3). Can be taken once.
pub fn passed_socket() -> Result<Option<std::os::unix::net::UnixListener>, String> {
    use std::os::fd::{FromRawFd, OwnedFd};
    let variable = |name: &str| std::env::var(name).ok().and_then(|v| v.parse::<u32>().ok());
    let (pid, count) = (variable("LISTEN_PID"), variable("LISTEN_FDS"));
    for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] {
        std::env::remove_var(name);
    }
    match (pid == Some(std::process::id()), count) {
        (false, _) | (_, None | Some(0)) => return Ok(None),
        (true, Some(1)) => {}
        (true, Some(n)) => return Err(format!("{n} sockets instead of one")),
    }
    // SAFETY: systemd passes descriptor 3 to this process for its own use; the variables are
    // removed, so that nobody takes it a second time.
    let fd = unsafe { OwnedFd::from_raw_fd(3) };
    let flags = rustix::io::fcntl_getfd(&fd).map_err(|e| e.to_string())?;
    rustix::io::fcntl_setfd(&fd, flags | rustix::io::FdFlags::CLOEXEC).map_err(|e| e.to_string())?;
    if !rustix::net::sockopt::socket_acceptconn(&fd).map_err(|e| e.to_string())? {
        return Err("it does not listen".into());
    }
    Ok(Some(fd.into()))
}
