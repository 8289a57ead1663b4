//! Generates the Varlink interface from `io.peripety.varlink`, and the table of the rule files
//! under `rules/`.

use std::error::Error;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use varlink_generator::{generate_with_options, GeneratorOptions};
use varlink_parser::{VStruct, VStructOrEnum, VType, VTypeExt, IDL};

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    generate_interface(&out)?;
    tabulate_interface(&out)?;
    list_rules(&out)
}

fn generate_interface(out: &Path) -> Result<(), Box<dyn Error>> {
    let idl = "io.peripety.varlink";
    println!("cargo:rerun-if-changed={idl}");
    let options = GeneratorOptions { generate_async: true, ..Default::default() };
    let mut target = File::create(out.join("io_peripety.rs"))?;
    generate_with_options(&mut File::open(idl)?, &mut target, &options, false)?;
    Ok(())
}

/// Writes `METHODS` and `TYPES`: what the parameters of each method look like, so that the daemon
/// can say which parameter of a call is wrong.
fn tabulate_interface(out: &Path) -> Result<(), Box<dyn Error>> {
    let text = fs::read_to_string("io.peripety.varlink")?;
    let idl = IDL::try_from(text.as_str())?;
    let mut target = File::create(out.join("io_peripety_schema.rs"))?;
    writeln!(target, "static METHODS: &[(&str, &[(&str, Type)])] = &[")?;
    for method in idl.methods.values() {
        writeln!(target, "    ({:?}, &[{}]),", method.name, members(&method.input))?;
    }
    writeln!(target, "];\nstatic TYPES: &[(&str, Definition)] = &[")?;
    for (name, typedef) in &idl.typedefs {
        let definition = match &typedef.elt {
            VStructOrEnum::VStruct(v) => format!("Definition::Struct(&[{}])", members(v)),
            VStructOrEnum::VEnum(v) => format!("Definition::Enum(&{:?})", v.elts),
        };
        writeln!(target, "    ({name:?}, {definition}),")?;
    }
    writeln!(target, "];")?;
    Ok(())
}

fn members(structure: &VStruct) -> String {
    structure.elts.iter().map(|m| format!("({:?}, {}), ", m.name, type_of(&m.vtype))).collect()
}

fn type_of(vtype: &VTypeExt) -> String {
    match vtype {
        VTypeExt::Array(of) => format!("Type::Array(&{})", type_of(of)),
        VTypeExt::Dict(of) => format!("Type::Map(&{})", type_of(of)),
        VTypeExt::Option(of) => format!("Type::Nullable(&{})", type_of(of)),
        VTypeExt::Plain(VType::Bool) => "Type::Bool".into(),
        VTypeExt::Plain(VType::Int) => "Type::Int".into(),
        VTypeExt::Plain(VType::Float) => "Type::Float".into(),
        VTypeExt::Plain(VType::String) => "Type::String".into(),
        VTypeExt::Plain(VType::Typename(name)) => format!("Type::Named({name:?})"),
        VTypeExt::Plain(_) => "Type::Any".into(),
    }
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
