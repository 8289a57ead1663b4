//! The manual page of the C library.

use crate::c::getters;
use crate::library::{Library, Structure};

/// The names of all getters, by what they are about.
pub fn functions(library: &Library) -> String {
    let about = [("block", "A block"), ("owner", "An owner of a block"), ("path", "A path of a block")];
    let mut text = String::new();
    for (prefix, title) in about {
        let structures = library.structures.iter().filter(|structure| structure.prefix == prefix);
        text += &structures.map(|structure| item(title, structure)).collect::<String>();
    }
    text
}

fn item(title: &str, structure: &Structure) -> String {
    let getters = structure.members.iter().flat_map(|member| getters(structure, &member.field));
    let names: Vec<String> = getters.map(|getter| format!(".Fn {}", getter.name)).collect();
    format!(".It {title}\n{}\n", names.join(" ,\n"))
}
