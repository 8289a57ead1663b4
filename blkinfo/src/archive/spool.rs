//! What must be read from several places at once, and comes as a stream: it is written to a file without a name.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use rustix::fs::{Mode, OFlags};

use super::unpack::Stream;

/// Longest file that is kept so. journald's have 128 MiB, 4 GiB at most.
const MAX_SPOOL_BYTES: u64 = 4 * 1024 * 1024 * 1024;
/// Room that is left to others.
const SPARED: u64 = 64 * 1024 * 1024;
/// Bytes between two looks at the room.
const STEP: u64 = 16 * 1024 * 1024;

/// A file that can be read at any place: the file that was named, or a copy of a stream. The copy has no name, and goes with
/// this.
#[derive(Debug)]
pub struct Spool(BufReader<File>);

impl Spool {
    /// The file from which the stream comes, when nothing was unpacked of it; else a copy.
    pub fn of(stream: Stream<'_>, file: Option<&File>) -> io::Result<Self> {
        match file.filter(|_| !stream.packed) {
            Some(file) => {
                let mut file = file.try_clone()?;
                file.seek(SeekFrom::Start(0))?;
                Ok(Spool(BufReader::new(file)))
            }
            None => Ok(Spool(BufReader::new(unnamed_copy(&mut stream.whole())?.1))),
        }
    }
}

/// A copy without a name, in `$TMPDIR`, /var/tmp or /tmp: that directory, and the file at its beginning.
pub fn unnamed_copy(input: &mut dyn Read) -> io::Result<(PathBuf, File)> {
    let (directory, mut file) = unnamed()?;
    let no_room = |e: &dyn std::fmt::Display| {
        let directory = directory.display();
        io::Error::other(format!(
            "no room in {directory} to unpack it ({e}); set TMPDIR to a directory with more"
        ))
    };
    let mut written = 0;
    loop {
        let about = rustix::fs::fstatvfs(&file)?;
        if about.f_bavail.saturating_mul(about.f_frsize) < SPARED + STEP {
            return Err(no_room(&format_args!("{} MiB are spared", SPARED >> 20)));
        }
        let copied = match io::copy(&mut input.take(STEP), &mut file) {
            Err(e) if e.kind() == io::ErrorKind::StorageFull => return Err(no_room(&e)),
            other => other?,
        };
        written += copied;
        if copied == 0 {
            break;
        }
        if written > MAX_SPOOL_BYTES {
            return Err(io::Error::other(format!(
                "larger than {} GiB unpacked; unpack it, and name the directory",
                MAX_SPOOL_BYTES >> 30
            )));
        }
    }
    file.flush()?;
    file.seek(SeekFrom::Start(0))?;
    Ok((directory, file))
}

fn unnamed() -> io::Result<(PathBuf, File)> {
    let named = std::env::var_os("TMPDIR").map(PathBuf::from).filter(|directory| directory.is_absolute());
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for directory in named.into_iter().chain(["/var/tmp".into(), "/tmp".into()]) {
        match rustix::fs::open(&directory, flags, Mode::RUSR | Mode::WUSR) {
            Ok(file) => return Ok((directory, file.into())),
            Err(e) => last = e.into(),
        }
    }
    Err(io::Error::new(last.kind(), format!("no directory to unpack it in ({last}); set TMPDIR to one")))
}

impl Read for Spool {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Seek for Spool {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_read_from_any_place() {
        let text = b"0123456789".repeat(100_000);
        let stream = Stream::open(text.as_slice()).unwrap();
        let mut spool = Spool::of(stream, None).unwrap();
        spool.seek(SeekFrom::End(-3)).unwrap();
        let mut end = String::new();
        spool.read_to_string(&mut end).unwrap();
        assert_eq!(end, "789");
    }
}
