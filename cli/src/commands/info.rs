//! `prpt info`: one block device.

use std::io::Write;

use crate::api::VarlinkClientInterface;
use crate::args::InfoArgs;
use crate::connection::{connect, Address};
use crate::device;
use crate::error::Error;
use crate::format::Printer;

/// Prints what the device is, what it is built from and where it is mounted.
pub fn info<W: Write>(args: &InfoArgs, address: &Address, printer: &mut Printer<W>) -> Result<(), Error> {
    let blk = device::resolve(&args.blk, address);
    let reply = connect(address)?.get_block_info(blk).call()?;
    printer.info(&reply.info)?;
    Ok(())
}
