//! A recorded tree as files in a directory.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use peripety_blkinfo::{Recorded, Source};

/// Writes what lies at `path` in the tree below `root`.
pub fn unpack(tree: &Recorded, path: &Path, root: &Path) {
    let outside = root.join(path.strip_prefix("/").unwrap());
    if let Ok(target) = tree.read_link(path) {
        symlink(target, outside).unwrap();
    } else if let Ok(content) = tree.read(path) {
        fs::write(outside, content).unwrap();
    } else {
        fs::create_dir(outside).unwrap();
        for name in tree.read_dir(path).unwrap() {
            unpack(tree, &path.join(name), root);
        }
    }
}
