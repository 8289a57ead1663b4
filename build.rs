//! The build script of `peripety-rules`: parses the rule files in `rules/` and packs them, so that programs parse neither their TOML nor
//! their regexes.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use peripety_rules_format::pack::pack;

/// The file with the phrases that all rules share.
const SHARED: &str = "rules/phrases.toml";

fn main() -> Result<(), Box<dyn Error>> {
    let files = rule_files()?;
    let texts: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let out = PathBuf::from(std::env::var("OUT_DIR")?).join("builtin.rules");
    match pack(&texts, SHARED) {
        Ok(book) => fs::write(out, book)?,
        // The error has several lines.
        Err(error) => error.to_string().lines().for_each(|line| println!("cargo::error={line}")),
    }
    Ok(())
}

/// Name and text of every rule file, in alphabetical order.
fn rule_files() -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let directory = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    println!("cargo::rerun-if-changed={}", directory.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let others = ["Cargo.toml", "conditions.toml"];
        if path.extension().is_some_and(|e| e == "toml") && !others.iter().any(|name| path.ends_with(name)) {
            println!("cargo::rerun-if-changed={}", path.display());
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            files.push((format!("rules/{name}"), fs::read_to_string(&path)?));
        }
    }
    files.sort();
    Ok(files)
}
