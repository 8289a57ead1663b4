//! Rule files: as people write them (TOML), and packed as part of a program. Start reading at [`spec`].
//!
//! - [`spec`] is the tables of a file, [`phrases`] expands named parts of regexes; [`values`] is what a rule consists of, wherever it was
//!   read from.
//! - [`facts`] holds facts from the parsed form of a regex: how a match can [`begin`], and which text it contains ([`literal`]).
//! - The build script of `peripety-rules` parses the built-in rules once and packs them ([`pack`]). [`book`] reads them without
//!   parsing TOML or regexes.

pub mod begin;
pub mod book;
pub mod error;
pub mod facts;
pub mod literal;
pub mod pack;
mod packed;
pub mod phrases;
pub mod regex;
pub mod spec;
pub mod values;

pub use error::{toml_error, Located, RuleError};
