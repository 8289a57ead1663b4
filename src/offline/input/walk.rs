//! Finds the files below the paths that the user named.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use super::{About, Visitor};
use crate::offline::chunk::Format;
use crate::offline::progress::Progress;

/// Deepest nesting of directories.
const MAX_DEPTH: usize = 64;

/// Visits what the user named: a file, all files in a directory, or (`-`) standard input. Returns false if the visitor ended the walk.
pub fn named(visitor: &mut dyn Visitor, path: &Path, forced: Option<Format>, progress: &Progress) -> bool {
    if path == Path::new("-") {
        let about = About { name: "-", named: true, forced, modified: None, depth: 0, file: None };
        return super::stream(visitor, about, &mut std::io::stdin().lock());
    }
    let name = path.display().to_string();
    match fs::metadata(path) {
        Ok(about) if about.is_dir() => directory(visitor, path, forced, progress, 0),
        Ok(about) if about.file_type().is_block_device() => {
            visitor.failed(&name, "a block device; name a file with log lines")
        }
        Ok(_) => file(visitor, path, true, forced, progress),
        Err(e) => visitor.failed(&name, &e.to_string()),
    }
}

/// The entries of a directory in the order of their names. Links are not followed: they lead outside, or to files that are visited anyway.
fn directory(
    visitor: &mut dyn Visitor,
    path: &Path,
    forced: Option<Format>,
    progress: &Progress,
    depth: usize,
) -> bool {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(e) => return visitor.failed(&path.display().to_string(), &e.to_string()),
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let (journals, others): (Vec<PathBuf>, Vec<PathBuf>) =
        paths.into_iter().partition(|path| is_journal(path));
    if !journals.is_empty() && !visitor.journal(&path.display().to_string(), journals, None) {
        return false;
    }
    others.iter().all(|path| match fs::symlink_metadata(path) {
        Ok(about) if about.is_dir() && depth < MAX_DEPTH => {
            directory(visitor, path, forced, progress, depth + 1)
        }
        Ok(about) if about.is_file() => file(visitor, path, false, forced, progress),
        Ok(_) => true,
        Err(e) => visitor.failed(&path.display().to_string(), &e.to_string()),
    })
}

fn is_journal(path: &Path) -> bool {
    let named = path.extension().is_some_and(|extension| extension == "journal" || extension == "journal~");
    named && path.is_file() && begins_as_journal(path)
}

fn begins_as_journal(path: &Path) -> bool {
    let mut begin = [0; 8];
    File::open(path).and_then(|mut file| file.read_exact(&mut begin)).is_ok() && begin == *b"LPKSHHRH"
}

fn file(
    visitor: &mut dyn Visitor,
    path: &Path,
    named: bool,
    forced: Option<Format>,
    progress: &Progress,
) -> bool {
    let name = path.display().to_string();
    if begins_as_journal(path) {
        return visitor.journal(&name, vec![path.to_owned()], None);
    }
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
    let (metadata, file) = match opened {
        Ok(opened) => opened,
        Err(e) => return visitor.failed(&name, &e.to_string()),
    };
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let modified =
        modified.and_then(|time| u64::try_from(time.as_micros()).ok()).filter(|_| metadata.is_file());
    let about = About { name: &name, named, forced, modified, depth: 0, file: Some(&file) };
    super::stream(visitor, about, &mut progress.counting(&file))
}
