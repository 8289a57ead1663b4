//! Makes messages of a format.

use super::{place, values};
use crate::extract::conversion::{parts, Conversion, Part, Size};
use crate::extract::expand::{Printed, Site};
use crate::extract::strings::choices;
use crate::source::kernel::Kernel;
use crate::source::token::{joined, Kind, Token};

/// One message.
pub type Line = String;

/// The message on the first machine, and on the second one if it is another.
pub fn lines(printed: &Printed, site: Site, kernel: &Kernel) -> Vec<Line> {
    let line = |machine| {
        let body = rendered(printed, site, kernel, machine);
        let text = format!("{}{body}{}", printed.head, printed.tail);
        let text = place::named(&text, machine);
        let text = text.replace("{function}", site.function).replace("{line}", &site.line.to_string());
        text.trim_start_matches('\n').trim_end().to_owned()
    };
    let mut lines = vec![line(0), line(1)];
    lines.dedup();
    lines
}

fn rendered(printed: &Printed, site: Site, kernel: &Kernel, machine: usize) -> String {
    let mut arguments = printed.arguments.iter();
    let mut out = String::new();
    for part in parts(&printed.format) {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Conversion(conversion) => {
                for _ in 1..conversion.arguments() {
                    arguments.next();
                }
                let argument = arguments.next().map_or(&[][..], Vec::as_slice);
                let value = value(&conversion, argument, site, kernel, machine);
                out += &padded(&place::named(&value, machine), &conversion);
            }
        }
    }
    out
}

fn value<'a>(
    conversion: &Conversion,
    argument: &[Token<'a>],
    site: Site,
    kernel: &Kernel<'a>,
    machine: usize,
) -> String {
    let name = joined(argument);
    match conversion.letter {
        's' => text(argument, &name, site, kernel, machine),
        'c' => "A".to_owned(),
        'd' | 'i' => values::decimal(site.path, &name, true, machine).to_owned(),
        'u' => values::decimal(site.path, &name, false, machine).to_owned(),
        'x' | 'X' => {
            let digits = values::hexadecimal(site.path, &name, conversion.is_long, machine);
            let digits = if conversion.letter == 'X' { digits.to_uppercase() } else { digits.to_owned() };
            if conversion.flags.contains('#') {
                format!("0x{digits}")
            } else {
                digits
            }
        }
        'o' => "755".to_owned(),
        'p' => values::pointer(site.path, conversion.extension),
        _ => "5".to_owned(),
    }
}

fn text<'a>(argument: &[Token<'a>], name: &str, site: Site, kernel: &Kernel<'a>, machine: usize) -> String {
    if let Some((first, second)) = choices(argument) {
        let choice = if machine == 0 { first } else { second };
        return text(choice, &joined(choice), site, kernel, machine);
    }
    if matches!(name, "__func__" | "__FUNCTION__" | "function" | "func" | "where" | "caller") {
        return "{function}".to_owned();
    }
    let is_constant = argument.iter().any(|token| token.kind == Kind::Text)
        || name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    let constant = kernel.string(argument, site.path, 0).filter(|_| is_constant);
    match constant {
        Some(constant) => constant.text,
        None => values::text(site.path, name, machine),
    }
}

fn padded(value: &str, conversion: &Conversion) -> String {
    let value = match (conversion.letter, conversion.precision) {
        ('s', Some(Size::Of(most))) => value.chars().take(most).collect(),
        _ => value.to_owned(),
    };
    let Some(Size::Of(width)) = conversion.width else { return value };
    let (is_left, is_zero) = (conversion.flags.contains('-'), conversion.flags.contains('0'));
    match conversion.letter {
        'p' => value,
        'd' | 'i' | 'u' | 'x' | 'X' if is_zero && !is_left => {
            let (prefix, digits) = match value.strip_prefix("0x") {
                Some(digits) => ("0x", digits),
                None => ("", value.as_str()),
            };
            format!("{prefix}{digits:0>width$}", width = width.saturating_sub(prefix.len()))
        }
        _ if is_left => format!("{value:<width$}"),
        _ => format!("{value:>width$}"),
    }
}
