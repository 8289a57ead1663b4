//! Checks JSON against the interface definition: the parameters of a call, and events that are passed through without being decoded.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// A Varlink type.
#[derive(Clone, Copy)]
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
    Map(&'static Type),
    Nullable(&'static Type),
}

enum Definition {
    Struct(&'static [(&'static str, Type)]),
    Enum(&'static [&'static str]),
}

include!(concat!(env!("OUT_DIR"), "/schema.rs"));

/// What is wrong with a call.
#[derive(Debug, PartialEq, Eq)]
pub enum CallError {
    /// The interface has no such method.
    NoSuchMethod,
    /// This parameter is missing, unknown, or of another type. "filter.since" is a member.
    Parameter(String),
    /// This parameter is a negative number; the interface has none.
    Negative(String),
}

/// What of a value does not fit.
struct Misfit {
    /// Its name within the value; empty for the value itself.
    part: String,
    /// It is a negative number.
    negative: bool,
}

impl Misfit {
    /// The value itself.
    fn whole() -> Self {
        Misfit { part: String::new(), negative: false }
    }

    /// The same, of a structure that has the value as its member `name`.
    fn within(self, name: &str) -> Self {
        let part = match self.part.as_str() {
            "" => name.to_owned(),
            part => format!("{name}.{part}"),
        };
        Misfit { part, ..self }
    }
}

/// Checks the parameters of a method. A missing parameter and a null one are the same.
pub fn check(method: &str, parameters: &Map<String, Value>) -> Result<(), CallError> {
    let (_, expected) = METHODS.iter().find(|(name, _)| *name == method).ok_or(CallError::NoSuchMethod)?;
    match wrong_member(expected, parameters) {
        Some(Misfit { part, negative: true }) => Err(CallError::Negative(part)),
        Some(Misfit { part, negative: false }) => Err(CallError::Parameter(part)),
        None => Ok(()),
    }
}

/// The first member that does not fit.
fn wrong_member(expected: &[(&str, Type)], actual: &Map<String, Value>) -> Option<Misfit> {
    let unknown = actual.keys().find(|key| !expected.iter().any(|(name, _)| name == key));
    let wrong = || {
        expected.iter().find_map(|(name, expected)| {
            let value = actual.get(*name).unwrap_or(&Value::Null);
            wrong_part(expected, value).map(|misfit| misfit.within(name))
        })
    };
    unknown.map(|name| Misfit::whole().within(name)).or_else(wrong)
}

/// The part of a value that does not fit.
fn wrong_part(expected: &Type, actual: &Value) -> Option<Misfit> {
    let whole_unless = |fits: bool| (!fits).then(Misfit::whole);
    let wrong = |of: &Type, value: &Value| wrong_part(of, value).is_some();
    match (expected, actual) {
        (Type::Nullable(_), Value::Null) => None,
        (Type::Nullable(of), value) => wrong_part(of, value),
        (Type::Bool, Value::Bool(_)) | (Type::String, Value::String(_)) | (Type::Any, Value::Object(_)) => {
            None
        }
        (Type::Int, Value::Number(number)) => match number.as_i64() {
            Some(number) if number < 0 => Some(Misfit { negative: true, ..Misfit::whole() }),
            number => whole_unless(number.is_some()),
        },
        (Type::Float, Value::Number(_)) => None,
        (Type::Array(of), Value::Array(values)) => whole_unless(!values.iter().any(|v| wrong(of, v))),
        (Type::Map(of), Value::Object(values)) => whole_unless(!values.values().any(|v| wrong(of, v))),
        (Type::Named(name), value) => match (definition(name), value) {
            (Some(Definition::Struct(members)), Value::Object(actual)) => wrong_member(members, actual),
            (Some(Definition::Enum(names)), Value::String(actual)) => {
                whole_unless(names.contains(&actual.as_str()))
            }
            _ => Some(Misfit::whole()),
        },
        _ => Some(Misfit::whole()),
    }
}

fn definition(name: &str) -> Option<&'static Definition> {
    TYPES.iter().find(|(known, _)| *known == name).map(|(_, definition)| definition)
}

/// The names of a structure's members, in the order of the interface; empty if there is no such structure.
pub fn members(type_name: &str) -> Vec<&'static str> {
    match definition(type_name) {
        Some(Definition::Struct(members)) => members.iter().map(|(name, _)| *name).collect(),
        _ => Vec::new(),
    }
}

/// The text is one JSON value of this type of the interface: an object with all members that are not nullable, and no others.
/// Nothing of it is kept.
pub fn fits(type_name: &'static str, json: &str) -> bool {
    let mut text = serde_json::Deserializer::from_str(json);
    Fits(Type::Named(type_name)).deserialize(&mut text).is_ok() && text.end().is_ok()
}

/// Checks a value as it is read.
#[derive(Clone, Copy)]
struct Fits(Type);

impl Fits {
    /// The type of a value that is not null.
    fn present(self) -> Type {
        match self.0 {
            Type::Nullable(of) => *of,
            other => other,
        }
    }

    fn accept<E: Error>(self, fits: bool) -> Result<(), E> {
        if fits {
            Ok(())
        } else {
            Err(E::custom("another type"))
        }
    }
}

