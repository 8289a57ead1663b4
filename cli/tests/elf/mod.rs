//! What an ELF file says of itself (elf(5)): enough to ask what a program links.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::Path;

/// `p_type` of a segment that is loaded.
const PT_LOAD: u64 = 1;
/// `sh_type` of the symbol table that strip(1) removes.
const SHT_SYMTAB: u64 = 2;
/// `sh_type` of the dynamic section.
const SHT_DYNAMIC: u64 = 6;
/// `d_tag` of a library that is needed.
const DT_NEEDED: u64 = 1;

/// A 64-bit little-endian program.
pub struct Elf(Vec<u8>);

impl Elf {
    /// Reads a file; `None`: it is of another class, which these tests do not know.
    pub fn read(path: &Path) -> Option<Self> {
        let file = std::fs::read(path).unwrap();
        assert_eq!(&file[..4], b"\x7fELF", "{}", path.display());
        (file[4] == 2 && file[5] == 1).then_some(Elf(file))
    }

    fn number(&self, at: usize, bytes: usize) -> u64 {
        self.0[at..at + bytes].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    fn place(&self, at: usize, bytes: usize) -> usize {
        usize::try_from(self.number(at, bytes)).unwrap()
    }

    fn text(&self, at: usize) -> String {
        let bytes = self.0[at..].iter().copied().take_while(|byte| *byte != 0).collect::<Vec<_>>();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Begin, size and linked section of the sections of a type.
    fn sections(&self, wanted: u64) -> Vec<(usize, usize, usize)> {
        let (first, size, count) = (self.place(0x28, 8), self.place(0x3a, 2), self.place(0x3c, 2));
        let headers = (0..count).map(|number| first + number * size);
        let wanted = headers.filter(|header| self.number(header + 4, 4) == wanted);
        wanted
            .map(|at| (self.place(at + 0x18, 8), self.place(at + 0x20, 8), self.place(at + 0x28, 4)))
            .collect()
    }

    /// Where the names of a section stand.
    fn names(&self, section: usize) -> usize {
        self.place(self.place(0x28, 8) + section * self.place(0x3a, 2) + 0x18, 8)
    }

    /// The shared libraries that it needs.
    pub fn needed(&self) -> Vec<String> {
        let mut needed = Vec::new();
        for (begin, size, names) in self.sections(SHT_DYNAMIC) {
            let entries = (begin..begin + size).step_by(16);
            let libraries = entries.filter(|entry| self.number(*entry, 8) == DT_NEEDED);
            needed.extend(libraries.map(|entry| self.text(self.names(names) + self.place(entry + 8, 8))));
        }
        needed
    }

    /// The names of its symbols; none when it is stripped.
    pub fn symbols(&self) -> Vec<String> {
        let mut symbols = Vec::new();
        for (begin, size, names) in self.sections(SHT_SYMTAB) {
            let names = self.names(names);
            symbols.extend((begin..begin + size).step_by(24).map(|at| self.text(names + self.place(at, 4))));
        }
        symbols
    }

    /// Bytes that are loaded of it: what strip(1) leaves, but for some headers.
    pub fn loaded(&self) -> u64 {
        let (first, size, count) = (self.place(0x20, 8), self.place(0x36, 2), self.place(0x38, 2));
        let segments = (0..count).map(|number| first + number * size);
        let loaded = segments.filter(|segment| self.number(*segment, 4) == PT_LOAD);
        loaded.map(|segment| self.number(segment + 0x20, 8)).sum()
    }
}
