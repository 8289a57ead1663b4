//! Trees that lost lines, and device strings that mean harm: less is known, nothing breaks.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fs;
use std::path::Path;

use peripety_blkinfo::{BlkType, DevNumber, Error, Tree};

/// Knuth's linear congruential generator: the same holes in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn text(case: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(case).join("tree.txt");
    fs::read_to_string(path).unwrap()
}

/// Every way to ask. The answers do not matter, that they come does.
fn ask_everything(tree: &Tree, strings: &[&str]) {
    let listed = tree.list().map_or(0, |blocks| blocks.len());
    for string in strings {
        let _ = (tree.block(string), tree.kernel_block(string), tree.identity_of_fs(string));
        let _ = (tree.mount_at(string), tree.holders_of_type(string, BlkType::DmMultipath));
    }
    let _ = (listed, tree.mount_of(DevNumber { major: 8, minor: 0 }), tree.boot_id());
}

#[test]
fn trees_with_holes_are_answered() {
    let mut random = Random(2026);
    for case in ["fs-lvm-multipath", "nvme-tcp", "md-raid", "iscsi", "partitions", "transports"] {
        let text = text(case);
        let lines: Vec<&str> = text.lines().skip(1).collect();
        for holes in 2..12 {
            let kept = lines.iter().filter(|_| random.below(holes) != 0);
            // A hole may take the line of a file of several lines and leave its content: gone as well.
            let mut tree = vec!["# peripety device tree 1"];
            for line in kept {
                let orphan = line.starts_with('\t')
                    && !(tree[tree.len() - 1].ends_with(" =") || tree[tree.len() - 1].starts_with('\t'));
                if !orphan {
                    tree.push(line);
                }
            }
            let tree = Tree::recorded(&tree.join("\n")).unwrap();
            ask_everything(
                &tree,
                &[
                    "sda",
                    "dm-0",
                    "8:0",
                    "2:0:0:0",
                    "nvme0",
                    "ata1.00",
                    "mpathb",
                    "/mnt/d1/x",
                    "LABEL=labroot",
                    "/dev/disk/by-diskseq/1",
                ],
            );
        }
    }
}

#[test]
fn swapped_links_end() {
    // Every link points where another one pointed: cycles, files for directories, devices for classes.
    let mut random = Random(7);
    for case in ["fs-lvm-multipath", "nvme-tcp", "transports"] {
        let text = text(case);
        let targets: Vec<&str> =
            text.lines().filter_map(|line| line.split_once(" -> ")).map(|(_, target)| target).collect();
        for _ in 0..10 {
            let swapped: Vec<String> = text
                .lines()
                .map(|line| match line.split_once(" -> ") {
                    Some((path, _)) => {
                        let target = random.below(targets.len() as u64);
                        format!("{path} -> {}", targets[usize::try_from(target).unwrap()])
                    }
                    None => line.to_owned(),
                })
                .collect();
            ask_everything(
                &Tree::recorded(&swapped.join("\n")).unwrap(),
                &["sda", "dm-0", "mpathb", "nvme0", "/dev/mapper/mpathb"],
            );
        }
    }
}

#[test]
fn strings_that_mean_harm_find_nothing() {
    // `/sys/secret` has everything that a block device has; no string may lead to it.
    let tree = Tree::recorded(concat!(
        "# peripety device tree 1\n/sys/class/block/\n/sys/secret/dev = 8:0\n/sys/secret/size = 1\n",
        "/sys/devices/x/secret/dev = 8:0\n/proc/self/mountinfo =\n"
    ))
    .unwrap();
    let long = "a".repeat(5000);
    let harmful = [
        "",
        " ",
        "[]",
        ".",
        "..",
        "../..",
        "../../secret",
        "../../devices/x/secret",
        "sda/../../secret",
        "\0",
        "sda\0",
        "8:0/../../..",
        "/dev/../sys/secret",
        "/dev/../../sys/devices/x/secret",
        "/sys/block/../secret",
        "/sys/secret",
        "/sys/devices/x/secret",
        "/sys/..",
        "/dev/",
        "/",
        "//",
        "/..",
        "nvme0/../..",
        "ata0/../..",
        "2:0:0:0/..",
        "+scsi:../../..",
        "c1:1/../../..",
        "b8:0/..",
        "UUID=",
        "LABEL=",
        "\u{feff}",
        "\x1b[31m",
        "dm-0-",
        "-8",
        "[[sda]]",
        "ata99999999999999.99",
        "4294967296:0",
        long.as_str(),
    ];
    for string in harmful {
        assert!(
            matches!(tree.block(string), Err(Error::NotFound { .. })),
            "{string:?}: {:?}",
            tree.block(string)
        );
        assert!(matches!(tree.kernel_block(string), Err(Error::NotFound { .. })), "{string:?}");
    }
}