impl<'de> DeserializeSeed<'de> for Fits {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Fits {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of the interface")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.accept(matches!(self.0, Type::Nullable(_)))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.accept(matches!(self.present(), Type::Bool))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.accept(matches!(self.present(), Type::Int | Type::Float))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        self.accept(matches!(self.present(), Type::Float))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.accept(match self.present() {
            Type::String => true,
            Type::Named(name) => {
                matches!(definition(name), Some(Definition::Enum(names)) if names.contains(&text))
            }
            _ => false,
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Type::Array(of) = self.present() else { return self.accept(false) };
        while items.next_element_seed(Fits(*of))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        match self.present() {
            Type::Map(of) => {
                while entries.next_key::<IgnoredAny>()?.is_some() {
                    entries.next_value_seed(Fits(*of))?;
                }
                Ok(())
            }
            Type::Any => {
                while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(())
            }
            Type::Named(name) => match definition(name) {
                Some(Definition::Struct(members)) => all_members(members, entries),
                _ => self.accept(false),
            },
            _ => self.accept(false),
        }
    }
}

/// Checks that an object has each member once, and no others. What is nullable may be missing.
fn all_members<'de, A: MapAccess<'de>>(
    members: &'static [(&'static str, Type)],
    mut entries: A,
) -> Result<(), A::Error> {
    let mut missing: u64 = 0;
    for place in 0..members.len() {
        missing |= 1 << place;
    }
    while let Some((place, expected)) = entries.next_key_seed(MemberName(members))? {
        if missing & 1 << place == 0 {
            return Err(A::Error::custom("a member comes twice"));
        }
        missing &= !(1 << place);
        entries.next_value_seed(Fits(expected))?;
    }
    let is_missing = |place: usize| missing & 1 << place != 0;
    let mut needed = members.iter().enumerate().filter(|(_, (_, of))| !matches!(of, Type::Nullable(_)));
    match needed.any(|(place, _)| is_missing(place)) {
        true => Err(A::Error::custom("a member is missing")),
        false => Ok(()),
    }
}

/// Finds a member by the name that is read: its place and its type.
struct MemberName(&'static [(&'static str, Type)]);

impl<'de> DeserializeSeed<'de> for MemberName {
    type Value = (usize, Type);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for MemberName {
    type Value = (usize, Type);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        let place = self.0.iter().position(|(known, _)| *known == name);
        let found = place.and_then(|place| Some((place, self.0.get(place)?.1)));
        found.ok_or_else(|| E::custom("a member that the interface does not have"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(method: &str, parameters: Value) -> Option<String> {
        match check(method, parameters.as_object().unwrap()) {
            Ok(()) => None,
            Err(CallError::Parameter(name)) => Some(name),
            Err(CallError::Negative(name)) => Some(format!("negative {name}")),
            Err(CallError::NoSuchMethod) => Some("no such method".into()),
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
            ("Query", json!({"limit": -1}), Some("negative limit")),
            ("Query", json!({"limit": u64::MAX}), Some("limit")),
            ("Query", json!({"filter": {"since": -1}}), Some("negative filter.since")),
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

    /// Every value in place of every member: only one of its type fits, and only whole text does.
    #[test]
    fn only_whole_events_fit() {
        use serde_json::json;
        let (_, fields) = crate::IDL.split_once("\ntype StorageEvent (").unwrap();
        let (fields, _) = fields.split_once("\n)").unwrap();
        let text = include_str!("../../tests/fixtures/event.json");
        let event: Value = serde_json::from_str(text).unwrap();
        assert!(fits("StorageEvent", text) && fits("StorageEvent", &event.to_string()));
        let whole = event.to_string();
        for cut in 0..whole.len() {
            assert!(!fits("StorageEvent", whole.get(..cut).unwrap()), "{cut}");
        }
        for more in ["x", "{}", ","] {
            assert!(!fits("StorageEvent", &format!("{whole}{more}")), "{more}");
        }
        let values = [
            json!(null),
            json!(true),
            json!(1),
            json!(-1),
            json!(0.5),
            json!("Error"),
            json!(["a"]),
            json!({}),
        ];
        for (name, present) in event.as_object().unwrap() {
            let nullable = fields.contains(&format!("\n  {name}: ?"));
            for value in &values {
                let mut other = event.clone();
                other[name] = value.clone();
                let same = match (present, value) {
                    (Value::Number(_), Value::Number(number)) => number.is_u64(),
                    (Value::Object(_), Value::Object(_)) => name == "extension",
                    (Value::String(_), Value::String(_)) | (Value::Array(_), Value::Array(_)) => true,
                    (Value::Null, Value::String(_)) => nullable,
                    (_, Value::Null) => nullable,
                    _ => false,
                };
                assert_eq!(fits("StorageEvent", &other.to_string()), same, "{name}: {value}");
            }
            let mut without = event.clone();
            without.as_object_mut().unwrap().remove(name);
            assert_eq!(fits("StorageEvent", &without.to_string()), nullable, "without {name}");
        }
        let twice = whole.replacen('{', "{\"msg\":\"\",", 1);
        let unknown = whole.replacen('{', "{\"other\":1,", 1);
        assert!(!fits("StorageEvent", &twice) && !fits("StorageEvent", &unknown));
    }
}
