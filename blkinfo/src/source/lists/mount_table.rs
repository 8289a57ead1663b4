//! The mount table and the list of swap, as the kernel writes them (proc(5)).

use std::fmt::Write;

use super::devices::ListedDevices;
use super::note::MountPoint;
use crate::name::DevNumber;

/// Both tables.
#[derive(Debug, Default)]
pub struct Tables {
    /// /proc/self/mountinfo.
    pub mounts: String,
    /// /proc/swaps.
    pub swaps: String,
}

/// The tables of all devices. One without a number is found by its node, which is what was mounted.
pub fn of(devices: &ListedDevices, number: impl Fn(&str) -> Option<DevNumber>) -> Tables {
    let mut tables = Tables { swaps: "Filename Type Size Used Priority\n".to_owned(), ..Tables::default() };
    let mut id = 0_u32;
    for (kname, seen) in devices.iter() {
        let number = number(kname).unwrap_or(DevNumber { major: 0, minor: 0 });
        let node = escaped(&format!("/dev/{kname}"));
        for MountPoint { point, fs_type, root } in &seen.mounted {
            // Writing to a string cannot fail.
            if point == "[SWAP]" {
                let _ = writeln!(tables.swaps, "{node} partition 0 0 0");
                continue;
            }
            id = id.wrapping_add(1);
            let [point, fs_type, root] = [point, fs_type, root].map(|text| escaped(text));
            let _ = writeln!(tables.mounts, "{id} 0 {number} {root} {point} rw - {fs_type} {node} rw");
        }
    }
    tables
}

/// White space and backslash in octal (fs/proc_namespace.c, mangle).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ' ' => escaped.push_str("\\040"),
            '\t' => escaped.push_str("\\011"),
            '\n' => escaped.push_str("\\012"),
            '\\' => escaped.push_str("\\134"),
            c => escaped.push(c),
        }
    }
    escaped
}
