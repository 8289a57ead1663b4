//! The files that are generated, in whole or in part.

use crate::interface::Interface;
use crate::library::Library;
use crate::{c, c_tests, man, python, rust, tables};

/// Text that is generated.
pub struct Generated {
    /// The file, below the project's directory.
    pub file: &'static str,
    /// The lines that enclose it; `None`: it is the whole file.
    pub between: Option<(&'static str, &'static str)>,
    /// The text.
    pub text: String,
}

impl Generated {
    /// What the file should hold, when it holds `found` now.
    ///
    /// # Errors
    /// The lines are missing between which the text belongs.
    pub fn applied(&self, found: &str) -> Result<String, String> {
        let Some((begin, end)) = self.between else {
            return Ok(self.text.clone());
        };
        let missing = |line: &str| format!("{} has no line {line:?}", self.file);
        let (before, rest) = found.split_once(&format!("{begin}\n")).ok_or_else(|| missing(begin))?;
        let (_, after) = rest.split_once(end).ok_or_else(|| missing(end))?;
        Ok(format!("{before}{begin}\n{}{end}{after}", self.text))
    }
}

/// Everything that is generated from the text of the interface.
///
/// # Errors
/// The text is no interface, or defines what no code is generated for.
pub fn outputs(interface: &str) -> Result<Vec<Generated>, String> {
    let interface = Interface::parse(interface)?;
    let library = Library::of(&interface)?;
    let whole = |file, text| Generated { file, between: None, text };
    let part = |file, begin, end, text| Generated { file, between: Some((begin, end)), text };
    let mut outputs = vec![
        whole("blkinfo/src/info/fields.rs", rust::structures(&library)),
        whole("blkinfo/c/src/fields.rs", c::handles(&library)),
        whole("blkinfo/c/tests/print_fields.h", c_tests::dump(&library)),
        whole("blkinfo/c/tests/null_fields.h", c_tests::nulls(&library)),
        whole("blkinfo/python/peripety/_fields.py", python::fields(&library)),
        part(
            "docs/libperipety.3",
            ".\\\" Getters: generated from io.peripety.varlink by `make generate`, do not edit.",
            ".\\\" End of the getters.",
            man::functions(&library),
        ),
        part(
            "docs/devices.md",
            "<!-- fields: generated from io.peripety.varlink by make generate, do not edit -->",
            "<!-- end of fields -->",
            tables::blocks(&library),
        ),
        part(
            "docs/events.md",
            "<!-- fields: generated from io.peripety.varlink by make generate, do not edit -->",
            "<!-- end of fields -->",
            tables::events(&interface)?,
        ),
    ];
    let markers = [
        (
            "/* Getters of an owner: generated from io.peripety.varlink by `make generate`, do not edit. */",
            "/* End of the getters of an owner. */",
        ),
        (
            "/* Getters of a path: generated from io.peripety.varlink by `make generate`, do not edit. */",
            "/* End of the getters of a path. */",
        ),
        (
            "/* Getters of a block: generated from io.peripety.varlink by `make generate`, do not edit. */",
            "/* End of the getters of a block. */",
        ),
    ];
    for (structure, (begin, end)) in library.structures.iter().zip(markers) {
        for member in &structure.members {
            if let Some(fault) = c::unknown(structure, &member.field) {
                return Err(fault);
            }
        }
        outputs.push(part("blkinfo/c/include/peripety.h", begin, end, c::header(structure)));
    }
    Ok(outputs)
}
