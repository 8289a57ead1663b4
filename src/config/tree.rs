//! Which files make up the configuration: systemd's rules of precedence and masking
//! (systemd.unit(5), "CONFIGURATION DIRECTORIES AND PRECEDENCE").

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Name of the main file.
const NAME: &str = "peripetyd.conf";
/// Paths of the main file; the first that exists is read.
const MAIN: [&str; 4] = ["etc", "run", "usr/local/lib", "usr/lib"];
/// Ending of the files in `peripetyd.conf.d`.
const ENDING: &str = "toml";

/// Where to look for the configuration.
#[derive(Clone, Debug)]
pub struct Places {
    /// Directory that replaces "/".
    pub root: PathBuf,
    /// This main file, with its own `….d` directory, and nothing else.
    pub named: Option<PathBuf>,
}

impl Default for Places {
    fn default() -> Self {
        Places { root: "/".into(), named: None }
    }
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct FoundFiles {
    /// Files to read, in this order: a later one overrides an earlier one.
    pub files: Vec<PathBuf>,
    /// Files in a drop-in directory that are passed over for their name.
    pub passed_over: Vec<PathBuf>,
}

impl Places {
    /// Finds the files. Fails when a directory that exists cannot be read.
    pub fn find(&self) -> Result<FoundFiles, (PathBuf, io::Error)> {
        let mut found = FoundFiles { files: self.main().into_iter().collect(), passed_over: Vec::new() };
        let mut by_name: BTreeMap<OsString, PathBuf> = BTreeMap::new();
        for directory in self.directories() {
            for path in entries(&directory).map_err(|e| (directory.clone(), e))? {
                let Some(name) = path.file_name().map(OsString::from) else { continue };
                if path.extension().is_some_and(|ending| ending == ENDING) {
                    by_name.entry(name).or_insert(path);
                } else if !name.to_string_lossy().starts_with('.') {
                    found.passed_over.push(path);
                }
            }
        }
        found.files.extend(by_name.into_values().filter(|path| !is_mask(path)));
        Ok(found)
    }

    /// The main file; a named one is returned even if it does not exist.
    fn main(&self) -> Option<PathBuf> {
        if let Some(named) = &self.named {
            return Some(named.clone());
        }
        let candidates = MAIN.iter().map(|directory| self.root.join(directory).join(NAME));
        candidates.into_iter().find(|path| path.symlink_metadata().is_ok()).filter(|path| !is_mask(path))
    }

    /// Drop-in directories, the one that wins first.
    fn directories(&self) -> Vec<PathBuf> {
        let below = |main: &Path| {
            let mut name = main.as_os_str().to_owned();
            name.push(".d");
            PathBuf::from(name)
        };
        match &self.named {
            Some(named) => vec![below(named)],
            None => MAIN.iter().map(|directory| below(&self.root.join(directory).join(NAME))).collect(),
        }
    }
}

/// Files of a directory; none if there is no such directory.
fn entries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(directory) {
        Ok(entries) => entries.map(|entry| entry.map(|e| e.path())).collect(),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(Vec::new())
        }
        Err(e) => Err(e),
    }
}

/// An empty file, or a link to /dev/null, hides the files of its name in later directories.
fn is_mask(path: &Path) -> bool {
    fs::read_link(path).is_ok_and(|target| target == Path::new("/dev/null"))
        || fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            match text.strip_prefix("-> ") {
                Some(target) => std::os::unix::fs::symlink(target, path).unwrap(),
                None => fs::write(path, text).unwrap(),
            }
        }
        dir
    }

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let dir = tree(files);
        let found = Places { root: dir.path().into(), named: None }.find().unwrap();
        let show = |path: &PathBuf| path.strip_prefix(dir.path()).unwrap().display().to_string();
        found.files.iter().map(show).collect()
    }

    #[test]
    fn the_first_main_file_wins_and_drop_ins_are_sorted_by_name() {
        let files = found(&[
            ("etc/peripetyd.conf", "x"),
            ("usr/lib/peripetyd.conf", "x"),
            ("etc/peripetyd.conf.d/20-b.toml", "x"),
            ("usr/lib/peripetyd.conf.d/10-a.toml", "x"),
            ("usr/lib/peripetyd.conf.d/20-b.toml", "x"),
            ("run/peripetyd.conf.d/30-c.toml", "x"),
            ("run/peripetyd.conf.d/README", "x"),
        ]);
        let expected = [
            "etc/peripetyd.conf",
            "usr/lib/peripetyd.conf.d/10-a.toml",
            "etc/peripetyd.conf.d/20-b.toml",
            "run/peripetyd.conf.d/30-c.toml",
        ];
        assert_eq!(files, expected);
    }

    #[test]
    fn empty_files_and_links_to_dev_null_mask() {
        let files = found(&[
            ("etc/peripetyd.conf", "-> /dev/null"),
            ("usr/lib/peripetyd.conf", "x"),
            ("etc/peripetyd.conf.d/10-a.toml", ""),
            ("usr/lib/peripetyd.conf.d/10-a.toml", "x"),
            ("run/peripetyd.conf.d/20-b.toml", "-> /dev/null"),
            ("usr/lib/peripetyd.conf.d/20-b.toml", "x"),
            ("usr/lib/peripetyd.conf.d/30-c.toml", "x"),
        ]);
        assert_eq!(files, ["usr/lib/peripetyd.conf.d/30-c.toml"]);
    }

    #[test]
    fn a_named_file_has_its_own_drop_ins_only() {
        let dir = tree(&[("etc/peripetyd.conf.d/a.toml", "x"), ("my.conf", "x"), ("my.conf.d/b.toml", "x")]);
        let places = Places { root: dir.path().into(), named: Some(dir.path().join("my.conf")) };
        let expected = [dir.path().join("my.conf"), dir.path().join("my.conf.d/b.toml")];
        assert_eq!(places.find().unwrap().files, expected);
    }

    #[test]
    fn no_file_at_all_is_fine() {
        assert_eq!(found(&[]), Vec::<String>::new());
    }
}
