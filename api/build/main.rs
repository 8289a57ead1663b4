//! Generates Rust from `io.peripety.varlink`, once for the daemon, its clients and its tests: the types with their comments, the
//! calls and errors, a client, and the table that parameters and stored events are checked against.

mod calls;
mod docs;
mod schema;
mod types;

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use varlink_parser::IDL;

use docs::Docs;

const INTERFACE: &str = "../io.peripety.varlink";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={INTERFACE}");
    println!("cargo:rerun-if-changed=build");
    let text = fs::read_to_string(INTERFACE)?;
    let idl = IDL::try_from(text.as_str())?;
    let docs = Docs::of(&text);
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    fs::write(
        out.join("interface.rs"),
        [types::types(&idl, &docs)?, types::errors(&idl, &docs)?, calls::calls(&idl, &docs)?].concat(),
    )?;
    fs::write(out.join("schema.rs"), schema::tables(&idl)?)?;
    Ok(())
}
