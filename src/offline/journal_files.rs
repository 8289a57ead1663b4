//! Journal files, read with libsystemd. Its handles must stay on one thread.

use std::path::PathBuf;

use super::found::Found;
use super::input::link::Link;
use super::rules::Rules;
use super::text::count::Counts;
use crate::journal::{Entry, Error, Location, Reader, LOG_VALUE};

/// Number of entries that are passed on together.
const TOGETHER: usize = 256;

/// Reads journal files that belong together, and passes matching entries to `take` until it returns false. `link` is dropped as soon as the
/// files are open.
pub fn read(
    rules: &Rules,
    files: Vec<PathBuf>,
    link: Option<Link>,
    counts: &mut Counts,
    mut take: impl FnMut(Vec<Found>) -> bool,
) -> Result<(), Error> {
    let mut reader = Reader::open(&Location::Files(files), LOG_VALUE)?;
    drop(link);
    reader.seek_head()?;
    let mut entry = Entry::default();
    let mut found = Vec::new();
    while reader.step()? {
        counts.add(true, false);
        if !entry.read_if(&mut reader, |identifier| rules.knows(identifier)) {
            continue;
        }
        counts.kernel += u64::from(entry.identifier == b"kernel");
        found.extend(Found::entry(rules, &entry, || reader.position())?);
        if found.len() >= TOGETHER && !take(std::mem::take(&mut found)) {
            return Ok(());
        }
    }
    take(found);
    Ok(())
}
