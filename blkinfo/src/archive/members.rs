//! Archives: tar, read as a stream, and zip, whose list of members is at the end.

use std::fs::File;
use std::io::{self, Read};

use super::spool::Spool;
use super::tar::{self, Archive};
use super::unpack::{Bounded, Stream};

/// Deepest nesting of archives.
pub const MAX_NESTED: usize = 3;

/// The format of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArchiveFormat {
    /// tar, in any of its forms.
    Tar,
    /// zip, with members that are stored or deflated.
    Zip,
}

impl ArchiveFormat {
    /// By the first bytes.
    pub fn of(begin: &[u8]) -> Option<Self> {
        if begin.starts_with(b"PK\x03\x04") || begin.starts_with(b"PK\x05\x06") {
            Some(ArchiveFormat::Zip)
        } else if tar::is_archive(begin) {
            Some(ArchiveFormat::Tar)
        } else {
            None
        }
    }
}

/// A file in an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member<'n> {
    /// Its name. No path is made of it.
    pub name: &'n str,
    /// When it was written last, µs since the epoch; in a zip archive by the clock on the wall of who packed it.
    pub modified: Option<u64>,
}

/// Passes all files of an archive to `take` until that returns false; then returns false itself. A name in an archive is never used as a
/// path, only shown. `file`: the file that the stream comes from, if there is one.
pub fn members(
    format: ArchiveFormat,
    stream: Stream<'_>,
    file: Option<&File>,
    take: &mut dyn FnMut(Member<'_>, &mut dyn Read) -> bool,
) -> io::Result<bool> {
    match format {
        ArchiveFormat::Tar => {
            let mut archive = Archive::new(stream.whole());
            while let Some((name, seconds)) = archive.next_file()? {
                let modified = seconds.and_then(|seconds| seconds.checked_mul(1_000_000));
                if !take(Member { name: name.trim_start_matches("./"), modified }, &mut archive) {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        ArchiveFormat::Zip => zip(Spool::of(stream, file)?, take),
    }
}

fn zip(file: Spool, take: &mut dyn FnMut(Member<'_>, &mut dyn Read) -> bool) -> io::Result<bool> {
    let mut archive = zip::ZipArchive::new(file).map_err(io::Error::other)?;
    let mut damaged = None;
    for index in 0..archive.len() {
        let mut member = match archive.by_index(index) {
            Ok(member) => member,
            Err(e) => {
                damaged.get_or_insert(format!("member {}: {e}", index + 1));
                continue;
            }
        };
        if !member.is_file() {
            continue;
        }
        let name = member.name().replace('\\', "/");
        let modified = member.last_modified().and_then(since_epoch);
        let packed = member.compressed_size();
        let mut input = Bounded::new(&mut member, packed);
        if !take(Member { name: name.trim_start_matches("./"), modified }, &mut input) {
            return Ok(false);
        }
    }
    damaged.map_or(Ok(true), |why| Err(io::Error::other(why)))
}

/// The date of a zip archive, taken as UTC, in µs since the epoch. 1980-01-01 means that there is none.
fn since_epoch(date: zip::DateTime) -> Option<u64> {
    let (year, month, day) = (i64::from(date.year()), i64::from(date.month()), i64::from(date.day()));
    // Days since 1970-01-01 in the Gregorian calendar; years begin in March, so that the leap day is the last one. This is the only
    // date that the library converts: a calendar crate would be one more dependency of all its users.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469;
    let clock = (i64::from(date.hour()) * 60 + i64::from(date.minute())) * 60 + i64::from(date.second());
    let seconds = u64::try_from(days * 86_400 + clock).ok()?;
    (date.year() > 1980).then(|| seconds.checked_mul(1_000_000)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_zip_archives() {
        let date = |year, month, day| zip::DateTime::from_date_and_time(year, month, day, 12, 0, 2).unwrap();
        assert_eq!(since_epoch(date(2024, 2, 29)), Some(1_709_208_002_000_000));
        assert_eq!(since_epoch(date(2026, 11, 24)), Some(1_795_521_602_000_000));
        assert_eq!(since_epoch(date(1980, 1, 1)), None);
        // Each day of the years that a zip archive can have is a day after the previous one.
        let mut last = 347_112_002_000_000;
        for year in 1981..=2107 {
            let leap = year % 4 == 0 && year % 100 != 0 || year % 400 == 0;
            let february = if leap { 29 } else { 28 };
            for (month, days) in (1..).zip([31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) {
                for day in 1..=days {
                    let next = since_epoch(date(year, month, day)).unwrap();
                    assert_eq!(next - last, 86_400_000_000, "{year}-{month}-{day}");
                    last = next;
                }
            }
        }
    }
}
