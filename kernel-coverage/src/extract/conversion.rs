//! The conversions of a format (Documentation/core-api/printk-formats.rst).

/// A piece of a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part<'f> {
    /// Text as it is.
    Text(&'f str),
    /// A conversion.
    Conversion(Conversion<'f>),
}

/// One conversion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conversion<'f> {
    /// As it stands in the format.
    pub text: &'f str,
    /// Its flags.
    pub flags: &'f str,
    /// Its least width.
    pub width: Option<Size>,
    /// Its precision.
    pub precision: Option<Size>,
    /// Its letter.
    pub letter: char,
    /// For `p`: what stands behind it.
    pub extension: &'f str,
    /// It is as long as a `long long`.
    pub is_long: bool,
}

/// A width or a precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// This many signs.
    Of(usize),
    /// As many as an argument says.
    Argument,
}

impl Conversion<'_> {
    /// How many arguments it takes.
    pub fn arguments(&self) -> usize {
        let is_argument = |size: &Option<Size>| usize::from(*size == Some(Size::Argument));
        1 + is_argument(&self.width) + is_argument(&self.precision)
    }
}

/// The parts of a format. `%%` becomes text.
pub fn parts(format: &str) -> Vec<Part<'_>> {
    let (mut found, mut rest) = (Vec::new(), format);
    while let Some(at) = rest.find('%') {
        let (before, after) = rest.split_at(at);
        found.extend((!before.is_empty()).then_some(Part::Text(before)));
        let (part, length) = match conversion(after) {
            Some(conversion) => (Part::Conversion(conversion.clone()), conversion.text.len()),
            // `%%`, or a sign that converts nothing.
            None => (Part::Text("%"), if after.starts_with("%%") { 2 } else { 1 }),
        };
        found.push(part);
        rest = after.get(length..).unwrap_or_default();
    }
    found.extend((!rest.is_empty()).then_some(Part::Text(rest)));
    found
}

/// The text of a format, without conversions.
pub fn words(format: &str) -> String {
    let text = |part| match part {
        Part::Text(text) => text,
        Part::Conversion(_) => " ",
    };
    parts(format).into_iter().map(text).collect()
}

fn conversion(text: &str) -> Option<Conversion<'_>> {
    let rest = text.strip_prefix('%')?;
    let (flags, rest) = taken(rest, |c| "-+ #0".contains(c));
    let (width, rest) = size(rest);
    let (precision, rest) = match rest.strip_prefix('.') {
        Some(rest) => {
            let (precision, rest) = size(rest);
            (precision.or(Some(Size::Of(0))), rest)
        }
        None => (None, rest),
    };
    let (length, rest) = taken(rest, |c| "hlLzZtjq".contains(c));
    let letter = rest.chars().next().filter(|c| "diouxXcspeEfgG".contains(*c))?;
    let rest = rest.get(1..)?;
    let (extension, rest) = match letter {
        'p' => taken(rest, |c| c.is_ascii_alphanumeric()),
        _ => ("", rest),
    };
    let (extension, rest) = known_extension(extension, rest, text);
    let text = text.get(..text.len() - rest.len())?;
    Some(Conversion { text, flags, width, precision, letter, extension, is_long: length.len() > 1 })
}

/// Letters behind `p` belong to it only as far as the kernel knows them: "%px" and "%pK", but "%pms" is no word.
fn known_extension<'t>(extension: &'t str, rest: &'t str, text: &'t str) -> (&'t str, &'t str) {
    let first = extension.chars().next();
    if first.is_none_or(|first| "SsBRrhbMmIiEUVKNGadDgtCOfxkue".contains(first)) {
        return (extension, rest);
    }
    let length = extension.len() + rest.len();
    ("", text.get(text.len() - length..).unwrap_or(rest))
}

fn taken(text: &str, is_in: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !is_in(c)).unwrap_or(text.len()))
}

fn size(text: &str) -> (Option<Size>, &str) {
    if let Some(rest) = text.strip_prefix('*') {
        return (Some(Size::Argument), rest);
    }
    let (digits, rest) = taken(text, |c| c.is_ascii_digit());
    (digits.parse().ok().map(Size::Of), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_format() {
        let parts = parts("%s: %-8.*s 100%% %#06llx %pISpc.");
        let text = |part: &Part<'static>| match part {
            Part::Text(text) => *text,
            Part::Conversion(conversion) => conversion.text,
        };
        let texts: Vec<&str> = parts.iter().map(text).collect();
        assert_eq!(texts, ["%s", ": ", "%-8.*s", " 100", "%", " ", "%#06llx", " ", "%pISpc", "."]);
        let Some(Part::Conversion(second)) = parts.get(2) else { panic!("{parts:?}") };
        assert_eq!((second.width, second.arguments()), (Some(Size::Of(8)), 2));
    }
}
