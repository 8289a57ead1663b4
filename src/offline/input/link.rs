//! Journal files in streams: libsystemd opens files only by their path.

use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use peripety_blkinfo::archive::unnamed_copy;
use rustix::fs::{AtFlags, CWD};

/// A copy of a stream with a path. The file is removed when this is dropped, after libsystemd has opened it.
#[derive(Debug)]
pub struct Link {
    path: PathBuf,
}

impl Link {
    /// Makes a copy with a unique name.
    pub fn copy(input: &mut dyn Read, ending: &str) -> io::Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let (directory, copy) = unnamed_copy(input)?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = directory.join(format!(".peripetyd-parse-{}-{number}{ending}", std::process::id()));
        let unnamed = format!("/proc/self/fd/{}", copy.as_raw_fd());
        rustix::fs::linkat(CWD, unnamed, CWD, &path, AtFlags::SYMLINK_FOLLOW)?;
        Ok(Link { path })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Err(e) = std::fs::remove_file(&self.path) {
            tracing::warn!("cannot remove {}: {e}", self.path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_a_name_until_it_is_dropped() {
        let text = b"0123456789".repeat(100_000);
        let link = Link::copy(&mut text.as_slice(), ".x").unwrap();
        let path = link.path().to_owned();
        assert_eq!(std::fs::read(&path).unwrap(), text);
        drop(link);
        assert!(!path.exists());
    }
}
