//! Prints what is known about block devices.
//!
//! `cargo run -p peripety-blkinfo --example blk -- [--tree DIRECTORY-OR-FILE] [DEVICE…]`; all devices by default.

use std::process::ExitCode;

use peripety_blkinfo::{BlockInfo, Error, Tree};

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let tree = match arguments.first().is_some_and(|first| first == "--tree") {
        true => arguments.drain(..arguments.len().min(2)).nth(1).map_or_else(|| Ok(Tree::live()), Tree::open),
        false => Ok(Tree::live()),
    };
    match tree.and_then(|tree| answers(&tree, &arguments)) {
        Ok(blocks) => {
            let texts: Vec<String> = blocks.iter().map(BlockInfo::to_string).collect();
            print!("{}", texts.join("\n"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("blk: {error}");
            ExitCode::FAILURE
        }
    }
}

fn answers(tree: &Tree, devices: &[String]) -> Result<Vec<BlockInfo>, Error> {
    match devices {
        [] => tree.list(),
        devices => devices.iter().map(|device| tree.block(device)).collect(),
    }
}
