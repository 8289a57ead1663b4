//! The structures of the library of block devices: those of the interface, in the form in which the library has them.

use crate::interface::{Field, FieldType, Interface};

/// What the library has beside the fields of the interface.
const OWN: &str = include_str!("../library.varlink");

/// Fields of `BlockInfo` that have another form in the library than on the wire: what they are there.
const OTHER_FORMS: [(&str, Form); 5] = [
    ("major_minor", Form::Type(FieldType::DevNumber)),
    ("blk_type", Form::Type(FieldType::BlkType)),
    ("owners_wwids", Form::Method),
    ("owners_paths", Form::Method),
    ("size", Form::Name("size_bytes")),
];

enum Form {
    /// Another type.
    Type(FieldType),
    /// Another name.
    Name(&'static str),
    /// A method that computes it from `owners`.
    Method,
}

/// The structures, those first that others contain.
pub struct Library {
    /// `Owner`, `Path` and `BlockInfo`.
    pub structures: [Structure; 3],
}

/// A structure.
pub struct Structure {
    /// Its name in Rust and Python.
    pub name: &'static str,
    /// What its functions in C begin with, behind `peripety_`.
    pub prefix: &'static str,
    /// Its name in the interface; `None`: it is not there.
    pub wire_name: Option<&'static str>,
    /// What it is.
    pub comment: String,
    /// What it holds.
    pub members: Vec<LibraryField>,
}

/// A field of the library.
#[derive(Clone)]
pub struct LibraryField {
    /// The field.
    pub field: Field,
    /// Its name in the interface; `None`: it is not there.
    pub wire_name: Option<String>,
    /// It is a method that computes the value.
    pub is_method: bool,
}

impl Structure {
    /// What is stored in the structure.
    pub fn stored(&self) -> impl Iterator<Item = &Field> {
        self.members.iter().filter(|member| !member.is_method).map(|member| &member.field)
    }

    /// Fields of one value or a list of strings, in the order in which the library's text has them: what names the
    /// device; what it is like; since when it is there.
    pub fn in_text_order(&self) -> Vec<&Field> {
        let single = |field: &&Field| {
            matches!(
                field.kind,
                FieldType::Text
                    | FieldType::Number
                    | FieldType::Flag
                    | FieldType::DevNumber
                    | FieldType::BlkType
            )
        };
        let mut fields: Vec<&Field> = self.stored().filter(single).collect();
        fields.sort_by_key(|field| match field.name.as_str() {
            "kdev" | "major_minor" | "address" | "dev_path" | "blk_type" | "dev_wwid" => 0,
            "present_since" => 2,
            "diskseq" => 3,
            _ => 1,
        });
        fields
    }
}

impl Structure {
    /// Lists of strings, in the order in which the library's text has them: mount points, then the others.
    pub fn lists_in_text_order(&self) -> Vec<&Field> {
        let mut fields: Vec<&Field> = self.stored().filter(|field| field.kind == FieldType::Texts).collect();
        fields.sort_by_key(|field| field.name != "mount_points");
        fields
    }
}

impl Library {
    /// # Errors
    /// The interface has no block devices, or of another form than the library knows.
    pub fn of(interface: &Interface<'_>) -> Result<Self, String> {
        let own = Interface::parse(OWN)?;
        let owner = Structure {
            name: "Owner",
            prefix: "owner",
            wire_name: None,
            comment: own.comment("Owner")?,
            members: own.fields("Owner")?.into_iter().map(LibraryField::own).collect(),
        };
        let path = Structure {
            name: "Path",
            prefix: "path",
            wire_name: Some("BlockPath"),
            comment: interface.comment("BlockPath")?,
            members: interface.fields("BlockPath")?.into_iter().map(LibraryField::shared).collect(),
        };
        let block = Structure {
            name: "BlockInfo",
            prefix: "block",
            wire_name: Some("BlockInfo"),
            comment: interface.comment("BlockInfo")?,
            members: block_members(interface, &own)?,
        };
        Ok(Self { structures: [owner, path, block] })
    }
}

/// Those of the interface in their order, `owners` before what is computed from it; then what only the library has.
fn block_members(interface: &Interface<'_>, own: &Interface<'_>) -> Result<Vec<LibraryField>, String> {
    let mut own: Vec<LibraryField> = own.fields("BlockInfo")?.into_iter().map(LibraryField::own).collect();
    let mut members = Vec::new();
    for field in interface.fields("BlockInfo")? {
        let form = OTHER_FORMS.iter().find(|(name, _)| *name == field.name).map(|(_, form)| form);
        let mut member = LibraryField::shared(field);
        match form {
            Some(Form::Type(kind)) => member.field.kind = kind.clone(),
            Some(Form::Name(name)) => member.field.name = (*name).to_owned(),
            Some(Form::Method) => member.is_method = true,
            None => {}
        }
        if member.is_method {
            members.extend(own.iter().position(|own| own.field.name == "owners").map(|at| own.remove(at)));
        }
        members.push(member);
    }
    members.append(&mut own);
    Ok(members)
}

impl LibraryField {
    fn own(field: Field) -> Self {
        Self { field, wire_name: None, is_method: false }
    }

    /// Of the interface. The library's name of a path is shorter.
    fn shared(mut field: Field) -> Self {
        let wire_name = Some(field.name.clone());
        if field.kind == FieldType::Structures("BlockPath".to_owned()) {
            field.kind = FieldType::Structures("Path".to_owned());
        }
        Self { field, wire_name, is_method: false }
    }
}
