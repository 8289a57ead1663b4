//! Block devices: from the library's structures to those of the interface, and their fields for text output.

use peripety_generate::{FieldType, Interface, Library, LibraryField, Structure};

/// All of it.
pub fn blocks(interface: &Interface<'_>) -> Result<String, String> {
    let library = Library::of(interface)?;
    let mut code: String = library.structures.iter().filter_map(conversion).collect();
    code += &facts(interface)?;
    Ok(code)
}

/// `From` of a structure; `None` when the interface does not have it.
fn conversion(structure: &Structure) -> Option<String> {
    let (name, wire) = (structure.name, structure.wire_name?);
    let shared = |member: &&LibraryField| member.wire_name.is_some();
    let (methods, stored): (Vec<&LibraryField>, Vec<&LibraryField>) =
        structure.members.iter().filter(shared).partition(|member| member.is_method);
    let of = |member: &LibraryField| {
        let call = if member.is_method { "()" } else { "" };
        format!(
            "{}: library.{}{call}.to_wire(),\n",
            member.wire_name.as_deref().unwrap_or_default(),
            member.field.name
        )
    };
    // What is computed comes first: the rest moves out of the structure.
    let members: String = methods.into_iter().chain(stored).map(of).collect();
    Some(format!(
        "impl From<peripety_blkinfo::{name}> for {wire} {{\nfn from(library: peripety_blkinfo::{name}) -> Self {{\n\
         use crate::blocks::ToWire;\n{wire} {{\n{members}}}\n}}\n}}\n"
    ))
}

/// A method with the fields that are one value or a list of strings.
fn facts(interface: &Interface<'_>) -> Result<String, String> {
    let is_fact = |kind: &FieldType| {
        matches!(kind, FieldType::Text | FieldType::Number | FieldType::Flag | FieldType::Texts)
    };
    let fields = interface.fields("BlockInfo")?;
    if let Some(field) = fields.iter().find(|field| field.label.is_some() && !is_fact(&field.kind)) {
        return Err(format!(
            "BlockInfo.{} is no single value and no list of strings: its label would not be shown. Remove the line \"Label:\", or \
             let api/build/blocks.rs make a fact of it",
            field.name
        ));
    }
    let facts: Vec<String> = fields
        .iter()
        .filter(|field| is_fact(&field.kind))
        .map(|field| {
            let name = &field.name;
            format!(
                "crate::Fact {{ name: {name:?}, label: {:?}, value: (&self.r#{name}).into() }},\n",
                field.label
            )
        })
        .collect();
    Ok(format!(
        "impl BlockInfo {{\n/// The fields that are one value or a list of strings, in the order of the interface.\n\
         pub fn facts(&self) -> [crate::Fact<'_>; {}] {{\n[{}]\n}}\n}}\n",
        facts.len(),
        facts.concat()
    ))
}
