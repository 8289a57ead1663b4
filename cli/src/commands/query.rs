//! `prpt query`: stored events.

use std::io::{self, IsTerminal, Write};

use peripety_api::Order;

use crate::args::QueryArgs;
use crate::connection::{connect, Address};
use crate::error::Error;
use crate::format::Printer;

/// Prints every stored event that the filter lets through, each batch as it arrives.
pub fn query<W: Write>(args: &QueryArgs, address: &Address, printer: &mut Printer<W>) -> Result<(), Error> {
    let filter = args.events.filter(args.event_id.clone(), address);
    let order = args.reverse.then_some(Order::NewestFirst);
    let mut call = connect(address)?.query(filter, args.events.limit, order, None);
    let mut found = false;
    for reply in call.more()? {
        for event in reply?.events {
            found = true;
            printer.event(&event)?;
        }
        printer.flush()?;
    }
    if !found {
        say_that_nothing_was_found();
    }
    Ok(())
}

/// For people only: a script sees no output and exit code 0.
fn say_that_nothing_was_found() {
    let mut stderr = io::stderr();
    if stderr.is_terminal() {
        _ = writeln!(stderr, "-- No entries --");
    }
}
