//! The structures of the crate `peripety-blkinfo`.

use crate::interface::{Field, FieldType};
use crate::library::{Library, Structure};
use crate::text::{lines, singular, styled, RUST};
use crate::NOTICE;

/// The whole file.
pub fn structures(library: &Library) -> String {
    let mut code = format!("// {NOTICE}\n\n");
    code += "//! What is known of a block device, of what it is built from, and of its paths.\n\n";
    code += "use super::BlkType;\nuse crate::extension::Extension;\nuse crate::name::DevNumber;\n";
    for structure in &library.structures {
        code += &definition(structure);
    }
    code + &library
        .structures
        .iter()
        .filter(|structure| structure.prefix == "block")
        .map(facts)
        .collect::<String>()
}

fn definition(structure: &Structure) -> String {
    let mut code = format!("\n{}", documented(&structure.comment, ""));
    code += "#[derive(Clone, Debug, Default, PartialEq, Eq)]\n";
    code += "#[cfg_attr(feature = \"serde\", derive(serde::Serialize, serde::Deserialize))]\n";
    code += "#[non_exhaustive]\n";
    code += &format!("pub struct {} {{\n", structure.name);
    for field in structure.stored() {
        code += &documented(&field.comment, "    ");
        code += &format!("    pub {}: {},\n", field.name, rust_type(field));
    }
    code + "}\n"
}

fn documented(comment: &str, indent: &str) -> String {
    lines(&styled(comment, &RUST), &format!("{indent}/// "))
}

fn rust_type(field: &Field) -> String {
    let plain = match &field.kind {
        FieldType::Text => "String".to_owned(),
        FieldType::Number => "u64".to_owned(),
        FieldType::Flag => "bool".to_owned(),
        FieldType::Texts => "Vec<String>".to_owned(),
        FieldType::Numbers => "Vec<u64>".to_owned(),
        FieldType::Map => "Extension".to_owned(),
        FieldType::Named(name) => name.clone(),
        FieldType::Structures(name) => format!("Vec<{name}>"),
        FieldType::DevNumber => "DevNumber".to_owned(),
        FieldType::BlkType => "BlkType".to_owned(),
    };
    if field.nullable {
        format!("Option<{plain}>")
    } else {
        plain
    }
}

/// The facts for `Display`.
fn facts(structure: &Structure) -> String {
    let mut code = format!("\nimpl {} {{\n", structure.name);
    code += "    /// What is known and is one value, by the names of the fields, in the order of the text.\n";
    code += "    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {\n        let facts = [\n";
    for field in structure.in_text_order() {
        let name = &field.name;
        let value = match (&field.kind, field.nullable) {
            (FieldType::Text, true) => format!("self.{name}.clone()"),
            (FieldType::Text, false) => format!("Some(self.{name}.clone())"),
            (_, true) => format!("self.{name}.map(|value| value.to_string())"),
            (_, false) => format!("Some(self.{name}.to_string())"),
        };
        code += &format!("            (\"{name}\", {value}),\n");
    }
    code += "        ];\n        facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()\n    }\n\n";
    code + &lists(structure) + "}\n"
}

/// The lists for `Display`.
fn lists(structure: &Structure) -> String {
    let lists = structure.lists_in_text_order();
    let mut code = String::from(
        "    /// Lists of strings, each with the name of one value, in the order of the text.\n",
    );
    code += &format!(
        "    pub(super) fn lists(&self) -> [(&'static str, &[String]); {}] {{\n        [",
        lists.len()
    );
    let entries: Vec<String> =
        lists.iter().map(|field| format!("(\"{}\", &self.{})", singular(&field.name), field.name)).collect();
    code + &entries.join(", ") + "]\n    }\n"
}
