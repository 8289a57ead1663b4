//! What is read: files, folders, archives, the standard input.

pub mod detect;
pub mod tar;
pub mod unpack;
pub mod walk;

use std::io::Read;
use std::path::PathBuf;

use crate::offline::chunk::Format;
use detect::Content;
use tar::Archive;
use unpack::Stream;

/// Archives within archives, so many times at most.
const MOST_NESTED: usize = 3;

/// Takes what is found, one after the other. False ends the reading.
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
    /// Files of journald that belong together.
    fn journal(&mut self, name: &str, files: Vec<PathBuf>) -> bool;
    /// A file that is no log. `named`: the user named it.
    fn skipped(&mut self, name: &str, named: bool) -> bool;
    /// Something that cannot be read.
    fn failed(&mut self, name: &str, why: &str) -> bool;
}

/// A stream, and what is known of it beside what it says.
#[derive(Clone, Copy, Debug)]
pub struct About<'n> {
    /// Its name, as events show it.
    pub name: &'n str,
    /// The user named it.
    pub named: bool,
    /// The format that the user says it has.
    pub forced: Option<Format>,
    /// When it was written last, µs since the epoch.
    pub modified: Option<u64>,
    /// Archives that it lies in.
    pub depth: usize,
}

/// One stream, with all that may be in it. False: the reading shall end.
pub fn stream(visitor: &mut dyn Visitor, about: About<'_>, input: &mut dyn Read) -> bool {
    let mut stream = match Stream::open(input) {
        Ok(stream) => stream,
        Err(e) => return visitor.failed(about.name, &e.to_string()),
    };
    let found = detect::content(about.name, &stream.begin, about.named);
    let forced = about.forced.filter(|_| !matches!(found, Content::Journal | Content::Archive));
    let name = about.name;
    match forced.map_or(found, Content::Log) {
        Content::Archive if about.depth < MOST_NESTED => archive(visitor, about, &mut stream.whole()),
        Content::Archive => {
            visitor.failed(name, "too many archives within archives; unpack it, and name the folder")
        }
        Content::Log(format) => {
            visitor.log(name, std::mem::take(&mut stream.begin), &mut stream.rest, format, about.modified)
        }
        Content::Journal => {
            visitor.failed(name, "a journal file inside another file; unpack it, and name the folder")
        }
        Content::Foreign => {
            visitor.failed(name, "an archive of a kind that is not read; unpack it, and name the folder")
        }
        Content::Other => visitor.skipped(name, about.named),
    }
}

/// All files of an archive.
fn archive(visitor: &mut dyn Visitor, about: About<'_>, input: &mut dyn Read) -> bool {
    let mut archive = Archive::new(input);
    loop {
        let member = match archive.next_file() {
            Ok(Some(member)) => format!("{}/{}", about.name, member.trim_start_matches("./")),
            Ok(None) => return true,
            Err(e) => return visitor.failed(about.name, &e.to_string()),
        };
        // An archive tells no name that a path could be made of: it is only shown.
        let inner = About { name: &member, named: false, depth: about.depth + 1, ..about };
        if !stream(visitor, inner, &mut archive) {
            return false;
        }
    }
}
