//! Checks the parameters of a call against the interface definition.

use serde_json::{Map, Value};

/// A Varlink type.
enum Type {
    Bool,
    Int,
    #[allow(dead_code)] // The interface has none at present.
    Float,
    String,
    #[allow(dead_code)]
    Any,
    Named(&'static str),
    Array(&'static Type),
    #[allow(dead_code)]
    Map(&'static Type),
    Nullable(&'static Type),
}

enum Definition {
    Struct(&'static [(&'static str, Type)]),
    Enum(&'static [&'static str]),
}

include!(concat!(env!("OUT_DIR"), "/io_peripety_schema.rs"));

/// What is wrong with a call.
#[derive(Debug, PartialEq, Eq)]
pub enum Fault {
    /// The interface has no such method.
    NoSuchMethod,
    /// This parameter is missing, unknown, or of another type. "filter.since" is a member.
    Parameter(String),
}

/// Checks the parameters of a method. A missing parameter and a null one are the same.
pub fn check(method: &str, parameters: &Map<String, Value>) -> Result<(), Fault> {
    let (_, expected) = METHODS.iter().find(|(name, _)| *name == method).ok_or(Fault::NoSuchMethod)?;
    match wrong_member(expected, parameters) {
        Some(parameter) => Err(Fault::Parameter(parameter)),
        None => Ok(()),
    }
}

/// Name of the first member that does not fit.
fn wrong_member(expected: &[(&str, Type)], actual: &Map<String, Value>) -> Option<String> {
    let unknown = actual.keys().find(|key| !expected.iter().any(|(name, _)| name == key));
    let wrong = || {
        expected.iter().find_map(|(name, expected)| {
            wrong_part(expected, actual.get(*name).unwrap_or(&Value::Null)).map(|part| match part.as_str() {
                "" => (*name).to_owned(),
                part => format!("{name}.{part}"),
            })
        })
    };
    unknown.cloned().or_else(wrong)
}

/// Name of the part of a value that does not fit; empty for the value itself.
fn wrong_part(expected: &Type, actual: &Value) -> Option<String> {
    let wrong = |of: &Type, value: &Value| wrong_part(of, value).is_some();
    match (expected, actual) {
        (Type::Nullable(_), Value::Null) => None,
        (Type::Nullable(of), value) => wrong_part(of, value),
        (Type::Bool, Value::Bool(_)) | (Type::String, Value::String(_)) | (Type::Any, Value::Object(_)) => {
            None
        }
        (Type::Int, Value::Number(number)) if number.is_i64() => None,
        (Type::Float, Value::Number(_)) => None,
        (Type::Array(of), Value::Array(values)) => values.iter().any(|v| wrong(of, v)).then(String::new),
        (Type::Map(of), Value::Object(values)) => values.values().any(|v| wrong(of, v)).then(String::new),
        (Type::Named(name), value) => match TYPES.iter().find(|(known, _)| known == name) {
            Some((_, Definition::Struct(members))) => match value {
                Value::Object(actual) => wrong_member(members, actual),
                _ => Some(String::new()),
            },
            Some((_, Definition::Enum(names))) => match value {
                Value::String(actual) if names.contains(&actual.as_str()) => None,
                _ => Some(String::new()),
            },
            None => Some(String::new()),
        },
        _ => Some(String::new()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn wrong(method: &str, parameters: Value) -> Option<String> {
        match check(method, parameters.as_object().unwrap()) {
            Ok(()) => None,
            Err(Fault::Parameter(name)) => Some(name),
            Err(Fault::NoSuchMethod) => Some("no such method".into()),
        }
    }

    #[test]
    fn names_the_parameter_that_is_wrong() {
        use serde_json::json;
        let cases = [
            ("Query", json!({}), None),
            ("Query", json!({"filter": null, "limit": 5, "order": "NewestFirst"}), None),
            ("Query", json!({"filter": {"severity": "Error", "event_types": ["A"]}}), None),
            ("Query", json!({"limit": "5"}), Some("limit")),
            ("Query", json!({"limit": 1.5}), Some("limit")),
            ("Query", json!({"order": "Backwards"}), Some("order")),
            ("Query", json!({"filter": 1}), Some("filter")),
            ("Query", json!({"filter": {"severity": "Bad"}}), Some("filter.severity")),
            ("Query", json!({"filter": {"event_types": [1]}}), Some("filter.event_types")),
            ("Query", json!({"filter": {"severty": "Error"}}), Some("filter.severty")),
            ("Query", json!({"severity": "Error"}), Some("severity")),
            ("GetBlockInfo", json!({}), Some("blk")),
            ("GetBlockInfo", json!({"blk": null}), Some("blk")),
            ("GetBlockInfo", json!({"blk": "sda"}), None),
            ("Nothing", json!({}), Some("no such method")),
        ];
        for (method, parameters, expected) in cases {
            let shown = parameters.to_string();
            assert_eq!(wrong(method, parameters).as_deref(), expected, "{method} {shown}");
        }
    }
}
