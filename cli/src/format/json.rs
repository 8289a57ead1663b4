//! JSON: the Varlink object as it was received, keys in the order of `io.peripety.varlink`.

use std::io::{self, Write};

use peripety_api::sanitize::visible_json;
use serde::Serialize;

use crate::args::Format;

/// Record separator, RFC 7464.
const RECORD_SEPARATOR: &str = "\x1e";

/// Writes one value and a line feed.
pub fn write<W: Write, T: Serialize>(out: &mut W, value: &T, format: Format) -> io::Result<()> {
    let text = match format {
        Format::JsonPretty => serde_json::to_string_pretty(value),
        Format::Short | Format::Json | Format::JsonSeq => serde_json::to_string(value),
    }?;
    let before = if format == Format::JsonSeq { RECORD_SEPARATOR } else { "" };
    writeln!(out, "{before}{}", visible_json(&text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::samples;

    fn written(format: Format) -> String {
        let mut out = Vec::new();
        write(&mut out, &samples::event(), format).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn one_line_in_the_order_of_the_interface() {
        let line = written(Format::Json);
        assert_eq!(line.matches('\n').count(), 1);
        assert!(line.ends_with("}\n"));
        let position = |key: &str| line.find(&format!("\"{key}\":")).unwrap();
        let keys = peripety_api::schema::members("StorageEvent");
        assert!(keys.len() > 10, "{keys:?}");
        assert!(keys.windows(2).all(|pair| position(pair[0]) < position(pair[1])), "{line}");
        assert!(position("fs_type") < position("mount_point"), "extension sorted: {line}");
    }

    #[test]
    fn every_format_holds_the_same_value() {
        let expected = serde_json::to_value(samples::event()).unwrap();
        for format in [Format::Json, Format::JsonPretty, Format::JsonSeq] {
            let text = written(format);
            let json = text.trim_start_matches('\x1e');
            assert_eq!(serde_json::from_str::<serde_json::Value>(json).unwrap(), expected);
        }
        assert!(written(Format::JsonSeq).starts_with("\x1e{"));
        assert!(written(Format::JsonPretty).starts_with("{\n  \"hostname\""));
    }
}
