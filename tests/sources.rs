//! What holds of the sources themselves.

use std::path::{Path, PathBuf};

use crate::common::project;

const PLACES: [&str; 7] = ["src", "api", "cli", "blkinfo", "benches", "tests", "fuzz"];

fn rust_files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() && entry.file_name() != "target" {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// A file belongs to one crate: what several need is a crate of its own (`api/`, `blkinfo/`).
#[test]
fn no_file_is_compiled_into_two_crates() {
    let mut files = Vec::new();
    PLACES.iter().for_each(|place| rust_files(&project(place), &mut files));
    assert!(files.len() > 200, "only {} files", files.len());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let mut paths = text.lines().map(str::trim).filter(|line| line.starts_with("#[path"));
        assert!(
            !paths.any(|path| path.contains("..")),
            "{} takes a file of another directory",
            file.display()
        );
    }
}
