//! Generates from `io.peripety.varlink`, the one place where a field of an event or of a block device is defined, with its
//! type and its meaning.
//!
//! The build script of `peripety-api` uses the [`Interface`]. What other packages need is in files of their own, so that a
//! published crate, an installed header and a Python wheel come without a generator: [`outputs`] are these files. The test
//! `up_to_date` compares them, and `make generate` writes them.

mod c;
mod c_tests;
mod comments;
mod interface;
mod library;
mod man;
mod outputs;
mod python;
mod rust;
mod tables;
mod text;

pub use comments::Comments;
pub use interface::{Field, FieldType, Interface};
pub use library::{Library, LibraryField, Structure};
pub use outputs::{outputs, Generated};
pub use varlink_parser;

/// The header of generated text.
const NOTICE: &str = "Generated from io.peripety.varlink by `make generate`: do not edit.";
