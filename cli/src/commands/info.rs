//! `prpt info`: one block device, with all that is below and above it.

use std::io::Write;

use peripety_api::blocks;
use peripety_blkinfo::{BlockInfo, Tree};

use crate::args::InfoArgs;
use crate::connection::{connect, Address};
use crate::device;
use crate::error::Error;
use crate::format::{Printer, Stack};
use crate::local;

/// Prints a device, what it is built from and what is built on it.
pub fn info<W: Write>(args: &InfoArgs, address: &Address, printer: &mut Printer<W>) -> Result<(), Error> {
    let stack = match local::tree(&args.devices)? {
        Some(tree) => within(&tree, &args.blk)?,
        None => {
            let blk = device::resolve(&args.blk, address);
            let reply = connect(address)?.get_topology(blk).call()?;
            Stack { info: reply.info, below: reply.below, above: reply.above }
        }
    };
    printer.info(&stack)?;
    Ok(())
}

fn within(tree: &Tree, blk: &str) -> Result<Stack, Error> {
    let topology = blocks::topology(tree, blk)?;
    let side = |blocks: Vec<&BlockInfo>| blocks.into_iter().cloned().map(Into::into).collect();
    let (below, above) = (side(topology.all_below()), side(topology.all_above()));
    Ok(Stack { info: topology.block.into(), below, above })
}
