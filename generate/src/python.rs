//! The Python module: the fields with their types, and how each is read from the C library.

use crate::interface::{Field, FieldType};
use crate::library::{Library, Structure};
use crate::text::{lines, one_line, singular, styled, PYTHON};
use crate::NOTICE;

/// The whole file.
pub fn fields(library: &Library) -> String {
    let mut code = format!("# {NOTICE}\n\"\"\"What is known of a block device, of what it is built from, and of its paths.\"\"\"\n\n");
    code += "from dataclasses import dataclass, field\nfrom typing import Mapping, Optional, Tuple\n\n";
    code += "from ._kinds import BlkType, DevNumber\n";
    for structure in &library.structures {
        code += &class(structure);
    }
    let tables: Vec<String> = library.structures.iter().map(table).collect();
    format!("{code}\n\n{}", tables.join("\n"))
}

fn class(structure: &Structure) -> String {
    let name = if structure.prefix == "block" { "BlockFields" } else { structure.name };
    let about = one_line(&styled(&structure.comment, &PYTHON));
    let mut code = format!("\n\n@dataclass(frozen=True)\nclass {name}:\n    \"\"\"{about}\"\"\"\n\n");
    for field in structure.stored() {
        code += &lines(&styled(&field.comment, &PYTHON), "    #: ");
        let hidden = if field.kind == FieldType::Map { " = field(hash=False)" } else { "" };
        code += &format!("    {}: {}{hidden}\n", field.name, python_type(field));
    }
    code
}

fn python_type(field: &Field) -> String {
    let plain = match &field.kind {
        FieldType::Text => "str".to_owned(),
        FieldType::Number => "int".to_owned(),
        FieldType::Flag => "bool".to_owned(),
        FieldType::Texts => "Tuple[str, ...]".to_owned(),
        FieldType::Numbers => "Tuple[int, ...]".to_owned(),
        FieldType::Map => "Mapping[str, str]".to_owned(),
        FieldType::Named(name) => name.clone(),
        FieldType::Structures(name) => format!("Tuple[{name}, ...]"),
        FieldType::DevNumber => "DevNumber".to_owned(),
        FieldType::BlkType => "BlkType".to_owned(),
    };
    if field.nullable {
        format!("Optional[{plain}]")
    } else {
        plain
    }
}

/// The names of a structure's fields, each with the kind of its getter and the stem of the getter's name.
fn table(structure: &Structure) -> String {
    let mut code = format!(
        "#: The getters of a peripety_{}: by the field's name, what they give and the name that they begin with.\n{} = {{\n",
        structure.prefix,
        structure.prefix.to_uppercase()
    );
    for field in structure.stored() {
        let (kind, stem) = match &field.kind {
            FieldType::Text => ("text", field.name.as_str()),
            FieldType::Number => ("number", field.name.as_str()),
            FieldType::Flag => ("flag", field.name.as_str()),
            FieldType::DevNumber => ("device number", field.name.as_str()),
            FieldType::BlkType => ("kind", field.name.as_str()),
            FieldType::Map => ("map", field.name.as_str()),
            FieldType::Texts => ("texts", singular(&field.name)),
            FieldType::Structures(name) if name == "Owner" => ("owners", singular(&field.name)),
            FieldType::Structures(_) => ("paths", singular(&field.name)),
            FieldType::Numbers | FieldType::Named(_) => continue,
        };
        code += &format!("    \"{}\": (\"{kind}\", \"peripety_{}_{stem}\"),\n", field.name, structure.prefix);
    }
    code + "}\n"
}
