//! Device trees that were mutilated: a fixture with lines that are missing, mixed up, cut or overwritten, or any text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use peripety_blkinfo::{Recorded, Tree};
use peripety_fuzz::{ask, Bytes, FIXTURES};

/// Changes to one tree.
const MAX_FILES: usize = 24;
/// Devices of it that are asked about.
const ASKED: usize = 3;

fuzz_target!(|data: &[u8]| {
    let mut bytes = Bytes(data);
    let text = match usize::from(bytes.byte()) {
        255 => String::from_utf8_lossy(bytes.0).into_owned(),
        number => mutilated(FIXTURES[number % FIXTURES.len()], &mut bytes),
    };
    let Ok(recorded) = Recorded::parse(&text) else { return };
    assert_eq!(Recorded::parse(&recorded.to_text()).expect("what was written"), recorded);
    let tree = Tree::new(recorded);
    let blocks = tree.list_all().unwrap_or_default();
    for _ in 0..ASKED.min(blocks.len()) {
        let block = &blocks[bytes.below(blocks.len())];
        ask(&tree, &block.kdev);
        for name in
            block.dev_wwid.iter().chain(&block.serial).chain(&block.fs_uuid).chain(block.mount_points.first())
        {
            let _ = tree.block(name);
        }
    }
});

fn mutilated(fixture: &str, bytes: &mut Bytes<'_>) -> String {
    let mut lines: Vec<String> = fixture.lines().map(str::to_owned).collect();
    for _ in 0..MAX_FILES {
        if bytes.0.is_empty() {
            break;
        }
        let kind = bytes.byte();
        // The first line says what the text is.
        let (at, other) = (1 + bytes.below(lines.len() - 1), 1 + bytes.below(lines.len() - 1));
        match kind % 6 {
            0 => drop(lines.remove(at)),
            1 => lines[at] = mixed(&lines[at], &lines[other], " -> "),
            2 => lines[at] = mixed(&lines[at], &lines[other], " = "),
            3 => lines[at] = mixed(&lines[other], &lines[at], " "),
            4 => overwrite(&mut lines[at], bytes),
            _ => lines.swap(at, other),
        }
        if lines.len() < 3 {
            break;
        }
    }
    lines.join("\n") + "\n"
}

/// The path of one line with the value of another.
fn mixed(path: &str, value: &str, between: &str) -> String {
    match (path.split_once(between), value.split_once(between)) {
        (Some((path, _)), Some((_, value))) => format!("{path}{between}{value}"),
        _ => path.to_owned(),
    }
}

fn overwrite(line: &mut String, bytes: &mut Bytes<'_>) {
    let length = bytes.below(24);
    let (new, rest) = bytes.0.split_at(length.min(bytes.0.len()));
    bytes.0 = rest;
    let start = line.char_indices().map(|(at, _)| at).nth(line.chars().count() / 2).unwrap_or(0);
    line.replace_range(start.., &String::from_utf8_lossy(new).replace('\n', " "));
}
