//! Generates Rust from `io.peripety.varlink`, once for the daemon, its clients and its tests: the types with their comments, the
//! calls and errors, a client, the table that parameters and stored events are checked against, and block devices of the library as
//! those of the interface.

mod attributes;
mod blocks;
mod calls;
mod schema;
mod types;

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use peripety_generate::Interface;

const INTERFACE: &str = "../io.peripety.varlink";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={INTERFACE}");
    println!("cargo:rerun-if-changed=build");
    let text = fs::read_to_string(INTERFACE)?;
    let interface = Interface::parse(&text)?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    fs::write(
        out.join("interface.rs"),
        [
            types::types(&interface)?,
            types::errors(&interface)?,
            calls::calls(&interface)?,
            blocks::blocks(&interface)?,
        ]
        .concat(),
    )?;
    fs::write(out.join("schema.rs"), schema::tables(&interface.idl)?)?;
    Ok(())
}
