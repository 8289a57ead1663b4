//! The sources of a kernel: files, macros, functions that print.

pub mod conditions;
pub mod files;
pub mod kernel;
pub mod macros;
pub mod near;
pub mod token;
