//! `prpt list`: all block devices.

use std::io::Write;

use crate::api::VarlinkClientInterface;
use crate::connection::{connect, Address};
use crate::error::Error;
use crate::format::Printer;

/// Prints a table of the block devices, in the daemon's order.
pub fn list<W: Write>(address: &Address, printer: &mut Printer<W>) -> Result<(), Error> {
    let reply = connect(address)?.list_block_info().call()?;
    printer.list(&reply.infos)?;
    Ok(())
}
