//! The few system calls that no safe library offers, each with the reason why it is sound.

#![allow(unsafe_code)]

use std::cell::Cell;
use std::io;
use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::sync::OnceLock;
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
    // removed, so that it cannot be taken twice.
    let fd = unsafe { OwnedFd::from_raw_fd(3) };
    let flags = rustix::io::fcntl_getfd(&fd).map_err(|e| e.to_string())?;
    rustix::io::fcntl_setfd(&fd, flags | rustix::io::FdFlags::CLOEXEC).map_err(|e| e.to_string())?;
    if !rustix::net::sockopt::socket_acceptconn(&fd).map_err(|e| e.to_string())? {
        return Err("it does not listen".into());
    }
    Ok(Some(fd.into()))
}

/// Ignores SIGHUP until a handler is installed.
pub fn ignore_hangup() {
    // SAFETY: SIG_IGN runs no code of ours.
    unsafe { libc::signal(libc::SIGHUP, libc::SIG_IGN) };
}

/// Programs that are started get none of the descriptors that are open now, but the standard ones: whoever started this
/// process may have left some open (close_range(2) of Linux 5.11).
pub fn keep_descriptors() -> io::Result<()> {
    let (first, last): (libc::c_uint, libc::c_uint) = (3, libc::c_uint::MAX);
    // SAFETY: sets flags of descriptors, and closes none.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, last, libc::CLOSE_RANGE_CLOEXEC) };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

thread_local! {
    /// Pages that vanished while this thread read them. Constant and without destructor: the signal handler
    /// finds a plain integer.
    static VANISHED: Cell<u64> = const { Cell::new(0) };
}

/// What the handler of SIGBUS needs; written once, before it is installed.
struct Vanishing {
    page: usize,
    /// Mappings of files that existed before: program and libraries. Nothing can stand in for those.
    program: Vec<Range<usize>>,
    /// What was done on SIGBUS before.
    previous: libc::sigaction,
}

static VANISHING: OnceLock<Vanishing> = OnceLock::new();

/// From now on, reading a mapped page that its file no longer has (the file was truncated, or its disk failed) yields
/// zeros instead of ending the process by SIGBUS (mmap(2)), and is counted. libsystemd maps journal files, and takes
/// zeros for damage; journald protects itself in the same way. To be called before files are mapped that may shrink.
pub fn survive_vanished_pages() -> io::Result<()> {
    let maps = std::fs::read_to_string("/proc/self/maps")?;
    // SAFETY: sigaction is plain data, for which zeros are valid.
    let (mut action, mut previous) = unsafe { std::mem::zeroed::<(libc::sigaction, libc::sigaction)>() };
    // SAFETY: only reads the present action.
    if unsafe { libc::sigaction(libc::SIGBUS, std::ptr::null(), &mut previous) } < 0 {
        return Err(io::Error::last_os_error());
    }
    let program = maps.lines().filter_map(mapped_file).collect();
    if VANISHING.set(Vanishing { page: page_size(), program, previous }).is_err() {
        return Ok(());
    }
    action.sa_sigaction = on_vanished_page as *const () as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: the handler is sound whenever it runs: see there.
    match unsafe { libc::sigaction(libc::SIGBUS, &action, std::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn page_size() -> usize {
    // SAFETY: only asks for a constant of the system.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).unwrap_or(4096)
}

/// The addresses of a line of /proc/PID/maps (proc(5)) that is about a file.
fn mapped_file(line: &str) -> Option<Range<usize>> {
    let mut words = line.split_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    words.nth(4).filter(|path| path.starts_with('/'))?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    Some(address(start)?..address(end)?)
}

/// How many pages of mapped files had vanished when this thread read them, see [`survive_vanished_pages`].
pub fn vanished_pages() -> u64 {
    VANISHED.with(Cell::get)
}

/// Puts a page of zeros where a file has none any more. Uses only what may be used in a signal handler: a system call,
/// constant data, and an integer of its own thread.
extern "C" fn on_vanished_page(signal: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the kernel passes a valid siginfo_t to a handler with SA_SIGINFO; for the code BUS_ADRERR it holds an address.
    let (code, address) = unsafe { ((*info).si_code, (*info).si_addr() as usize) };
    let Some(vanishing) = VANISHING.get() else { return };
    if code == libc::BUS_ADRERR && !vanishing.program.iter().any(|mapping| mapping.contains(&address)) {
        let page = (address & !(vanishing.page - 1)) as *mut libc::c_void;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
        // SAFETY: the page belongs to the mapping that this thread is reading at this moment, so that no other thread
        // unmaps it; what it replaces could not be read anyway.
        let mapped = unsafe { libc::mmap(page, vanishing.page, libc::PROT_READ, flags, -1, 0) };
        if mapped != libc::MAP_FAILED {
            VANISHED.with(|count| count.set(count.get() + 1));
            return;
        }
    }
    // SAFETY: puts back what was there before. The access is made again, and ends the process as it would have.
    unsafe { libc::sigaction(signal, &vanishing.previous, std::ptr::null_mut()) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_vanished_reads_as_zeros_and_is_counted() {
        survive_vanished_pages().unwrap();
        let file = tempfile::tempfile().unwrap();
        let page = page_size();
        std::os::unix::fs::FileExt::write_all_at(&file, &vec![7; 2 * page], 0).unwrap();
        // SAFETY: a new mapping; the file is open.
        let map = unsafe {
            let length = 2 * page;
            libc::mmap(std::ptr::null_mut(), length, libc::PROT_READ, libc::MAP_SHARED, file.as_raw_fd(), 0)
        };
        assert_ne!(map, libc::MAP_FAILED);
        // SAFETY: within the mapping; volatile, because the file changes.
        let read = |at: usize| unsafe { map.cast::<u8>().add(at).read_volatile() };
        assert_eq!((read(0), read(page), vanished_pages()), (7, 7, 0));
        file.set_len(page as u64).unwrap();
        assert_eq!((read(0), read(page), read(page + 1), vanished_pages()), (7, 0, 0, 1));
        // SAFETY: nothing refers to the mapping any more.
        unsafe { libc::munmap(map, 2 * page) };
    }

    #[test]
    fn inherited_descriptors_are_not_passed_on() {
        let file = tempfile::tempfile().unwrap();
        let inherited = rustix::io::dup(&file).unwrap();
        let flags = || rustix::io::fcntl_getfd(&inherited).unwrap();
        assert!(!flags().contains(rustix::io::FdFlags::CLOEXEC));
        keep_descriptors().unwrap();
        assert!(flags().contains(rustix::io::FdFlags::CLOEXEC));
    }

    #[test]
    fn the_program_s_own_mappings_are_known() {
        let line = "55d0c8a00000-55d0c8b00000 r--p 00000000 fe:00 1234   /usr/bin/peripetyd";
        assert_eq!(mapped_file(line), Some(0x55d0_c8a0_0000..0x55d0_c8b0_0000));
        assert_eq!(mapped_file("7ffc0000-7ffd0000 rw-p 00000000 00:00 0   [stack]"), None);
        assert_eq!(mapped_file("7f0000000000-7f0000001000 rw-p 00000000 00:00 0"), None);
    }
}
