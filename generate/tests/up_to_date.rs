//! What is generated from the interface is up to date. `BLESS=1`, or `make generate`, updates it.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::{env, fs};

use peripety_generate::outputs;

fn project(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file)
}

#[test]
fn generated_files_are_up_to_date() {
    let interface = fs::read_to_string(project("io.peripety.varlink")).unwrap();
    for output in outputs(&interface).unwrap() {
        let path = project(output.file);
        let found = fs::read_to_string(&path).unwrap_or_default();
        let wanted = output.applied(&found).unwrap();
        if env::var_os("BLESS").is_some() {
            fs::write(&path, wanted).unwrap();
            continue;
        }
        let differs = found.lines().zip(wanted.lines()).find(|(found, wanted)| found != wanted);
        assert!(found == wanted, "{} is not up to date, run make generate: {differs:#?}", output.file);
    }
}
