//! Archives: of tar, read as a stream, and zip, of which the list of members stands at the end.

use std::fs::File;
use std::io::{self, Read};

use super::spool::Spool;
use super::tar::{self, Archive};
use super::unpack::{Bounded, Stream};

/// Archives within archives, so many times at most.
pub const MAX_NESTED: usize = 3;

/// A form of archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// tar, in any of its forms.
    Tar,
    /// zip, with members that are stored or deflated.
    Zip,
}

impl Kind {
    /// By the first bytes.
    pub fn of(begin: &[u8]) -> Option<Self> {
        if begin.starts_with(b"PK\x03\x04") || begin.starts_with(b"PK\x05\x06") {
            Some(Kind::Zip)
        } else if tar::is_archive(begin) {
            Some(Kind::Tar)
        } else {
            None
        }
    }
}

/// Hands on all files of an archive, with their names, until `take` is false. A name in an archive is never used as a path: it is only
/// shown. `file`: what the stream comes from, if that is a file. False: `take` was.
pub fn members(
    kind: Kind,
    stream: Stream<'_>,
    file: Option<&File>,
    take: &mut dyn FnMut(&str, &mut dyn Read) -> bool,
) -> io::Result<bool> {
    match kind {
        Kind::Tar => {
            let mut archive = Archive::new(stream.whole());
            while let Some(name) = archive.next_file()? {
                if !take(name.trim_start_matches("./"), &mut archive) {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Kind::Zip => zip(Spool::of(stream, file)?, take),
    }
}

fn zip(file: Spool, take: &mut dyn FnMut(&str, &mut dyn Read) -> bool) -> io::Result<bool> {
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
        let packed = member.compressed_size();
        let mut input = Bounded::new(&mut member, packed);
        if !take(name.trim_start_matches("./"), &mut input) {
            return Ok(false);
        }
    }
    damaged.map_or(Ok(true), |why| Err(io::Error::other(why)))
}
