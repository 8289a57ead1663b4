//! `prpt`: queries peripetyd for storage events and block devices over Varlink, and prints them.
//!
//! Exit codes: 0 done (an empty answer, and a reader that closed our output, included), 1 error,
//! 2 usage error, 3 `prpt rules test`: no rule matches a line.

mod args;
mod commands;
mod connection;
mod device;
mod error;
mod format;
mod local;
mod log_line;
mod patience;
mod progress;
mod rulebook;
mod stdout;

use std::io::Write;
use std::process::ExitCode;

use crate::args::{Cli, Command};
use crate::error::Error;
use crate::format::Printer;

/// Exit code of `prpt rules test`: no rule matches a line.
const NOT_TAKEN: u8 = 3;

fn main() -> ExitCode {
    match run(&Cli::read()) {
        Ok(()) | Err(Error::OutputClosed) => ExitCode::SUCCESS,
        Err(Error::NotTaken) => NOT_TAKEN.into(),
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<(), Error> {
    let address = &cli.global.address;
    let mut printer = Printer::new(
        stdout::buffered(),
        cli.global.format(),
        stdout::wants_color(cli.global.color),
        jiff::tz::TimeZone::system(),
    );
    let done = match &cli.command {
        Command::Query(args) => commands::query(args, address, &mut printer),
        Command::Monitor(args) => commands::monitor(args, address, &mut printer),
        Command::Info(args) => commands::info(args, address, &mut printer),
        Command::List(args) => commands::list(args, address, &mut printer),
        Command::Status => commands::status(address, &mut printer),
        Command::Explain(args) => commands::explain(args, address, &mut printer),
        Command::Rules(command) => commands::rules(command, address, &mut printer),
    };
    // Output that precedes an error is printed before it.
    printer.flush()?;
    done
}

/// Prints one line on standard error; text from devices and logs is escaped.
fn complain(message: &str) {
    // If standard error is closed, the message is lost.
    _ = writeln!(std::io::stderr(), "prpt: {}", peripety_api::sanitize::visible(message));
}
