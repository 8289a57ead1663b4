//! `prpt rules`: which log lines are storage events.

use std::io::{self, BufRead, Write};

use peripety_api::Rule;
use peripety_rules::event_type;
use peripety_rules::shown::DEFAULT_IDENTIFIER;

use crate::args::rules::{ExplainArgs, ListArgs, RulesCommand, TestArgs};
use crate::args::some_list;
use crate::connection::Address;
use crate::error::Error;
use crate::format::rules::{Explanation, Tried};
use crate::format::Printer;
use crate::log_line;
use crate::rulebook::Rulebook;

/// Most event types named for one that does not exist.
const MAX_SIMILAR: usize = 3;

/// Lists, tests or explains.
pub fn rules<W: Write>(
    command: &RulesCommand,
    address: &Address,
    printer: &mut Printer<W>,
) -> Result<(), Error> {
    match command {
        RulesCommand::List(args) => list(args, address, printer),
        RulesCommand::Test(args) => test(args, address, printer),
        RulesCommand::Explain(args) => explain(args, address, printer),
    }
}

fn list<W: Write>(args: &ListArgs, address: &Address, printer: &mut Printer<W>) -> Result<(), Error> {
    let (types, systems) = (some_list(&args.event_type), some_list(&args.sub_system));
    let rules = Rulebook::of(address, args.local)?;
    printer.rules(&rules.list(types, systems, some_list(&args.identifier))?)?;
    Ok(())
}

fn test<W: Write>(args: &TestArgs, address: &Address, printer: &mut Printer<W>) -> Result<(), Error> {
    let rules = Rulebook::of(address, args.local)?;
    let identifier = args.identifier.as_deref();
    let all_taken = match args.line.as_str() {
        "-" => test_all(&mut io::stdin().lock(), identifier, &rules, printer)?,
        line => test_one(line, identifier, &rules, printer)?,
    };
    if all_taken {
        Ok(())
    } else {
        Err(Error::NotTaken)
    }
}

/// Tests every non-empty line; returns whether a rule matched each.
fn test_all<W: Write>(
    input: &mut impl BufRead,
    identifier: Option<&str>,
    rules: &Rulebook,
    printer: &mut Printer<W>,
) -> Result<bool, Error> {
    let mut all_taken = true;
    let mut bytes = Vec::new();
    while input.read_until(b'\n', &mut bytes).map_err(|e| Error::Input(e.to_string()))? > 0 {
        let line = String::from_utf8_lossy(&bytes);
        // journalctl marks boots with lines that begin so.
        if !line.trim().is_empty() && !line.starts_with("-- ") {
            all_taken &= test_one(line.trim_end_matches(['\n', '\r']), identifier, rules, printer)?;
            printer.flush()?;
        }
        bytes.clear();
    }
    Ok(all_taken)
}

/// Tests a line; returns whether a rule matches.
fn test_one<W: Write>(
    line: &str,
    identifier: Option<&str>,
    rules: &Rulebook,
    printer: &mut Printer<W>,
) -> Result<bool, Error> {
    let found = log_line::split(line);
    let identifier = identifier.or(found.identifier).unwrap_or(DEFAULT_IDENTIFIER);
    let (matched, misses) = rules.test(found.message, identifier)?;
    let taken = matched.is_some();
    printer.tried(&Tried { line: found.message, identifier, matched, misses })?;
    Ok(taken)
}

/// What an event type means, and its rules.
pub fn explain<W: Write>(
    args: &ExplainArgs,
    address: &Address,
    printer: &mut Printer<W>,
) -> Result<(), Error> {
    let all = Rulebook::of(address, args.local)?.list(None, None, None)?;
    let event_type = args.event_type.to_ascii_uppercase();
    let rules: Vec<&Rule> = all.iter().filter(|rule| rule.event_type == event_type).collect();
    if rules.is_empty() {
        let similar = similar(&event_type, &all);
        return Err(Error::NoSuchType { event_type, similar });
    }
    let ends_it = |rule: &&Rule| rule.closes.iter().any(|pattern| event_type::matches(pattern, &event_type));
    let mut cleared_by: Vec<&str> = all.iter().filter(ends_it).map(|rule| rule.event_type.as_str()).collect();
    cleared_by.sort_unstable();
    cleared_by.dedup();
    printer.explanation(&Explanation { event_type: &event_type, rules, cleared_by })?;
    Ok(())
}

/// The event types most similar to one that does not exist.
fn similar(event_type: &str, all: &[Rule]) -> Vec<String> {
    let shared =
        |known: &str| known.split('_').filter(|word| event_type.split('_').any(|w| w == *word)).count();
    let mut known: Vec<(usize, &str)> =
        all.iter().map(|rule| (shared(&rule.event_type), rule.event_type.as_str())).collect();
    known.retain(|(words, _)| *words > 0);
    known.sort_by_key(|(words, name)| (std::cmp::Reverse(*words), *name));
    known.dedup();
    known.into_iter().take(MAX_SIMILAR).map(|(_, name)| name.to_owned()).collect()
}
