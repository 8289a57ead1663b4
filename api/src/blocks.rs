//! Questions about block devices. Of the running machine, multipathd is asked about the paths of maps; events never wait
//! for it.

use peripety_blkinfo::{BlockInfo, Error, Multipathd, Topology, Tree};

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
