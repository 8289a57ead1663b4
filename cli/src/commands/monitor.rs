//! `prpt monitor`: events as they happen.

use std::io::Write;

use crate::api::VarlinkClientInterface;
use crate::args::MonitorArgs;
use crate::complain;
use crate::connection::{connect, Address};
use crate::error::Error;
use crate::format::Printer;
use crate::stdout;

/// Prints events until `--limit` is reached, the reader of the output leaves, or Ctrl-C.
pub fn monitor<W: Write>(
    args: &MonitorArgs,
    address: &Address,
    printer: &mut Printer<W>,
) -> Result<(), Error> {
    let filter = args.events.filter(None, address);
    let mut call = connect(address)?.monitor(filter, args.events.since, args.events.limit);
    stdout::exit_when_reader_leaves();
    for reply in call.more()? {
        let reply = reply?;
        if let Some(event) = reply.event {
            printer.event(&event)?;
            printer.flush()?;
        }
        if let Some(lost) = reply.lost.filter(|lost| *lost > 0) {
            complain(&lost_warning(lost));
        }
    }
    Ok(())
}

fn lost_warning(lost: i64) -> String {
    let what = if lost == 1 { "1 event was".to_owned() } else { format!("{lost} events were") };
    format!(
        "warning: {what} lost: they came faster than the output was read, and the journal does not \
         hold them. Ask for fewer, for example with --severity."
    )
}
