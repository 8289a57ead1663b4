//! Finds the calls of printing functions, and the format, level and prefix of each message.

pub mod calls;
pub mod conversion;
pub mod expand;
pub mod printers;
pub mod strings;
