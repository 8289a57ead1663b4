//! What the fuzz targets have in common: recorded trees, questions, the rule of a line.

use std::sync::OnceLock;

use peripety::rules::RuleSet;
use peripety_blkinfo::{BlkType, Error, Tree};

macro_rules! fixtures {
    ($($case:literal)*) => {
        /// The recorded trees of peripety-blkinfo's tests.
        pub const FIXTURES: &[&str] =
            &[$(include_str!(concat!("../../blkinfo/tests/fixtures/", $case, "/tree.txt"))),*];
    };
}

fixtures! {
    "strings" "odd" "stacks" "fc-multipath" "fs-lvm-multipath" "md-raid" "nvme-ana" "nvme-tcp" "iscsi"
    "partitions" "transports" "thin-pool"
}

/// The fixtures as trees.
pub fn trees() -> &'static [Tree] {
    static TREES: OnceLock<Vec<Tree>> = OnceLock::new();
    TREES.get_or_init(|| FIXTURES.iter().map(|text| Tree::recorded(text).expect("a fixture")).collect())
}

/// Asks for a device in every way. An answer is a device that has its name, or says what it may be.
pub fn ask(tree: &Tree, string: &str) {
    for answer in [tree.block(string), tree.kernel_block(string), tree.identity_of_fs(string)] {
        match answer {
            Ok(block) => {
                let again = tree.kernel_block(&block.kdev).expect("a device answers to its kernel name");
                assert_eq!(again.kdev, block.kdev);
            }
            Err(Error::Ambiguous { candidates, .. }) => assert!(candidates.len() > 1),
            Err(Error::NotFound { looked, .. }) => assert!(!looked.is_empty()),
            Err(_) => {}
        }
    }
    let _ = tree.topology(string).map(|topology| (topology.all_below().len(), topology.all_above().len()));
    let _ = tree.mount_at(string);
    let _ = tree.holders_of_type(string, BlkType::DmMultipath);
}

/// The matcher finds the rule that the plain loop finds, and that rule has captures.
pub fn same_rule(set: &RuleSet, identifier: &[u8], line: &[u8]) {
    let fast = set.find(identifier, line).map(|rule| &rule.origin);
    let slow = set.find_slowly(identifier, line).map(|rule| &rule.origin);
    assert_eq!(fast, slow, "{}", String::from_utf8_lossy(line));
    assert_eq!(set.matched(identifier, line).map(|matched| matched.rule.origin.clone()).as_ref(), fast);
}

/// Bytes that are taken one after the other; zeros when there are none left.
pub struct Bytes<'a>(pub &'a [u8]);

impl Bytes<'_> {
    /// The next one.
    pub fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().map_or((0, self.0), |(first, rest)| (*first, rest));
        self.0 = rest;
        first
    }

    /// A number below `limit`, from the next two.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::from(u16::from_le_bytes([self.byte(), self.byte()])) % limit.max(1)
    }
}
