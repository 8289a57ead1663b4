//! The getters of the C library: its Rust code and its header.

use crate::interface::{Field, FieldType};
use crate::library::{Library, LibraryField, Structure};
use crate::text::{lines, singular};
use crate::NOTICE;

/// The functions that read a field, as the header declares them.
pub struct Getter {
    /// What it returns.
    pub result: &'static str,
    /// Its name.
    pub name: String,
    /// Its parameters behind the handle.
    pub parameters: String,
}

/// The functions that read a field.
pub fn getters(structure: &Structure, field: &Field) -> Vec<Getter> {
    let prefix = format!("peripety_{}", structure.prefix);
    let name = &field.name;
    let getter = |result: &'static str, name: String, parameters: String| Getter { result, name, parameters };
    let list = |element: &'static str| {
        let one = format!("{prefix}_{}", singular(name));
        let count = getter("size_t ", format!("{one}_count"), String::new());
        vec![count, getter(element, one, ", size_t index".to_owned())]
    };
    let own = format!("{prefix}_{name}");
    match &field.kind {
        FieldType::Text => vec![getter("const char *", own, String::new())],
        FieldType::Number => vec![getter("bool ", own, format!(", uint64_t *{name}"))],
        FieldType::Flag => vec![getter("bool ", own, format!(", bool *{name}"))],
        FieldType::DevNumber => vec![getter("bool ", own, ", uint32_t *major, uint32_t *minor".to_owned())],
        FieldType::BlkType => vec![getter("peripety_blk_type ", own, String::new())],
        FieldType::Texts => list("const char *"),
        FieldType::Structures(of) if of == "Owner" => list("const peripety_owner *"),
        FieldType::Structures(of) if of == "Path" => list("const peripety_path *"),
        FieldType::Map => vec![
            getter("size_t ", format!("{own}_count"), String::new()),
            getter("const char *", format!("{own}_key"), ", size_t index".to_owned()),
            getter("const char *", format!("{own}_value"), ", size_t index".to_owned()),
            getter("const char *", own, ", const char *key".to_owned()),
        ],
        FieldType::Numbers | FieldType::Named(_) | FieldType::Structures(_) => Vec::new(),
    }
}

/// A field of a kind that C has no getters for.
pub fn unknown(structure: &Structure, field: &Field) -> Option<String> {
    let is_missing = getters(structure, field).is_empty();
    is_missing.then(|| {
        format!("{}.{}: C has no getter of this kind, see generate/src/c.rs", structure.name, field.name)
    })
}

/// The declarations of a structure's getters.
pub fn header(structure: &Structure) -> String {
    let mut text = String::new();
    for member in &structure.members {
        let field = &member.field;
        text += &documented(field);
        for getter in getters(structure, field) {
            let handle = format!("const peripety_{0} *{0}", structure.prefix);
            text += &format!("{}{}({handle}{});\n", getter.result, getter.name, getter.parameters);
        }
    }
    text
}

/// A comment of the header, in ASCII.
fn documented(field: &Field) -> String {
    let always =
        matches!(field.kind, FieldType::Text | FieldType::Number | FieldType::Flag) && !field.nullable;
    let comment = format!("{}{}", field.comment, if always { " Always known." } else { "" });
    let comment = comment.replace(" …", " ...").replace('…', "...");
    match comment.contains('\n') {
        true => format!("/**\n{} */\n", lines(&comment, " * ")),
        false => format!("/** {comment} */\n"),
    }
}

/// The handles of the library and their getters, the whole file.
pub fn handles(library: &Library) -> String {
    let mut code = format!("// {NOTICE}\n\n");
    code += "//! The handles for owners, paths and blocks, and the getters of their fields.\n\n";
    code += "use std::ffi::{c_char, CString};\n\nuse peripety_blkinfo as blkinfo;\n\n";
    code += "use crate::boundary::{\n    c_string, c_strings, element_at, list_getters, or_null, string_at, string_getters, \
             value_getters,\n};\nuse crate::parts::{extension_getters, Extension};\n";
    for structure in &library.structures {
        code += &handle(structure);
        code += &from(structure);
        code += &getter_macros(structure);
    }
    code
}

/// The name of a handle's type in Rust.
fn handle_name(structure: &Structure) -> &str {
    structure.name.strip_suffix("Info").unwrap_or(structure.name)
}

