//! Inputs: files, directories, archives, standard input.

pub mod detect;
pub mod link;
pub mod walk;

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use crate::offline::chunk::Format;
use detect::Content;
use link::Link;
use peripety_blkinfo::archive::{self, ArchiveFormat, Stream, MAX_NESTED};

/// Receives what is found, in order. A method that returns false ends the walk.
pub trait Visitor {
    /// A log of text, JSON or the export format.
    fn log(
        &mut self,
        name: &str,
        begin: Vec<u8>,
        rest: &mut dyn Read,
        format: Format,
        modified: Option<u64>,
    ) -> bool;
    /// Journal files that belong together. `link` is one of them, and must be kept until it has been opened. Ignored by default.
    fn journal(&mut self, _name: &str, _files: Vec<PathBuf>, _link: Option<Link>) -> bool {
        true
    }
    /// A file that is not a log. `named`: the user named it. Ignored by default.
    fn skipped(&mut self, _name: &str, _named: bool) -> bool {
        true
    }
    /// Something that cannot be read. Ignored by default.
    fn failed(&mut self, _name: &str, _why: &str) -> bool {
        true
    }
}

/// What is known about a stream, apart from its content.
#[derive(Clone, Copy, Debug)]
pub struct About<'n> {
    /// Its name, as shown with events.
    pub name: &'n str,
    /// The user named it.
    pub named: bool,
    /// The format set by the user.
    pub forced: Option<Format>,
    /// Time of the last modification, µs since the epoch.
    pub modified: Option<u64>,
    /// Number of archives that contain it.
    pub depth: usize,
    /// The file, unless it is in an archive.
    pub file: Option<&'n File>,
}

/// Visits a stream and everything in it. Returns false if the visitor ended the walk.
pub fn stream(visitor: &mut dyn Visitor, about: About<'_>, input: &mut dyn Read) -> bool {
    let mut stream = match Stream::open(input) {
        Ok(stream) => stream,
        Err(e) => return visitor.failed(about.name, &e.to_string()),
    };
    let found = detect::content(about.name, &stream.begin, about.named);
    let forced = about.forced.filter(|_| !matches!(found, Content::Journal | Content::Archive(_)));
    let name = about.name;
    match forced.map_or(found, Content::Log) {
        Content::Archive(format) if about.depth < MAX_NESTED => members(visitor, about, format, stream),
        Content::Archive(_) => {
            visitor.failed(name, "archives nested too deeply; unpack it, and name the directory")
        }
        Content::Log(format) => {
            visitor.log(name, std::mem::take(&mut stream.begin), &mut stream.rest, format, about.modified)
        }
        Content::Journal => match Link::copy(&mut stream.whole(), ".journal") {
            Ok(link) => visitor.journal(name, vec![link.path().to_owned()], Some(link)),
            Err(e) => visitor.failed(name, &e.to_string()),
        },
        Content::Foreign => {
            visitor.failed(name, "unsupported archive format; unpack it, and name the directory")
        }
        Content::Other => visitor.skipped(name, about.named),
    }
}

/// Visits all files of an archive.
fn members(visitor: &mut dyn Visitor, about: About<'_>, format: ArchiveFormat, input: Stream<'_>) -> bool {
    let read = archive::members(format, input, about.file, &mut |member, input| {
        let name = format!("{}/{}", about.name, member.name);
        // Members are not newer than their archive.
        let modified = member.modified.or(about.modified);
        let inner =
            About { name: &name, named: false, depth: about.depth + 1, file: None, modified, ..about };
        stream(visitor, inner, input)
    });
    read.unwrap_or_else(|e| visitor.failed(about.name, &e.to_string()))
}
