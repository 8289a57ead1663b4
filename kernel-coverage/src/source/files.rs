//! Files of a kernel's sources that matter here.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{bail, Context};

use crate::scope;

/// The text of the files of one kernel.
#[derive(Debug)]
pub struct Files {
    /// Its version, such as 6.12.117.
    pub version: String,
    /// Files that storage code is made of or includes, by path.
    pub files: Vec<File>,
    /// The module that a file without its ending is linked into, if its Makefile names one.
    pub modules: HashMap<String, String>,
}

/// A file.
#[derive(Debug)]
pub struct File {
    /// Its path below the sources' directory.
    pub path: String,
    /// Its text.
    pub text: String,
    /// It is storage code: its messages count.
    pub is_storage: bool,
}

impl Files {
    /// Reads the sources in a directory.
    ///
    /// # Errors
    /// There are no kernel sources, or a file cannot be read.
    pub fn read(root: &Path) -> anyhow::Result<Self> {
        let makefile = root.join("Makefile");
        let text = fs::read_to_string(&makefile);
        let text = text.with_context(|| {
            format!("{} cannot be read: give the directory of a kernel's sources", makefile.display())
        })?;
        let mut found = Files { version: version(&text), files: Vec::new(), modules: HashMap::new() };
        for directory in scope::HEADERS {
            found.add(root, Path::new(directory), false)?;
        }
        for place in scope::STORAGE {
            found.add(root, Path::new(place), true)?;
        }
        if !found.files.iter().any(|file| file.is_storage) {
            bail!("{} has no storage code of a kernel below it", root.display());
        }
        Ok(found)
    }

    fn add(&mut self, root: &Path, place: &Path, is_storage: bool) -> anyhow::Result<()> {
        let full = root.join(place);
        if !full.is_dir() {
            // Which files there are depends on the version.
            return if full.is_file() { self.load(root, place, is_storage) } else { Ok(()) };
        }
        let reads = |error| cannot_read(&full, error);
        let mut names = Vec::new();
        for entry in fs::read_dir(&full).map_err(reads)? {
            let entry = entry.map_err(reads)?;
            if !entry.file_type().map_err(reads)?.is_symlink() {
                names.push(entry.file_name());
            }
        }
        names.sort();
        names.iter().try_for_each(|name| self.add(root, &place.join(name), is_storage))
    }

    fn load(&mut self, root: &Path, place: &Path, is_storage: bool) -> anyhow::Result<()> {
        let path = place.to_string_lossy().into_owned();
        let name = place.file_name().unwrap_or_default().to_string_lossy();
        let is_makefile = matches!(&*name, "Makefile" | "Kbuild");
        let is_code = place.extension().is_some_and(|e| ["c", "h", "inc"].iter().any(|known| e == *known));
        if !is_makefile && !is_code || scope::is_left_out(&path) {
            return Ok(());
        }
        let full = root.join(place);
        let bytes = fs::read(&full).map_err(|error| cannot_read(&full, error))?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if is_makefile {
            self.note_modules(place.parent().unwrap_or(Path::new("")), &text);
        } else {
            self.files.push(File { path, text, is_storage });
        }
        Ok(())
    }

    /// Which module each object of a Makefile is part of: `nvme-core-y := core.o ioctl.o`.
    fn note_modules(&mut self, directory: &Path, makefile: &str) {
        for line in makefile.replace("\\\n", " ").lines() {
            let Some((name, objects)) = line.split_once('=') else { continue };
            let name = name.trim().trim_end_matches([':', '+', '?']).trim();
            let Some((module, _)) =
                name.rsplit_once("-y").or(name.rsplit_once("-objs")).or(name.rsplit_once("-$("))
            else {
                continue;
            };
            if module.is_empty() || module.contains(['$', ' ']) || module == "obj" {
                continue;
            }
            for object in objects.split_whitespace().filter_map(|word| word.strip_suffix(".o")) {
                let path: PathBuf = directory.join(object);
                let module = module.replace('-', "_");
                self.modules.entry(path.to_string_lossy().into_owned()).or_insert(module);
            }
        }
    }

    /// The name of the module that a file is part of.
    pub fn module_of<'p>(&'p self, path: &'p str) -> String {
        let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
        let own = || stem.rsplit('/').next().unwrap_or(stem).replace('-', "_");
        self.modules.get(stem).cloned().unwrap_or_else(own)
    }
}

fn cannot_read(path: &Path, error: io::Error) -> anyhow::Error {
    anyhow::Error::from(error).context(format!("{} cannot be read", path.display()))
}

/// The version that the Makefile at the top of the sources names.
fn version(makefile: &str) -> String {
    let value = |key: &str| {
        let lines = makefile.lines().filter_map(|line| line.split_once('='));
        let mut values = lines.filter(|(name, _)| name.trim() == key).map(|(_, value)| value.trim());
        values.next().filter(|value| !value.is_empty())
    };
    let parts = ["VERSION", "PATCHLEVEL", "SUBLEVEL"].into_iter().filter_map(value);
    parts.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_of_a_makefile() {
        assert_eq!(version("VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 3\nEXTRAVERSION =\n"), "6.12.3");
    }
}
