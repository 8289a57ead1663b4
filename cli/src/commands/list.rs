//! `prpt list`: all block devices.

use std::io::Write;

use peripety_api::{blocks, BlockInfo};

use crate::args::ListArgs;
use crate::connection::{connect, Address};
use crate::error::Error;
use crate::format::Printer;
use crate::local;

/// Prints the block devices as trees, or each in full.
pub fn list<W: Write>(args: &ListArgs, address: &Address, printer: &mut Printer<W>) -> Result<(), Error> {
    let infos: Vec<BlockInfo> = match local::tree(&args.devices)? {
        Some(tree) => blocks::list(&tree)?.into_iter().map(Into::into).collect(),
        None => connect(address)?.list_block_info().call()?.infos,
    };
    match args.detail {
        true => printer.details(&infos)?,
        false => printer.list(&infos)?,
    }
    Ok(())
}
