//! Questions about block devices. Of the running machine, multipathd is asked about the paths of maps; events never wait
//! for it.

use std::collections::BTreeMap;

use peripety_blkinfo::{BlkType, BlockInfo, DevNumber, Error, Extension, Multipathd, Path, Topology, Tree};

use crate::BlockPath;

/// One device.
pub fn block(tree: &Tree, device: &str) -> Result<BlockInfo, Error> {
    let mut block = tree.block(device)?;
    if tree.is_live() {
        Multipathd::default().complete([&mut block]);
    }
    Ok(block)
}

/// All devices.
pub fn list(tree: &Tree) -> Result<Vec<BlockInfo>, Error> {
    let mut blocks = tree.list()?;
    if tree.is_live() {
        Multipathd::default().complete(&mut blocks);
    }
    Ok(blocks)
}

/// One device with all that is below and above it.
pub fn topology(tree: &Tree, device: &str) -> Result<Topology, Error> {
    let mut topology = tree.topology(device)?;
    if tree.is_live() {
        Multipathd::default().complete_topology(&mut topology);
    }
    Ok(topology)
}

/// From a value of the library to that of the interface. `build/blocks.rs` makes the conversions of whole structures.
pub(crate) trait ToWire<T> {
    fn to_wire(self) -> T;
}

impl ToWire<String> for String {
    fn to_wire(self) -> String {
        self
    }
}

impl ToWire<String> for &str {
    fn to_wire(self) -> String {
        self.to_owned()
    }
}

impl ToWire<String> for DevNumber {
    fn to_wire(self) -> String {
        self.to_string()
    }
}

impl ToWire<String> for BlkType {
    fn to_wire(self) -> String {
        self.to_string()
    }
}

impl ToWire<u64> for u64 {
    fn to_wire(self) -> u64 {
        self
    }
}

impl ToWire<bool> for bool {
    fn to_wire(self) -> bool {
        self
    }
}

impl ToWire<BTreeMap<String, String>> for Extension {
    fn to_wire(self) -> BTreeMap<String, String> {
        self.into_iter().collect()
    }
}

impl ToWire<BlockPath> for Path {
    fn to_wire(self) -> BlockPath {
        self.into()
    }
}

impl<T: ToWire<U>, U> ToWire<Option<U>> for Option<T> {
    fn to_wire(self) -> Option<U> {
        self.map(ToWire::to_wire)
    }
}

impl<T: ToWire<U>, U> ToWire<Vec<U>> for Vec<T> {
    fn to_wire(self) -> Vec<U> {
        self.into_iter().map(ToWire::to_wire).collect()
    }
}
