//! The fields of a JSON object.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::Deserialize;

/// The fields of an object: text, arrays of bytes, numbers; the first of several values. Names of fields of nested objects are prefixed with
/// that of the outer field and a dot.
#[derive(Debug, Default)]
pub struct Fields(pub HashMap<String, Vec<u8>>);

/// Deepest nesting of objects that is read.
const MAX_DEPTH: usize = 6;
/// Maximum number of fields of an object.
const MAX_FIELDS: usize = 4096;

impl Fields {
    /// The first of these fields that is present and not empty.
    pub fn first(&self, names: &[&str]) -> Option<&[u8]> {
        names.iter().filter_map(|name| self.0.get(*name)).map(Vec::as_slice).find(|value| !value.is_empty())
    }

    fn add(&mut self, name: String, value: Value, depth: usize) {
        match value {
            Value::Text(text) if self.0.len() < MAX_FIELDS => drop(self.0.entry(name).or_insert(text)),
            Value::Object(fields) if depth < MAX_DEPTH => {
                for (inner, text) in fields.0 {
                    self.add(format!("{name}.{inner}"), Value::Text(text), depth + 1);
                }
            }
            _ => {}
        }
    }
}

/// The value of a field.
enum Value {
    Text(Vec<u8>),
    Object(Fields),
    Nothing,
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = Fields::default();
        while let Some(name) = map.next_key::<String>()? {
            fields.add(name, map.next_value()?, 0);
        }
        Ok(fields)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.as_bytes().to_vec()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Text(number.to_string().into_bytes()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Text(number.to_string().into_bytes()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Text(format!("{number:.6}").into_bytes()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    /// Byte values, or several values, of which the first is used.
    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Value, A::Error> {
        let mut bytes = Vec::new();
        while let Some(Element(element)) = values.next_element()? {
            match element {
                Ok(byte) => bytes.push(byte),
                Err(value) => {
                    while values.next_element::<IgnoredAny>()?.is_some() {}
                    return Ok(value.map_or(Value::Nothing, Value::Text));
                }
            }
        }
        Ok(Value::Text(bytes))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        FieldsVisitor.visit_map(map).map(Value::Object)
    }
}

/// An element of an array: a byte, or something else.
struct Element(Result<u8, Option<Vec<u8>>>);

impl<'de> Deserialize<'de> for Element {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ElementVisitor;
        impl<'de> Visitor<'de> for ElementVisitor {
            type Value = Element;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a byte or text")
            }
            fn visit_u64<E>(self, number: u64) -> Result<Element, E> {
                Ok(Element(u8::try_from(number).map_err(|_| None)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Element, E> {
                Ok(Element(Err(Some(text.as_bytes().to_vec()))))
            }
            fn visit_unit<E>(self) -> Result<Element, E> {
                Ok(Element(Err(None)))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<Element, A::Error> {
                let value = ValueVisitor.visit_seq(values)?;
                Ok(Element(Err(if let Value::Text(text) = value { Some(text) } else { None })))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Element, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Element(Err(None)))
            }
        }
        deserializer.deserialize_any(ElementVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(object: &str, name: &str) -> Option<Vec<u8>> {
        serde_json::from_str::<Fields>(object).ok()?.0.remove(name)
    }

    #[test]
    fn values_of_all_kinds() {
        let object =
            r#"{"A":"x","B":[97,10,98],"C":null,"D":["one","two"],"E":[[1,2],"x"],"F":{"a":1},"G":12.5}"#;
        assert_eq!(field(object, "A").as_deref(), Some(&b"x"[..]));
        assert_eq!(field(object, "B").as_deref(), Some(&b"a\nb"[..]));
        assert_eq!(field(object, "C"), None);
        assert_eq!(field(object, "D").as_deref(), Some(&b"one"[..]));
        assert_eq!(field(object, "E").as_deref(), Some(&[1u8, 2][..]));
        assert_eq!(field(object, "G").as_deref(), Some(&b"12.500000"[..]));
        assert_eq!(field(object, "F.a").as_deref(), Some(&b"1"[..]));
    }
}
