//! Answers as data: the JSON of every device of the fixtures that have an `expected.json`, which is an object with an answer
//! for each device string. `BLESS=1 cargo test -p peripety-blkinfo --features serde` writes the answers to the strings that
//! stand there: read what you bless.

#![cfg(feature = "serde")]
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::{env, fs};

use peripety_blkinfo::Tree;
use serde_json::{Map, Value};

#[test]
fn every_answer_as_data() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let cases = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut seen = 0;
    for case in cases.filter(|case| case.join("expected.json").exists()) {
        let tree = Tree::open(case.join("tree.txt")).unwrap();
        let file = case.join("expected.json");
        let expected: Map<String, Value> = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let answer = |string: &String| serde_json::to_value(tree.block(string).unwrap()).unwrap();
        let answers: Map<String, Value> =
            expected.keys().map(|string| (string.clone(), answer(string))).collect();
        if env::var_os("BLESS").is_some() {
            fs::write(&file, serde_json::to_string_pretty(&answers).unwrap() + "\n").unwrap();
            continue;
        }
        for (string, expected) in &expected {
            assert_eq!(answers.get(string), Some(expected), "{string:?} in {}", case.display());
            seen += 1;
        }
    }
    assert!(seen > 0 || env::var_os("BLESS").is_some());
}
