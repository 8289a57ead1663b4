//! Generates the Varlink client from `io.peripety.varlink`.

use std::error::Error;

use varlink_generator::{generate_with_options, GeneratorOptions};

/// The map type that the generator writes for `[string]T` …
const UNSORTED: &str = "varlink :: StringHashMap";
/// … and the one that keeps its keys sorted, so that the same answer always prints the same.
const SORTED: &str = "std :: collections :: BTreeMap :: < String ,";

fn main() -> Result<(), Box<dyn Error>> {
    let idl = "../io.peripety.varlink";
    println!("cargo:rerun-if-changed={idl}");
    let mut code = Vec::new();
    let options = GeneratorOptions::default();
    generate_with_options(&mut std::fs::File::open(idl)?, &mut code, &options, false)?;
    let target = std::path::Path::new(&std::env::var("OUT_DIR")?).join("io_peripety.rs");
    std::fs::write(target, with_sorted_maps(&String::from_utf8(code)?)?)?;
    Ok(())
}

fn with_sorted_maps(code: &str) -> Result<String, Box<dyn Error>> {
    let unsorted = format!("{UNSORTED} <");
    if code.contains(UNSORTED) && !code.contains(&unsorted) {
        return Err(format!("the generator spells \"{unsorted}\" in another way now").into());
    }
    Ok(code.replace(&unsorted, SORTED))
}
