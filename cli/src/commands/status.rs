//! `prpt status`: the state of the daemon.

use std::io::Write;

use crate::connection::{connect, Address};
use crate::error::Error;
use crate::format::Printer;

/// Prints what the daemon reads and its counters.
pub fn status<W: Write>(address: &Address, printer: &mut Printer<W>) -> Result<(), Error> {
    let reply = connect(address)?.get_status().call()?;
    printer.status(&reply.status)?;
    Ok(())
}
