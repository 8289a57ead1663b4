//! When the mount table changes (proc(5): poll(2) on the open file reports it).

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, RawFd};

use rustix::event::{poll, PollFd, PollFlags, Timespec};

/// The event of a change.
pub const CHANGED: PollFlags = PollFlags::PRI;

/// The mount table of this machine.
#[derive(Debug)]
pub struct MountTable {
    file: File,
    read: bool,
}

impl MountTable {
    /// Begins to watch.
    pub fn open() -> io::Result<Self> {
        Ok(Self { file: File::open("/proc/self/mountinfo")?, read: false })
    }

    /// Whether it changed since the last call. The first answer is yes.
    pub fn changed(&mut self) -> bool {
        let mut set = [PollFd::new(&self.file, CHANGED)];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let changed = poll(&mut set, Some(&at_once)).is_err() || set.iter().any(changed);
        !std::mem::replace(&mut self.read, true) || changed
    }
}

impl AsRawFd for MountTable {
    /// For polling with [`CHANGED`]. Polling consumes the change, so every waiter needs a table of its own.
    fn as_raw_fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }
}

fn changed(fd: &PollFd<'_>) -> bool {
    fd.revents().intersects(CHANGED | PollFlags::ERR)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Another test of this process mounts nothing, and nothing is mounted all the time.
    #[test]
    fn an_unchanged_table() {
        let mut table = MountTable::open().unwrap();
        assert!(table.changed());
        assert!((0..100).any(|_| !table.changed()));
    }
}
