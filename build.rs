//! Generates the table of the rule files under `rules/`.

use std::error::Error;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    list_rules(&PathBuf::from(std::env::var("OUT_DIR")?))
}

/// Writes `FILES`: name and text of every rule file, in alphabetical order.
fn list_rules(out: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=rules");
    let mut files = Vec::new();
    for entry in fs::read_dir("rules")? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "toml") {
            println!("cargo:rerun-if-changed={}", path.display());
            files.push(path);
        }
    }
    files.sort();
    let mut target = File::create(out.join("builtin_rules.rs"))?;
    writeln!(target, "const FILES: &[(&str, &str)] = &[")?;
    for path in files {
        let full = fs::canonicalize(&path)?;
        writeln!(target, "    ({:?}, include_str!({full:?})),", path.display().to_string())?;
    }
    writeln!(target, "];")?;
    Ok(())
}
