//! An interface: its types, and what is written about them.

use varlink_parser::{VStruct, VStructOrEnum, VType, VTypeExt, IDL};

use crate::comments::Comments;

/// An interface with the comments of its members.
pub struct Interface<'a> {
    /// What the parser found.
    pub idl: IDL<'a>,
    /// The comments of members.
    pub comments: Comments,
}

/// A member of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: FieldType,
    /// It may be null.
    pub nullable: bool,
    /// What it means, with the line breaks of the interface.
    pub comment: String,
    /// What it is called in texts for people; `None`: it is not shown there as a value of its own.
    pub label: Option<String>,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// A string.
    Text,
    /// A number that is not negative.
    Number,
    /// True or false.
    Flag,
    /// A list of strings.
    Texts,
    /// A list of numbers.
    Numbers,
    /// Strings by name.
    Map,
    /// A structure or an enumeration of that name.
    Named(String),
    /// A list of structures of that name.
    Structures(String),
    /// A device number, which is a string in the interface.
    DevNumber,
    /// A kind of block device, which is a string in the interface.
    BlkType,
}

impl<'a> Interface<'a> {
    /// # Errors
    /// The text is no interface, with the place.
    pub fn parse(text: &'a str) -> Result<Self, String> {
        let idl = IDL::try_from(text).map_err(|error| error.to_string())?;
        Ok(Self { idl, comments: Comments::of(text) })
    }

    /// The comment of a type, with its line breaks.
    ///
    /// # Errors
    /// There is no such type.
    pub fn comment(&self, type_name: &str) -> Result<String, String> {
        let typedef = self.idl.typedefs.get(type_name).ok_or_else(|| missing(type_name))?;
        let lines = typedef.doc.lines().map(|line| line.trim().trim_start_matches('#').trim());
        Ok(lines.collect::<Vec<_>>().join("\n"))
    }

    /// The fields of a structure, in their order.
    ///
    /// # Errors
    /// There is no such structure, or it has a member for which no code is generated.
    pub fn fields(&self, type_name: &str) -> Result<Vec<Field>, String> {
        let Some(VStructOrEnum::VStruct(members)) =
            self.idl.typedefs.get(type_name).map(|typedef| &typedef.elt)
        else {
            return Err(missing(type_name));
        };
        self.fields_of(type_name, members)
    }

    fn fields_of(&self, type_name: &str, members: &VStruct<'_>) -> Result<Vec<Field>, String> {
        let field = |member: &varlink_parser::Argument<'_>| {
            let name = member.name;
            let (kind, nullable) = kind(&member.vtype).ok_or_else(|| {
                format!(
                    "{type_name}.{name}: no code is generated for its type, see generate/src/interface.rs"
                )
            })?;
            let comment = self.comments.member(type_name, name).to_owned();
            if comment.is_empty() {
                return Err(format!(
                    "{type_name}.{name} has no comment, which is its documentation everywhere"
                ));
            }
            if comment.matches('"').count() % 2 == 1 {
                return Err(format!("the comment of {type_name}.{name} has a quotation mark too many"));
            }
            let label = self.comments.label(type_name, name).map(str::to_owned);
            Ok(Field { name: name.to_owned(), kind, nullable, comment, label })
        };
        members.elts.iter().map(field).collect()
    }
}

fn missing(type_name: &str) -> String {
    format!("the interface has no structure {type_name}")
}

/// The type of a field, and whether it is nullable. Nullable types cannot be nested in other types.
fn kind(vtype: &VTypeExt<'_>) -> Option<(FieldType, bool)> {
    let plain = |of: &VTypeExt<'_>| match of {
        VTypeExt::Plain(VType::String) => Some(FieldType::Text),
        VTypeExt::Plain(VType::Int) => Some(FieldType::Number),
        VTypeExt::Plain(VType::Bool) => Some(FieldType::Flag),
        VTypeExt::Plain(VType::Typename(name)) => Some(FieldType::Named((*name).to_owned())),
        _ => None,
    };
    Some(match vtype {
        VTypeExt::Option(of) => (plain(of)?, true),
        VTypeExt::Array(of) => match plain(of)? {
            FieldType::Text => (FieldType::Texts, false),
            FieldType::Number => (FieldType::Numbers, false),
            FieldType::Named(name) => (FieldType::Structures(name), false),
            _ => return None,
        },
        VTypeExt::Dict(of) if plain(of)? == FieldType::Text => (FieldType::Map, false),
        VTypeExt::Dict(_) => return None,
        plain_type => (plain(plain_type)?, false),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn fields(members: &str) -> Result<Vec<Field>, String> {
        let text = format!("interface a.b\n\n# A type.\ntype T (\n{members}\n)\n");
        Interface::parse(&text)?.fields("T")
    }

    #[test]
    fn types_of_fields() {
        let found = fields(
            "  # A text.\n  # Label: Text\n  a: ?string,\n  # A list.\n  b: []int,\n  # Others.\n  c: []T",
        )
        .unwrap();
        let kinds: Vec<(&FieldType, bool)> =
            found.iter().map(|field| (&field.kind, field.nullable)).collect();
        let structures = FieldType::Structures("T".to_owned());
        assert_eq!(kinds, [(&FieldType::Text, true), (&FieldType::Numbers, false), (&structures, false)]);
        assert_eq!((found[0].label.as_deref(), found[0].comment.as_str()), (Some("Text"), "A text."));
    }

    #[test]
    fn what_is_missing_is_an_error_that_names_the_field() {
        for (members, message) in [
            ("  a: string", "T.a has no comment"),
            ("  # Like \"x.\n  a: string", "the comment of T.a has a quotation mark too many"),
            ("  # A float.\n  a: float", "T.a: no code is generated for its type"),
            ("  # A list.\n  a: ?[]string", "T.a: no code is generated for its type"),
        ] {
            let error = fields(members).unwrap_err();
            assert!(error.starts_with(message), "{error}");
        }
        assert!(Interface::parse("type").is_err());
    }
}
