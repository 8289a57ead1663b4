//! Recorded device trees, and the answers about the devices in them.
//!
//! A case is a directory in `tests/fixtures`:
//! * `tree.txt`: the tree (the format of `peripety_blkinfo::Recorded`; `tests/lab/snapshot-to-tree.py` makes one);
//! * `queries.txt`: one query per line (see `answer`), `#` begins a comment;
//! * `expected.txt`: the answers. `BLESS=1 cargo test -p peripety-blkinfo` writes it: review the result.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use peripety_blkinfo::{BlkType, BlockInfo, Error, Recorded, Topology, Tree};

use common::unpack::unpack;

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= 12, "fixtures are missing: {cases:?}");
    cases
}

/// The answer to one line of `queries.txt`:
/// `!list` the names of all devices, `!mounts` the mounts on block devices, `!boot` the boot id, `!map KDEV` the
/// multipath map above a device, `!topology STRING` what is below and above it, `!kernel STRING` the strict look-up; anything else is a device string.
fn answer(tree: &Tree, query: &str) -> String {
    match query.split_once(' ').unwrap_or((query, "")) {
        ("!list", _) => tree.list().unwrap().iter().map(|block| format!("{}\n", block.kdev)).collect(),
        ("!mounts", _) => mounts(tree),
        ("!topology", device) => match tree.topology(device) {
            Ok(topology) => stack(&topology),
            Err(error) => format!("error: {error}\n"),
        },
        ("!boot", _) => format!("{}\n", tree.boot_id().unwrap_or_else(|_| "none".to_owned())),
        ("!map", kdev) => match tree.holders_of_type(kdev, BlkType::DmMultipath) {
            Some(map) => format!("{}\n", map.kdev),
            None => "none\n".to_owned(),
        },
        ("!kernel", kdev) => block(tree.kernel_block(kdev)),
        _ => block(tree.block(query)),
    }
}

/// What is above, indented by its distance, then the device, then what is below.
fn stack(topology: &Topology) -> String {
    fn side(side: &[Topology], down: bool, depth: usize, text: &mut String) {
        for device in side {
            let (mark, block) = (if down { "below" } else { "above" }, &device.block);
            writeln!(text, "{:depth$}{mark} {} {}", "", block.kdev, block.blk_type).unwrap();
            side_of(device, down, depth + 2, text);
        }
    }
    fn side_of(device: &Topology, down: bool, depth: usize, text: &mut String) {
        side(if down { &device.below } else { &device.above }, down, depth, text);
    }
    let mut text = format!("{} {}\n", topology.block.kdev, topology.block.blk_type);
    side(&topology.below, true, 2, &mut text);
    side(&topology.above, false, 2, &mut text);
    text
}

fn block(answer: Result<BlockInfo, Error>) -> String {
    answer.map_or_else(|error| format!("error: {error}\n"), |block| block.to_string())
}

fn mounts(tree: &Tree) -> String {
    let mounts = tree.mounts().unwrap_or_default().into_iter().filter(|mount| mount.major_minor.major != 0);
    let line = |m: peripety_blkinfo::Mount| {
        format!("{} {} {} {} {}\n", m.major_minor, m.root, m.mount_point, m.fs_type, m.source)
    };
    mounts.map(line).collect()
}

fn answers(tree: &Tree, case: &Path) -> String {
    let mut text = String::new();
    let queries = fs::read_to_string(case.join("queries.txt")).unwrap();
    for query in queries.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        writeln!(text, "> {query}\n{}", answer(tree, query)).unwrap();
    }
    text
}

/// Shows the first line that differs.
fn compare(case: &str, answers: &str, expected: &str) {
    for (number, (answer, expected)) in (1..).zip(answers.lines().zip(expected.lines())) {
        assert_eq!(answer, expected, "{case}, expected.txt line {number}");
    }
    assert_eq!(answers.len(), expected.len(), "{case}: one has more lines");
}

#[test]
fn every_case_answers_as_expected() {
    for case in cases() {
        let answers = answers(&Tree::open(case.join("tree.txt")).unwrap(), &case);
        let file = case.join("expected.txt");
        if env::var_os("BLESS").is_some() {
            fs::write(&file, &answers).unwrap();
        }
        let expected = fs::read_to_string(&file).unwrap();
        compare(&case.to_string_lossy(), &answers, &expected);
    }
}

#[test]
fn trees_survive_writing() {
    for case in cases() {
        let tree = Recorded::parse(&fs::read_to_string(case.join("tree.txt")).unwrap()).unwrap();
        assert_eq!(Recorded::parse(&tree.to_text()).unwrap(), tree, "{}", case.display());
    }
}

/// The same tree as files in a directory gives the same answers, and nothing outside of that directory is read.
#[test]
fn directories_answer_as_recordings() {
    for case in cases() {
        let recorded = Recorded::parse(&fs::read_to_string(case.join("tree.txt")).unwrap()).unwrap();
        let name = case.file_name().unwrap().to_str().unwrap().to_owned();
        let root = env::temp_dir().join(format!("blkinfo-tree-{name}-{}", std::process::id()));
        unpack(&recorded, Path::new("/"), &root);
        let tree = Tree::open(&root).unwrap();
        assert!(!tree.is_live());
        let (from_folder, from_text) =
            (answers(&tree, &case), fs::read_to_string(case.join("expected.txt")).unwrap());
        fs::remove_dir_all(&root).unwrap();
        compare(&name, &from_folder, &from_text);
    }
}