fn handle(structure: &Structure) -> String {
    let mut code =
        format!("\n/// `peripety_{}`.\npub(crate) struct {} {{\n", structure.prefix, handle_name(structure));
    if structure.prefix == "block" {
        code += "    pub(crate) info: blkinfo::BlockInfo,\n";
    }
    for member in &structure.members {
        if let Some((kind, _)) = held(member) {
            code += &format!("    {}: {kind},\n", member.field.name);
        }
    }
    code + "}\n"
}

/// The type under which a handle holds a field, and how it is made from `info`; `None`: its getter reads `info`.
fn held(member: &LibraryField) -> Option<(String, String)> {
    let field = &member.field;
    let name = &field.name;
    let plain = |kind: &str| if field.nullable { format!("Option<{kind}>") } else { kind.to_owned() };
    Some(match &field.kind {
        FieldType::Text if field.nullable => {
            (plain("CString"), format!("info.{name}.as_deref().map(c_string)"))
        }
        FieldType::Text => (plain("CString"), format!("c_string(&info.{name})")),
        FieldType::Number => (plain("u64"), format!("info.{name}")),
        FieldType::Flag => (plain("bool"), format!("info.{name}")),
        FieldType::Texts if member.is_method => ("Vec<CString>".into(), format!("c_strings(info.{name}())")),
        FieldType::Texts => ("Vec<CString>".into(), format!("c_strings(&info.{name})")),
        FieldType::Structures(of) => {
            (format!("Vec<{of}>"), format!("info.{name}.iter().map({of}::from).collect()"))
        }
        FieldType::Map => ("Extension".into(), format!("Extension::from(&info.{name})")),
        FieldType::DevNumber | FieldType::BlkType | FieldType::Numbers | FieldType::Named(_) => return None,
    })
}

fn from(structure: &Structure) -> String {
    let (name, of) = (handle_name(structure), structure.name);
    let owned = structure.prefix == "block";
    let given = if owned { format!("blkinfo::{of}") } else { format!("&blkinfo::{of}") };
    let mut code = format!(
        "\nimpl From<{given}> for {name} {{\n    fn from(info: {given}) -> Self {{\n        Self {{\n"
    );
    for member in &structure.members {
        if let Some((_, made)) = held(member) {
            code += &format!("            {}: {made},\n", member.field.name);
        }
    }
    code += if owned { "            info,\n" } else { "" };
    code + "        }\n    }\n}\n"
}

fn getter_macros(structure: &Structure) -> String {
    let (name, prefix) = (handle_name(structure), structure.prefix);
    let (mut strings, mut values, mut lists, mut maps) =
        (String::new(), String::new(), String::new(), String::new());
    for member in &structure.members {
        let field = &member.field;
        let (own, one) = (&field.name, singular(&field.name));
        let function = format!("peripety_{prefix}_{own}");
        let element = format!("peripety_{prefix}_{one}");
        match &field.kind {
            FieldType::Text if field.nullable => {
                strings += &format!("    {function} => |{prefix}| or_null(&{prefix}.{own});\n");
            }
            FieldType::Text => strings += &format!("    {function} => |{prefix}| {prefix}.{own}.as_ptr();\n"),
            FieldType::Number | FieldType::Flag => {
                let kind = if field.kind == FieldType::Flag { "bool" } else { "u64" };
                let value =
                    if field.nullable { format!("{prefix}.{own}") } else { format!("Some({prefix}.{own})") };
                values += &format!("    {function}, {kind} => |{prefix}| {value};\n");
            }
            FieldType::Texts => {
                lists += &format!(
                    "    {element}_count, {element}: CString => c_char, |{prefix}| &{prefix}.{own}, string_at;\n"
                );
            }
            FieldType::Structures(of) => {
                lists += &format!(
                    "    {element}_count, {element}: {of} => {of}, |{prefix}| &{prefix}.{own}, element_at;\n"
                );
            }
            FieldType::Map => {
                maps += &format!(
                    "    {function}_count, {function}_key, {function}_value, {function} => |{prefix}| &{prefix}.{own};\n"
                );
            }
            FieldType::DevNumber | FieldType::BlkType | FieldType::Numbers | FieldType::Named(_) => {}
        }
    }
    let call = |name_of: &str, body: &str| match body {
        "" => String::new(),
        body => format!("{name_of}! {{ {name}:\n{body}}}\n"),
    };
    format!(
        "\n{}{}{}{}",
        call("string_getters", &strings),
        call("value_getters", &values),
        call("list_getters", &lists),
        call("extension_getters", &maps)
    )
}
