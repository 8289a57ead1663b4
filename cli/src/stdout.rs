//! Standard output: buffering, colour, and noticing that its reader left.

use std::io::{self, BufWriter, IsTerminal, Stdout};

use rustix::event::{poll, PollFd, PollFlags};
use rustix::io::Errno;

use crate::args::Color;

/// Standard output, written when full or flushed, not at every line.
pub fn buffered() -> BufWriter<Stdout> {
    BufWriter::with_capacity(64 * 1024, io::stdout())
}

/// Whether to colour. `auto`: on a terminal with a TERM other than `dumb`, unless NO_COLOR is set and not
/// empty (<https://no-color.org>).
pub fn wants_color(when: Color) -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match when {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            io::stdout().is_terminal()
                && !set("NO_COLOR")
                && std::env::var_os("TERM").is_some_and(|term| term != "dumb")
        }
    }
}

/// Exits with status 0 as soon as standard output is closed.
///
/// A command that waits for events would notice that only when it prints the next one, which
/// may be never: `prpt monitor | head -1` would not return.
pub fn exit_when_reader_leaves() {
    std::thread::spawn(|| {
        if reader_has_left() {
            std::process::exit(0);
        }
    });
}

/// Waits until the reader has left; false when that cannot be observed.
fn reader_has_left() -> bool {
    let stdout = io::stdout();
    // No event is requested: POLLERR and POLLHUP are always reported.
    let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
    loop {
        match poll(&mut watched, None) {
            Ok(_) => {
                return watched.iter().any(|fd| fd.revents().intersects(PollFlags::ERR | PollFlags::HUP))
            }
            Err(Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}
