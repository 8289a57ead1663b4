//! `prpt monitor`: events as they happen.

use std::io::Write;
use std::time::Duration;

use peripety_api::{Filter, StorageEvent};

use crate::args::MonitorArgs;
use crate::complain;
use crate::connection::{connect_to_follow, Address};
use crate::error::Error;
use crate::format::Printer;
use crate::progress::Progress;
use crate::stdout;

/// Pause between two attempts to reach a daemon that was lost.
const RETRY: Duration = Duration::from_secs(1);

/// Prints events until `--limit` is reached, the reader of the output leaves, or Ctrl-C. When the daemon is restarted it
/// connects again.
pub fn monitor<W: Write>(
    args: &MonitorArgs,
    address: &Address,
    printer: &mut Printer<W>,
) -> Result<(), Error> {
    let filter = args.events.filter(None, address);
    stdout::exit_when_reader_leaves();
    let mut monitor = Monitor {
        filter,
        address,
        progress: Progress::new(args.events.since, args.events.limit),
        lost: false,
    };
    loop {
        match monitor.follow(printer) {
            Ok(()) => return Ok(()),
            Err(error) if monitor.progress.has_begun() && error.is_temporary() => monitor.wait(&error),
            Err(Error::NotStored(_)) if monitor.lost && monitor.progress.give_up_the_past() => {
                complain("warning: peripetyd keeps no events: those made meanwhile are missing.");
            }
            Err(error) => return Err(error),
        }
    }
}

struct Monitor<'a> {
    filter: Option<Filter>,
    address: &'a Address,
    progress: Progress,
    /// The connection was lost, and there is no new one yet.
    lost: bool,
}

impl Monitor<'_> {
    /// Prints events until the call ends.
    fn follow<W: Write>(&mut self, printer: &mut Printer<W>) -> Result<(), Error> {
        let (since, limit) = self.progress.call();
        let mut call = connect_to_follow(self.address)?.monitor(self.filter.clone(), since, limit);
        for reply in call.more()? {
            let reply = reply?;
            self.connected();
            if let Some(event) = reply.event {
                self.print(&event, printer)?;
            }
            if let Some(lost) = reply.lost.filter(|lost| *lost > 0) {
                complain(&lost_warning(lost));
            }
            if self.progress.is_done() {
                break;
            }
        }
        Ok(())
    }

    fn connected(&mut self) {
        self.progress.begin();
        if std::mem::replace(&mut self.lost, false) {
            complain("connected to peripetyd again; going on after the last event printed.");
        }
    }

    fn print<W: Write>(&mut self, event: &StorageEvent, printer: &mut Printer<W>) -> Result<(), Error> {
        if self.progress.is_new(event) {
            printer.event(event)?;
            printer.flush()?;
        }
        Ok(())
    }

    /// Waits until the next attempt.
    fn wait(&mut self, error: &Error) {
        if !std::mem::replace(&mut self.lost, true) {
            let why = match error {
                Error::TooManyConnections(_) => "peripetyd refuses the connection",
                _ => "the connection to peripetyd was lost",
            };
            complain(&format!("{why}; connecting again."));
        }
        std::thread::sleep(RETRY);
    }
}

fn lost_warning(lost: u64) -> String {
    let what = if lost == 1 { "1 event was".to_owned() } else { format!("{lost} events were") };
    format!(
        "warning: {what} lost: they came faster than the output was read, and the journal does not \
         hold them. Ask for fewer, for example with --severity."
    )
}
