//! The tables `METHODS` and `TYPES`: the parameters of each method and the members of each type.

use peripety_generate::varlink_parser::{VStruct, VStructOrEnum, VType, VTypeExt, IDL};

/// A check notes the members that it has seen in one word.
const MAX_MEMBERS: usize = 64;

/// Both tables.
pub fn tables(idl: &IDL<'_>) -> Result<String, String> {
    let mut code = String::from("static METHODS: &[(&str, &[(&str, Type)])] = &[\n");
    for method in idl.methods.values() {
        code += &format!("    ({:?}, &[{}]),\n", method.name, members(&method.input));
    }
    code += "];\nstatic TYPES: &[(&str, Definition)] = &[\n";
    for (name, typedef) in &idl.typedefs {
        let definition = match &typedef.elt {
            VStructOrEnum::VStruct(v) if v.elts.len() > MAX_MEMBERS => {
                return Err(format!("{name} has more than {MAX_MEMBERS} members: change api/src/schema.rs"))
            }
            VStructOrEnum::VStruct(v) => format!("Definition::Struct(&[{}])", members(v)),
            VStructOrEnum::VEnum(v) => format!("Definition::Enum(&{:?})", v.elts),
        };
        code += &format!("    ({name:?}, {definition}),\n");
    }
    Ok(code + "];\n")
}

fn members(structure: &VStruct<'_>) -> String {
    structure.elts.iter().map(|m| format!("({:?}, {}), ", m.name, type_of(&m.vtype))).collect()
}

fn type_of(vtype: &VTypeExt<'_>) -> String {
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
