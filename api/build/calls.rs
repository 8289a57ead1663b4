//! The methods of the interface: parameters and replies, the calls of a server, and a client.

use peripety_generate::varlink_parser::{Method, IDL};
use peripety_generate::Interface;

use crate::attributes;
use crate::types::{rust_type, structure};

/// All of it.
pub fn calls(interface: &Interface<'_>) -> Result<String, String> {
    let (idl, comments) = (&interface.idl, &interface.comments);
    let mut code = String::new();
    for method in idl.methods.values() {
        let name = method.name;
        code += &format!("/// The parameters of [`MethodCall::{name}`].\n");
        code += &structure(&format!("{name}Parameters"), name, &method.input, true, comments)?;
        code += &format!("/// The reply to [`MethodCall::{name}`].\n");
        code += &structure(&format!("{name}Reply"), name, &method.output, true, comments)?;
    }
    Ok(code + &server(idl) + &client(idl)?)
}

/// `MethodCall`: the calls that a server handles.
fn server(idl: &IDL<'_>) -> String {
    let mut variants = String::new();
    let mut arms = String::new();
    for method in idl.methods.values() {
        let name = method.name;
        variants += &format!("{}{name}({name}Parameters),\n", attributes::attribute(method.doc));
        arms += &format!("{name:?} => serde_json::from_value(parameters).map(MethodCall::{name}),\n");
    }
    format!(
        "/// A call of a method, with its parameters.\n\
         #[derive(Clone, Debug, PartialEq, Eq)]\n\
         pub enum MethodCall {{\n{variants}}}\n\
         impl MethodCall {{\n\
         /// Decodes the parameters of a method; `None`: the interface has no such method.\n\
         pub fn decode(method: &str, parameters: serde_json::Value) -> Option<serde_json::Result<Self>> {{\n\
         Some(match method {{\n{arms}_ => return None,\n}})\n}}\n}}\n"
    )
}

/// A method of `Client` for each of the interface's.
fn client(idl: &IDL<'_>) -> Result<String, String> {
    let methods: Result<String, String> =
        idl.methods.values().map(|method| client_method(idl.name, method)).collect();
    Ok(format!("impl crate::client::Client {{\n{}}}\n", methods?))
}

fn client_method(interface: &str, method: &Method<'_>) -> Result<String, String> {
    let name = method.name;
    let (mut arguments, mut fields) = (String::new(), String::new());
    for member in &method.input.elts {
        arguments += &format!(", r#{}: {}", member.name, rust_type(&member.vtype)?);
        fields += &format!("r#{}, ", member.name);
    }
    Ok(format!(
        "{}pub fn {}(&self{arguments}) -> crate::client::Answers<{name}Parameters, {name}Reply> {{\n\
         self.prepare(\"{interface}.{name}\", {name}Parameters {{ {fields} }})\n}}\n",
        attributes::attribute(method.doc),
        snake_case(name),
    ))
}

fn snake_case(name: &str) -> String {
    let mut words = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !words.is_empty() {
            words.push('_');
        }
        words.extend(c.to_lowercase());
    }
    words
}
