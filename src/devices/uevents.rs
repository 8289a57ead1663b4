//! The kernel's messages about devices, from its socket (netlink(7), NETLINK_KOBJECT_UEVENT).

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

use peripety_blkinfo::history::Uevent;
use rustix::io::Errno;
use rustix::net::netlink::{self, SocketAddrNetlink};
use rustix::net::{recvfrom, socket_with, sockopt, AddressFamily, RecvFlags, SocketFlags, SocketType};

/// The multicast group of the kernel's own messages; udev's are in group 2.
const KERNEL: u32 = 1;
/// A message has at most 2 KiB of values (include/linux/kobject.h, UEVENT_BUFFER_SIZE) and a path.
const MAX_MESSAGE_BYTES: usize = 8192;
/// What may wait unread: ten thousand disks come at once.
const QUEUE: usize = 16 * 1024 * 1024;

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub enum Received {
    /// A message.
    Event(Uevent),
    /// None is waiting.
    Nothing,
    /// Messages were lost: the queue was full.
    Lost,
}

/// The socket.
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
    buffer: Vec<u8>,
}

impl Socket {
    /// Begins to listen.
    pub fn open() -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let protocol = Some(netlink::KOBJECT_UEVENT);
        let fd = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, protocol)?;
        // Beyond the limit of net.core.rmem_max only with CAP_NET_ADMIN; with less, messages are lost sooner, and that
        // is noticed.
        if sockopt::set_socket_recv_buffer_size_force(&fd, QUEUE).is_err() {
            sockopt::set_socket_recv_buffer_size(&fd, QUEUE)?;
        }
        rustix::net::bind(&fd, &SocketAddrNetlink::new(0, KERNEL))?;
        Ok(Socket { fd, buffer: vec![0; MAX_MESSAGE_BYTES] })
    }

    /// The next message; does not wait. What others than the kernel send is passed over.
    pub fn receive(&mut self) -> io::Result<Received> {
        loop {
            let (read, _, from) = match recvfrom(self.fd.as_fd(), &mut self.buffer[..], RecvFlags::empty()) {
                Ok(received) => received,
                Err(Errno::AGAIN) => return Ok(Received::Nothing),
                Err(Errno::NOBUFS) => return Ok(Received::Lost),
                Err(Errno::INTR) => continue,
                Err(e) => return Err(e.into()),
            };
            let from = from.and_then(|address| SocketAddrNetlink::try_from(address).ok());
            let message = self.buffer.get(..read).filter(|_| from.is_some_and(|from| from.pid() == 0));
            if let Some(event) = message.and_then(Uevent::parse) {
                return Ok(Received::Event(event));
            }
        }
    }

    /// Readable when a message waits.
    pub fn fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}
