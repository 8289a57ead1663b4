//! Entries as objects of JSON: `journalctl -o json`, `json-pretty`, `json-sse`, `json-seq`, `dmesg --json`, and lines of
//! text that another program wrapped (`{"log": "…"}`).

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use memchr::{memchr_iter, memmem};
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::Deserialize;

use super::Record;
use crate::offline::chunk::Chunk;
use crate::offline::found::{Found, Line};
use crate::offline::rules::Rules;
use crate::offline::text::head;

/// The object of a line that is one, without what json-sse and json-seq put before it.
pub fn of_line(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_prefix(b"data: ").unwrap_or(line);
    let line = line.strip_prefix(b"\x1e").unwrap_or(line).trim_ascii_start();
    let line = line.strip_prefix(b"[").filter(|rest| rest.starts_with(b"{")).unwrap_or(line);
    let line = line.trim_ascii_end();
    let line = line.strip_suffix(b",").unwrap_or(line);
    (line.starts_with(b"{") && line.contains(&b'"')).then_some(line)
}

/// The entry of an object, if a rule matches it.
pub fn read(rules: &Rules, object: &[u8], line: u64, lines: u64) -> Option<Found> {
    if !is_wanted(rules, object) {
        return None;
    }
    let Fields(mut fields) = serde_json::from_slice(object).ok()?;
    if fields.contains_key("MESSAGE") || fields.contains_key("__CURSOR") {
        let mut record = Record::default();
        fields.iter().for_each(|(name, value)| record.set(name.as_bytes(), value));
        return record.found(rules, line, lines);
    }
    if let Some(message) = fields.remove("msg").filter(|_| fields.contains_key("pri")) {
        return of_dmesg(rules, &fields, message, line, lines);
    }
    let text = ["log", "message", "msg", "line"].iter().find_map(|name| fields.remove(*name))?;
    of_text(rules, &text, line, lines)
}

/// Most entries are of writers without rules: seen without reading the object.
fn is_wanted(rules: &Rules, object: &[u8]) -> bool {
    const NAME: &[u8] = b"\"SYSLOG_IDENTIFIER\"";
    static FINDER: LazyLock<memmem::Finder<'_>> = LazyLock::new(|| memmem::Finder::new(NAME));
    let Some(at) = FINDER.find(object) else { return true };
    let rest = object.get(at + NAME.len()..).unwrap_or_default().trim_ascii_start();
    let value =
        rest.strip_prefix(b":").map(<[u8]>::trim_ascii_start).and_then(|rest| rest.strip_prefix(b"\""));
    let value = value.and_then(|rest| rest.get(..rest.iter().take(256).position(|byte| *byte == b'"')?));
    // Something that is no plain text is looked at.
    value.is_none_or(|value| value.contains(&b'\\') || rules.knows(value))
}

/// `{"pri": 6, "time": 12.345678, "msg": "…"}` of dmesg.
fn of_dmesg(
    rules: &Rules,
    fields: &HashMap<String, Vec<u8>>,
    message: Vec<u8>,
    line: u64,
    lines: u64,
) -> Option<Found> {
    let text = |name: &str| std::str::from_utf8(fields.get(name)?).ok();
    let level = text("pri").and_then(|text| text.parse::<u8>().ok()).map(|priority| priority & 7);
    let boot = text("time").and_then(|text| {
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let micros: u64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
        seconds.trim().parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(micros)
    });
    let matched = rules.matched(b"kernel", &message)?;
    let said = Line { message, identifier: b"kernel".to_vec(), level, boot, ..Line::default() };
    Some(Found::line(matched, line, lines, said))
}

/// A line of text that another program wrapped.
fn of_text(rules: &Rules, text: &[u8], line: u64, lines: u64) -> Option<Found> {
    let text = text.trim_ascii_end();
    let known = |name: &[u8]| rules.knows(name);
    let head = head::read(text, &known);
    let identifier = head.tool.unwrap_or(b"kernel");
    let matched = rules.matched(identifier, head.body)?;
    let said = Line {
        message: head.body.to_vec(),
        identifier: identifier.to_vec(),
        host: head.host.map(<[u8]>::to_vec),
        level: head.level,
        boot: head.boot,
        wall: head.wall,
    };
    Some(Found::line(matched, line, lines, said))
}

/// Where the innermost objects of a text are: begin and end of each.
fn objects(data: &[u8]) -> impl Iterator<Item = (usize, usize)> + '_ {
    let (mut begin, mut quoted, mut escaped) = (None, false, false);
    data.iter().enumerate().filter_map(move |(at, byte)| {
        if quoted {
            quoted = escaped || *byte != b'"';
            escaped = *byte == b'\\' && !escaped;
            return None;
        }
        match byte {
            b'"' => quoted = true,
            b'{' => begin = Some(at),
            b'}' => return begin.take().map(|begin| (begin, at + 1)),
            _ => {}
        }
        None
    })
}

/// Where the last whole object ends.
pub fn last_end(data: &[u8]) -> Option<usize> {
    objects(data).last().map(|(_, end)| end)
}

/// The entries of a chunk of objects that rules match.
pub fn read_all(rules: &Rules, chunk: &Chunk) -> Vec<Found> {
    let (mut line, mut counted) = (chunk.first_line, 0);
    let newlines = |begin: usize, end: usize| {
        let part = chunk.data.get(begin..end).unwrap_or_default();
        u64::try_from(memchr_iter(b'\n', part).count()).unwrap_or(0)
    };
    let read_one = |(begin, end): (usize, usize)| {
        let first = line + newlines(counted, begin);
        let within = newlines(begin, end);
        (line, counted) = (first + within, end);
        read(rules, chunk.data.get(begin..end)?, first, within + 1)
    };
    objects(&chunk.data).filter_map(read_one).collect()
}

/// The fields of an object: text, arrays of byte values, numbers; of several values of a field the first.
struct Fields(HashMap<String, Vec<u8>>);

/// The value of a field.
struct Value(Option<Vec<u8>>);

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
        let mut fields = HashMap::new();
        while let Some(name) = map.next_key::<String>()? {
            if let Value(Some(value)) = map.next_value()? {
                fields.entry(name).or_insert(value);
            }
        }
        Ok(Fields(fields))
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
        Ok(Value(Some(text.as_bytes().to_vec())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value(Some(number.to_string().into_bytes())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value(Some(number.to_string().into_bytes())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value(Some(format!("{number:.6}").into_bytes())))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value(None))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value(None))
    }

    /// Byte values, or several values of which the first counts.
    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Value, A::Error> {
        let mut bytes = Vec::new();
        while let Some(Element(element)) = values.next_element()? {
            match element {
                Ok(byte) => bytes.push(byte),
                Err(value) => {
                    while values.next_element::<IgnoredAny>()?.is_some() {}
                    return Ok(Value(value));
                }
            }
        }
        Ok(Value(Some(bytes)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value(None))
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
                ValueVisitor.visit_seq(values).map(|Value(value)| Element(Err(value)))
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
    }

    #[test]
    fn innermost_objects_are_found() {
        let text = r#"{ "dmesg": [ {"msg": "a } \" {"}, {"msg": "b"} ] }"#;
        let found: Vec<&str> =
            objects(text.as_bytes()).filter_map(|(begin, end)| text.get(begin..end)).collect();
        assert_eq!(found, [r#"{"msg": "a } \" {"}"#, r#"{"msg": "b"}"#]);
        assert_eq!(last_end(text.as_bytes()), Some(46));
    }
}
