//! `peripetyd parse`: storage events from log files, for those who support other people's machines.
//!
//! [`input`] finds logs in files, directories and archives and recognises them, [`chunk`] cuts them, [`text`] and [`record`]
//! take lines and records apart and match them on all cores ([`pool`]). [`stage`] makes events, one after the other, and
//! joins those of one fault; [`output`] prints them. Memory stays the same however long the input.
//!
//! Nothing of this machine is looked at: devices come from what the input says of them ([`identity`]).

pub mod args;
pub mod chunk;
pub mod clock;
pub mod early;
pub mod found;
pub mod identity;
pub mod input;
pub mod journal_files;
pub mod output;
pub mod pool;
pub mod progress;
pub mod record;
mod report;
pub mod rules;
mod sorted;
pub mod stage;
pub mod stories;
pub mod summary;
pub mod text;
pub mod ties;
mod when;
mod writers;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::tz::TimeZone;
use peripety_blkinfo::Tree;

use crate::config::tree::Places;
use crate::config::Config;
use crate::devices::Devices;
use crate::event::Severity;
use crate::journal;
use crate::rules::builtin;
use crate::rules::conditions::Kinds;
use args::ParseArgs;
use identity::Machine;
use output::{Filter, Printer, Shape};
use pool::InputItem;
use progress::Progress;
use report::Report;
use rules::Rules;
use stage::{LogRoot, Made, Stage};
use text::count::UnmatchedLines;

/// Why nothing could be parsed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigErrors),
    /// A rule is wrong.
    #[error(transparent)]
    Rule(#[from] crate::rules::RuleError),
    /// The device tree cannot be read.
    #[error("--device-tree: {0}")]
    Tree(#[from] peripety_blkinfo::Error),
    /// No thread, or the output cannot be written.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Times between which events are printed, µs since the epoch.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// From here on.
    pub since: u64,
    /// Up to here.
    pub until: u64,
}

/// How the parsing ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There were storage events.
    Events,
    /// There was none.
    NoEvent,
    /// Nothing could be read.
    Unreadable,
}

/// Parses what the command line names.
pub fn run(args: &ParseArgs, span: Span) -> Result<Outcome, Error> {
    let (rules, bursts, kinds) = rules(args)?;
    let zone = TimeZone::system();
    let filter =
        Filter { severity: args.severity.unwrap_or(Severity::Debug), since: span.since, until: span.until };
    let out = BufWriter::new(io::stdout().lock());
    let mut printer = Printer::new(out, Shape::of(args), filter, zone.clone(), kinds);
    let named = match args.paths.as_slice() {
        [] => vec![PathBuf::from("-")],
        paths => paths.to_vec(),
    };
    let unmatched = Arc::new(UnmatchedLines { print: args.unmatched, ..UnmatchedLines::default() });
    let progress = Progress::new(size_of(&named), args.no_progress);
    let mut report = Report::new(progress.clone(), args.output);
    for path in named {
        let mut stage = Stage::new(machines(args, &path)?, zone.clone(), bursts);
        let forced = args.input.map(args::Input::format);
        let items = pool::start(vec![path], forced, rules.clone(), unmatched.clone(), progress.clone())?;
        for item in items {
            if let Err(e) = take(item, &mut stage, &mut printer, &mut report) {
                return ended(e);
            }
        }
    }
    progress.end();
    if let Err(e) = printer.end() {
        return ended(e);
    }
    Ok(report.end())
}

/// The output cannot be written. That nobody reads it any more is no error.
fn ended(error: io::Error) -> Result<Outcome, Error> {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Ok(Outcome::Events),
        _ => Err(error.into()),
    }
}

fn take<W: Write>(
    item: InputItem,
    stage: &mut Stage,
    printer: &mut Printer<W>,
    report: &mut Report,
) -> io::Result<()> {
    match item {
        InputItem::Begin { name, modified } => {
            report.begin(&name);
            stage.begin(name, modified.unwrap_or_else(journal::now));
        }
        InputItem::Work(result) => {
            let batch = result.recv().unwrap_or_default();
            report.count(&batch.counts);
            stage.learn(batch.ties);
            for found in batch.found {
                put(stage.take(found), printer, report)?;
            }
            stage.carry(batch.carry);
            printer.lines(report.name(), &batch.counts.shown)?;
        }
        InputItem::Found(all) => {
            for found in all {
                put(stage.take(found), printer, report)?;
            }
        }
        InputItem::Counted(counts) => report.count(&counts),
        InputItem::End => {
            put(stage.end(), printer, report)?;
            printer.end_of_input()?;
        }
        InputItem::Skipped { name, named } => report.skip(&name, named),
        InputItem::Failed { name, why } => report.fail(&name, &why),
    }
    Ok(())
}

fn put<W: Write>(made: Vec<Made>, printer: &mut Printer<W>, report: &mut Report) -> io::Result<()> {
    report.events |= !made.is_empty();
    printer.print(made)
}

fn rules(args: &ParseArgs) -> Result<(Arc<Rules>, crate::correlate::burst::Settings, Arc<Kinds>), Error> {
    let mut all = Vec::new();
    let mut bursts = crate::correlate::burst::Settings::default();
    let mut kinds = None;
    if let Some(file) = &args.config {
        let config = Config::load(&Places { root: PathBuf::from("/"), named: Some(file.clone()) })?;
        bursts = config.burst;
        all.extend(config.rules);
        kinds = config.kinds;
    }
    all.extend(builtin::rules()?);
    let kinds = kinds.map_or_else(Kinds::builtin, Ok)?;
    Ok((Arc::new(Rules::new(all)), bursts, kinds))
}

/// The machines of an input, with the devices that lines of their logs are about.
fn machines(args: &ParseArgs, path: &Path) -> Result<Vec<LogRoot>, Error> {
    if let Some(tree) = &args.device_tree {
        let devices = Arc::new(Devices::new(Tree::open(tree)?, None));
        let boot_id = devices.boot_id().map(str::to_owned);
        return Ok(vec![LogRoot {
            root: String::new(),
            devices,
            machine: Machine { boot_id, ..Machine::default() },
        }]);
    }
    let found = identity::of(path).into_iter().map(|(root, machine)| LogRoot {
        root,
        devices: Arc::new(Devices::elsewhere(machine.devices.clone())),
        machine,
    });
    Ok(found.collect())
}

/// Bytes of all files, if that is soon known.
fn size_of(paths: &[PathBuf]) -> Option<u64> {
    let sizes = paths.iter().map(|path| {
        let about = std::fs::metadata(path).ok()?;
        about.is_file().then_some(about.len())
    });
    sizes.sum()
}
