//! The build script of `peripety-rules`: makes the table of the rule files in `rules/`.

use std::error::Error;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    list_rules(&PathBuf::from(std::env::var("OUT_DIR")?))
}

/// Writes `FILES`: name and text of every rule file, in alphabetical order.
fn list_rules(out: &Path) -> Result<(), Box<dyn Error>> {
    let directory = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    println!("cargo:rerun-if-changed={}", directory.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "toml") && !path.ends_with("Cargo.toml") {
            println!("cargo:rerun-if-changed={}", path.display());
            files.push(path);
        }
    }
    files.sort();
    let mut target = File::create(out.join("builtin_rules.rs"))?;
    writeln!(target, "const FILES: &[(&str, &str)] = &[")?;
    for path in files {
        let full = fs::canonicalize(&path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        writeln!(target, "    (\"rules/{name}\", include_str!({full:?})),")?;
    }
    writeln!(target, "];")?;
    Ok(())
}
