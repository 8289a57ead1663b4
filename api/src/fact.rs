//! Fields for text output.

/// A field that is one value or a list of strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fact<'a> {
    /// Its name in the interface.
    pub name: &'static str,
    /// Its label, as the interface has it; `None`: it is not shown by itself.
    pub label: Option<&'static str>,
    /// Its value.
    pub value: FactValue<'a>,
}

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactValue<'a> {
    /// Null.
    Null,
    /// A string.
    Text(&'a str),
    /// A number.
    Number(u64),
    /// True or false.
    Flag(bool),
    /// A list of strings.
    Texts(&'a [String]),
}

impl FactValue<'_> {
    /// A value as text; `None` of null and of lists.
    pub fn single(&self) -> Option<String> {
        match self {
            FactValue::Null | FactValue::Texts(_) => None,
            FactValue::Text(text) => Some((*text).to_owned()),
            FactValue::Number(number) => Some(number.to_string()),
            FactValue::Flag(flag) => Some(flag.to_string()),
        }
    }
}

impl<'a> From<&'a String> for FactValue<'a> {
    fn from(text: &'a String) -> Self {
        FactValue::Text(text)
    }
}

impl From<&u64> for FactValue<'_> {
    fn from(number: &u64) -> Self {
        FactValue::Number(*number)
    }
}

impl From<&bool> for FactValue<'_> {
    fn from(flag: &bool) -> Self {
        FactValue::Flag(*flag)
    }
}

impl<'a> From<&'a Vec<String>> for FactValue<'a> {
    fn from(texts: &'a Vec<String>) -> Self {
        FactValue::Texts(texts)
    }
}

impl<'a, T> From<&'a Option<T>> for FactValue<'a>
where
    &'a T: Into<FactValue<'a>>,
{
    fn from(value: &'a Option<T>) -> Self {
        value.as_ref().map_or(FactValue::Null, Into::into)
    }
}
