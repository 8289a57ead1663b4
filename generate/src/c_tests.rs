//! What the C library's tests do with every field.

use crate::c::getters;
use crate::interface::{Field, FieldType};
use crate::library::{Library, LibraryField, Structure};
use crate::text::singular;
use crate::NOTICE;

/// Prints the fields of a block that are one value, in the words of the fixtures.
pub fn dump(library: &Library) -> String {
    let mut code = head();
    for structure in library.structures.iter().filter(|structure| structure.prefix == "block") {
        code += "\nstatic void print_fields(const peripety_block *block) {\n";
        for field in structure.in_text_order() {
            let name = &field.name;
            let get = format!("peripety_block_{name}");
            code += &match field.kind {
                FieldType::Number => format!("    NUMBER(\"{name}\", {get});\n"),
                FieldType::Flag => format!("    FLAG(\"{name}\", {get});\n"),
                FieldType::DevNumber => format!("    DEV_NUMBER(\"{name}\", {get});\n"),
                FieldType::BlkType => {
                    format!("    text(\"{name}\", peripety_blk_type_name({get}(block)));\n")
                }
                _ => format!("    text(\"{name}\", {get}(block));\n"),
            };
        }
        code += "}\n";
        let lists = structure.lists_in_text_order();
        let (first, others) = lists.split_at(1.min(lists.len()));
        code += &print_lists("print_first_list", first);
        code += &print_lists("print_other_lists", others);
    }
    code
}

fn print_lists(function: &str, lists: &[&Field]) -> String {
    let mut code = format!("\nstatic void {function}(const peripety_block *block) {{\n");
    for field in lists {
        let name = singular(&field.name);
        code += &format!(
            "    for (size_t i = 0; i < peripety_block_{name}_count(block); i++)\n        text(\"{name}\", peripety_block_{name}(block, i));\n"
        );
    }
    code + "}\n"
}

/// Calls every getter with NULL, as handle and as the place for the answer.
pub fn nulls(library: &Library) -> String {
    let mut code = head();
    for structure in &library.structures {
        code += &format!(
            "\nstatic void null_{0}(const peripety_{0} *{0}) {{\n    (void){0};\n",
            structure.prefix
        );
        for member in &structure.members {
            code += &checks(structure, member);
        }
        code += "}\n";
    }
    code
}

fn head() -> String {
    format!("/* SPDX-License-Identifier: MIT OR Apache-2.0 */\n/* {NOTICE} */\n")
}

fn checks(structure: &Structure, member: &LibraryField) -> String {
    let handle = structure.prefix;
    let field = &member.field;
    let names: Vec<String> = getters(structure, field).into_iter().map(|getter| getter.name).collect();
    let name = |place: usize| names.get(place).map_or("", String::as_str);
    match &field.kind {
        FieldType::Number => value("NULL_NUMBER", name(0), handle),
        FieldType::Flag => value("NULL_FLAG", name(0), handle),
        FieldType::DevNumber => value("NULL_DEV_NUMBER", name(0), handle),
        FieldType::BlkType => format!("    CHECK({}(NULL) == PERIPETY_BLK_TYPE_OTHER);\n", name(0)),
        FieldType::Text => format!("    CHECK({}(NULL) == NULL);\n", name(0)),
        FieldType::Map => format!(
            "    CHECK({}(NULL) == 0 && {}(NULL, 0) == NULL);\n    CHECK({}(NULL, 0) == NULL);\n\
             \x20   CHECK({3}(NULL, \"x\") == NULL && {3}({handle}, NULL) == NULL);\n",
            name(0),
            name(1),
            name(2),
            name(3)
        ),
        _ => format!("    CHECK({}(NULL) == 0 && {}(NULL, 0) == NULL);\n", name(0), name(1)),
    }
}

fn value(check: &str, getter: &str, handle: &str) -> String {
    format!("    {check}({getter}, {handle});\n")
}
