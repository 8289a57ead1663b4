//! A progress bar on terminals.

use std::io::{self, Read};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Shows how many bytes have been read.
#[derive(Clone, Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// `bytes`: the total, if it is known. The bar appears on standard error if that is a terminal.
    pub fn new(bytes: Option<u64>, quiet: bool) -> Self {
        let bar = match bytes {
            Some(bytes) => ProgressBar::new(bytes),
            None => ProgressBar::no_length(),
        };
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(5) };
        bar.set_draw_target(target);
        let style =
            ProgressStyle::with_template("{bytes} of {total_bytes} {wide_bar} {bytes_per_sec} {eta} left");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Progress(bar)
    }

    /// Counts the bytes that are read through the returned reader.
    pub fn counting<R: Read>(&self, input: R) -> Counting<R> {
        Counting { input, bar: self.0.clone() }
    }

    /// Removes the bar.
    pub fn end(&self) {
        self.0.finish_and_clear();
    }

    /// Hides the bar while `work` writes to the terminal.
    pub fn suspend<T>(&self, work: impl FnOnce() -> T) -> T {
        self.0.suspend(work)
    }
}

/// Counts the bytes that are read.
pub struct Counting<R> {
    input: R,
    bar: ProgressBar,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.bar.inc(read as u64);
        Ok(read)
    }
}
