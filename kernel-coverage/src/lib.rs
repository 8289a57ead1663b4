//! Which of the kernel's storage messages the rules recognise: `make kernel-coverage SOURCE=…`.
//!
//! - [`source`] reads the sources of a kernel: tokens, macros, functions that print for others. No compiler is needed.
//! - [`extract`] finds the calls of printing functions, and what they print: level, prefix, format, arguments.
//! - [`lines`] makes concrete messages of a format, on two machines with different devices, as journald and dmesg show them.
//! - [`judge`] runs them through the built-in rules; [`table`] counts the results for each sub-system of [`scope`].
//! - [`verdicts`] are what people decided about formats; [`known`] is what specific rules recognised so far. [`check`] compares.
//! - [`compare`] lists what a newer kernel changes, [`sample`] chooses formats for review.

pub mod check;
pub mod compare;
pub mod extract;
pub mod judge;
pub mod known;
pub mod lines;
pub mod sample;
pub mod scope;
pub mod source;
pub mod table;
pub mod verdicts;
pub mod words;

use std::path::Path;

use extract::calls::Found;
use source::files::Files;
use source::kernel::Kernel;

/// The version of a kernel's sources, and its formats.
///
/// # Errors
/// There are no sources of a kernel, or they cannot be read.
pub fn extracted(root: &Path) -> anyhow::Result<(String, Found)> {
    let files = Files::read(root)?;
    let kernel = Kernel::new(&files);
    let found = extract::calls::formats(&kernel);
    Ok((files.version.clone(), found))
}
