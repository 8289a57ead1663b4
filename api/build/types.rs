//! The types and the errors of the interface.

use peripety_generate::varlink_parser::{VEnum, VStruct, VStructOrEnum, VType, VTypeExt};
use peripety_generate::{Comments, Interface};

use crate::attributes;

/// Types whose `Default` is written by hand, in `api/src`.
const DEFAULTS: [&str; 2] = ["Severity", "Source"];

/// All types that the interface defines.
pub fn types(interface: &Interface<'_>) -> Result<String, String> {
    let (idl, comments) = (&interface.idl, &interface.comments);
    let mut code = String::new();
    for typedef in idl.typedefs.values() {
        code += &attributes::attribute(typedef.doc);
        code += &match &typedef.elt {
            VStructOrEnum::VStruct(members) => {
                structure(typedef.name, typedef.name, members, false, comments)?
            }
            VStructOrEnum::VEnum(names) => enumeration(typedef.name, names, comments),
        };
    }
    Ok(code)
}

/// A structure with the members of `definition`. What is null is left out of parameters and replies, and is written in the types of
/// the interface, so that an object always has all members.
pub fn structure(
    name: &str,
    definition: &str,
    members: &VStruct<'_>,
    omits_null: bool,
    comments: &Comments,
) -> Result<String, String> {
    let is_nullable = |vtype: &VTypeExt<'_>| matches!(vtype, VTypeExt::Option(_));
    let by_hand = DEFAULTS.contains(&name);
    let derives = !by_hand && members.elts.iter().all(|member| has_default(&member.vtype));
    let default = if derives { "Default, " } else { "" };
    let mut code = format!("#[derive(Clone, Debug, {default}PartialEq, Eq, Serialize, Deserialize)]\n");
    code += &format!("pub struct {name} {{\n");
    for member in &members.elts {
        code += &attributes::member(comments, definition, member.name);
        if omits_null && is_nullable(&member.vtype) {
            code += "#[serde(skip_serializing_if = \"Option::is_none\")]\n";
        }
        code += &format!("pub r#{}: {},\n", member.name, rust_type(&member.vtype)?);
    }
    Ok(code + "}\n")
}

/// Null, an empty text or list, zero or false.
fn has_default(vtype: &VTypeExt<'_>) -> bool {
    match vtype {
        VTypeExt::Plain(VType::Typename(name)) => DEFAULTS.contains(name),
        _ => true,
    }
}

fn enumeration(name: &str, names: &VEnum<'_>, comments: &Comments) -> String {
    let mut code = String::from(
        "#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]\n",
    );
    code += &format!("pub enum {name} {{\n");
    for value in &names.elts {
        code += &format!("{}{value},\n", attributes::member(comments, name, value));
    }
    code + "}\n"
}

/// The errors of the interface as one type, whose JSON is that of an error reply.
pub fn errors(interface: &Interface<'_>) -> Result<String, String> {
    let (idl, comments) = (&interface.idl, &interface.comments);
    let mut code = String::from("/// An error of the interface, as it is replied.\n");
    code += "#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]\n";
    code += "#[serde(tag = \"error\", content = \"parameters\")]\npub enum ErrorReply {\n";
    for error in idl.errors.values() {
        code += &attributes::attribute(error.doc);
        code += &format!("#[serde(rename = \"{}.{}\")]\n{} {{\n", idl.name, error.name, error.name);
        for member in &error.parm.elts {
            code += &attributes::member(comments, error.name, member.name);
            code += &format!("r#{}: {},\n", member.name, rust_type(&member.vtype)?);
        }
        code += "},\n";
    }
    Ok(code + "}\n")
}

/// The Rust type of a Varlink type. The interface has no negative numbers; maps keep their keys sorted, so that the same value is
/// always the same JSON.
pub fn rust_type(vtype: &VTypeExt<'_>) -> Result<String, String> {
    Ok(match vtype {
        VTypeExt::Array(of) => format!("Vec<{}>", rust_type(of)?),
        VTypeExt::Dict(of) => format!("std::collections::BTreeMap<String, {}>", rust_type(of)?),
        VTypeExt::Option(of) => format!("Option<{}>", rust_type(of)?),
        VTypeExt::Plain(VType::Bool) => "bool".into(),
        VTypeExt::Plain(VType::Int) => "u64".into(),
        VTypeExt::Plain(VType::String) => "String".into(),
        VTypeExt::Plain(VType::Typename(name)) => (*name).into(),
        VTypeExt::Plain(VType::Float | VType::Object | VType::Struct(_) | VType::Enum(_)) => {
            return Err("the interface has a float, an object or a type without a name: api/build/types.rs \
                        generates no code for these"
                .into())
        }
    })
}
