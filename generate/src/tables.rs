//! Tables of the documentation.

use crate::interface::{Field, FieldType, Interface};
use crate::library::Library;
use crate::text::{one_line, styled, MARKDOWN};

const HEAD: &str = "| Field | Type | Meaning |\n| --- | --- | --- |\n";

/// The fields of a block device.
pub fn blocks(library: &Library) -> String {
    let mut text = String::new();
    for structure in library.structures.iter().rev() {
        text += &format!("\n`{}`: {}\n\n{HEAD}", structure.name, cell(&structure.comment));
        for member in &structure.members {
            let name = match &member.wire_name {
                Some(wire) if *wire != member.field.name => {
                    format!("`{}`, in the interface `{wire}`", member.field.name)
                }
                None if structure.wire_name.is_some() => {
                    format!("`{}`, only in the library", member.field.name)
                }
                _ => format!("`{}`", member.field.name),
            };
            text += &row(&name, &member.field);
        }
    }
    text + "\n"
}

/// The fields of an event, with those of its source.
///
/// # Errors
/// The interface has no events.
pub fn events(interface: &Interface<'_>) -> Result<String, String> {
    let mut text = HEAD.to_owned();
    for field in interface.fields("StorageEvent")? {
        if field.kind != FieldType::Named("Source".to_owned()) {
            text += &row(&format!("`{}`", field.name), &field);
            continue;
        }
        for part in interface.fields("Source")? {
            text += &row(&format!("`{}.{}`", field.name, part.name), &part);
        }
    }
    Ok(text)
}

fn row(name: &str, field: &Field) -> String {
    format!("| {name} | {} | {} |\n", type_name(field), cell(&field.comment))
}

/// A comment in a table.
fn cell(comment: &str) -> String {
    styled(&one_line(comment), &MARKDOWN).replace('|', "\\|")
}

fn type_name(field: &Field) -> String {
    let plain = match &field.kind {
        FieldType::Text | FieldType::DevNumber | FieldType::BlkType => "string".to_owned(),
        FieldType::Number => "integer".to_owned(),
        FieldType::Flag => "boolean".to_owned(),
        FieldType::Texts => "list of strings".to_owned(),
        FieldType::Numbers => "list of integers".to_owned(),
        FieldType::Map => "map of strings".to_owned(),
        // An enumeration.
        FieldType::Named(_) => "string".to_owned(),
        FieldType::Structures(name) => format!("list of `{name}`"),
    };
    if field.nullable {
        format!("{plain} or null")
    } else {
        plain
    }
}
